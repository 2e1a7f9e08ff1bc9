/**
 * When a record was logged, as one number: seconds since 1970, or, where the carrier wrote the time of a clock without its
 * zone (the Community Edition of NXLog), the seconds that this clock shows, moved far away from all others.
 */
import type { RecordKey } from '../model/records.js';
import { isCredible } from '../runtime/noted-time.js';

/** No time with a zone comes near it, up to the year 9999 and far beyond. */
const clockBase = 2 ** 44;
/** From -12:00 to +14:00, with some room. */
const furthestZone = 15 * 3_600;

/** NaN where no time is known. */
export function secondOf({ time, clockTime }: Pick<RecordKey, 'time' | 'clockTime'>): number {
  if (time !== undefined && Number.isFinite(time)) return Math.floor(time / 1000);
  return clockTime === undefined ? Number.NaN : Math.floor(clockTime / 1000) + clockBase;
}

/** The times of which `secondOf` makes this number. */
export function timesOf(second: number): Pick<RecordKey, 'time' | 'clockTime'> {
  if (Number.isNaN(second)) return { time: undefined };
  return isClock(second) ? { time: undefined, clockTime: (second - clockBase) * 1000 } : { time: second * 1000 };
}

function isClock(second: number): boolean {
  return second >= clockBase / 2;
}

/**
 * Between which seconds the same record may be known: a clock and a time with a zone are the same where any zone makes them so.
 * @param tolerance seconds by which times of the same record may differ
 */
export function* sameAs(second: number, tolerance: number): Generator<readonly [from: number, to: number]> {
  yield [second - tolerance, second + tolerance];
  const other = isClock(second) ? second - clockBase : second + clockBase;
  yield [other - furthestZone, other + furthestZone];
}

/** True when one is surely later than another; false when either is NaN. */
export function isLater(second: number, than: number): boolean {
  return isClock(second) === isClock(than) ? second > than : earliest(second) > latest(than);
}

/** False for one from the future, whatever its zone. */
export function isCredibleSecond(second: number, now: number): boolean {
  return isCredible(earliest(second) * 1000, now);
}

function earliest(second: number): number {
  return isClock(second) ? second - clockBase - furthestZone : second;
}

function latest(second: number): number {
  return isClock(second) ? second - clockBase + furthestZone : second;
}

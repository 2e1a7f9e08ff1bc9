/** The times of a row of the ledger, as they were noted and as they are shown when the clock turns out to have been wrong. */
import type { LedgerRow } from '../model/batch.js';
import { skewMs, trueAt, type Clocks } from '../runtime/noted-time.js';

const names = ['lastErrorAt', 'lastObservedAt', 'lastAttemptAt'] as const;
type TimeName = (typeof names)[number];

/**
 * Times as noted, each with the steady clock's: one that is wrong for a while takes none of them away. NaN: never. Numbers
 * only, which are written over in place.
 */
export type RowTimes = {
  errorAt: number;
  observedAt: number;
  attemptAt: number;
  errorNoted: number;
  observedNoted: number;
  attemptNoted: number;
};
export type ShownTimes = Pick<LedgerRow, TimeName>;

export function noTimes(): RowTimes {
  return {
    errorAt: NaN,
    observedAt: NaN,
    attemptAt: NaN,
    errorNoted: NaN,
    observedNoted: NaN,
    attemptNoted: NaN,
  };
}

/** Times of the file were noted before it was read. */
export function savedTimes(row: ShownTimes, { steady }: Clocks): RowTimes {
  const noted = steady();
  return {
    errorAt: row.lastErrorAt ?? NaN,
    observedAt: row.lastObservedAt ?? NaN,
    attemptAt: row.lastAttemptAt ?? NaN,
    errorNoted: noted,
    observedNoted: noted,
    attemptNoted: noted,
  };
}

/** Notes an error, as it is dated and as it was read, where that is later than what is known. */
export function noteError(times: RowTimes, at: number, readAt: number, clocks: Clocks): void {
  if (!isSince(times.errorAt, times.errorNoted, at, clocks)) {
    times.errorAt = at;
    times.errorNoted = clocks.steady();
  }
  if (!isSince(times.observedAt, times.observedNoted, readAt, clocks)) {
    times.observedAt = readAt;
    times.observedNoted = clocks.steady();
  }
}

/** The same of an attempt alone. */
export function noteAttempt(times: RowTimes, readAt: number, clocks: Clocks): void {
  if (isSince(times.attemptAt, times.attemptNoted, readAt, clocks)) return;
  times.attemptAt = readAt;
  times.attemptNoted = clocks.steady();
}

function isSince(known: number, steadyAt: number, at: number, clocks: Clocks): boolean {
  return !Number.isNaN(known) && trueAt(known, steadyAt, clocks) >= at;
}

/** The later of each. */
export function laterTimes(a: RowTimes, b: RowTimes): RowTimes {
  const times = { ...a };
  if (!(a.errorAt >= b.errorAt) && !Number.isNaN(b.errorAt))
    [times.errorAt, times.errorNoted] = [b.errorAt, b.errorNoted];
  if (!(a.observedAt >= b.observedAt) && !Number.isNaN(b.observedAt))
    [times.observedAt, times.observedNoted] = [b.observedAt, b.observedNoted];
  if (!(a.attemptAt >= b.attemptAt) && !Number.isNaN(b.attemptAt))
    [times.attemptAt, times.attemptNoted] = [b.attemptAt, b.attemptNoted];
  return times;
}

export function shownTimes(times: RowTimes, clocks: Clocks): ShownTimes {
  const shown = { lastErrorAt: undefined, lastObservedAt: undefined, lastAttemptAt: undefined };
  showTimes(shown, times, clocks);
  return shown;
}

/** Puts the times as they are shown into a row. */
export function showTimes(into: Record<TimeName, number | undefined>, times: RowTimes, clocks: Clocks): void {
  // A record has the time of its server, whose clock may be ahead of ours.
  into.lastErrorAt = shownTime(times.errorAt, times.errorNoted, clocks, skewMs);
  into.lastObservedAt = shownTime(times.observedAt, times.observedNoted, clocks);
  into.lastAttemptAt = shownTime(times.attemptAt, times.attemptNoted, clocks, skewMs);
}

function shownTime(at: number, steadyAt: number, clocks: Clocks, toleranceMs?: number): number | undefined {
  return Number.isNaN(at) ? undefined : trueAt(at, steadyAt, clocks, toleranceMs);
}

export function isSameTimes(a: ShownTimes, b: ShownTimes): boolean {
  return names.every((name) => a[name] === b[name]);
}

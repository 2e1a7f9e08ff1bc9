/** The times of a row of the ledger, as they were noted and as they are shown when the clock turns out to have been wrong. */
import type { LedgerRow } from '../model/batch.js';
import { skewMs, trueTime, type Clocks, type Noted } from '../runtime/noted-time.js';

const names = ['lastErrorAt', 'lastObservedAt', 'lastAttemptAt'] as const;
type TimeName = (typeof names)[number];

/** Times as noted: a clock that is wrong for a while takes none of them away. */
export type RowTimes = Partial<Record<TimeName, Noted>>;
export type ShownTimes = Pick<LedgerRow, TimeName>;

/** Times of the file were noted before it was read. */
export function savedTimes(row: ShownTimes, { steady }: Clocks): RowTimes {
  const steadyAt = steady();
  return Object.fromEntries(
    names.flatMap((name) => {
      const at = row[name];
      return at === undefined ? [] : [[name, { at, steadyAt }]];
    }),
  );
}

/** The later of what is known and of a time that is noted now. */
export function laterTime(known: Noted | undefined, at: number, clocks: Clocks): Noted {
  return known && trueTime(known, clocks) >= at ? known : { at, steadyAt: clocks.steady() };
}

/** The later of each. */
export function laterTimes(a: RowTimes, b: RowTimes): RowTimes {
  const times = { ...b, ...a };
  for (const name of names) {
    const [first, second] = [a[name], b[name]];
    if (first && second && second.at > first.at) times[name] = second;
  }
  return times;
}

export function shownTimes(times: RowTimes, clocks: Clocks): ShownTimes {
  const shown = { lastErrorAt: undefined, lastObservedAt: undefined, lastAttemptAt: undefined };
  showTimes(shown, times, clocks);
  return shown;
}

/** Puts the times as they are shown into a row. */
export function showTimes(
  into: Record<TimeName, number | undefined>,
  { lastErrorAt, lastObservedAt, lastAttemptAt }: RowTimes,
  clocks: Clocks,
): void {
  // A record has the time of its server, whose clock may be ahead of ours.
  into.lastErrorAt = lastErrorAt && trueTime(lastErrorAt, clocks, skewMs);
  into.lastObservedAt = lastObservedAt && trueTime(lastObservedAt, clocks);
  into.lastAttemptAt = lastAttemptAt && trueTime(lastAttemptAt, clocks, skewMs);
}

export function isSameTimes(a: ShownTimes, b: ShownTimes): boolean {
  return names.every((name) => a[name] === b[name]);
}

/** A row of the ledger: what was entered, what is saved, what pages show, and what scrapers still see. */
import type { Counter } from './saved.js';
import type { LedgerRow } from '../model/batch.js';
import type { Reason } from '../model/words.js';
import { noTimes, type RowTimes } from './row-times.js';

export type Counts = Pick<LedgerRow, 'errors' | 'attempts' | 'failures'>;

export type Row = {
  /** All that was entered, saved or not; its times as the clock of now lets them be true, once they are settled. */
  entered: LedgerRow;
  times: RowTimes;
  /** True while the times of `entered` are older: `settleTimes` puts them right. */
  timesDue: boolean;
  /** What the latest save has taken of it, be it done or not: not changed any more. */
  takenEntered: LedgerRow | undefined;
  takenHistory: Counts | undefined;
  /** What the file on disk says. */
  saved: LedgerRow | undefined;
  /** What pages show; undefined while not shown at all. */
  published: LedgerRow | undefined;
  /** Series exposed at a previous value until every active scraper has read it; undefined when there is none. */
  held: Map<Counter, Held> | undefined;
  /** What scrapers are shown in its place until all have seen it: the server had another name. */
  former: Former | undefined;
  /** How much of each counter scrapers were told under another name of the server, where this one had a series as well. */
  toldElsewhere: Readonly<Partial<Record<Counter, number>>>;
  /** Rises when the row is renamed: a save that began before says nothing of it any more. */
  names: number;
  /** How much of each counter is history, to be shown from the first: as entered, and as the file on disk says. */
  history: Counts;
  savedHistory: Counts;
  /** True while history that was entered waits for the rest of it. */
  awaitsHistory: boolean;
  /** True while the destination has been silent for so long that it is not shown; its count is kept. */
  dormant: boolean;
  /** True from its first save on. */
  isKept: boolean;
  /** The snapshot that it is still to be written for; 0 when there is none. */
  snapshot: number;
};

/**
 * Saved with its row: after a restart a series that nobody has seen at zero is still to be seen there. `seen` means that
 * all have seen it, but the file does not say so yet: if the true value were shown before, a crash could take it back.
 */
export type Held = { readonly value: number; birth: number; seen: boolean };

/** Rows as they stood when the fuller name of the server was learnt, one for each name. */
type Former = { readonly rows: readonly LedgerRow[]; readonly birth: number };

export const noCounts: Counts = { errors: 0, attempts: 0, failures: {} };
export const never = { lastErrorAt: undefined, lastObservedAt: undefined, lastAttemptAt: undefined };

/** The same object for all rows that were told under one name only. */
const toldNothing: Readonly<Partial<Record<Counter, number>>> = {};

export function freshRow(entered: LedgerRow, times: RowTimes = noTimes()): Row {
  return {
    entered,
    times,
    timesDue: false,
    takenEntered: undefined,
    takenHistory: undefined,
    saved: undefined,
    published: undefined,
    held: undefined,
    former: undefined,
    toldElsewhere: toldNothing,
    names: 0,
    history: noCounts,
    savedHistory: noCounts,
    awaitsHistory: false,
    dormant: false,
    isKept: false,
    snapshot: 0,
  };
}

/** Exists only because the inventory expects it. */
export function isMerelyExpected({ isKept, entered }: Row): boolean {
  return !isKept && isWithoutEvidence(entered);
}

export function isWithoutEvidence({ lastErrorAt, lastAttemptAt }: LedgerRow): boolean {
  return lastErrorAt === undefined && lastAttemptAt === undefined;
}

export type RowName = { readonly server: string; readonly connector: string; readonly destination: string };

export function keyOf(row: RowName): string {
  return `${row.server}\n${row.connector}\n${row.destination}`;
}

export function isSame(a: RowName, b: RowName): boolean {
  return a.destination === b.destination && a.connector === b.connector && a.server === b.server;
}

/**
 * Puts the row as scrapers see it behind others; nearly always it is the published one itself.
 * @returns how many of its series stand at a previous value
 */
export function showRow({ published, held, former, toldElsewhere }: Row, into: LedgerRow[]): number {
  if (!published) return 0;
  if (former) {
    into.push(...former.rows.map((each) => withTimes(each, published)));
    return held?.size ?? 0;
  }
  const behind = held === undefined ? nothingBehind : behindOf(published, held);
  if (behind.length === 0 && toldElsewhere === toldNothing) {
    into.push(published);
    return 0;
  }
  const less = Object.entries(toldElsewhere) as [Counter, number][];
  const shown = withCounters(published, behind);
  const told = withCounters(
    shown,
    less.map(([counter, value]) => [counter, valueOf(shown, counter) - value]),
  );
  into.push({ ...published, ...told });
  return behind.length;
}

/** Last-error times are never held back, under whatever name: an alert on them needs no earlier sample. */
function withTimes(former: LedgerRow, { lastErrorAt, lastObservedAt }: LedgerRow): LedgerRow {
  return former.lastObservedAt === undefined ? former : { ...former, lastErrorAt, lastObservedAt };
}

const nothingBehind: readonly (readonly [Counter, number])[] = [];

/** The counters of a row that are exposed at a previous value. */
function behindOf(published: LedgerRow, held: ReadonlyMap<Counter, Held>): readonly (readonly [Counter, number])[] {
  let behind = nothingBehind;
  for (const [counter, { value }] of held)
    if (value !== valueOf(published, counter)) behind = [...behind, [counter, value]];
  return behind;
}

/** The counters of a row that are shown: attempts only where something tells of attempts. */
export function countersOf(row: LedgerRow): Counter[] {
  const reasons = Object.keys(row.failures) as Reason[];
  return hasCounter(row, 'attempts') ? ['errors', 'attempts', ...reasons] : ['errors', ...reasons];
}

export function hasCounter(row: LedgerRow, counter: Counter): boolean {
  if (counter === 'errors') return true;
  return counter === 'attempts' ? row.lastAttemptAt !== undefined : row.failures[counter] !== undefined;
}

export function withCounters(counts: Counts, changes: readonly (readonly [Counter, number])[]): Counts {
  const failures = { ...counts.failures };
  let { errors, attempts } = counts;
  for (const [counter, value] of changes) {
    if (counter === 'errors') errors = value;
    else if (counter === 'attempts') attempts = value;
    else failures[counter] = value;
  }
  return { errors, attempts, failures };
}

export function valueOf(counts: Counts, counter: Counter): number {
  return counter === 'errors' || counter === 'attempts' ? counts[counter] : (counts.failures[counter] ?? 0);
}

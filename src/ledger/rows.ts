/** The counters of all destinations, within their bounds: entered, published when they are saved, dormant when silent. */
import type { Births } from './births.js';
import { createBounds, type Bounds, type Folded } from './bounds.js';
import { countIn, type Counted, settleTimes } from './counting.js';
import { createMerelyExpected, type MerelyExpected } from './merely-expected.js';
import { renameRows } from './renames.js';
import {
  countersOf,
  freshRow,
  hasCounter,
  isSame,
  isWithoutEvidence,
  keyOf,
  withCounters,
  type Row,
  type RowName,
} from './row.js';
import { createRowClock, type RowClock } from './row-clock.js';
import { isSameTimes, savedTimes, shownTimes } from './row-times.js';
import type { Counter, SavedRow } from './saved.js';
import { createRowFinder, type RowFinder } from './row-finder.js';
import type { Scrapers } from './scrapers.js';
import { createSilentRows, type SilentRows, type SilentRowsOptions } from './silent-rows.js';
import type { UnsavedRows } from './unsaved-rows.js';
import type { LedgerRow } from '../model/batch.js';
import type { Clocks } from '../runtime/noted-time.js';

export type Rows = {
  /** Shows a saved row at its saved value; what was missed meanwhile comes as one step. */
  readonly restore: (saved: SavedRow) => void;
  /** @returns the row that it is counted in: of its own, or `other` of its connector when the limit is reached */
  readonly enter: (evidence: Counted, history: boolean, moment: Clocks) => LedgerRow;
  /** Has all rows of a server stand under its fuller name. */
  readonly rename: (short: string, full: string) => void;
  /** Shows these at zero before their first evidence, in place of those named before. */
  readonly expect: (rows: readonly RowName[]) => void;
  readonly expected: () => readonly RowName[];
  /** Shows what is saved. History waits until all of it is read, so that its series are born at their whole value. */
  readonly publish: () => void;
  /** Looks whether the clock was set. */
  readonly heedClock: () => void;
  /** Shows destinations no longer that have been silent for long. */
  readonly sweep: () => void;
  readonly all: () => Iterable<Row>;
  readonly folded: () => Folded;
  readonly dormantErrors: (connector: string) => number;
  /** How many destinations had their last error so long ago that they are no longer shown. */
  readonly silentDestinations: () => number;
};

export type RowsOptions = SilentRowsOptions & {
  readonly clocks: Clocks;
  /** Destinations shown by name, of each Send connector. */
  readonly limit?: number;
  readonly readingHistory?: () => boolean;
  readonly onPublished?: (row: LedgerRow) => void;
  readonly births: Births;
  readonly scrapers: Scrapers;
  readonly unsaved: UnsavedRows;
  /** Asks for a save. */
  readonly saveNow: () => void;
};

type Book = RowsOptions & {
  readonly byKey: Map<string, Row>;
  readonly finder: RowFinder;
  readonly bounds: Bounds;
  readonly silent: SilentRows;
  readonly expectation: MerelyExpected;
  readonly clock: RowClock;
  /** When silent destinations are looked for next. */
  sweepAt: number;
};

const sweepMs = 60_000;

export function createRows(options: RowsOptions): Rows {
  const byKey = new Map<string, Row>();
  const bounds = createBounds(options.limit ?? 2_000);
  const silent = createSilentRows(byKey, options, options.unsaved);
  const book: Book = {
    ...options,
    byKey,
    finder: createRowFinder({ byKey, bounds, silent }),
    bounds,
    silent,
    expectation: createMerelyExpected({ byKey, births: options.births, bounds }),
    clock: createRowClock(options.clocks),
    sweepAt: 0,
  };
  return {
    restore: (saved) => {
      restore(book, saved);
    },
    enter: (evidence, history, moment) => enter(book, evidence, history, moment),
    rename: rename.bind(undefined, book),
    expect: book.expectation.expect,
    expected: book.expectation.all,
    publish: () => {
      publish(book);
    },
    heedClock: () => {
      heedClock(book);
    },
    sweep: () => {
      sweep(book);
    },
    all: () => byKey.values(),
    folded: bounds.folded,
    dormantErrors: book.silent.errorsOf,
    silentDestinations: book.silent.withErrors,
  };
}

function restore(book: Book, { shown, former, toldElsewhere, ...written }: SavedRow): void {
  const { births, bounds, clocks, silent } = book;
  const times = savedTimes(written, clocks);
  const mended = shownTimes(times, clocks);
  const saved = isSameTimes(written, mended) ? written : { ...written, ...mended };
  const row: Row = { ...freshRow(saved, times), saved, isKept: true, ...(toldElsewhere && { toldElsewhere }) };
  // Not at once: it may be the clock of now that is wrong, as at many a boot.
  if (saved !== written) book.clock.mending.add(row);
  book.byKey.set(keyOf(saved), row);
  row.history = row.savedHistory = withCounters(saved, Object.entries(shown ?? {}) as [Counter, number][]);
  // It may have been shown, and that more fail by now is no reason to take it away: it finds the whole room.
  row.dormant = silent.isSilent(saved) || !isSame(bounds.place(saved), saved);
  if (row.dormant) {
    silent.keep(row);
    return;
  }
  row.published = saved;
  if (former) row.former = { rows: former, birth: book.scrapers.birth() };
  book.onPublished?.(saved);
  for (const counter of countersOf(saved)) births.hold(row, counter, row.history);
}

function enter(book: Book, evidence: Counted, history: boolean, moment: Clocks): LedgerRow {
  const row = book.finder.rowFor(evidence);
  book.unsaved.changes(row);
  countIn(row, evidence, history, moment);
  return row.entered;
}

function rename({ byKey, finder, unsaved, births, silent, clock, ...book }: Book, short: string, full: string): void {
  for (const row of byKey.values()) settleTimes(row, book.clocks);
  for (const row of byKey.values())
    if (row.entered.server === short) unsaved.forgets(row);
    else if (row.entered.server === full) unsaved.settles(row);
  const sets = { ...unsaved, held: births.rows, dormant: silent.dormant, mending: clock.mending };
  finder.clear();
  const renamed = renameRows({ ...book, ...sets, rowsByKey: byKey }, short, full);
  for (const row of renamed) if (row.published) book.onPublished?.(row.published);
}

function publish(book: Book): void {
  const { births, expectation, unsaved } = book;
  heedClock(book);
  const reading = book.readingHistory?.() ?? false;
  if (expectation.isDue() && !reading) expectation.show();
  if (!reading) unsaved.historyIsRead();
  /** Asked for by the first row that is new: all that are held are looked at for it. */
  let former: ReadonlySet<string> | undefined;
  for (const row of unsaved.unpublished) {
    if (row.awaitsHistory && (reading || row.history !== row.savedHistory)) continue;
    // The series of that name are still those of another row.
    if (!row.published && (former ??= births.formerKeys()).has(keyOf(row.entered))) continue;
    unsaved.unpublished.delete(row);
    row.awaitsHistory = false;
    if (!row.saved) continue;
    if ((!row.published || isWithoutEvidence(row.published)) && book.silent.isSilent(row.saved)) {
      // First read of what was long ago: not shown, as after a restart. What was entered since has a save of its own.
      if (row.saved === row.entered) rest(book, row);
      continue;
    }
    // A new series is first shown as it was before its news: at zero, or at what history says.
    for (const counter of countersOf(row.saved)) {
      if (!row.published || !hasCounter(row.published, counter)) births.hold(row, counter, row.history);
    }
    row.published = row.saved;
    book.onPublished?.(row.saved);
  }
}

function sweep(book: Book): void {
  const { clock, clocks, silent } = book;
  const now = clocks.steady();
  if (now < book.sweepAt || !clock.isSettled()) return;
  book.sweepAt = now + sweepMs;
  for (const row of book.byKey.values()) {
    // What is being saved or waits to be seen stays until it is.
    if (!row.published || row.saved !== row.entered || row.held || !silent.isSilent(row.entered)) continue;
    rest(book, row);
  }
}

/** Is no longer shown, or never was; all that it counted is history when it returns. */
function rest({ births, bounds, silent }: Book, row: Row): void {
  row.history = row.savedHistory = row.entered;
  row.published = undefined;
  row.held = undefined;
  births.rows.delete(row);
  silent.keep(row);
  bounds.release(row.entered);
}

/** When the clock was set, every time is looked at again; nothing is forgotten by a clock that is wrong for a moment. */
function heedClock(book: Book): void {
  const { clock, silent, unsaved } = book;
  if (clock.hasJumped()) {
    for (const row of book.byKey.values()) mendTimes(book, row);
    for (const row of silent.dormant) if (!silent.isSilent(row.entered)) wake(book, row);
  }
  const mended = clock.takeMended();
  if (mended.length === 0) return;
  for (const row of mended) if (!row.dormant) unsaved.changes(row);
  book.saveNow();
}

function mendTimes({ clocks, unsaved, saveNow }: Book, row: Row): void {
  const times = shownTimes(row.times, clocks);
  row.timesDue = false;
  if (isSameTimes(times, row.entered)) return;
  (row.dormant ? unsaved.settles : unsaved.changes)(row);
  row.entered = { ...row.entered, ...times };
  // What is not shown is published only when it wakes.
  if (row.dormant) row.saved = row.entered;
  saveNow();
}

/** It was taken for silent by a clock that was wrong. */
function wake({ bounds, silent, unsaved }: Book, row: Row): void {
  const isAttempt = row.entered.lastErrorAt === undefined;
  if (!isSame(bounds.place(row.entered, isAttempt), row.entered)) return;
  row.dormant = false;
  silent.dormant.delete(row);
  unsaved.unpublished.add(row);
}

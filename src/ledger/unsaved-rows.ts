/** The rows that have changed since the last save, what a save takes of them, and what it may publish when it is done. */
import { type Births, seenIn } from './births.js';
import { keyOf, type Counts, type Row } from './row.js';
import { settleTimes } from './counting.js';
import { createRowSnapshots, type RowSnapshot, rowsAtOnce } from './row-snapshots.js';
import { savedTextOf } from './row-text.js';
import type { Counter } from './saved.js';
import type { LedgerRow } from '../model/batch.js';
import type { Clocks } from '../runtime/noted-time.js';

export type UnsavedRows = {
  /** Entered since the last save. */
  readonly dirty: Set<Row>;
  /** Saved, but not yet published. */
  readonly unpublished: Set<Row>;
  /** The same of rows with history that is still being read, or was not saved to its end: nobody looks at them meanwhile. */
  readonly awaiting: Set<Row>;
  /** The history is read: what awaits it may be published, unless some of it is not saved. */
  readonly historyIsRead: () => void;
  /** To be told before a row changes. */
  readonly changes: (row: Row) => void;
  /** To be told before a row changes in a way that needs no save, or that somebody else marks. */
  readonly settles: (row: Row) => void;
  /** To be told of a row that is no longer kept under its name. */
  readonly forgets: (row: Row) => void;
  /** Takes what has changed, for one save. */
  readonly take: () => TakenRows;
  /** Begins to write rows as they are now, right after they were taken. */
  readonly snapshot: (rows: Iterable<Row>) => RowSnapshot;
  /** The same of those that were taken; at once where they are few. */
  readonly texts: (taken: TakenRows) => RowTexts;
  /** The save is done: the file says what was taken. */
  readonly saved: (taken: TakenRows, births: Births) => void;
  /** The save has failed: the next one takes them again, and all others. */
  readonly failed: (taken: TakenRows) => void;
};

export type RowTexts = Iterable<readonly string[]> | RowSnapshot;

type TakenRows = {
  /** All history was read by then. */
  readonly isWhole: boolean;
  readonly saves: readonly RowSave[];
  /** Keys of rows that are gone; one of these names may be among the saves again. */
  readonly forgotten: readonly string[];
};

/** A row as one save has it. */
type RowSave = {
  readonly row: Row;
  readonly value: LedgerRow;
  readonly history: Counts;
  readonly seen: readonly Counter[];
  readonly names: number;
};

/** @param readingHistory whether the first read of a source goes on */
export function createUnsavedRows(clocks: Clocks, readingHistory = () => false): UnsavedRows {
  const dirty = new Set<Row>();
  const unpublished = new Set<Row>();
  const awaiting = new Set<Row>();
  const forgotten = new Set<string>();
  let isSaving = false;
  const publishAwaiting = (): void => {
    for (const row of awaiting) unpublished.add(row);
    awaiting.clear();
  };
  const snapshots = createRowSnapshots();
  return {
    dirty,
    unpublished,
    awaiting,
    historyIsRead: () => {
      if (dirty.size === 0 && !isSaving) publishAwaiting();
    },
    changes: (row) => {
      snapshots.changes(row);
      dirty.add(row);
    },
    settles: snapshots.changes,
    forgets: (row) => {
      snapshots.changes(row);
      dirty.delete(row);
      if (row.isKept) forgotten.add(keyOf(row.entered));
    },
    take: () => {
      isSaving = true;
      const saves = Array.from(dirty, (row) => takeRow(row, clocks));
      const taken = { isWhole: !readingHistory(), saves, forgotten: [...forgotten] };
      dirty.clear();
      forgotten.clear();
      return taken;
    },
    snapshot: snapshots.begin,
    texts: ({ saves }) =>
      saves.length > rowsAtOnce
        ? snapshots.begin(saves.map(({ row }) => row))
        : [saves.map(({ row }) => savedTextOf(row))],
    saved: ({ isWhole, saves }, births) => {
      for (const { row, value, history, seen, names } of saves) {
        // Renamed meanwhile: the next save says what it is now.
        if (row.names !== names) continue;
        row.saved = value;
        row.savedHistory = history;
        (row.awaitsHistory ? awaiting : unpublished).add(row);
        births.release(row, seen);
      }
      isSaving = false;
      if (isWhole) publishAwaiting();
    },
    failed: ({ saves }) => {
      isSaving = false;
      for (const { row, names } of saves) if (row.names === names) dirty.add(row);
    },
  };
}

function takeRow(row: Row, clocks: Clocks): RowSave {
  settleTimes(row, clocks);
  const { entered, history, names } = row;
  row.isKept = true;
  row.takenEntered = entered;
  row.takenHistory = history;
  return { row, value: entered, history, seen: seenIn(row), names };
}

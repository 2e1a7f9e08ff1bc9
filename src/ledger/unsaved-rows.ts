/** The rows that have changed since the last save, what a save takes of them, and what it may publish when it is done. */
import { type Births, seenIn } from './births.js';
import { countersOf, hasCounter, valueOf, type Counts, type Row } from './row.js';
import type { Counter, SavedRow } from './saved.js';
import type { LedgerRow } from '../model/batch.js';

export type UnsavedRows = {
  /** Entered since the last save. */
  readonly dirty: Set<Row>;
  /** Saved, but not yet published. */
  readonly unpublished: Set<Row>;
  /** Takes what has changed, for one save. */
  readonly take: () => readonly RowSave[];
  /** The save is done: the file says what was taken. */
  readonly saved: (saves: readonly RowSave[], births: Births) => void;
  /** The save has failed: the next one takes them again. */
  readonly failed: (saves: readonly RowSave[]) => void;
};

/** A row as one save has it. */
type RowSave = {
  readonly row: Row;
  readonly value: LedgerRow;
  readonly history: Counts;
  readonly seen: readonly Counter[];
  readonly names: number;
};

export function createUnsavedRows(): UnsavedRows {
  const dirty = new Set<Row>();
  const unpublished = new Set<Row>();
  return {
    dirty,
    unpublished,
    take: () => {
      const rows = [...dirty];
      for (const row of rows) {
        row.json = jsonOf(row);
        row.takenEntered = row.entered;
        row.takenHistory = row.history;
      }
      dirty.clear();
      return rows.map((row) => ({
        row,
        value: row.entered,
        history: row.history,
        seen: seenIn(row),
        names: row.names,
      }));
    },
    saved: (saves, births) => {
      for (const { row, value, history, seen, names } of saves) {
        // Renamed meanwhile: the next save says what it is now.
        if (row.names !== names) continue;
        Object.assign(row, { saved: value, savedHistory: history });
        unpublished.add(row);
        births.release(row, seen);
      }
    },
    failed: (saves) => {
      for (const { row, names } of saves) if (row.names === names) dirty.add(row);
    },
  };
}

/** A row as it is saved, with the series that scrapers have yet to read at their previous value. */
function jsonOf(row: Row): string {
  const { entered, published, held, history, former, toldElsewhere } = row;
  const before = countersOf(entered).flatMap((counter): [Counter, number][] => {
    const known = held?.get(counter);
    if (known?.seen ?? (published && hasCounter(published, counter) && !known)) return [];
    const value = known?.value ?? valueOf(history, counter);
    return value === valueOf(entered, counter) ? [] : [[counter, value]];
  });
  const shown = before.length === 0 ? undefined : Object.fromEntries(before);
  const told = Object.keys(toldElsewhere).length === 0 ? undefined : toldElsewhere;
  return JSON.stringify({ ...entered, shown, toldElsewhere: told, former: former?.rows } satisfies SavedRow);
}

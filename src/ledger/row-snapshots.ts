/** Writes rows as they were at one moment, in slices: a row that changes meanwhile is written right before it does. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Row } from './row.js';
import { savedTextOf } from './row-text.js';

/** The rows as JSON, some at a time; other work is done in between. */
export type RowSnapshot = AsyncIterable<readonly string[]>;

export type RowSnapshots = {
  /** Takes the place of one that was not read to its end. */
  readonly begin: (rows: Iterable<Row>) => RowSnapshot;
  /** To be told before a row changes, or leaves. */
  readonly changes: (row: Row) => void;
};

/** They take a few milliseconds. */
export const rowsAtOnce = 1_000;

export function createRowSnapshots(): RowSnapshots {
  let number = 0;
  let early: string[] | undefined;
  const write = (row: Row): string[] => {
    if (row.snapshot !== number) return [];
    row.snapshot = 0;
    return [savedTextOf(row)];
  };
  async function* texts(rows: readonly Row[], mine: number): RowSnapshot {
    for (let at = 0; at < rows.length; at += rowsAtOnce) {
      // Another one has begun: this one has failed.
      if (mine !== number) return;
      yield rows.slice(at, at + rowsAtOnce).flatMap(write);
      await nextTurn();
    }
    const rest = early ?? [];
    early = undefined;
    yield rest;
  }
  return {
    begin: (rows) => {
      number++;
      early = [];
      const kept = [...rows].filter(({ isKept }) => isKept);
      for (const row of kept) row.snapshot = number;
      return texts(kept, number);
    },
    changes: (row) => {
      early?.push(...write(row));
    },
  };
}

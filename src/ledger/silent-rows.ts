/** Destinations without errors for a long time become dormant (invariant 7): no longer shown, their values kept. Bounded. */
import { otherDestination } from './bounds.js';
import { keyOf, type Row } from './row.js';
import type { UnsavedRows } from './unsaved-rows.js';
import type { LedgerRow } from '../model/batch.js';

export type SilentRows = {
  /** Rows that are not shown, the longest silent first. */
  readonly dormant: Set<Row>;
  readonly isSilent: (row: LedgerRow) => boolean;
  /** Shows a row no longer; where too many are kept, the one that has been silent longest is forgotten. */
  readonly keep: (row: Row) => void;
  /** Errors of these rows at a connector, for totals: those never fall. */
  readonly errorsOf: (connector: string) => number;
  /** How many of them ever had an error. */
  readonly withErrors: () => number;
};

export type SilentRowsOptions = {
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** Milliseconds; undefined: never. */
  readonly forgetAfterMs?: number;
  /** Beyond it the one that has been silent longest starts over at zero. */
  readonly maxDormant?: number;
};

/** @param byKey all rows: what is forgotten is taken out there */
export function createSilentRows(
  byKey: Map<string, Row>,
  options: SilentRowsOptions,
  unsaved: UnsavedRows,
): SilentRows {
  const { now, forgetAfterMs, maxDormant = 20_000 } = options;
  const dormant = new Set<Row>();
  return {
    dormant,
    isSilent: ({ destination, lastObservedAt, lastAttemptAt }) => {
      if (forgetAfterMs === undefined || destination === otherDestination) return false;
      const lastAt = latest(lastObservedAt, lastAttemptAt);
      return lastAt !== undefined && now() - lastAt > forgetAfterMs;
    },
    keep: (row) => {
      row.dormant = true;
      dormant.add(row);
      const [oldest] = dormant;
      if (!oldest || dormant.size <= maxDormant) return;
      dormant.delete(oldest);
      byKey.delete(keyOf(oldest.entered));
      unsaved.forgets(oldest);
    },
    errorsOf: (connector) => {
      let errors = 0;
      for (const { saved } of dormant) if (saved?.connector === connector) errors += saved.errors;
      return errors;
    },
    withErrors: () => [...dormant].filter(({ saved }) => saved?.lastErrorAt !== undefined).length,
  };
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

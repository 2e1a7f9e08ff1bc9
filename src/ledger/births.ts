/**
 * What scrapers may see of each series (invariant 6): a new one at its previous value, until every active scraper has read
 * it once.
 */
import { endFormer } from './renames.js';
import { keyOf, valueOf, type Counts, type Row } from './row.js';
import type { Counter } from './saved.js';
import type { Scrapers } from './scrapers.js';

export type Births = {
  /** Rows with series that are exposed at a previous value, or under a former name. */
  readonly rows: Set<Row>;
  /** Exposes a series at its previous value from now on. */
  readonly hold: (row: Row, counter: Counter, before: Counts) => void;
  /** Series that all scrapers have read at their previous value: those with news are released when that is saved. */
  readonly noteSeen: () => void;
  /** Exposes these series at their true value: all have seen the previous one, and the file says so. */
  readonly release: (row: Row, counters: readonly Counter[]) => void;
  /** Whether something that all have seen is not saved yet. */
  readonly awaitSave: () => boolean;
  /** Under which names scrapers are still shown what stands under a fuller name by now. */
  readonly formerKeys: () => ReadonlySet<string>;
};

/** @param onSeen told before a row changes, which is to be saved at once, since all have seen what it held back */
export function createBirths(scrapers: Scrapers, onSeen: (row: Row) => void): Births {
  const rows = new Set<Row>();
  const letGo = (row: Row, counter: Counter): void => {
    row.held?.delete(counter);
    if (row.held?.size !== 0) return;
    row.held = undefined;
    rows.delete(row);
  };
  return {
    rows,
    hold: (row, counter, before) => {
      row.held ??= new Map();
      row.held.set(counter, { value: valueOf(before, counter), birth: scrapers.birth(), seen: false });
      rows.add(row);
    },
    noteSeen: () => {
      const seenByAll = scrapers.seenByAll();
      for (const row of rows) {
        if (row.former) {
          if (row.former.birth > seenByAll) continue;
          onSeen(row);
          endFormer(row, scrapers.birth);
        }
        for (const [counter, held] of row.held ?? []) {
          if (held.seen || held.birth > seenByAll) continue;
          if (held.value === valueOf(row.entered, counter)) {
            letGo(row, counter);
            continue;
          }
          onSeen(row);
          held.seen = true;
        }
      }
    },
    release: (row, counters) => {
      for (const counter of counters) letGo(row, counter);
    },
    awaitSave: () => [...rows].some((row) => seenIn(row).length > 0),
    formerKeys: () => {
      const keys = new Set<string>();
      for (const { former, entered } of rows)
        for (const row of former?.rows ?? []) if (row.server !== entered.server) keys.add(keyOf(row));
      return keys;
    },
  };
}

/** Series of a row that all have seen, which is not saved yet. */
export function seenIn({ held }: Row): readonly Counter[] {
  let seen = nothing;
  for (const [counter, each] of held ?? []) if (each.seen) seen = [...seen, counter];
  return seen;
}

const nothing: readonly Counter[] = [];

/** Cleans the names in saved rows: an older exporter saved some as they came, and two of them may be one series now. */
import { labelOf } from '../model/label.js';
import type { SavedRow } from './saved.js';

/** The same rows where all names are clean; rows that have one name now are added up, and their latest times kept. */
export function cleanRows(rows: readonly SavedRow[]): readonly SavedRow[] {
  if (rows.every(isClean)) return rows;
  const byName = new Map<string, SavedRow>();
  for (const row of rows) {
    const clean = isClean(row) ? row : { ...row, ...namesOf(row) };
    const name = JSON.stringify([clean.server, clean.connector, clean.destination]);
    const known = byName.get(name);
    byName.set(name, known ? together(known, clean) : clean);
  }
  return [...byName.values()];
}

function namesOf({ server, connector, destination }: SavedRow): Pick<SavedRow, 'server' | 'connector' | 'destination'> {
  return { server: labelOf(server), connector: labelOf(connector), destination: labelOf(destination) };
}

function isClean(row: SavedRow): boolean {
  const names = namesOf(row);
  return row.server === names.server && row.connector === names.connector && row.destination === names.destination;
}

function together(a: SavedRow, b: SavedRow): SavedRow {
  const shown = a.shown === undefined && b.shown === undefined ? undefined : sums(a.shown ?? {}, b.shown ?? {});
  return {
    ...a,
    errors: a.errors + b.errors,
    attempts: a.attempts + b.attempts,
    failures: sums(a.failures, b.failures),
    lastErrorAt: later(a.lastErrorAt, b.lastErrorAt),
    lastObservedAt: later(a.lastObservedAt, b.lastObservedAt),
    lastAttemptAt: later(a.lastAttemptAt, b.lastAttemptAt),
    ...(shown && { shown }),
  };
}

function sums<Key extends string>(
  a: Readonly<Partial<Record<Key, number>>>,
  b: Readonly<Partial<Record<Key, number>>>,
): Partial<Record<Key, number>> {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])] as Key[];
  return Object.fromEntries(keys.map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)])) as Partial<Record<Key, number>>;
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

/** A row as it is saved, with the series that scrapers have yet to read at their previous value. */
import { countersOf, hasCounter, valueOf, type Row } from './row.js';
import type { Counter, SavedRow } from './saved.js';

/** The same for a row that no save has to take, whatever is published or seen meanwhile. */
export function savedTextOf(row: Row): string {
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

/** A row as it is saved, with the series that scrapers have yet to read at their previous value. */
import { countersOf, hasCounter, valueOf, type Row } from './row.js';
import type { Counter, SavedRow } from './saved.js';

/** The same for a row that no save has to take, whatever is published or seen meanwhile. */
export function savedTextOf(row: Row): string {
  const { entered, former, toldElsewhere } = row;
  let shown: Partial<Record<Counter, number>> | undefined;
  for (const counter of countersOf(entered)) {
    const before = shownBefore(row, counter);
    if (before !== valueOf(entered, counter)) (shown ??= {})[counter] = before;
  }
  const told = Object.keys(toldElsewhere).length === 0 ? undefined : toldElsewhere;
  // Nearly all are of this kind, and a copy takes longer than the rest.
  if (!shown && !told && !former) return JSON.stringify(entered satisfies SavedRow);
  return JSON.stringify({ ...entered, shown, toldElsewhere: told, former: former?.rows } satisfies SavedRow);
}

/** What is to be shown of a counter until every active scraper has read it. */
function shownBefore({ entered, published, held, history }: Row, counter: Counter): number {
  const known = held?.get(counter);
  if (known) return known.seen ? valueOf(entered, counter) : known.value;
  return published && hasCounter(published, counter) ? valueOf(entered, counter) : valueOf(history, counter);
}

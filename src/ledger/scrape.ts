/** One scrape: the rows as exposed to scrapers, and what is released once a scraper has the complete response. */
import type { Books } from './books.js';
import { showRow } from './row.js';
import type { Saver } from './saver.js';
import type { LedgerRow } from '../model/batch.js';

export type Scrape = {
  readonly rows: readonly LedgerRow[];
  /** How many series are exposed at their previous value. */
  readonly held: number;
  /** To be told when a scraper has the whole answer. Resolves when what it was the last to see is let go and saved. */
  readonly readBy: (scraper: string) => Promise<void>;
};

export function scrape({ rows: book, births, scrapers }: Books, saver: Saver): Scrape {
  book.publish();
  book.sweep();
  births.noteSeen();
  const shownUpTo = scrapers.births();
  const rows: LedgerRow[] = [];
  let heldBack = 0;
  for (const row of book.all()) heldBack += showRow(row, rows);
  const readBy = async (scraper: string): Promise<void> => {
    scrapers.hasRead(scraper, shownUpTo);
    births.noteSeen();
    while (!saver.isClosing() && births.awaitSave()) await saver.nextSave();
  };
  return { rows, held: heldBack, readBy };
}

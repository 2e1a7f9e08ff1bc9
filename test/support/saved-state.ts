/** What a state folder says of the ledger, with its journal: the books as the next start would find them. */
import path from 'node:path';
import { createNotedBooks } from '../../src/ledger/noted-books.js';
import { openSaved } from '../../src/ledger/open-saved.js';
import type { SavedLedger } from '../../src/ledger/saved.js';

/** Moves aside what is damaged, as a start does. */
export async function savedIn(directory: string, now: number): Promise<SavedLedger | undefined> {
  const { saved, notes } = await openSaved(path.join(directory, 'ledger.json'), now);
  if (!saved) return undefined;
  const books = createNotedBooks(saved, notes, () => now);
  return {
    ...saved,
    seen: listOf(books.seen.texts()),
    related: listOf(books.related.texts()),
    relatedCounts: books.related.counts(),
    recent: listOf(books.recent.texts()),
    availability: listOf(books.availability.texts()),
    errorHours: listOf(books.errorHours.texts()),
  };
}

function listOf<Entry>(texts: readonly string[]): Entry[] {
  return texts.map((text) => JSON.parse(text) as Entry);
}

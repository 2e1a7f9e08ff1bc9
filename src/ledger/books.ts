/** The books of the ledger, opened with what is saved of them: each owns its part, and all are saved together. */
import type { Availability } from './availability.js';
import { createBirths, type Births } from './births.js';
import { createCheckpointBook, type CheckpointBook } from './checkpoint-book.js';
import type { ErrorHoursBook } from './error-hours.js';
import { createHappenings, type Happenings } from './happenings.js';
import { createNotedBooks, type NotedBooks, type SavedNotes } from './noted-books.js';
import type { RecentErrors } from './recent-errors.js';
import { createRecordGaps, type RecordGaps } from './record-gaps.js';
import type { RelatedRing } from './related-ring.js';
import { createRows, type Rows, type RowsOptions } from './rows.js';
import type { SavedLedger, SavedRow } from './saved.js';
import { createScrapers, type Scrapers } from './scrapers.js';
import type { SeenRecords } from './seen-records.js';
import { createServers, type Servers } from './servers.js';
import { createSessionBook, type SessionBook } from './session-book.js';
import { createTallies, type Tallies } from './tallies.js';
import { createUnsavedRows, type UnsavedRows } from './unsaved-rows.js';

export type Books = {
  readonly rows: Rows;
  readonly births: Births;
  readonly unsaved: UnsavedRows;
  readonly checkpoints: CheckpointBook;
  readonly sessions: SessionBook;
  readonly tallies: Tallies;
  readonly seen: SeenRecords;
  readonly related: RelatedRing;
  readonly recent: RecentErrors;
  readonly happenings: Happenings;
  readonly availability: Availability;
  readonly errorHours: ErrorHoursBook;
  readonly gaps: RecordGaps;
  readonly scrapers: Scrapers;
  readonly servers: Servers;
  readonly noted: NotedBooks;
};

export type BooksOptions = Omit<RowsOptions, 'births' | 'scrapers' | 'unsaved'> & {
  readonly onServerRenamed?: (short: string, full: string) => void;
};

/**
 * The rows are restored and their servers known when this returns.
 * @param notes what was noted in some of the books since they were saved as a whole
 */
export function createBooks(
  { saved, notes }: { readonly saved: SavedLedger | undefined; readonly notes: readonly SavedNotes[] },
  options: BooksOptions,
): Books {
  const { clocks, now, saveNow } = options;
  const missed = new Map(saved?.missed.map(({ source, records }) => [source, records]));
  const scrapers = createScrapers(saved?.scrapers ?? [], clocks);
  const unsaved = createUnsavedRows(clocks, options.readingHistory);
  const births = createBirths(scrapers, (row) => {
    unsaved.changes(row);
    saveNow();
  });
  const noted = createNotedBooks(saved, notes, now);
  const { seen, related, recent, availability, errorHours } = noted;
  const servers = createServers(saved?.servers, (short, full) => {
    rename(books, short, full);
    options.onServerRenamed?.(short, full);
    saveNow();
  });
  const books: Books = {
    rows: createRows({ ...options, births, scrapers, unsaved }),
    births,
    unsaved,
    checkpoints: createCheckpointBook(saved?.checkpoints),
    sessions: createSessionBook(saved?.sessions ?? [], servers.nameOf),
    tallies: createTallies(),
    seen,
    related,
    recent,
    happenings: createHappenings(related, recent, scrapers),
    availability,
    errorHours,
    gaps: createRecordGaps(saved?.logs ?? [], { steady: clocks.steady, now, missed }),
    scrapers,
    servers,
    noted,
  };
  // Where the limit is lower by now, those that fail go first.
  const isWorking = ({ lastErrorAt }: SavedRow): number => Number(lastErrorAt === undefined);
  const inOrder = saved?.rows.toSorted((a, b) => isWorking(a) - isWorking(b)) ?? [];
  for (const row of inOrder) books.rows.restore(row);
  servers.learn(new Set(namesIn(saved)));
  return books;
}

/** All that is known of a server goes on under its full name. */
function rename({ rows, happenings, seen, gaps, sessions, servers }: Books, short: string, full: string): void {
  rows.rename(short, full);
  happenings.rename(short, full);
  seen.rename(short, full);
  gaps.rename(short, full);
  sessions.rename(short);
  expectRows({ rows, servers }, rows.expected());
}

/** Under the one name that each server has by now. */
export function expectRows(
  { rows, servers }: Pick<Books, 'rows' | 'servers'>,
  expected: Parameters<Rows['expect']>[0],
): void {
  const named = expected.map((row) => ({ ...row, server: servers.nameOf(row.server) }));
  for (const { server } of named) servers.noteShort(server);
  rows.expect(named);
}

/** Names of servers in a saved ledger, which may be of an exporter that did not put them together. */
function namesIn(saved: SavedLedger | undefined): string[] {
  const parts = [saved?.rows, saved?.relatedCounts, saved?.related, saved?.recent, saved?.sessions, saved?.logs];
  return [...parts, saved?.seen].flatMap((part) => (part ?? []).map(({ server }) => server));
}

/**
 * One save: what is entered by now goes into the file, and what the file says may be shown (invariant 1).
 *
 * The file to be and what it says are taken in one go (invariant 2): were a batch entered in between, the file would hold its
 * place and its record IDs without its counts, and a crash before the next save would lose these for good.
 */
import type { Books } from './books.js';
import { ledgerBytes } from './file.js';
import { replaceFile, type FileOperations } from './replace-file.js';
import type { StateFolder } from './state-folder.js';

export type SavingOptions = {
  readonly file: string;
  readonly folder: StateFolder;
  readonly operations?: FileOperations;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
};

export type LedgerSave = {
  /** @param taken called at the moment up to which it saves. @throws the error of the system; the books then stay unsaved */
  readonly save: (taken: () => void) => Promise<void>;
  /** Missing records by source, as the file on disk says. */
  readonly missed: () => ReadonlyMap<string, number>;
};

export function createLedgerSave(books: Books, { file, folder, operations, now }: SavingOptions): LedgerSave {
  const { births, gaps, happenings, rows, servers, unsaved } = books;
  let missed: ReadonlyMap<string, number> = new Map(gaps.missed());
  const save = async (taken: () => void): Promise<void> => {
    // Before anything is taken: what is entered while it runs belongs to this save.
    await folder.ready();
    gaps.settle();
    const saves = unsaved.take();
    taken();
    const [text, renames] = [textOf(books, now()), servers.renames()];
    const told = { missed: new Map(gaps.missed()), happenings: happenings.take() };
    try {
      await replaceFile(file, text, operations);
    } catch (error) {
      unsaved.failed(saves);
      throw error;
    }
    folder.noteSaved();
    unsaved.saved(saves, births);
    missed = told.missed;
    if (servers.renames() === renames) happenings.show(told.happenings);
    rows.publish();
  };
  return { save, missed: () => missed };
}

function textOf(books: Books, now: number): Buffer {
  const { rows, gaps } = books;
  return ledgerBytes(now, {
    rows: [...rows.all()].filter((row) => row.json !== '').map((row) => row.json),
    checkpoints: books.checkpoints.texts(),
    seen: books.seen.texts(),
    scrapers: books.scrapers.all().map((each) => JSON.stringify(each)),
    logs: gaps.texts(),
    missed: [...gaps.missed()].map(([source, records]) => JSON.stringify({ source, records })),
    sessions: books.sessions.texts(),
    related: books.related.texts(),
    relatedCounts: books.related.counts().map((each) => JSON.stringify(each)),
    recent: books.recent.texts(),
    availability: books.availability.texts(),
    errorHours: books.errorHours.texts(),
    servers: books.servers.known().map((each) => JSON.stringify(each)),
  });
}

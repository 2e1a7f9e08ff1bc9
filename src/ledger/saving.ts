/**
 * One save: what is entered by now goes to the disk, and what is there may be shown (invariant 1).
 *
 * What is saved and what it says are taken in one go (invariant 2): were a batch entered in between, the disk would hold its
 * place and its record IDs without its counts, and a crash before the next save would lose these for good. A save adds one
 * entry to the journal; when that has outgrown the file, the file is written as a whole and another journal begins.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Books } from './books.js';
import { createChangeTaker, missedTexts, scraperTexts } from './changes.js';
import { ledgerPieces, type LedgerParts } from './file.js';
import { entryLine } from './journal-file.js';
import { headLine, journalPath, journalsIn, nextJournalId, removeJournalsBefore, type JournalId } from './journal.js';
import type { Opened } from './open-saved.js';
import * as disk from './replace-file.js';
import { rowsAtOnce } from './row-snapshots.js';
import type { StateFolder } from './state-folder.js';

export type SavingOptions = {
  readonly file: string;
  readonly folder: StateFolder;
  readonly opened: Opened;
  readonly operations?: disk.FileOperations;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
};

export type LedgerSave = {
  /** @param taken called at the moment up to which it saves. @throws the error of the system; the books then stay unsaved */
  readonly save: (taken: () => void) => Promise<void>;
  /** Writes the file as a whole, so that it says everything by itself. Nothing may be entered meanwhile. */
  readonly finish: () => Promise<void>;
  /** False when the journal was deleted or written by somebody else. */
  readonly isWhole: () => Promise<boolean>;
  /** Missing records by source, as saved. */
  readonly missed: () => ReadonlyMap<string, number>;
};

/** A shorter journal is read in no time. */
const leastJournal = 1024 * 1024;

/** About so long is the text of a row. */
const bytesOfRow = 400;

type Journal = { readonly id: JournalId; length: number; compactAt: number };

export function createLedgerSave(books: Books, { file, folder, opened, operations, now }: SavingOptions): LedgerSave {
  const { births, gaps, happenings, noted, rows, servers, unsaved } = books;
  const changes = createChangeTaker(books);
  const target = createTarget(file, opened, operations);
  let missed: ReadonlyMap<string, number> = new Map(gaps.missed());
  const save = async (taken: () => void, all = false): Promise<void> => {
    // Before anything is taken: what is entered while it runs belongs to this save.
    const { isAsItWas } = await folder.ready();
    const isWhole = !all && isAsItWas && (await target.isWhole());
    gaps.settle();
    const saves = unsaved.take();
    taken();
    const at = now();
    // To write most rows into the journal, and then again into the file, would be to write them twice.
    const { length } = saves.saves;
    // What is much is written in slices, and nothing can be written twice that way.
    const isMuch = length > rowsAtOnce || noted.isOver();
    const appends = isWhole && !target.isOutgrownBy(length) && !(isMuch && target.isDue());
    const change = changes.take(at, appends ? unsaved.texts(saves) : [], saves.forgotten);
    const parts = appends && !target.isDue() ? undefined : partsOf(books);
    const told = { renames: servers.renames(), missed: new Map(gaps.missed()), happenings: happenings.take() };
    try {
      if (appends) await target.append(change);
      else if (parts) await target.replace(at, parts);
    } catch (error) {
      unsaved.failed(saves);
      throw error;
    }
    folder.noteSaved();
    unsaved.saved(saves, births);
    missed = told.missed;
    if (servers.renames() === told.renames) happenings.show(told.happenings);
    rows.publish();
    if (appends && parts) await target.compact(at, parts);
  };
  return {
    save,
    finish: async () => {
      if (target.isFilled()) await save(() => undefined, true);
    },
    isWhole: target.isWhole,
    missed: () => missed,
  };
}

/** The books as they are now: what takes long to write is written in slices, as it is at this moment. */
function partsOf(books: Books): LedgerParts {
  const { availability, checkpoints, errorHours, gaps, recent, related, rows, seen, servers, sessions, unsaved } =
    books;
  return {
    rows: unsaved.snapshot(rows.all()),
    checkpoints: checkpoints.texts(),
    seen: seen.snapshot(),
    scrapers: scraperTexts(books),
    logs: gaps.texts(),
    missed: missedTexts(books),
    sessions: [...sessions.texts()],
    related: related.snapshot(),
    relatedCounts: jsonOf(related.counts()),
    recent: recent.snapshot(),
    availability: availability.snapshot(),
    errorHours: errorHours.snapshot(),
    servers: jsonOf(servers.known()),
  };
}

/** @param all do not change */
function* jsonOf(all: readonly object[]): Generator<string> {
  for (const each of all) yield JSON.stringify(each);
}

/** The file and its journal on disk. After a failure nobody knows what is there: the next save writes all of it. */
function createTarget(file: string, opened: Opened, operations?: disk.FileOperations) {
  const folder = path.dirname(file);
  let bytes = opened.bytes;
  const begun = (id: JournalId, length: number): Journal => ({ id, length, compactAt: Math.max(bytes, leastJournal) });
  let journal = opened.journal && begun(opened.journal.id, opened.journal.length);
  const replace = async (at: number, parts: LedgerParts): Promise<void> => {
    const known = journal;
    journal = undefined;
    const id = nextJournalId([...(await journalsIn(folder)), ...(known ? [known.id] : [])]);
    const head = headLine(id);
    await disk.createFile(journalPath(folder, id), head, operations);
    let written = 0;
    const counted = async function* (): AsyncGenerator<Buffer> {
      for await (const piece of ledgerPieces(at, id, parts)) {
        written += piece.length;
        yield piece;
      }
    };
    await disk.replaceFile(file, counted(), operations);
    bytes = written;
    journal = begun(id, head.length);
    await removeJournalsBefore(folder, id);
  };
  return {
    replace,
    append: async (change: AsyncIterable<Buffer>): Promise<void> => {
      const known = journal;
      if (!known) throw new Error(`${file}: has no journal`);
      journal = undefined;
      const pieces: Buffer[] = [];
      for await (const piece of change) pieces.push(piece);
      const line = entryLine(Buffer.concat(pieces), known.length);
      await disk.appendTo(journalPath(folder, known.id), known.length, line, operations);
      known.length += line.length;
      journal = known;
    },
    /** The save is done: what fails here leaves the journal to go on in, unless the file may have been replaced already. */
    compact: async (at: number, parts: LedgerParts): Promise<void> => {
      const known = journal;
      try {
        await replace(at, parts);
      } catch (error) {
        if (!known || (error as { isReplaced?: boolean }).isReplaced === true) return;
        journal = known;
        known.compactAt = 2 * known.length;
      }
    },
    isDue: () => journal !== undefined && journal.length > journal.compactAt,
    isOutgrownBy: (rows: number) => journal !== undefined && rows * bytesOfRow > journal.compactAt / 2,
    isFilled: () => journal !== undefined && journal.length > headLine(journal.id).length,
    isWhole: async () => {
      if (!journal) return false;
      const known = journal;
      const size = await stat(journalPath(folder, known.id)).then(
        (stats) => stats.size,
        () => -1,
      );
      return size === known.length;
    },
  };
}

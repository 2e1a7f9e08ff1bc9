/** Opens the saved ledger. What is damaged or foreign is moved aside and reported, never silently replaced. */
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { withChanges } from './changes.js';
import { readSnapshot, type Snapshot } from './file.js';
import { journalPath, journalsIn, numberOf, readJournal, type JournalId, type JournalRead } from './journal.js';
import type { SavedNotes } from './noted-books.js';
import { LedgerFileError, type SavedLedger } from './saved.js';

export type Opened = {
  /** Undefined when nothing is saved. */
  readonly saved: SavedLedger | undefined;
  /** What is still to be noted in the books, in order. */
  readonly notes: readonly SavedNotes[];
  /** Where saving goes on; undefined where the next save has to write all of it. */
  readonly journal: { readonly id: JournalId; readonly length: number } | undefined;
  /** Length of the file. */
  readonly bytes: number;
  /** What was wrong at the start, and where it was moved to. */
  readonly movedAside: string | undefined;
  /** True when nothing of what was saved could be used. */
  readonly startedOver: boolean;
};

const nothing = { saved: undefined, notes: [], journal: undefined, bytes: 0, startedOver: true };
const startsOver = 'counting starts over';
const goesOn =
  'counting continues from the last complete save; what came after it is read again if the logs still have it';

/**
 * @param now milliseconds since 1970 UTC; it is part of the name of what is moved aside
 * @throws LedgerFileError for a file of a newer version; the error of the system when it cannot be read
 */
export async function openSaved(file: string, now: number): Promise<Opened> {
  const folder = path.dirname(file);
  const aside = async (what: string): Promise<string> => {
    const to = `${what}.damaged-${new Date(now).toISOString().replace(/[:.]/g, '')}`;
    await rename(what, to);
    return to;
  };
  const moved = async (ids: readonly JournalId[]): Promise<string> => {
    const names: string[] = [];
    for (const id of ids) names.push(await aside(journalPath(folder, id)));
    return names.length === 0 ? '' : `; moved to ${names.join(', ')}`;
  };
  let found: Found;
  try {
    found = await find(file);
  } catch (error) {
    if (!(error instanceof LedgerFileError) || error.kind !== 'damaged') throw error;
    const to = await aside(file);
    const withIt = await moved(await filledJournals(folder));
    return { ...nothing, movedAside: `${error.message}; ${startsOver}; moved to ${to}${withIt}` };
  }
  const { snapshot, read, problem, foreign } = found;
  const told = problem && `${problem}; ${snapshot ? goesOn : startsOver}${await moved(foreign)}`;
  if (!snapshot) return { ...nothing, movedAside: told, startedOver: told !== undefined };
  const { saved, notes } = withChanges(snapshot.ledger, read?.changes ?? []);
  const isWhole = read?.end === 'whole' && problem === undefined;
  const journal = isWhole && snapshot.journal !== undefined ? { id: snapshot.journal, length: read.length } : undefined;
  return { saved, notes, journal, bytes: snapshot.bytes, movedAside: told, startedOver: false };
}

/**
 * Reads the saved ledger with its journal, without touching them: also while an exporter writes.
 * @returns undefined when there is none yet
 * @throws LedgerFileError when something is damaged, foreign or of a newer version
 */
export async function loadLedgerFile(file: string): Promise<SavedLedger | undefined> {
  let found = await find(file);
  // Between two looks the exporter may have begun another journal.
  for (let attempt = 1; found.problem !== undefined && attempt < 4; attempt++) found = await find(file);
  if (found.problem !== undefined) throw new LedgerFileError('damaged', found.problem);
  return found.snapshot && withChanges(found.snapshot.ledger, found.read?.changes ?? []).saved;
}

type Found = {
  readonly snapshot: Snapshot | undefined;
  readonly read: JournalRead | undefined;
  /** What is wrong with the journals, and which of them are no use. */
  readonly problem: string | undefined;
  readonly foreign: readonly JournalId[];
};

async function find(file: string): Promise<Found> {
  const folder = path.dirname(file);
  const snapshot = await readSnapshot(file);
  const id = snapshot?.journal;
  const read = id === undefined ? undefined : await readJournal(folder, id);
  const own = id === undefined ? 0 : numberOf(id);
  // Those before it are left over where the file was written as a whole since.
  const foreign = await filledJournals(folder, (each) => each !== id && numberOf(each) >= own);
  const found = { snapshot, read };
  if (id !== undefined && !read) {
    const missing = `${journalPath(folder, id)} is missing, which ${file} goes on in: one was copied, put back or deleted without the other`;
    return { ...found, problem: missing, foreign };
  }
  if (id !== undefined && (read?.end === 'damaged' || read?.length === 0))
    return {
      ...found,
      problem: `${journalPath(folder, id)}: damaged at byte ${read.length}`,
      foreign: [id, ...foreign],
    };
  const [first] = foreign;
  if (first === undefined) return { ...found, problem: undefined, foreign };
  const why = snapshot ? `does not belong to ${file}` : `is there without ${file}`;
  return {
    ...found,
    problem: `${journalPath(folder, first)} ${why}: one was copied, put back or deleted without the other`,
    foreign,
  };
}

/** Journals that say anything: one that was made and never used is no matter. */
async function filledJournals(folder: string, isAsked: (id: JournalId) => boolean = () => true): Promise<JournalId[]> {
  const filled: JournalId[] = [];
  for (const id of (await journalsIn(folder)).filter(isAsked)) {
    const read = await readJournal(folder, id);
    if (read && (read.changes.length > 0 || read.end === 'damaged')) filled.push(id);
  }
  return filled;
}

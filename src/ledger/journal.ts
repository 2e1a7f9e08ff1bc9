/**
 * The journal beside the saved ledger: what each save has changed since the file was written as a whole.
 *
 * It is named after its number and a mark that the file names as well, so that each belongs to exactly one other: what was
 * copied, deleted or put back of one without the other is found out.
 */
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { savedChange, type SavedChange } from './changes.js';
import { readBytes, refusal } from './file.js';
import { entryLine, readEntries, type JournalText } from './journal-file.js';
import { journalId } from './saved.js';

/** `<number>-<mark>`. */
export type JournalId = string;

export function journalPath(folder: string, id: JournalId): string {
  return path.join(folder, `ledger-${id}.journal`);
}

/** @param before journals that are there already */
export function nextJournalId(before: readonly JournalId[]): JournalId {
  const number = Math.max(0, ...before.map(numberOf)) + 1;
  return `${number}-${randomBytes(4).toString('hex')}`;
}

export function numberOf(id: JournalId): number {
  return Number(id.split('-', 1)[0]);
}

/** What a journal begins with. */
export function headLine(id: JournalId): Buffer {
  return entryLine(JSON.stringify({ journal: id }), 0);
}

/** All that are in a folder. */
export async function journalsIn(folder: string): Promise<JournalId[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => /^ledger-(.*)\.journal$/.exec(name)?.[1] ?? '').filter((id) => journalId.test(id));
}

/** Removes those that an earlier file belonged to. One that Windows holds goes the next time. */
export async function removeJournalsBefore(folder: string, id: JournalId): Promise<void> {
  const former = (await journalsIn(folder)).filter((each) => each !== id && numberOf(each) <= numberOf(id));
  for (const each of former) await rm(journalPath(folder, each), { force: true }).catch(() => undefined);
}

export type JournalRead = Pick<JournalText, 'end' | 'length'> & { readonly changes: readonly SavedChange[] };

/**
 * Reads a journal.
 * @returns undefined when it is not there
 * @throws LedgerFileError when it is of a newer version; the error of the system when it cannot be read
 */
export async function readJournal(folder: string, id: JournalId): Promise<JournalRead | undefined> {
  const file = journalPath(folder, id);
  const bytes = await readBytes(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${file}: expected the journal of the saved ledger, got ${(error as Error).message}`, {
      cause: error,
    });
  });
  return bytes && journalOf(bytes, id, file);
}

/**
 * What the bytes of a journal say.
 * @param file its name, for messages
 * @throws LedgerFileError when it is of a newer version
 */
export function journalOf(bytes: Buffer, id: JournalId, file: string): JournalRead {
  const { entries, end, length } = readEntries(bytes);
  const [head, ...rest] = entries;
  // One that a full disk let nobody begin: nothing names it, and nothing stands in it.
  if (!head && end !== 'damaged') return { changes: [], end: 'unfinished', length: 0 };
  // The head is on disk before anything names the journal.
  if (!head?.equals(Buffer.from(JSON.stringify({ journal: id })))) return { changes: [], end: 'damaged', length: 0 };
  const changes = rest.map((entry): SavedChange => {
    const result = savedChange.safeParse(JSON.parse(entry.toString('utf8')));
    if (!result.success) throw refusal(file, result.error.issues);
    return result.data as SavedChange;
  });
  return { changes, end, length };
}

/** Seeds a state folder with the state of another exporter: `ledger.json` and the journal that it names, both or neither. */
import { realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Checkpoint } from '../model/batch.js';
import { makeFolder } from '../runtime/make-folder.js';
import { readPlainFile } from '../runtime/plain-file.js';
import { withChanges } from './changes.js';
import { snapshotOf } from './file.js';
import { lockStateFolder } from './folder-lock.js';
import { journalOf, journalPath, journalsIn, type JournalId } from './journal.js';
import { loadLedgerFile } from './open-saved.js';
import { createFile, replaceFile } from './replace-file.js';
import { LedgerFileError, type SavedLedger } from './saved.js';

/** The state of an exporter as its folder held it at one moment. */
export type State = {
  readonly file: string;
  readonly bytes: Buffer;
  readonly journal: { readonly id: JournalId; readonly bytes: Buffer } | undefined;
  /** Bytes at the end of the journal that were being written: nobody was shown them, and they are left out. */
  readonly unfinished: number;
  readonly saved: SavedLedger;
};

/** No text is longer in JavaScript, and no ledger by far. */
const largest = 2 ** 29 - 32;
const again = 'copy ledger.json and then the journal that it names again';

/**
 * Reads a state, also while its exporter writes, and looks at all of it.
 * @param from a state folder or a copy of one, or a `ledger.json` with its journal beside it
 * @throws an Error that names the file, what is wrong with it, and the remedy
 */
export async function readState(from: string): Promise<State> {
  const file = (await isFolder(from)) ? path.join(from, 'ledger.json') : from;
  for (let attempt = 1; ; attempt++) {
    const bytes = await read(file, 'name the state folder of an exporter, or a copy of it');
    const { ledger, journal: id } = judged(() => snapshotOf(bytes, file));
    if (id === undefined) return { file, bytes, journal: undefined, unfinished: 0, saved: ledger };
    const name = journalPath(path.dirname(file), id);
    if (await isMissing(name)) {
      // Its exporter may have begun another journal between the two looks.
      if (attempt < 4) continue;
      throw new Error(`${name} is missing, which ${file} goes on in: ${again}`);
    }
    const written = await read(name, again);
    const { changes, end, length } = judged(() => journalOf(written, id, name));
    if (end === 'damaged') throw new Error(`${name}: damaged at byte ${length}: ${again}`);
    const journal = { id, bytes: written.subarray(0, length) };
    const { saved } = withChanges(ledger, changes);
    return { file, bytes, journal, unfinished: written.length - length, saved };
  }
}

async function read(file: string, remedy: string): Promise<Buffer> {
  try {
    return await readPlainFile(file, { largest, answerMs: 60_000 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'it is not there' : message;
    throw new Error(`${file}: expected the state of an exporter: ${why}; ${remedy}`, { cause: error });
  }
}

/** With a remedy that fits a state which is not this exporter's own. */
function judged<Result>(look: () => Result): Result {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof LedgerFileError)) throw error;
    const what = error.kind === 'newer' ? error.message.replace(/; [^;]*$/, '') : error.message;
    const remedy =
      error.kind === 'newer'
        ? 'install at least the version of that exporter here, then seed'
        : `name the ledger.json of an exporter; if it is one, ${again}`;
    throw new Error(`${what}; ${remedy}`, { cause: error });
  }
}

/**
 * Puts a state into a folder that no exporter uses. A state that was there is moved aside, never deleted, and put back where
 * the new one cannot be written.
 * @param now milliseconds since 1970 UTC; it is part of the name of what is moved aside
 * @returns what was moved aside
 * @throws an Error with the remedy: an exporter uses the folder, it has counts and `isReplaced` is false, or it cannot be written
 */
export async function seedFolder(
  { file, bytes, journal }: State,
  directory: string,
  { isReplaced, now }: { readonly isReplaced: boolean; readonly now: number },
): Promise<readonly string[]> {
  await makeFolder(directory);
  if ((await realpath(path.dirname(file))) === (await realpath(directory)))
    throw new Error(`${directory}: is the folder that is read; name another with --state.directory`);
  const lock = await lockStateFolder(directory);
  try {
    if (!isReplaced) await refuseCounts(directory);
    const moved = await moveAside(directory, `before-seed-${new Date(now).toISOString().replace(/[:.]/g, '')}`);
    try {
      if (journal) await createFile(journalPath(directory, journal.id), journal.bytes);
      await replaceFile(path.join(directory, 'ledger.json'), bytes);
    } catch (error) {
      await withdraw(directory, journal?.id, moved);
      throw new Error(`${directory}: the state cannot be written, and is as it was: ${(error as Error).message}`, {
        cause: error,
      });
    }
    return moved.map(({ to }) => to);
  } finally {
    await lock.release();
  }
}

async function refuseCounts(directory: string): Promise<void> {
  const file = path.join(directory, 'ledger.json');
  let found: SavedLedger | undefined;
  try {
    found = await loadLedgerFile(file);
  } catch (error) {
    throw new Error(`${(error as Error).message}; --replace moves it aside`, { cause: error });
  }
  if (!found || (found.rows.every(({ errors, attempts }) => errors + attempts === 0) && found.checkpoints.length === 0))
    return;
  throw new Error(
    `${file}: has counts of its own (${pairsIn(found)}); --replace moves it aside, and what only it has counted is shown no more`,
  );
}

/** Words for what a state holds. */
export function pairsIn({ rows, checkpoints }: SavedLedger): string {
  const errors = rows.reduce((sum, row) => sum + row.errors, 0);
  return `${errors} errors of ${rows.length} pairs, ${checkpoints.length} places in logs and topics`;
}

type Moved = { readonly from: string; readonly to: string };

async function moveAside(directory: string, suffix: string): Promise<Moved[]> {
  const journals = (await journalsIn(directory)).map((id) => journalPath(directory, id));
  const moved: Moved[] = [];
  for (const from of [path.join(directory, 'ledger.json'), ...journals]) {
    if (await isMissing(from)) continue;
    const to = `${from}.${suffix}`;
    await rename(from, to);
    moved.push({ from, to });
  }
  return moved;
}

async function withdraw(directory: string, id: JournalId | undefined, moved: readonly Moved[]): Promise<void> {
  const written = [path.join(directory, 'ledger.json.new'), ...(id === undefined ? [] : [journalPath(directory, id)])];
  for (const each of written) await rm(each, { force: true }).catch(() => undefined);
  for (const { from, to } of moved) await rename(to, from).catch(() => undefined);
}

/**
 * Topics of which a state holds the places of other shards alone: their counts are another part of the truth, and summed
 * they would count twice.
 * @param isOwn whether a partition belongs to the shard that is seeded
 */
export function foreignTopics(
  checkpoints: readonly Checkpoint[],
  isOwn: (topic: string, partition: number) => boolean,
): string[] {
  const topics = checkpoints.flatMap((each) => ('topicId' in each && each.partitions.length > 0 ? [each] : []));
  return topics
    .filter(({ topic, partitions }) => !partitions.some(({ partition }) => isOwn(topic, partition)))
    .map(({ topic }) => topic);
}

async function isFolder(name: string): Promise<boolean> {
  return stat(name).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

async function isMissing(name: string): Promise<boolean> {
  return stat(name).then(
    () => false,
    (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT',
  );
}

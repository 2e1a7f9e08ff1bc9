/**
 * Reads the files that have changed, one after another, round by round. One that the system keeps waiting is left to wait
 * alone: its reading goes on by itself, and the others are read meanwhile.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FileHangs } from '../../../runtime/file-gate.js';
import { foreground } from '../../../runtime/foreground.js';
import { isWanted } from '../../classify.js';
import { createReader, type Reader } from '../../read/pass.js';
import { shownPath } from './file-names.js';
import type { FileFacts, OpenFile } from './file-system.js';
import { problemOf } from './problems.js';
import { inReadingOrder, logOf } from './reading-order.js';
import { followOriginal, readTracked, resumeByContent, startOver, type FilePass } from './tracked-file.js';
import { postPass } from './posting.js';
import { drop, noteLag, unlessSlow, type State } from './state.js';
import type { FollowedFile } from './followed.js';

/** A file whose name is gone is read on for late lines this long. */
const lateMs = 60_000;
/** A file that has been quiet this long is looked at with each scan only. */
const coldMs = 60_000;
/** So much is read of a file before the next one has its turn. */
const turnBytes = 64 * 1024 * 1024;
const mostPasses = 256;
const enteredAtOnce = 500;

/** Reads every file that changed. Returns whether anything was read. */
export async function round(state: State): Promise<boolean> {
  const outcome = { busy: false };
  /** Transport logs with an earlier file that is not read to its end: their later ones wait. */
  const unread = new Set<string>();
  for (const file of inReadingOrder(state.hot)) {
    if (state.pace.isStopped()) break;
    if (state.fresh.has(file)) continue;
    const log = logOf(file.path);
    if (log !== undefined && unread.has(log)) continue;
    if (file.workingSince === undefined) await unlessSlow(work(state, file, outcome), file.waiting);
    if (log !== undefined && (file.workingSince !== undefined || file.size !== file.seenSize)) unread.add(log);
  }
  return outcome.busy;
}

async function work(state: State, file: FollowedFile, outcome: { busy: boolean }): Promise<void> {
  file.workingSince = performance.now();
  try {
    state.progress.begin(file.inode, file, file.postedOffset);
    if (await readOn(state, file)) outcome.busy = true;
    state.progress.end(file.inode);
    rest(state, file);
  } catch (error) {
    // While others hang where it is, it is left alone.
    if (error instanceof FileHangs) state.progress.end(file.inode);
    else giveUp(state, file, error);
  } finally {
    file.workingSince = undefined;
  }
}

/** Leaves a quiet file to the scans, and lets one go whose name has been gone for long. */
function rest(state: State, file: FollowedFile): void {
  if (file.goneAt !== undefined) {
    // Rotated out of sight, or deleted: it is finished, waited for a while, then closed.
    if (state.steady() - file.goneAt >= lateMs || !file.handle) drop(state, file);
    return;
  }
  if (file.size === file.seenSize && state.steady() - file.changedAt > coldMs) state.hot.delete(file);
}

async function readOn(state: State, file: FollowedFile): Promise<boolean> {
  const facts = await (file.handle ? file.handle.facts() : factsByName(state, file));
  if (!facts) return false;
  const { size, changedMs } = facts;
  const changed = size !== file.size || changedMs !== file.changedMs;
  if (!changed && !isUnsettled(file)) return false;
  if (changed) file.changedAt = state.steady();
  state.unread.add(file);
  file.seenSize = size;
  noteLag(state, file);
  const handle = await opened(state, file);
  if (size < file.position.offset && file.format?.kind !== 'binary') restart(state, file);
  await findContent(state, file, handle, size);
  if (await readPasses(state, file, handle, facts)) {
    Object.assign(file, { size, changedMs });
    state.unread.delete(file);
  }
  noteLag(state, file);
  return changed;
}

/** A copy is told by its content, also one that was empty when it was found, or is made again: whoever made it had only begun. */
async function findContent(state: State, file: FollowedFile, handle: OpenFile, size: number): Promise<void> {
  if (file.isCopy) await followOriginal(file, handle, size, state);
  else if (!file.format) await resumeByContent(file, handle, size, state);
  else return;
  file.postedOffset = Math.max(file.postedOffset, file.position.offset);
}

/** A closed file whose name has come to belong to another is found by the next scan, under the name that it has now. */
async function factsByName(state: State, file: FollowedFile): Promise<FileFacts | undefined> {
  const facts = await state.system.facts(file.path, file.device, file.waiting).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (facts?.inode === file.inode) return facts;
  state.hot.delete(file);
  state.pace.scanSoon();
  return undefined;
}

async function opened(state: State, file: FollowedFile): Promise<OpenFile> {
  if (file.handle) {
    state.descriptors.use(file);
    return file.handle;
  }
  const handle = await state.system.open(file.path, file.device, file.waiting);
  if (handle.opened.inode !== file.inode) {
    void handle.close().catch(() => undefined);
    throw Object.assign(new Error('replaced meanwhile'), { code: 'ENOENT' });
  }
  file.handle = handle;
  state.descriptors.use(file);
  return handle;
}

/** @returns whether the end of the file was reached */
async function readPasses(state: State, file: FollowedFile, handle: OpenFile, facts: FileFacts): Promise<boolean> {
  const from = file.position.offset;
  for (let passes = 0; passes < mostPasses && file.position.offset < from + turnBytes; passes++) {
    if (state.pace.isStopped()) break;
    await foreground.over();
    const pass = await onePass(state, file, handle);
    if (pass === 'replaced') {
      restart(state, file);
      await findContent(state, file, handle, facts.size);
    } else if (typeof pass === 'string') return true;
    else {
      file.rest = pass.rest;
      // To enter what is much takes as long as to decode it: others have their turn in between.
      if (pass.decoded.length > enteredAtOnce) await nextTurn();
      await postPass(state, file, pass, facts);
      if (!pass.more) return true;
    }
  }
  return false;
}

/** Each file that is being read has a reader, and with it a buffer, of its own. */
async function onePass(state: State, file: FollowedFile, handle: OpenFile): Promise<FilePass> {
  const reader: Reader = state.readers.pop() ?? createReader();
  try {
    return await readTracked(file, handle, reader, isWanted, state.found.get(file.source)?.source.unfiltered);
  } finally {
    if (state.readers.length === 0) state.readers.push(reader);
  }
}

/** A binary log may hold a half-written chunk, which is looked at until it is whole or given up. */
function isUnsettled(file: FollowedFile): boolean {
  return file.format?.kind === 'binary' && file.position.offset < file.size;
}

function restart(state: State, file: FollowedFile): void {
  state.log.info('truncated or rewritten: read from the beginning', {
    source: file.source,
    path: shownPath(file.path),
    bytes_not_read_before: Math.max(0, file.size - file.position.offset),
  });
  startOver(file);
  if (file.former) state.checkpoints.keep(file.former);
  file.postedOffset = 0;
}

/** The next scan opens the file again and goes on from its checkpoint, or says why it cannot. */
function giveUp(state: State, file: FollowedFile, error: unknown): void {
  state.progress.fail(file.inode, file, file.postedOffset, error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EMFILE' || code === 'ENFILE') {
    state.descriptors.exhausted();
    return;
  }
  if (code !== 'ENOENT') state.log.warn('cannot read', { source: file.source, problem: problemOf(error, file.path) });
  drop(state, file);
}

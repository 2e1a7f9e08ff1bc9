/**
 * One file that is followed: which file it is, how it is written, how far it has been read.
 *
 * A file is known by its content, never by its name alone: a checkpoint fits when the hash of its first bytes and the
 * hash of the bytes right before its offset are both found in the file. So a renamed, copied or restored file goes on
 * where it stood, and one that was truncated and rewritten is read from its beginning, whatever its size.
 */
import { withoutInode } from '../../../model/checkpoint-key.js';
import type { FileCheckpoint, Fingerprint, Position } from '../../../model/batch.js';
import type { Format, PassResult, ReadableFile } from '../../formats/format.js';
import { fingerprintOf, passBytes, type Reader } from '../../read/pass.js';
import type { Encoding } from '../../read/text.js';
import type { FileFacts, OpenFile } from './file-system.js';
import { hashesOf, type Checkpoints } from './checkpoints.js';
import { bytesAt, unfinishedCopy, type ReadOriginal } from './copies.js';
import { fingerprintBytes, recogniseHead, headBytes } from './recognise.js';

export type TrackedFile = {
  readonly source: string;
  path: string;
  readonly inode: string;
  readonly device: string;
  /** Undefined while it is closed. */
  handle: OpenFile | undefined;
  /** Undefined until enough has been written to tell, and until it is opened. */
  format: Format | undefined;
  encoding: Encoding;
  position: Position;
  head: Fingerprint;
  tail: Fingerprint;
  /** Gaps in the record IDs of the latest passes: short ones tell as much together as a long one, up to so many bytes. */
  gaps: { readonly found: number; readonly bytes: number };
  history: boolean;
  /** Size and time of last change when it was last read to the end. */
  size: number;
  changedMs: number;
  /** Sentence for a person while the file cannot be read. */
  problem: string | undefined;
  /** What was read under its inode before it was rewritten, until that is saved with what is read now. */
  former: FileCheckpoint | undefined;
  /** True when its content was first read in another file: what is read there need not be read here. */
  isCopy: boolean;
  /** True when it is read as what rotation has made of another file. */
  isRotated: boolean;
};

export type TrackOptions = {
  readonly source: string;
  /** True when the file was there before its source was first read. */
  readonly history: boolean;
  readonly isRotated: boolean;
};

/** What was read before, and where its bytes still are. */
type Known = { readonly checkpoints: Checkpoints; readonly readOriginal: ReadOriginal };

const nothing: Fingerprint = { length: 0, hash: '' };
const noGaps = { found: 0, bytes: 0 };

/** A file of which nothing is known yet. */
export function freshFile(path: string, facts: FileFacts, options: TrackOptions): TrackedFile {
  return {
    source: options.source,
    path,
    inode: facts.inode,
    device: facts.device,
    handle: undefined,
    format: undefined,
    encoding: 'utf-8',
    position: { offset: 0 },
    head: nothing,
    tail: nothing,
    gaps: noGaps,
    history: options.history,
    size: -1,
    changedMs: 0,
    problem: undefined,
    former: undefined,
    isCopy: false,
    isRotated: options.isRotated,
  };
}

/**
 * Takes up a file at its checkpoint without opening it, when it is as it was when it was read to its end.
 * A binary log is not known by its size and time: Windows writes into it without either.
 * @returns whether it is so
 */
export function resumeUnchanged(file: TrackedFile, facts: FileFacts, checkpoints: Checkpoints): boolean {
  const known = checkpoints.ofInode(facts.inode);
  if (!known || known.history || known.memory !== undefined) return false;
  if (known.sizeRead !== facts.size || known.modifiedMs !== facts.changedMs) return false;
  resume(file, known);
  file.head = known.head;
  file.size = facts.size;
  file.changedMs = facts.changedMs;
  return true;
}

/** Finds how the content of an open file is written, and the checkpoint that belongs to it. */
export async function resumeByContent(file: TrackedFile, handle: OpenFile, size: number, known: Known): Promise<void> {
  const first = await recognise(file, handle);
  const own = known.checkpoints.ofInode(file.inode);
  const found = await checkpointFor(file, handle, { size, first }, known);
  if (found) resume(file, found);
  file.isCopy = found !== undefined && found.inode !== file.inode && file.format?.kind === 'text';
  if (own && found !== own && own.head.length > 0) file.former = withoutInode(own);
}

/** What a pass over a followed file came to. */
export type FilePass = PassResult | 'replaced' | 'unrecognised' | 'waiting';

/**
 * Reads on for one pass and moves the file's position; the caller posts the result.
 * `replaced`: the content is not the one read before; call `startOver` and read again.
 */
export async function readTracked(
  file: TrackedFile,
  handle: OpenFile,
  reader: Reader,
  wanted: (eventId: number) => boolean,
  unfiltered?: boolean,
): Promise<FilePass> {
  const { problem } = file;
  // Nothing was read but a byte order mark: whether one object follows another on its line shows when the second one comes.
  if (!file.format || (file.format.kind === 'text' && file.position.offset <= 3)) await recognise(file, handle);
  if (file.format) file.problem ??= problem;
  if (!file.format) return file.problem === undefined ? 'waiting' : 'unrecognised';
  if (file.format.kind === 'binary') {
    const pass = await file.format.pass(handle, file.position, wanted);
    file.position = pass.position;
    return pass;
  }
  const { format, encoding, tail, gaps, position } = file;
  const options = { format, encoding, tail, wanted, unfiltered, gapsBefore: gaps.found };
  const pass = await reader(handle, position, options);
  if (pass === 'replaced') return pass;
  const bytes = gaps.bytes + pass.position.offset - position.offset;
  file.gaps = bytes < passBytes ? { found: pass.gaps, bytes } : noGaps;
  file.position = pass.position;
  file.tail = pass.tail;
  if (file.head.length < fingerprintBytes) file.head = await headOf(handle);
  return pass;
}

/** Forgets what was read, but for where it ended: the file was truncated or rewritten under the same name. */
export function startOver(file: TrackedFile): void {
  if (file.head.length > 0 && file.position.offset > 0) file.former = withoutInode(checkpointOf(file));
  file.format = undefined;
  file.position = { offset: 0 };
  file.head = nothing;
  file.tail = nothing;
  file.gaps = noGaps;
  file.problem = undefined;
  file.isCopy = false;
}

export function checkpointOf(file: TrackedFile): FileCheckpoint {
  const { source, path, inode, head, tail, history, position } = file;
  return { source, path, inode, head, tail, history, ...position };
}

/** Steps over what has been read meanwhile in the file of which this one is a copy. */
export async function followOriginal(
  file: TrackedFile,
  handle: ReadableFile,
  size: number,
  known: Known,
): Promise<void> {
  const found = await checkpointFor(file, handle, { size, first: await firstBytes(handle) }, known);
  if (found && found.offset > file.position.offset) resume(file, { ...found, history: file.history });
}

/** Those not in use: a new one for each of thousands of files would cost more than reading them. */
const headBuffers: Buffer[] = [];

/**
 * Also while a file that was taken up unopened is opened for the first time.
 * @returns its first bytes, as many as tell which file it is
 */
async function recognise(file: TrackedFile, handle: ReadableFile): Promise<Buffer> {
  const head = headBuffers.pop() ?? Buffer.allocUnsafe(headBytes);
  try {
    const { bytesRead } = await handle.read(head, 0, headBytes, 0);
    noteRecognised(file, head.subarray(0, bytesRead));
    return Buffer.from(head.subarray(0, Math.min(bytesRead, fingerprintBytes)));
  } finally {
    if (headBuffers.length === 0) headBuffers.push(head);
  }
}

function noteRecognised(file: TrackedFile, head: Buffer): void {
  const found = recogniseHead(head, file.path);
  file.format = found.format;
  file.encoding = found.encoding;
  file.problem = found.problem;
  if (found.format?.kind !== 'text') return;
  file.head = found.head;
  if (file.position.offset !== 0) return;
  file.position = { offset: found.mark.length };
  file.tail = found.mark;
}

async function headOf(handle: ReadableFile): Promise<Fingerprint> {
  return fingerprintOf(await firstBytes(handle));
}

function firstBytes(handle: ReadableFile): Promise<Buffer> {
  return bytesAt(handle, 0, fingerprintBytes);
}

/** The checkpoint of this very content: the same inode first, then wherever the content was last seen. */
async function checkpointFor(
  file: TrackedFile,
  handle: ReadableFile,
  { size, first }: { readonly size: number; readonly first: Buffer },
  { checkpoints, readOriginal }: Known,
): Promise<FileCheckpoint | undefined> {
  const own = checkpoints.ofInode(file.inode);
  // A binary log changes its head while it lives: its place is known by name, and its format remembers record IDs.
  if (file.format?.kind === 'binary') return own ?? checkpoints.ofPath(file.path).at(-1);
  const hashOf = hashesOf(first, fingerprintOf);
  const fits = async (each: FileCheckpoint): Promise<boolean> =>
    each.offset <= size && hasBytes(handle, each.offset - each.tail.length, each.tail);
  const isOwn = own !== undefined && own.head.length > 0 && hashOf(own.head.length) === own.head.hash;
  const alike = checkpoints.withHead(hashOf);
  // Its own comes first where no other has been read further: then it is a copy, whatever was read of it before.
  const isFurther = ({ offset }: FileCheckpoint): boolean => !isOwn || file.isCopy || offset > own.offset;
  const others = alike.filter((each) => !isFurther(each));
  for (const each of [...alike.filter(isFurther), ...(isOwn ? [own] : []), ...others]) {
    if (await fits(each)) return each;
    if (each.offset <= size || each.inode === file.inode) continue;
    const copy = await unfinishedCopy(each, { handle, size, isRotated: file.isRotated && !isOwn }, readOriginal);
    if (copy) return copy;
  }
  return undefined;
}

async function hasBytes(handle: ReadableFile, at: number, wanted: Fingerprint): Promise<boolean> {
  const bytes = await bytesAt(handle, at, wanted.length);
  return bytes.length === wanted.length && fingerprintOf(bytes).hash === wanted.hash;
}

function resume(file: TrackedFile, known: FileCheckpoint): void {
  const { offset, skipping, memory } = known;
  file.position = { offset, ...(skipping && { skipping }), ...(memory !== undefined && { memory }) };
  file.tail = known.tail;
  file.history = known.history;
}

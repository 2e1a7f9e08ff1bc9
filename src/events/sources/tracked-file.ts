/**
 * One file that is followed: which file it is, how it is written, how far it has been read.
 *
 * A file is known by its content, never by its name alone: a checkpoint fits when the hash of its first bytes and the
 * hash of the bytes right before its offset are both found in the file. So a renamed, copied or restored file goes on
 * where it stood, and one that was truncated and written anew is read from its beginning, whatever its size.
 */
import { open, type FileHandle } from 'node:fs/promises';
import type { FileCheckpoint, Fingerprint, Position } from '../../model.js';
import { formats, type Format, type PassResult } from '../formats.js';
import { fingerprintOf, type Reader } from '../read-pass.js';
import { encodingOf, type Encoding } from '../text.js';

export type TrackedFile = {
  readonly source: string;
  path: string;
  readonly inode: string;
  readonly handle: FileHandle;
  /** Undefined until enough has been written to tell. */
  format: Format | undefined;
  encoding: Encoding;
  position: Position;
  head: Fingerprint;
  tail: Fingerprint;
  history: boolean;
  /** Size and time of last change when it was last read to the end. */
  size: number;
  changedMs: number;
  /** Sentence for a person while the file cannot be read. */
  problem: string | undefined;
};

const headBytes = 64 * 1024;
const fingerprintBytes = 1024;
const nothing: Fingerprint = { length: 0, hash: '' };

export type OpenOptions = {
  readonly source: string;
  /** Checkpoints of files that are not being followed at present, and of those that are (for copies). */
  readonly checkpoints: readonly FileCheckpoint[];
  /** True when the file was there before its source was first read. */
  readonly history: boolean;
};

/**
 * Opens a file and finds the checkpoint that belongs to it.
 * @returns undefined when it is not a regular file
 * @throws the error of the system when it cannot be opened
 */
export async function openTracked(path: string, options: OpenOptions): Promise<TrackedFile | undefined> {
  const handle = await open(path, 'r');
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) {
      await handle.close();
      return undefined;
    }
    const inode = inodeOf(stats);
    const file = freshFile(path, inode, handle, options);
    await recognise(file);
    const known = await checkpointFor(file, Number(stats.size), options.checkpoints);
    if (known) resume(file, known);
    return file;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Device and inode (volume and file index on Windows): one file, whatever its name. */
export function inodeOf(stats: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${stats.dev}:${stats.ino}`;
}

/** What a pass over a followed file came to. */
export type FilePass = PassResult | 'replaced' | 'unrecognised' | 'waiting';

/**
 * Reads on for one pass and moves the file's position; the caller posts the result.
 * `replaced`: the content is not the one read before; call `startOver` and read again.
 */
export async function readTracked(
  file: TrackedFile,
  reader: Reader,
  wanted: (eventId: number) => boolean,
  unfiltered?: boolean,
): Promise<FilePass> {
  if (!file.format) await recognise(file);
  if (!file.format) return file.problem === undefined ? 'waiting' : 'unrecognised';
  if (file.format.kind === 'binary') {
    const pass = await file.format.pass(file.handle, file.position, wanted);
    file.position = pass.position;
    return pass;
  }
  const options = { format: file.format, encoding: file.encoding, tail: file.tail, wanted, unfiltered };
  const pass = await reader(file.handle, file.position, options);
  if (pass === 'replaced') return pass;
  file.position = pass.position;
  file.tail = pass.tail;
  if (file.head.length < fingerprintBytes) file.head = await headOf(file.handle);
  return pass;
}

/** Forgets what was read: the file was truncated or written anew under the same name. */
export function startOver(file: TrackedFile): void {
  file.format = undefined;
  file.position = { offset: 0 };
  file.head = nothing;
  file.tail = nothing;
  file.problem = undefined;
}

export function checkpointOf(file: TrackedFile): FileCheckpoint {
  const { source, path, inode, head, tail, history, position } = file;
  return { source, path, inode, head, tail, history, ...position };
}

function freshFile(path: string, inode: string, handle: FileHandle, options: OpenOptions): TrackedFile {
  return {
    source: options.source,
    path,
    inode,
    handle,
    format: undefined,
    encoding: 'utf-8',
    position: { offset: 0 },
    head: nothing,
    tail: nothing,
    history: options.history,
    size: -1,
    changedMs: 0,
    problem: undefined,
  };
}

/** Finds encoding and format from the first records; an empty or short beginning is not judged yet. */
async function recognise(file: TrackedFile): Promise<void> {
  const head = Buffer.alloc(headBytes);
  const { bytesRead } = await file.handle.read(head, 0, headBytes, 0);
  const bytes = head.subarray(0, bytesRead);
  const binary = formats.find((format) => format.kind === 'binary' && format.recognises(bytes));
  const { encoding, markLength } = encodingOf(bytes);
  const text = new TextDecoder(encoding).decode(bytes).trimStart();
  file.format = binary ?? formats.find((format) => format.kind === 'text' && format.recognises(text));
  file.encoding = encoding;
  file.problem = file.format || !isTelling(bytes, text) ? undefined : problemOfContent(file.path, bytes);
  if (file.format?.kind === 'text') {
    file.head = fingerprintOf(bytes.subarray(0, fingerprintBytes));
    if (file.position.offset === 0) {
      file.position = { offset: markLength };
      file.tail = fingerprintOf(bytes.subarray(0, markLength));
    }
  }
}

/** Enough to say that a format is unknown: a whole line, or 4 KiB. */
function isTelling(bytes: Buffer, text: string): boolean {
  return bytes.length >= 4096 || text.includes('\n') || isBinary(bytes);
}

function problemOfContent(path: string, bytes: Buffer): string {
  return isBinary(bytes)
    ? `${path}: binary content that is not an event log; expected exported events as text or .evtx`
    : `${path}: no known format; expected exported Windows events (see the table of formats in the README)`;
}

function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, 512).some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27));
}

async function headOf(handle: FileHandle): Promise<Fingerprint> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(fingerprintBytes), 0, fingerprintBytes, 0);
  return fingerprintOf(buffer.subarray(0, bytesRead));
}

/** The checkpoint of this very content: the same inode first, then wherever the content was last seen. */
async function checkpointFor(
  file: TrackedFile,
  size: number,
  checkpoints: readonly FileCheckpoint[],
): Promise<FileCheckpoint | undefined> {
  // A binary log changes its head while it lives: its place is known by name, and its format remembers record IDs.
  if (file.format?.kind === 'binary') {
    return checkpoints.find((each) => each.inode === file.inode) ?? checkpoints.find((each) => each.path === file.path);
  }
  const hasHead = await headComparison(file.handle);
  const candidates = checkpoints
    .filter(({ head, offset }) => head.length > 0 && offset <= size && hasHead(head))
    .sort((a, b) => Number(b.inode === file.inode) - Number(a.inode === file.inode) || b.offset - a.offset);
  for (const each of candidates) {
    if (await hasBytes(file.handle, each.offset - each.tail.length, each.tail)) return each;
  }
  return undefined;
}

/** Reads the beginning once, whatever the number of checkpoints: in a folder of many files all of them are candidates. */
async function headComparison(handle: FileHandle): Promise<(head: Fingerprint) => boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(fingerprintBytes), 0, fingerprintBytes, 0);
  const hashes = new Map<number, string>();
  return ({ length, hash }) => {
    if (length > bytesRead) return false;
    const known = hashes.get(length) ?? fingerprintOf(buffer.subarray(0, length)).hash;
    hashes.set(length, known);
    return known === hash;
  };
}

async function hasBytes(handle: FileHandle, at: number, wanted: Fingerprint): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(wanted.length), 0, wanted.length, at);
  return bytesRead === wanted.length && fingerprintOf(buffer).hash === wanted.hash;
}

function resume(file: TrackedFile, known: FileCheckpoint): void {
  const { offset, skipping, memory } = known;
  file.position = { offset, ...(skipping && { skipping }), ...(memory !== undefined && { memory }) };
  file.tail = known.tail;
  file.history = known.history;
}

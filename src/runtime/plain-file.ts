/** Reads whole files of settings: only regular files, never waiting for a pipe, a device or a mount that hangs. */
import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { devNull } from 'node:os';
import path from 'node:path';
import { fileGate, inTime } from './file-gate.js';

/** What `fs.Stats` says of the kind of a file. */
export type Kind = {
  readonly isFile: () => boolean;
  readonly isDirectory: () => boolean;
  readonly isFIFO: () => boolean;
  readonly isSocket: () => boolean;
  readonly isCharacterDevice: () => boolean;
  readonly isBlockDevice: () => boolean;
};

/** To be opened with: a pipe put in the place of a file between two looks does not hold us. */
export const readingFlags = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0);

/** Why something is not read as a file, with the remedy; undefined for a regular file. */
export function kindProblem(kind: Kind): string | undefined {
  if (kind.isFile()) return undefined;
  if (kind.isDirectory()) return 'a folder, where a file is expected';
  if (kind.isFIFO()) {
    return 'a pipe (a FIFO or a process substitution), which can be read only once; write its output to a file and name that';
  }
  if (kind.isSocket()) return 'a socket, which is not read; name a regular file';
  if (kind.isCharacterDevice() || kind.isBlockDevice()) return 'a device, which is not read; name a regular file';
  return 'no regular file, which alone is read';
}

/** An answer of any file system that is alive comes sooner. Milliseconds. */
const answerMs = 5_000;
/** No file of settings is longer. */
const largest = 64 * 1024 * 1024;

export type PlainFileOptions = { readonly largest?: number; readonly answerMs?: number };

/**
 * The content of a regular file; nothing for the null device.
 * @throws an Error whose message says what was found there instead: what kind of thing, how large, or the words of the
 * system; also when the file system does not answer within `answerMs`, five seconds
 */
export async function readPlainFile(file: string, options: PlainFileOptions = {}): Promise<Buffer> {
  return (await readDatedFile(file, options)).content;
}

/** The same with the time when it was written, taken before it is read: an age is never too small. */
export async function readDatedFile(
  file: string,
  options: PlainFileOptions = {},
): Promise<{ readonly content: Buffer; readonly modifiedAt: number }> {
  if (file === devNull) return { content: Buffer.alloc(0), modifiedAt: Date.now() };
  const until = performance.now() + (options.answerMs ?? answerMs);
  const place = path.dirname(file);
  const inRest = <Result>(operation: () => Promise<Result>, late?: (result: Result) => void): Promise<Result> =>
    inTime(fileGate.pass(place, operation), Math.max(1, until - performance.now()), late);
  const refuse = (kind: Kind): void => {
    const problem = kindProblem(kind);
    if (problem !== undefined) throw new Error(problem);
  };
  refuse(await inRest(() => stat(file)));
  const handle = await inRest(() => open(file, readingFlags), close);
  try {
    const stats = await inRest(() => handle.stat());
    refuse(stats);
    const most = options.largest ?? largest;
    if (stats.size > most)
      throw new Error(`${stats.size} bytes, where at most ${Math.floor(most / 2 ** 20)} MiB are expected`);
    return { content: await inRest(() => handle.readFile()), modifiedAt: stats.mtimeMs };
  } finally {
    close(handle);
  }
}

/** Nobody waits for it: on a mount that hangs it hangs too. */
function close(handle: FileHandle): void {
  handle.close().catch(() => undefined);
}

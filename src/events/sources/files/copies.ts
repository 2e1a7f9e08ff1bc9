/**
 * Tells a copy that is still being made, or was broken off, from a file that only begins like another: by the bytes of the
 * original. What has no record IDs would be counted twice otherwise.
 */
import type { FileCheckpoint } from '../../../model/batch.js';
import type { ReadableFile } from '../../formats/format.js';
import { fingerprintOf } from '../../read/pass.js';
import { notWaiting, type FileSystem } from './file-system.js';

/** Bytes of a file as it is now; undefined when it is not where it was last seen any more, or shorter. */
export type ReadOriginal = (original: FileCheckpoint, at: number, length: number) => Promise<Buffer | undefined>;

export function createReadOriginal(system: FileSystem): ReadOriginal {
  return async ({ path, inode }, at, length) => {
    if (inode === '') return undefined;
    const [device = ''] = inode.split(':', 1);
    const handle = await system.open(path, device, notWaiting()).catch(() => undefined);
    if (!handle) return undefined;
    try {
      const bytes = await bytesAt(handle, at, length);
      return handle.opened.inode === inode && bytes.length === length ? bytes : undefined;
    } finally {
      void handle.close().catch(() => undefined);
    }
  };
}

/** So much at the end of an unfinished copy is compared with the original. */
const comparedBytes = 4_096;

/**
 * The place in a file that holds less than was read of its original: all of it has been read there.
 * @param isRotated what carries the name of the original needs no proof, also when that has been truncated since
 * @returns undefined for a file that only begins alike
 */
export async function unfinishedCopy(
  original: FileCheckpoint,
  { handle, size, isRotated }: { readonly handle: ReadableFile; readonly size: number; readonly isRotated: boolean },
  readOriginal: ReadOriginal,
): Promise<FileCheckpoint | undefined> {
  const length = Math.min(size, original.tail.length || comparedBytes);
  const bytes = await bytesAt(handle, size - length, length);
  const isSame = async (): Promise<boolean> =>
    (await readOriginal(original, size - length, length))?.equals(bytes) === true;
  if (!isRotated && !(await isSame())) return undefined;
  return { ...original, offset: size, tail: fingerprintOf(bytes) };
}

/** Fewer where the file ends before. */
export async function bytesAt(handle: ReadableFile, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, at);
  return bytes.subarray(0, bytesRead);
}

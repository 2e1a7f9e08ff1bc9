/** Replaces a file in one step, so that whoever reads it finds the old content or the new, never a mixture. */
import * as fs from 'node:fs/promises';
import path from 'node:path';

/** The file operations used; tests make the n-th of them fail. */
export type FileOperations = Pick<typeof fs, 'open' | 'rename'>;

/**
 * Writes a temporary file in the same folder, syncs it, renames it over the target, syncs the folder.
 *
 * If the process dies before the rename the old file stands untouched; after it the new one is complete, because its
 * bytes were synced first. Windows refuses to rename over a file that somebody holds open (a scanner, a backup):
 * that passes, so it is tried again for about a second.
 * @throws the error of the system; the old file is then still in place, unless the error says `isReplaced`
 */
export async function replaceFile(target: string, content: Content, operations: FileOperations = fs): Promise<void> {
  const temporary = `${target}.new`;
  await writeSynced(temporary, 'w', content, operations);
  await renameOver(temporary, target, operations);
  await syncFolder(path.dirname(target), operations).catch((error: unknown) => {
    throw Object.assign(new Error((error as Error).message, { cause: error }), { isReplaced: true });
  });
}

type Content = string | Uint8Array | AsyncIterable<Uint8Array>;

/** Makes a file that is there, with its name and its content, when this returns. @throws the error of the system */
export async function createFile(target: string, content: Content, operations: FileOperations = fs): Promise<void> {
  await writeSynced(target, 'wx', content, operations);
  await syncFolder(path.dirname(target), operations);
}

/** Adds to a file that must be there, and of this length. @throws the error of the system, or when it has another length */
export async function appendTo(
  target: string,
  length: number,
  content: Uint8Array,
  operations: FileOperations = fs,
): Promise<void> {
  const file = await operations.open(target, fs.constants.O_WRONLY | fs.constants.O_APPEND);
  try {
    const { size } = await file.stat();
    if (size !== length)
      throw new Error(`${target}: expected ${length} bytes, found ${size}: written by another program`);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeSynced(target: string, flags: string, content: Content, operations: FileOperations): Promise<void> {
  const file = await operations.open(target, flags, 0o600);
  try {
    if (typeof content === 'string' || content instanceof Uint8Array) await file.writeFile(content);
    else for await (const piece of inLargerPieces(content)) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function* inLargerPieces(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let [pieces, length]: [Uint8Array[], number] = [[], 0];
  for await (const piece of content) {
    pieces.push(piece);
    length += piece.length;
    if (length < enough) continue;
    yield Buffer.concat(pieces);
    [pieces, length] = [[], 0];
  }
  yield Buffer.concat(pieces);
}

const enough = 256 * 1024;

const renameTries = 8;

async function renameOver(from: string, to: string, operations: FileOperations): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await operations.rename(from, to);
      return;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      const passing = process.platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes(code);
      if (!passing || attempt === renameTries) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5 * 2 ** attempt));
    }
  }
}

/** Makes the rename itself durable. Windows has no such call for folders. */
async function syncFolder(folder: string, operations: FileOperations): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await operations.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

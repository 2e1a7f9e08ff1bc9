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
 * @throws the error of the system; the old file is then still in place
 */
export async function replaceFile(
  target: string,
  content: string | Uint8Array,
  operations: FileOperations = fs,
): Promise<void> {
  const temporary = `${target}.new`;
  const file = await operations.open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await renameOver(temporary, target, operations);
  await syncFolder(path.dirname(target), operations);
}

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

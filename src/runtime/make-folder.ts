/** Makes a folder and those above it. Node's recursive mkdir never returns where the system makes no folders (/proc). */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder that may be there already.
 * @throws the error of the system, which names the folder that cannot be made
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(resolve(folder));
    if (code === 'EEXIST' && (await isFolder(folder))) return;
    if (code !== 'ENOENT' || parent === resolve(folder) || (await isFolder(parent))) throw error;
    await makeFolder(parent);
    // Somebody else may have made it meanwhile.
    if (!(await isFolder(folder))) await mkdir(folder);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/** Creates a folder and its parents. Node's recursive mkdir never returns where the system creates no folders (/proc). */
import { lstat, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder that may be there already.
 * @throws an error that names what stands in the way, or that of the system
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(resolve(folder));
    if (code === 'EEXIST' && (await isFolder(folder))) return;
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw Object.assign(new Error(`${await whatStandsAt(folder)} is not a folder`), { code, cause: error });
    if (code !== 'ENOENT' || parent === resolve(folder) || (await isFolder(parent))) throw error;
    await makeFolder(parent);
    // Somebody else may have made it meanwhile.
    if (!(await isFolder(folder))) await mkdir(folder);
  }
}

/** Of a path and those above it, the nearest that is there. */
async function whatStandsAt(path: string): Promise<string> {
  const isThere = await lstat(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : whatStandsAt(dirname(path));
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

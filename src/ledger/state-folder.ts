/** Keeps the state folder usable while the exporter runs: if it is deleted, it is created and locked again. */
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../runtime/make-folder.js';
import type { StateLock } from './folder-lock.js';

export type StateFolder = {
  /**
   * Before a save: the folder is there, and this process has it. `isAsItWas`: with the saved file in it, and it may be written.
   * @throws the error of the system where it cannot be made, or that of a lock that another exporter has taken
   */
  readonly ready: () => Promise<{ readonly isAsItWas: boolean }>;
  /** A file is there from now on. */
  readonly noteSaved: () => void;
  /** False when the saved file is gone, was replaced by something else, or its folder may not be written. */
  readonly isWhole: () => Promise<boolean>;
};

/** @param onLost told in a sentence what was deleted, once for each time */
export function createStateFolder(file: string, lock: StateLock, onLost?: (what: string) => void): StateFolder {
  const folder = path.dirname(file);
  let isSaved = false;
  return {
    ready: async () => {
      const isFileThere = await isFile(file);
      if (isSaved && !isFileThere) {
        isSaved = false;
        onLost?.(`${file} was deleted under the running exporter; it is rewritten with all that was counted`);
      }
      await makeFolder(folder);
      await lock.renew();
      return { isAsItWas: isFileThere && (await isWritable(folder)) };
    },
    noteSaved: () => {
      isSaved = true;
    },
    isWhole: async () => {
      if (!isSaved) return true;
      return (await isWritable(folder)) && (await isFile(file));
    },
  };
}

function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

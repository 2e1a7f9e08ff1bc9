/** Notices by polling that files were written, replaced, removed or came back. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { FileHangs, fileGate, inTime } from './file-gate.js';

/** Often enough that a change is in force before anybody waits for it; costs one stat for each file. */
const lookEvery = 1000;

/**
 * Calls `changed` after a change of any of the files, never twice at once, until it is closed.
 * @param files of the moment: a changed configuration may name others
 */
export function watchFiles(
  files: () => readonly string[],
  changed: () => Promise<unknown>,
): { readonly close: () => void } {
  const known = new Map<string, string>();
  let looking: Promise<void> | undefined;
  /** The stamps are from before the reading, so that what is written during it is seen the next time. */
  const differs = async (): Promise<boolean> => {
    let any = false;
    for (const file of files()) {
      const before = known.get(file);
      const now = await stampOf(file, before);
      if (now !== undefined) known.set(file, now);
      any ||= before !== undefined && before !== now;
    }
    return any;
  };
  const look = async (): Promise<void> => {
    if (!(await differs())) return;
    await changed();
    for (const file of files()) {
      const stamp = known.has(file) ? undefined : await stampOf(file, undefined);
      if (stamp !== undefined) known.set(file, stamp);
    }
  };
  const lookOnce = (): void => {
    looking ??= look().finally(() => (looking = undefined));
  };
  lookOnce();
  const timer = setInterval(lookOnce, lookEvery);
  timer.unref();
  return {
    close: () => {
      clearInterval(timer);
    },
  };
}

/** A file system that is alive answers sooner. Milliseconds. */
const answerMs = 5_000;

/** Follows links, as certificates are often rotated by one. While the file system does not answer nothing has changed. */
async function stampOf(file: string, before: string | undefined): Promise<string | undefined> {
  try {
    const looking = fileGate.pass(path.dirname(file), () => stat(file, { bigint: true }));
    const { dev, ino, size, mtimeNs } = await inTime(looking, answerMs);
    return `${dev}:${ino}:${size}:${mtimeNs}`;
  } catch (error) {
    if (error instanceof FileHangs) return before;
    return String((error as NodeJS.ErrnoException).code);
  }
}

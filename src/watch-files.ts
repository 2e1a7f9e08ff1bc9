/** Notices that files were written, replaced, removed or came back, by looking at them: no event of a system is needed. */
import { stat } from 'node:fs/promises';

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
      const [before, now] = [known.get(file), await stampOf(file)];
      known.set(file, now);
      any ||= before !== undefined && before !== now;
    }
    return any;
  };
  const look = async (): Promise<void> => {
    if (!(await differs())) return;
    await changed();
    for (const file of files()) if (!known.has(file)) known.set(file, await stampOf(file));
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

/** Follows links, as certificates are often rotated by one. */
async function stampOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

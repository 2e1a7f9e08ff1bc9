/** What somebody waits for goes first: reading pauses while a page is put together, and gets a turn now and then all the same. */
import { within } from './within.js';

export type Foreground = {
  /** Somebody waits. @returns to be called when they have what they wait for */
  readonly begin: () => () => void;
  /** To be awaited between two pieces of other work; undefined when nobody waits. */
  readonly over: () => Promise<void> | undefined;
};

/** Other work pauses for no longer, whatever is asked meanwhile. */
const longestPauseMs = 100;

export function createForeground(): Foreground {
  let waiting = 0;
  let pausing: (() => void)[] = [];
  return {
    begin: () => {
      waiting++;
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        if (--waiting > 0) return;
        for (const resolve of pausing) resolve();
        pausing = [];
      };
    },
    over: () => {
      if (waiting === 0) return undefined;
      return within(longestPauseMs, new Promise((resolve) => pausing.push(resolve)));
    },
  };
}

/** One for the whole process, as its event loop is. */
export const foreground = createForeground();

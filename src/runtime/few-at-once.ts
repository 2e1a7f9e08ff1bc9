/** Limits how much work runs at a time; the rest waits, first come first served. */

export type FewAtOnce = {
  readonly run: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** How many wait for a place. */
  readonly waiting: () => number;
};

/** @param most pieces of work that run at a time */
export function createFewAtOnce(most: number): FewAtOnce {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    run: async (work) => {
      // Whoever ends hands its place over.
      if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
      else running++;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running--;
      }
    },
    waiting: () => waiting.length,
  };
}

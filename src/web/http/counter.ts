/** Counts things under way, by key. */
export type Counter = {
  readonly count: (key: string) => number;
  /** @returns what ends it */
  readonly begin: (key: string) => () => void;
};

export function createCounter(): Counter {
  const counts = new Map<string, number>();
  const add = (key: string, number: number): void => {
    const sum = (counts.get(key) ?? 0) + number;
    if (sum === 0) counts.delete(key);
    else counts.set(key, sum);
  };
  return {
    count: (key) => counts.get(key) ?? 0,
    begin: (key) => {
      add(key, 1);
      return () => {
        add(key, -1);
      };
    },
  };
}

/** A queue ordered by time: the earliest of thousands is found without looking at the others. */
import TinyQueue from 'tinyqueue';

export type DueQueue<T> = {
  readonly push: (due: number, value: T) => void;
  /** When the earliest is due; undefined when empty. */
  readonly nextDue: () => number | undefined;
  /** Takes the earliest. */
  readonly pop: () => T | undefined;
  readonly size: () => number;
};

export function createDueQueue<T>(): DueQueue<T> {
  const queue = new TinyQueue<{ readonly due: number; readonly value: T }>([], (a, b) => a.due - b.due);
  return {
    push: (due, value) => {
      queue.push({ due, value });
    },
    nextDue: () => queue.peek()?.due,
    pop: () => queue.pop()?.value,
    size: () => queue.length,
  };
}

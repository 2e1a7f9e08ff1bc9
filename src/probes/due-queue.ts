/** A queue ordered by time: the earliest of thousands is found without looking at the others (a binary heap). */

export type DueQueue<T> = {
  readonly push: (due: number, value: T) => void;
  /** When the earliest is due; undefined when empty. */
  readonly nextDue: () => number | undefined;
  /** Takes the earliest. */
  readonly pop: () => T | undefined;
  readonly size: () => number;
};

type Entry<T> = { readonly due: number; readonly value: T };

export function createDueQueue<T>(): DueQueue<T> {
  const heap: Entry<T>[] = [];
  return {
    push(due, value) {
      heap.push({ due, value });
      rise(heap, heap.length - 1);
    },
    nextDue: () => heap[0]?.due,
    pop() {
      const first = heap[0];
      const last = heap.pop();
      if (!first || !last) return undefined;
      if (heap.length > 0) {
        heap[0] = last;
        sink(heap);
      }
      return first.value;
    },
    size: () => heap.length,
  };
}

function rise<T>(heap: Entry<T>[], from: number): void {
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!swapIfEarlier(heap, at, parent)) return;
    at = parent;
  }
}

function sink<T>(heap: Entry<T>[]): void {
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const right = left + 1;
    const rightIsEarlier = (heap[right]?.due ?? Infinity) < (heap[left]?.due ?? Infinity);
    const child = rightIsEarlier ? right : left;
    if (!swapIfEarlier(heap, child, at)) return;
    at = child;
  }
}

/** Swaps the two when the lower one (`child`) is due earlier. */
function swapIfEarlier<T>(heap: Entry<T>[], child: number, parent: number): boolean {
  const below = heap[child];
  const above = heap[parent];
  if (!below || !above || below.due >= above.due) return false;
  heap[child] = above;
  heap[parent] = below;
  return true;
}

/** Long work in short strokes, so that reads, probes and other answers are never late. */

/** Work is laid down after this long. */
const holdMs = 8;

/** To be awaited between two strokes of work: it lets others go first when it is time. */
export type Breath = () => Promise<void> | undefined;

/**
 * Several pieces of work may share one: then only one of them goes on in a turn of the event loop, in the order in which
 * they paused, so that together they hold it no longer than one.
 */
export function createBreath(): Breath {
  let since = performance.now();
  const paused: (() => void)[] = [];
  const goOn = (): void => {
    since = performance.now();
    paused.shift()?.();
    if (paused.length > 0) setImmediate(goOn);
  };
  return () => {
    if (performance.now() - since < holdMs) return undefined;
    return new Promise((resolve) => {
      if (paused.push(resolve) === 1) setImmediate(goOn);
    });
  };
}

/** Work that can be laid down at each `yield`; what it returns is its result. */
export type Steps<Result> = Generator<void, Result, void>;

/** Does it all in one go. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** So many short pieces of work take less than a stroke. */
const pieces = 1_024;

/** The work on each item; it can be laid down after every so many. */
export function* eachOf<Item>(items: Iterable<Item>, work: (item: Item) => void): Steps<void> {
  let done = 0;
  for (const item of items) {
    work(item);
    if (++done % pieces === 0) yield;
  }
}

export async function inStrokes<Result>(steps: Steps<Result>, breathe: Breath): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    const pause = breathe();
    if (pause) await pause;
  }
}

/** Sorted in one go up to this many; longer lists are merged of such parts. */
const sortedAtOnce = 512;

/** A stable sort. */
export function* sortedInSteps<Item>(items: readonly Item[], compare: (a: Item, b: Item) => number): Steps<Item[]> {
  let runs: Item[][] = [];
  for (let from = 0; from < items.length; from += sortedAtOnce) {
    runs.push(items.slice(from, from + sortedAtOnce).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let at = 0; at < runs.length; at += 2)
      merged.push(yield* mergedOf(runs[at] ?? [], runs[at + 1] ?? [], compare));
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergedOf<Item>(a: readonly Item[], b: readonly Item[], compare: (a: Item, b: Item) => number): Steps<Item[]> {
  const merged: Item[] = [];
  let [inA, inB] = [0, 0];
  while (inA < a.length && inB < b.length) {
    const [one, other] = [a[inA] as Item, b[inB] as Item];
    if (compare(one, other) <= 0) {
      merged.push(one);
      inA++;
    } else {
      merged.push(other);
      inB++;
    }
    if (merged.length % sortedAtOnce === 0) yield;
  }
  for (; inA < a.length; inA++) merged.push(a[inA] as Item);
  for (; inB < b.length; inB++) merged.push(b[inB] as Item);
  return merged;
}

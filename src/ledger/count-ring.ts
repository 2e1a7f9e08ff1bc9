/** Counts of the latest hours or days: a ring of fixed size, whatever the clock does. Saved as a list from the first on. */
import * as z from 'zod';
import type { Immutable } from '../runtime/immutable.js';

export type CountRing = {
  /** @param place number of the hour or day since 1970 UTC */
  readonly add: (place: number, passed: boolean) => void;
  /** What was counted in the `length` places that end with `last`. */
  readonly sum: (last: number, length: number) => Counted;
  /** How many were counted in each of the `length` places that end with `last`, oldest first. */
  readonly list: (last: number, length: number) => number[];
  readonly saved: (last: number) => SavedCounts;
};

export type Counted = { readonly passed: number; readonly all: number };

/** `all` by place from `first` on, and how many of them failed, by offset from `first`, where any did. */
export const savedCounts = z.strictObject({
  first: z.int().min(0),
  all: z.array(z.int().min(0)),
  failed: z.array(z.tuple([z.int().min(0), z.int().min(0)])),
});
export type SavedCounts = Immutable<z.infer<typeof savedCounts>>;

/** @param size how many places are kept; one that is set to a far future takes one of them, and no more */
export function createCountRing(size: number, saved?: SavedCounts): CountRing {
  const places = new Int32Array(size).fill(-1);
  const all = new Uint32Array(size);
  const failed = new Uint32Array(size);
  const slotOf = (place: number): number | undefined => {
    if (!Number.isInteger(place) || place < 0) return undefined;
    const slot = place % size;
    if (places[slot] !== place) {
      places[slot] = place;
      all[slot] = failed[slot] = 0;
    }
    return slot;
  };
  const slotAt = (place: number): number | undefined => {
    const slot = place % size;
    return place >= 0 && places[slot] === place ? slot : undefined;
  };
  const add = (place: number, count: number, bad: number): void => {
    const slot = slotOf(place);
    if (slot === undefined) return;
    all[slot] = (all[slot] ?? 0) + count;
    failed[slot] = (failed[slot] ?? 0) + bad;
  };
  if (saved) for (const { place, count, bad } of placesIn(saved, size)) add(place, count, bad);
  return {
    add: (place, passed) => {
      add(place, 1, passed ? 0 : 1);
    },
    sum(last, length) {
      let [counted, bad] = [0, 0];
      for (let place = last - Math.min(length, size) + 1; place <= last; place++) {
        const slot = slotAt(place);
        if (slot === undefined) continue;
        counted += all[slot] ?? 0;
        bad += failed[slot] ?? 0;
      }
      return { passed: counted - bad, all: counted };
    },
    list: (last, length) =>
      Array.from({ length }, (_, index) => {
        const slot = slotAt(last - length + 1 + index);
        return slot === undefined ? 0 : (all[slot] ?? 0);
      }),
    saved(last) {
      const kept = Array.from({ length: size }, (_, index) => last - size + 1 + index).filter(
        (place) => slotAt(place) !== undefined,
      );
      const [first = 0] = kept;
      const until = kept.at(-1) ?? first - 1;
      const listed = Array.from({ length: until - first + 1 }, (_, offset) => slotAt(first + offset));
      return {
        first,
        all: listed.map((slot) => (slot === undefined ? 0 : (all[slot] ?? 0))),
        failed: listed.flatMap((slot, offset): [number, number][] =>
          slot === undefined || failed[slot] === 0 ? [] : [[offset, failed[slot] ?? 0]],
        ),
      };
    },
  };
}

/** The newest of what was saved, as many as there is room for. */
function placesIn({ first, all, failed }: SavedCounts, size: number): { place: number; count: number; bad: number }[] {
  const failures = new Map(failed);
  const skipped = Math.max(0, all.length - size);
  return all.slice(skipped).flatMap((count, index) => {
    const bad = Math.min(count, failures.get(skipped + index) ?? 0);
    return count === 0 ? [] : [{ place: first + skipped + index, count, bad }];
  });
}

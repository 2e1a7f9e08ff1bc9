/** Chance that can be repeated: the same seed gives the same run. */

/** Numbers from 0 to below 1 by Mulberry32, and what is made of them. */
export function createRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  /** From 0 to below `limit`. */
  const int = (limit) => Math.floor(next() * limit);
  return {
    int,
    pick: (list) => list[int(list.length)],
    chance: (share) => next() < share,
    /** Small ones often, large ones rarely, never above `most`. */
    size: (most) => Math.max(1, Math.floor(most ** next())),
  };
}

/** A seed for the n-th input of a run: each can be made again without those before it. */
export function seedOf(seed, n) {
  return Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n + 1, 0xc2b2ae35);
}

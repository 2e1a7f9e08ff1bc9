/** Delays answers to rejected requests, so that during a flood of them the event loop stays free for the others. */

export type Refusals = {
  /** For each answer 401 or 429. @returns milliseconds to hold it back */
  readonly holdMs: () => number;
};

/** More than browsers and programs with an old password ask; at a fifth of a millisecond each they take 2 % of the time. */
const atOnceInSecond = 100;
/** A connection on which an answer is awaited sends nothing: some 2,000 of them send no more than 2,000 requests a second. */
const heldMs = 1_000;

/** @param now milliseconds; need not be the time of day */
export function createRefusals(now: () => number): Refusals {
  let begun = now();
  let count = 0;
  return {
    holdMs: () => {
      if (now() - begun >= 1_000) [begun, count] = [now(), 0];
      count++;
      return count > atOnceInSecond ? heldMs : 0;
    },
  };
}

/** How long the steps of visits took, as a histogram. */
import type { StepName } from '../model/words.js';

export type StepDurations = {
  readonly step: StepName;
  /** Samples in each bucket, not cumulative; one more than `durationBounds`, the last for anything longer. */
  readonly buckets: readonly number[];
  /** Seconds. */
  readonly sum: number;
  readonly count: number;
};

/** Upper bounds of the buckets, seconds: a LAN, a continent, the world, slow, a tarpit. Few, since each is a series. */
export const durationBounds: readonly number[] = [0.01, 0.05, 0.25, 1, 5, 20];

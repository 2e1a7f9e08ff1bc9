/** The latest visits of a destination in short. */
import type { ProbeResult } from '../model/probes.js';
import { type Reason, type StepName, stepNames } from '../model/words.js';

/** One visit in short. */
export type Outcome = {
  readonly at: number;
  readonly success: boolean;
  readonly reason: Reason | undefined;
  /** By step, in the order of the steps; 0 for one that did not run. */
  readonly seconds: readonly number[];
  /** Every step that failed, whether it decided the visit or not. */
  readonly failed: readonly StepName[];
};

export const outcomesKept = 40;

export function outcomeOf({ at, success, reason, steps }: ProbeResult): Outcome {
  const seconds = stepNames.map((name) => steps.find(({ step }) => step === name)?.seconds ?? 0);
  const failed = steps.filter(({ outcome }) => outcome === 'failed').map(({ step }) => step);
  return { at, success, reason, seconds, failed: failed.length === 0 ? none : failed };
}

/** Shared by all visits without a failed step: most of them. */
const none: readonly StepName[] = [];

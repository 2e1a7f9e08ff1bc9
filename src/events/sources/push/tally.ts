/** Counts the requests to a push source, and gives its status. */
import { type PushOutcome, pushOutcomes, type SourceStatus } from '../../../model/status.js';

export type Tally = {
  readonly count: (outcome: PushOutcome) => void;
  /** Notes records that were taken. */
  readonly took: (bytes: number) => void;
  /** @param detail sentence for a person */
  readonly status: (up: boolean, detail: string) => SourceStatus;
};

/** @param now milliseconds since 1970 UTC */
export function createTally(source: string, now: () => number): Tally {
  const requests = Object.fromEntries(pushOutcomes.map((outcome) => [outcome, 0])) as Record<PushOutcome, number>;
  let bytesRead = 0;
  let lastRecordAt: number | undefined;
  return {
    count: (outcome) => {
      requests[outcome]++;
    },
    took: (bytes) => {
      bytesRead += bytes;
      lastRecordAt = now();
    },
    status: (up, detail) => ({
      source,
      up,
      detail: `${source}: ${detail}`,
      lastRecordAt,
      lagBytes: 0,
      lagSeconds: 0,
      stalledSeconds: 0,
      bytesRead,
      pushed: { ...requests },
    }),
  };
}

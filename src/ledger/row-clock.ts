/** The clock of this machine as the rows know it: when it was set, and which times of the file it does not bear out. */
import type { Row } from './row.js';
import { jumpDetector, type Clocks } from '../runtime/noted-time.js';

export type RowClock = {
  /** @returns whether it was set since this was asked before */
  readonly hasJumped: () => boolean;
  /** False for a while after it was set: nothing goes dormant by a clock that is wrong for a moment. */
  readonly isSettled: () => boolean;
  /** Rows of the file with times that cannot be true, to be saved anew: not at once, for it may be the clock that is wrong. */
  readonly mending: Set<Row>;
  /** Takes these rows when the time for it has come. */
  readonly takeMended: () => readonly Row[];
};

/** A clock that was set is believed after this long. */
const settleMs = 10 * 60_000;

export function createRowClock(clocks: Clocks): RowClock {
  const { steady } = clocks;
  const detected = jumpDetector(clocks);
  const mending = new Set<Row>();
  const mendAt = steady() + settleMs;
  let jumpedAt = -Infinity;
  return {
    hasJumped: () => {
      const jumped = detected();
      if (jumped) jumpedAt = steady();
      return jumped;
    },
    isSettled: () => steady() - jumpedAt >= settleMs,
    mending,
    takeMended: () => {
      if (mending.size === 0 || steady() < mendAt) return [];
      const rows = [...mending];
      mending.clear();
      return rows;
    },
  };
}

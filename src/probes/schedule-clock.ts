/** The clock of the schedule; tests turn one by hand. */

/** A clock that never jumps, and its alarm. */
export type ScheduleClock = {
  /** Milliseconds since some moment. */
  readonly now: () => number;
  /** Calls `run` once after `ms`; the answer calls it off. */
  readonly after: (ms: number, run: () => void) => () => void;
};

export const systemClock: ScheduleClock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

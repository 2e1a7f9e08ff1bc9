/** Notices that the clock of this machine jumped: set back or forward, or the machine was suspended. */
import type { Log } from '../runtime/log.js';

type ClockJumps = { readonly back: number; readonly forward: number };

export type ClockWatch = {
  /** Jumps since the start. */
  readonly jumps: () => ClockJumps;
  /** Sentence for a person about a jump within the last hour. */
  readonly notice: () => string | undefined;
  /** Compares the clocks now; done by itself every few seconds. */
  readonly check: () => void;
  readonly close: () => void;
};

export type ClockOptions = {
  /** The clock on the wall, milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** A clock that only goes forward, and stands still while the machine is suspended. Milliseconds. */
  readonly steady: () => number;
  readonly log: Pick<Log, 'warn'>;
};

const checkMs = 2_000;
/** Smaller differences are the work of a time service. */
const toleranceMs = 5_000;
const noticeMs = 3_600_000;

export function watchClock({ now, steady, log }: ClockOptions): ClockWatch {
  const jumps = { back: 0, forward: 0 };
  let latest: { readonly text: string; readonly steadyAt: number } | undefined;
  let [wall, monotonic] = [now(), steady()];
  const check = (): void => {
    const seconds = Math.round((now() - wall - (steady() - monotonic)) / 1000);
    [wall, monotonic] = [now(), steady()];
    if (Math.abs(seconds) * 1000 <= toleranceMs) return;
    jumps[seconds < 0 ? 'back' : 'forward']++;
    const text =
      seconds < 0
        ? `The clock of this machine went back by ${-seconds} s; times of errors read since then may be earlier than those before`
        : `The clock of this machine went forward by ${seconds} s, or the machine was suspended`;
    latest = { text: `${text}. Counts are not affected`, steadyAt: monotonic };
    log.warn('the clock jumped; counts are not affected', { seconds });
  };
  const timer = setInterval(check, checkMs);
  timer.unref();
  return {
    jumps: () => jumps,
    notice: () => (latest && steady() - latest.steadyAt < noticeMs ? latest.text : undefined),
    check,
    close: () => {
      clearInterval(timer);
    },
  };
}

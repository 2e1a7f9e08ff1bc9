/** When the loop over all files goes on: its sleep, the scans that are due, and its end, which cuts every wait short. */

export type Pace = {
  readonly isStopped: () => boolean;
  readonly stop: () => void;
  /** Calls `leave` when the loop is stopped. @returns what takes that back */
  readonly onStop: (leave: () => void) => () => void;
  /** Until the time is up, names have changed, or the loop is stopped. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Names may have changed: a scan comes before its time. */
  readonly scanSoon: () => void;
  /** @returns whether a scan is to begin now */
  readonly takeScan: () => boolean;
  /** A scan has ended. @param files how many are followed: with many files scans come less often */
  readonly scanned: (files: number) => void;
};

/** A scan makes up for what the notices of the system leave out. */
const scanMs = 1_000;
/** For each file, which costs a twentieth of it. */
const scanMsPerFile = 1;
/** Notices of the system bring scans sooner, with many files not for more than a fifth of the time. */
const noticedMsPerFile = 0.25;

export function createPace(): Pace {
  let isStopped = false;
  let isScanAsked = true;
  /** By the clock that only goes forward: with and without being asked for. */
  let [nextIfAsked, nextScan] = [0, 0];
  let wake = (): void => undefined;
  const leaves = new Set<() => void>();
  return {
    isStopped: () => isStopped,
    stop: () => {
      isStopped = true;
      wake();
      for (const leave of [...leaves]) leave();
    },
    onStop: (leave) => {
      leaves.add(leave);
      return () => leaves.delete(leave);
    },
    sleep: (ms) =>
      new Promise((resolve) => {
        if (isStopped) {
          resolve();
          return;
        }
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    scanSoon: () => {
      isScanAsked = true;
      wake();
    },
    takeScan: () => {
      const now = performance.now();
      if (now < nextScan && !(isScanAsked && now >= nextIfAsked)) return false;
      isScanAsked = false;
      return true;
    },
    scanned: (files) => {
      const ended = performance.now();
      nextScan = ended + Math.max(scanMs, files * scanMsPerFile);
      nextIfAsked = ended + files * noticedMsPerFile;
    },
  };
}

/** The timing of the loop over all files: its sleep, the scans that are due, and its end, which cuts every wait short. */
import { within } from '../../../runtime/within.js';

export type Pace = {
  readonly isStopped: () => boolean;
  readonly stop: () => void;
  /** Calls `leave` when the loop is stopped. @returns what takes that back */
  readonly onStop: (leave: () => void) => () => void;
  /** Until the time is up, names have changed, somebody looks, or the loop is stopped. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Somebody looks: a sleep ends. Resolves when the loop sleeps again, or a moment later where that takes longer. */
  readonly look: () => Promise<void>;
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
/** Whoever looks waits for no longer. */
const lookMs = 30;
/** However often somebody looks, the loop sleeps for four times as long as it has worked. */
const restFactor = 4;

export function createPace(): Pace {
  let isStopped = false;
  let isScanAsked = true;
  /** By the clock that only goes forward: with and without being asked for. */
  let [nextIfAsked, nextScan] = [0, 0];
  let wake = (): void => undefined;
  const leaves = new Set<() => void>();
  let isAsleep = false;
  let [wokeAt, restedAt] = [performance.now(), 0];
  const looking = createLooking();
  return {
    isStopped: () => isStopped,
    stop: () => {
      isStopped = true;
      wake();
      for (const leave of [...leaves]) leave();
      looking.end();
    },
    onStop: (leave) => {
      leaves.add(leave);
      return () => leaves.delete(leave);
    },
    sleep: (ms) => {
      looking.end();
      if (isStopped) return Promise.resolve();
      const now = performance.now();
      [isAsleep, restedAt] = [true, now + restFactor * (now - wokeAt)];
      return new Promise((resolve) => {
        wake = () => {
          if (!isAsleep) return;
          clearTimeout(timer);
          [isAsleep, wokeAt] = [false, performance.now()];
          resolve();
        };
        const timer = setTimeout(wake, ms);
      });
    },
    look: () => {
      if (!isAsleep || performance.now() < restedAt) return Promise.resolve();
      const looked = looking.wait();
      wake();
      return looked;
    },
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

/** Those who look, and wait for the end of a round. */
function createLooking() {
  let waiting: (() => void)[] = [];
  return {
    wait: () => within(lookMs, new Promise<void>((resolve) => waiting.push(resolve))),
    end: () => {
      for (const resolve of waiting) resolve();
      waiting = [];
    },
  };
}

/**
 * Follows files: chokidar tells that names appear, vanish or change, a stat timer drives the reads.
 *
 * One round looks at the files that were written lately and reads those that changed; rounds come quickly while
 * something is written and slowly when nothing is. A scan looks for names, and at the files that have been quiet. All
 * file sources share one loop, so that passes do not overlap, but for those of files that the system keeps waiting.
 */
import type { Followed } from '../source.js';
import { endSessions } from './posting.js';
import { round } from './rounds.js';
import { scan } from './scan.js';
import { createState, hangsMs, isScanStuck, type State } from './state.js';
import type { FollowOptions } from './followed.js';
import { isReadingHistory, isReadToEnd, statusOf, tellHanging } from './status.js';

export type { FollowOptions } from './followed.js';

export type FollowedFiles = Followed & {
  /** The one name of a Send connector, as the transport logs have taught it. */
  readonly nameOf: (connector: string) => string;
};

/** Rounds come this often while files grow, and this often when all has been quiet. */
const busyMs = 20;
const quietMs = 250;
/** A scan makes up for what the notices of the system leave out; with many files it comes less often. */
const scanMs = 1_000;
/** For each file, which costs a twentieth of it. */
const scanMsPerFile = 1;
/** Notices of the system bring scans sooner, with many files not for more than a fifth of the time. */
const noticedMsPerFile = 0.25;

/** Follows all file sources until stopped. */
export function followFiles(options: FollowOptions): FollowedFiles {
  const state = createState(options);
  const running = run(state);
  return {
    statuses: () => [...state.found.values()].map((each) => statusOf(state, each)),
    caughtUp: () => isReadToEnd(state),
    nameOf: state.joined.nameOf,
    readingHistory: () => isReadingHistory(state),
    stop: async () => {
      state.stopped = true;
      state.wake?.();
      for (const leave of [...state.leaves]) leave();
      await Promise.all([running, ...[...state.watchers.values()].map(({ watcher }) => watcher.close())]);
      for (const file of state.files.values()) state.descriptors.close(file);
    },
  };
}

async function run(state: State): Promise<void> {
  let pause = busyMs;
  let noticedAt = 0;
  while (!state.stopped) {
    const now = performance.now();
    if (now >= state.nextScanAt || (state.scanDue && now >= noticedAt)) {
      state.scanDue = false;
      await scan(state);
      const ended = performance.now();
      state.nextScanAt = ended + Math.max(scanMs, state.files.size * scanMsPerFile);
      noticedAt = ended + state.files.size * noticedMsPerFile;
    }
    // Each log has to know which others there are before a row of it is read.
    const busy = isFirstScanOver(state) && (await round(state));
    if (!busy && isReadToEnd(state)) await endSessions(state);
    tellHanging(state);
    pause = busy ? busyMs : Math.min(quietMs, pause * 1.2);
    await sleep(state, pause);
  }
}

function isFirstScanOver(state: State): boolean {
  return [...state.found.values()].every(
    (each) => each.scans > 0 || each.scanning === undefined || isScanStuck(each, firstScanMs),
  );
}

/** The first scan of a source is waited for by all others, unless the system does not answer for so long. */
const firstScanMs = Math.min(hangsMs, 1_000);

function sleep(state: State, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (state.stopped) {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, ms);
    state.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

/**
 * Follows files: chokidar tells that names appear, vanish or change, a stat timer drives the reads.
 *
 * One round looks at the files that were written lately and reads those that changed; rounds come quickly while
 * something is written and slowly when nothing is. A scan looks for names, and at the files that have been quiet. All
 * file sources share one loop, so that passes do not overlap, but for those of files that the system keeps waiting.
 */
import { endLateSessions } from '../late-sessions.js';
import type { Followed } from '../source.js';
import { notePlaces } from './places.js';
import { postBatch } from './posting.js';
import { round } from './rounds.js';
import { scan } from './scan.js';
import { createState, hangsMs, isScanStuck, type State } from './state.js';
import type { FollowOptions } from './followed.js';
import { isReadingHistory, isReadToEnd, statusOf, tellHanging } from './status.js';

export type { FollowOptions } from './followed.js';

/**
 * Rounds come this often when a file has grown, this often when one grows all the time, and this often when all has been quiet.
 * Whoever looks meanwhile makes one come at once.
 */
const busyMs = 20;
const steadyMs = 100;
const quietMs = 250;
/** Follows all file sources until stopped. */
export function followFiles(options: FollowOptions): Followed {
  const state = createState(options);
  const running = run(state, options.joined === undefined);
  return {
    statuses: () => [...state.found.values()].map((each) => statusOf(state, each)),
    caughtUp: () => isReadToEnd(state),
    readingHistory: () => isReadingHistory(state),
    look: state.pace.look,
    stop: async () => {
      state.pace.stop();
      await Promise.all([running, ...[...state.watchers.values()].map(({ watcher }) => watcher.close())]);
      for (const file of state.files.values()) state.descriptors.close(file);
    },
  };
}

/** @param isJoiner whether the join is its own: a join of all sources is ended by those who opened it */
async function run(state: State, isJoiner: boolean): Promise<void> {
  const { pace } = state;
  let [ms, wasBusy] = [busyMs, false];
  while (!pace.isStopped()) {
    if (pace.takeScan()) {
      await scan(state);
      pace.scanned(state.files.size);
    }
    // Each log has to know which others there are before a row of it is read.
    const busy = isFirstScanOver(state) && (await readRound(state));
    if (isJoiner && !busy && isReadToEnd(state)) await endSessions(state);
    tellHanging(state);
    const growsSteadily = busy && wasBusy && isReadToEnd(state);
    ms = busy && !growsSteadily ? busyMs : Math.min(busy ? steadyMs : quietMs, ms * 1.2);
    wasBusy = busy;
    await pace.sleep(ms);
  }
}

async function endSessions(state: State): Promise<void> {
  const [first] = state.found.keys();
  if (first !== undefined) await endLateSessions(state.joined, first, (batch) => postBatch(state, batch));
}

async function readRound(state: State): Promise<boolean> {
  await notePlaces(state);
  return round(state);
}

function isFirstScanOver(state: State): boolean {
  return [...state.found.values()].every(
    (each) => each.scans > 0 || each.scanning === undefined || isScanStuck(each, firstScanMs),
  );
}

/** The first scan of a source is waited for by all others, unless the system does not answer for so long. */
const firstScanMs = Math.min(hangsMs, 1_000);

/** The state of reading one channel, as reported by its reader, and the status of its source. */
import type { SourceStatus } from '../../../model/status.js';
import type { Log } from '../../../runtime/log.js';

export type Standing = {
  /** True until all of a log that was never read has been read once. */
  readonly isHistory: () => boolean;
  readonly isDrained: () => boolean;
  readonly problem: () => string | undefined;
  /** The reader has told of records, so many bytes. */
  readonly records: (bytes: number) => void;
  /** The reader has come to the end of the log. */
  readonly drained: () => void;
  /** The log cannot be read. */
  readonly down: (problem: string) => void;
  readonly restarted: () => void;
  readonly reopened: (isBookmarkLost: boolean) => void;
  readonly status: () => SourceStatus;
};

type Options = {
  readonly channel: string;
  /** False when a place in the log was saved. */
  readonly isNew: boolean;
  readonly log: Log;
  /** Milliseconds since 1970 UTC; and of a clock that only goes forward. */
  readonly now: () => number;
  readonly steady: () => number;
};

export function createStanding({ channel: source, isNew, log, now, steady }: Options): Standing {
  // Until a reader has told of the log nobody can say that it is read.
  let [isHistory, isHeard, isDrained] = [isNew, false, false];
  let problem: string | undefined;
  let behindSince: number | undefined;
  let lastRecordAt: number | undefined;
  let bytesRead = 0;
  const subscription = { restarts: 0, reopened: 0, bookmarksLost: 0 };
  return {
    isHistory: () => isHistory,
    isDrained: () => isDrained,
    problem: () => problem,
    records: (bytes) => {
      isHeard = true;
      behindSince ??= steady();
      lastRecordAt = now();
      bytesRead += bytes;
    },
    drained: () => {
      if (problem !== undefined) log.info('readable again', { source });
      [isHistory, isHeard, isDrained] = [false, true, true];
      problem = behindSince = undefined;
    },
    down: (text) => {
      if (text !== problem) log.warn('cannot read', { source, problem: text });
      problem = text;
    },
    restarted: () => {
      subscription.restarts++;
    },
    reopened: (isBookmarkLost) => {
      subscription.reopened++;
      if (isBookmarkLost) subscription.bookmarksLost++;
    },
    status: () => ({
      source,
      up: isHeard && problem === undefined,
      detail: `${source}: ${problem ?? wordsOf(isHeard, isDrained)}`,
      lastRecordAt,
      lagBytes: 0,
      lagSeconds: behindSince === undefined ? 0 : (steady() - behindSince) / 1000,
      // Its reader has a watch of its own: one that is deaf or says nothing is started again, and down meanwhile.
      stalledSeconds: 0,
      bytesRead,
      subscription: { ...subscription },
    }),
  };
}

function wordsOf(isHeard: boolean, isDrained: boolean): string {
  if (isDrained) return 'the live log is followed';
  return isHeard ? 'the log has not been read to its end yet' : 'its reader has reported nothing yet';
}

/** One word and one sentence for every pair with a recent error, from both books. Pure: all input is passed in. */
import type { LedgerRow } from '../model/batch.js';
import type { Diagnosis } from '../model/words.js';
import { eachOf, type Steps } from '../runtime/breath.js';
import { type DiagnosisOptions, type Probed, worldOf } from './surroundings.js';
import { verdictOf } from './verdict.js';

export type DiagnosedPair = {
  readonly server: string;
  readonly connector: string;
  readonly destination: string;
  readonly word: Diagnosis;
  /** What a person reads. */
  readonly sentence: string;
  /** Since when it is so, where that is known. */
  readonly since: number | undefined;
};

/** An error this young is news: as long as the alerts for a single error last. */
export const recentMs = 60 * 60_000;

/**
 * One for each pair with an error read within the last hour, in the order of the rows; each is computed on demand. With thousands of
 * rows nothing, now and then: a pause.
 */
export function* diagnosesOf(
  rows: readonly LedgerRow[],
  entries: readonly Probed[],
  options: DiagnosisOptions,
): Generator<DiagnosedPair | undefined> {
  const erring: LedgerRow[] = [];
  yield* stepping(
    eachOf(rows, (row) => {
      if (isRecent(row, options.now)) erring.push(row);
    }),
  );
  if (erring.length === 0) return;
  const world = yield* stepping(worldOf(rows, entries, options));
  for (const row of yield* stepping(latestOf(erring, options.most))) {
    const { word, sentence, since } = verdictOf(row, world);
    const { server, connector, destination } = row;
    yield { server, connector, destination, word, sentence, since };
  }
}

function* stepping<Result>(steps: Steps<Result>): Generator<undefined, Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    yield undefined;
  }
}

function isRecent({ lastObservedAt }: LedgerRow, now: number): boolean {
  return lastObservedAt !== undefined && now - lastObservedAt < recentMs;
}

function* latestOf(erring: readonly LedgerRow[], most = Infinity): Steps<readonly LedgerRow[]> {
  if (erring.length <= most) return erring;
  const observed: number[] = [];
  yield* eachOf(erring, ({ lastObservedAt = 0 }) => observed.push(lastObservedAt));
  // Sorted as numbers: with tens of thousands of rows that takes a tenth of the time.
  const times = Float64Array.from(observed).sort();
  const oldest = times[times.length - most] ?? 0;
  let ofOldest = 0;
  for (let at = times.length - most; times[at] === oldest; at++) ofOldest++;
  const latest: LedgerRow[] = [];
  yield* eachOf(erring, (row) => {
    const { lastObservedAt = 0 } = row;
    if (lastObservedAt > oldest || (lastObservedAt === oldest && ofOldest-- > 0)) latest.push(row);
  });
  return latest;
}

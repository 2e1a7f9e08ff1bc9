/** Enters a batch into the books: counts, marks and checkpoint in one go, so that nothing can come between them. */
import type { Books } from './books.js';
import type { Counted } from './counting.js';
import type { Batch } from '../model/batch.js';
import type { Evidence } from '../model/evidence.js';
import { credibleTime, type Clocks, type Noted } from '../runtime/noted-time.js';

export type Entering = {
  /** @returns whether there is anything to show */
  readonly enter: (batch: Batch) => boolean;
  /** The time of a record read within the last hour that stands in the future: the clocks differ. Milliseconds. */
  readonly aheadAt: () => number | undefined;
};

/** For so long a record from the future is spoken of. */
const aheadMs = 3_600_000;

export function createEntering(books: Books, clocks: Clocks): Entering {
  /** The latest record that stands in the future, as it is dated. */
  let ahead: Noted | undefined;
  /** Whether a topic has a partition, or the files of all sources have one, that is not read to its end. */
  const lagging = new Map<string, boolean>();
  const heedLag = ({ source, checkpoint }: Batch, lags: boolean): void => {
    if (!checkpoint || !('topicId' in checkpoint || 'inode' in checkpoint)) return;
    const whose = 'topicId' in checkpoint ? source : 'files';
    if (lagging.get(whose) === lags) return;
    lagging.set(whose, lags);
    books.seen.hold([...lagging.values()].includes(true));
  };
  /** No record is later than now: what says so was dated by a clock that is wrong. */
  const datedCredibly = <Dated extends Evidence>(evidence: Dated, moment: Clocks): Dated => {
    const now = moment.now();
    const at = credibleTime(evidence.at, now);
    if (at === evidence.at) return evidence;
    if (Number.isFinite(evidence.at)) ahead = { at: evidence.at ?? now, steadyAt: moment.steady() };
    return { ...evidence, at };
  };
  return {
    enter: (batch) => {
      books.rows.heedClock();
      books.servers.learn(serversOf(batch));
      const { behind = false, lagging: lags = behind } = batch;
      if (lags) heedLag(batch, true);
      let news = false;
      // A batch is entered in a moment: it has one time.
      const [now, steady] = [clocks.now(), clocks.steady()];
      const moment = { now: () => now, steady: () => steady };
      for (const each of batch.evidence) {
        const told = books.servers.underOneName(each);
        const isNew = !('key' in told) || books.seen.note(told.key);
        const dated = datedCredibly(told, moment);
        if ('key' in dated) books.tallies.note(batch.source, dated, isNew);
        if (isNew && dated.kind === 'related_event') books.related.note(dated);
        else if (isNew) count(books, dated as Counted, batch.history || ('history' in dated && dated.history), moment);
        news ||= isNew;
      }
      // The last ones that lagged are entered by now.
      if (!lags) heedLag(batch, false);
      books.tallies.noteRest(batch.source, batch);
      if (noteRecordIds(books, batch)) news = true;
      if (batch.former) books.checkpoints.keep(batch.former);
      if (batch.checkpoint) books.checkpoints.keep(batch.checkpoint);
      for (const change of batch.sessions ?? []) books.servers.noteShort(books.sessions.note(change));
      return news;
    },
    aheadAt: () => (ahead && clocks.steady() - ahead.steadyAt < aheadMs ? ahead.at : undefined),
  };
}

function serversOf({ runs = [], spread, evidence }: Batch): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { server } of runs) names.add(server);
  for (const { server } of spread?.logs ?? []) names.add(server);
  for (const { server } of evidence) names.add(server);
  return names;
}

function count({ recent, rows, errorHours }: Books, evidence: Counted, history: boolean, clocks: Clocks): void {
  const now = clocks.now();
  if (evidence.kind !== 'connection_attempt') recent.note(evidence, now);
  // Under the name of its row: names of connectors that come from logs are bounded there.
  const { connector } = rows.enter(evidence, history, clocks);
  if (evidence.kind === 'connection_attempt') return;
  errorHours.note(connector, evidence.kind === 'connection_failure' ? evidence.reason : undefined, evidence.at ?? now);
}

function noteRecordIds({ gaps, servers }: Books, batch: Batch): boolean {
  const { source, spread, unfiltered, behind = false, missed = 0 } = batch;
  if (missed > 0) gaps.miss(source, missed);
  if (spread) {
    const logs = spread.logs.map((log) => ({ ...log, server: servers.nameOf(log.server) }));
    return gaps.noteSpread({ source, unfiltered, spread: { ...spread, logs } }) || missed > 0;
  }
  const runs = batch.runs?.map((run) => ({ ...run, server: servers.nameOf(run.server) }));
  // A batch without a checkpoint comes from no file, and tells nothing of record IDs.
  if (batch.checkpoint) gaps.note({ source, runs, unfiltered, behind });
  return missed > 0;
}

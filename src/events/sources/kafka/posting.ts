/** Hands on what records of a topic gave: sorted, with the offsets behind them. */
import type { Evidence } from '../../../model/evidence.js';
import { unknownLabel } from '../../../model/label.js';
import type { Decoded, UnreadableReason, WindowsEvent } from '../../../model/records.js';
import { classify } from '../../classify.js';
import { unreadableOf, UnreadableRecord } from '../../decode/unreadable.js';
import { takeIds } from './record-ids.js';
import { checkpointOf, type ClusterReading, type FollowOptions, noteProgress, spotsOf, type Topic } from './topic.js';
import type { ValueTally } from './tally.js';

export type Outcome = ValueTally & { readonly history: boolean; readonly missed: number; readonly behind: boolean };

/** While the ledger waits, the ends of the partitions are asked for this often, so that their lag is known. */
const endsMs = 5_000;
/** Of a topic full of records that cannot be read the log tells one now and then. */
const troubleEveryMs = 60_000;

/**
 * Resolves when reading may go on. The offsets of the topic are taken as they stand when this is called: they must be those
 * behind the records of this outcome.
 */
function postOutcome(topic: Topic, outcome: Outcome, options: FollowOptions): Promise<void> {
  const { trouble, ...sorted } = sortOut(outcome, options);
  tellTrouble(topic, trouble, options);
  return options.post({
    source: topic.part.name,
    evidence: sorted.evidence,
    ignored: sorted.ignored,
    counted: sorted.counted,
    repeated: sorted.repeated,
    unreadable: sorted.unreadable,
    // Nothing may be awaited since they were changed: rows, sessions and offsets belong together.
    sessions: options.joined?.changes() ?? [],
    checkpoint: checkpointOf(topic),
    history: outcome.history,
    spread: takeIds(topic, outcome, (options.steady ?? (() => performance.now()))()),
    unfiltered: topic.part.unfiltered,
    behind: outcome.behind,
    missed: outcome.missed,
  });
}

function sortOut(outcome: Outcome, { knownConnectors, nameOf, joined }: FollowOptions) {
  const { decoded, history } = outcome;
  const evidence: Evidence[] = [];
  const unreadable: Partial<Record<UnreadableReason, number>> = { ...outcome.unreadable };
  const counts = { ignored: outcome.ignored, counted: 0, repeated: 0 };
  let { trouble } = outcome;
  let names: readonly string[] | undefined;
  const context = { server: unknownLabel, knownConnectors: () => (names ??= knownConnectors()), nameOf };
  for (const record of decoded) {
    try {
      if (record.kind === 'shipped_line' && joined)
        counts[joined.readShipped(record, { server: '', history }, evidence)]++;
      else {
        const found = classify(eventIn(record), context);
        if (found) evidence.push(found);
        else counts.ignored++;
      }
    } catch (error) {
      const { reason, message } = unreadableOf(error);
      unreadable[reason] = (unreadable[reason] ?? 0) + 1;
      trouble ??= `${reason}: ${message}`;
    }
  }
  return { evidence, ...counts, unreadable, trouble };
}

/** @throws UnreadableRecord for a bare row: nobody says of which server it is, and whether it was there before */
function eventIn(record: Decoded): WindowsEvent {
  if (record.kind === 'event') return record;
  throw new UnreadableRecord(
    'wrong_shape',
    'a row of a transport log without its server, file and place; ship it as Filebeat does (docs/fleet.md)',
  );
}

function tellTrouble(
  topic: Topic,
  trouble: string | undefined,
  { log, steady = () => performance.now() }: FollowOptions,
): void {
  if (trouble === undefined || steady() - topic.troubleToldAt < troubleEveryMs) return;
  topic.troubleToldAt = steady();
  log.warn('skipped an unreadable record', { source: topic.part.name, problem: trouble });
}

type Wait = { isOver: boolean };

/** A stop does not wait for a ledger that cannot be saved. */
export async function post(reading: ClusterReading, topic: Topic, outcome: Outcome): Promise<void> {
  if (reading.stopped()) return;
  const wait: Wait = { isOver: false };
  const entered = postOutcome(topic, outcome, reading).finally(() => {
    wait.isOver = true;
  });
  await Promise.race([entered, watchEnds(reading, wait)]);
}

/** Resolves when reading is stopped. */
async function watchEnds(reading: ClusterReading, wait: Wait): Promise<void> {
  const isOver = (): boolean => wait.isOver || reading.stopped();
  for (let askedAt = reading.steady(); !isOver();) {
    await reading.sleep(50);
    if (isOver() || reading.steady() - askedAt < endsMs) continue;
    askedAt = reading.steady();
    await lookAtEnds(reading);
  }
}

async function lookAtEnds(reading: ClusterReading): Promise<void> {
  const leaders = new Set(
    reading.topics.flatMap(({ partitions }) => [...partitions.values()].map(({ leader }) => leader)),
  );
  for (const leader of leaders) {
    if (leader === undefined) continue;
    const spots = spotsOf(reading, leader);
    const asked = spots.map(({ topic, state }) => ({ topic: topic.part.topic, partition: state.partition }));
    const ends = await reading.client.offsets(leader, 'latest', asked).catch(() => []);
    for (const { topic, partition, error, offset } of ends) {
      const spot = spots.find((each) => each.topic.part.topic === topic && each.state.partition === partition);
      if (!spot || error !== 0) continue;
      spot.state.end = spot.state.stableEnd = offset;
      noteProgress(spot.state, reading.steady());
    }
  }
}

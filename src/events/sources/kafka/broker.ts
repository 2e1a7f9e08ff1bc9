/**
 * Reads the partitions that one broker leads, of all topics: asks, reads what came, enters it, asks again. While the ledger
 * does not take what was read nothing is asked for: Kafka is the buffer.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { ask, askAhead, type Asked } from './asking.js';
import { type Fetched, kafkaErrors, KafkaProblem } from './client.js';
import { needsPlace, place, replaceLost } from './places.js';
import { noteEnd } from './passing.js';
import { type Outcome, post } from './posting.js';
import { partitionProblem } from './problems.js';
import { batchesOf } from './record-batches.js';
import { collectorFor, settleTopic } from './record-ids.js';
import {
  noteProgress,
  noteTrouble,
  type PartitionState,
  type ClusterReading,
  type Spot,
  spotsOf,
  type Topic,
} from './topic.js';
import { emptyTally, noteUnreadable } from './tally.js';

/** After trouble a partition, or a broker, is left alone for so long. */
const pauseMs = 1_000;
/** Decoded records and unpacked bytes that are entered in one go. */
const mostDecoded = 1_000;
const mostBytes = 8 * 2 ** 20;
/** Others get their turn after so long. */
const sliceMs = 15;

/** Reads until stopped, or until the broker leads nothing any more. */
export async function readBroker(reading: ClusterReading, leader: number): Promise<void> {
  let asked: Asked | undefined;
  while (!reading.stopped()) {
    const led = spotsOf(reading, leader);
    if (led.length === 0) return;
    const now = reading.steady();
    const due = led.filter(({ state }) => state.retryAt <= now);
    if (due.length === 0) await reading.sleep(100);
    else asked = await readOnce(reading, leader, due, asked);
  }
}

/** @returns what was asked for meanwhile */
async function readOnce(
  reading: ClusterReading,
  leader: number,
  due: readonly Spot[],
  before: Asked | undefined,
): Promise<Asked | undefined> {
  try {
    const unplaced = due.filter(({ state }) => needsPlace(state));
    if (unplaced.length > 0) {
      await place(reading.client, leader, unplaced);
      for (const { topic, state } of unplaced) placed(reading, topic, state);
      // Saved before anything is read: what comes after this moment is not lost by a crash.
      for (const topic of new Set(unplaced.map((each) => each.topic))) await post(reading, topic, nothingRead(topic));
    }
    const spots = due.filter(({ state }) => !needsPlace(state));
    if (spots.length === 0) return before;
    const asked = before ?? ask(reading, leader, spots);
    const fetched = await asked.answer;
    const answered = answersTo(spots, fetched);
    const ahead = askAhead(reading, leader, asked, new Map([...answered].map(([{ state }, each]) => [state, each])));
    for (const [spot, each] of answered) {
      const { state } = spot;
      // Read meanwhile by somebody else, or from another place.
      if (state.leader !== leader || state.isTaken || state.nextOffset !== asked.offsets.get(state)) continue;
      if (reading.stopped() || !isStill(spot)) continue;
      state.isTaken = true;
      await take(reading, leader, spot, each).finally(() => (state.isTaken = false));
      if (each.error === 0) noteEnd(state.passing, asked.at, each.highWatermark, state.nextOffset ?? 0);
    }
    reading.client.done(fetched);
    // While nothing comes somebody has to say that nothing more will.
    for (const topic of new Set(spots.map((each) => each.topic)))
      if (settleTopic(topic, reading.steady())) await post(reading, topic, nothingRead(topic));
    return ahead;
  } catch (error) {
    if (reading.stopped()) return undefined;
    const problem = error instanceof KafkaProblem ? error.message : `broker ${leader}: ${(error as Error).message}`;
    for (const { topic, state } of due) trouble(reading, topic, state, problem);
    reading.refresh();
    return undefined;
  }
}

function answersTo(spots: readonly Spot[], fetched: readonly Fetched[]): ReadonlyMap<Spot, Fetched> {
  const answers = new Map<Spot, Fetched>();
  for (const each of fetched) {
    const spot = spots.find(
      ({ topic, state }) => state.partition === each.partition && topic.identity?.topicId === each.topicId,
    );
    if (spot) answers.set(spot, each);
  }
  return answers;
}

function placed(reading: ClusterReading, topic: Topic, state: PartitionState): void {
  if (needsPlace(state))
    trouble(
      reading,
      topic,
      state,
      `the end offsets of partition ${state.partition} of ${topic.part.topic} cannot be read now; trying again`,
    );
  else noteProgress(state, reading.steady());
}

/** The topic may have been made anew while its broker was asked. */
function isStill({ topic, state }: Spot): boolean {
  return topic.partitions.get(state.partition) === state;
}

function trouble({ log, steady }: ClusterReading, topic: Topic, state: PartitionState, problem: string): void {
  if (state.problem !== problem)
    log.warn('cannot read', { source: topic.part.name, partition: state.partition, problem });
  noteTrouble(state, problem, steady(), pauseMs);
}

async function take(reading: ClusterReading, leader: number, { topic, state }: Spot, fetched: Fetched): Promise<void> {
  if (fetched.error === kafkaErrors.offsetOutOfRange) {
    await goOnAfterLoss(reading, leader, topic, state);
    return;
  }
  if (fetched.error !== 0) {
    trouble(reading, topic, state, partitionProblem(topic.part.topic, state.partition, fetched.error));
    reading.refresh();
    return;
  }
  if (state.problem !== undefined) {
    reading.log.info('readable again', { source: topic.part.name, partition: state.partition });
    state.problem = undefined;
  }
  state.end = fetched.highWatermark;
  state.stableEnd = fetched.lastStable;
  try {
    await readFetched(reading, topic, state, fetched);
  } catch (error) {
    if (error instanceof KafkaProblem) throw error;
    // Its own trouble: the other partitions go on.
    trouble(reading, topic, state, `partition ${state.partition} of ${topic.part.topic}: ${(error as Error).message}`);
    return;
  }
  noteProgress(state, reading.steady());
}

async function readFetched(
  reading: ClusterReading,
  topic: Topic,
  state: PartitionState,
  fetched: Fetched,
): Promise<void> {
  let tally = emptyTally(collectorFor(topic));
  let bytes = 0;
  let read = 0;
  let sliceEnd = reading.steady() + sliceMs;
  let nextOffset = state.nextOffset ?? 0;
  const enter = async (): Promise<void> => {
    const history = state.historyEnd !== undefined;
    if (nextOffset === state.nextOffset) return;
    state.nextOffset = nextOffset;
    state.movedAt = reading.steady();
    noteProgress(state, state.movedAt);
    await post(reading, topic, { ...tally, history, missed: 0, behind: isBehind(topic) });
    tally = emptyTally(collectorFor(topic));
    bytes = 0;
  };
  for (const batch of batchesOf(fetched, nextOffset)) {
    for (const { start, end, timestamp } of batch.records) {
      topic.values.read(batch.bytes, start, end, tally, timestamp);
      bytes += end - start;
      topic.bytesRead += Math.max(0, end - start);
      if ((++read & 63) !== 0 || reading.steady() < sliceEnd) continue;
      await turn();
      sliceEnd = reading.steady() + sliceMs;
    }
    if (batch.lost > 0)
      noteUnreadable(tally, batch.isTooLarge ? 'too_large' : 'damaged', batch.trouble ?? '', batch.lost);
    if (batch.records.length > 0) topic.lastRecordAt = reading.now();
    nextOffset = Math.max(nextOffset, batch.nextOffset);
    if (reading.stopped() || !isStill({ topic, state })) return;
    if (tally.decoded.length >= mostDecoded || bytes >= mostBytes) await enter();
  }
  await enter();
}

async function goOnAfterLoss(
  reading: ClusterReading,
  leader: number,
  topic: Topic,
  state: PartitionState,
): Promise<void> {
  const asked = [{ topic: topic.part.topic, partition: state.partition }];
  const [low] = await reading.client.offsets(leader, 'earliest', asked);
  const [high] = await reading.client.offsets(leader, 'latest', asked);
  if (low?.error !== 0 || high?.error !== 0) {
    const error = [low?.error, high?.error].find((each) => each !== 0) ?? -1;
    trouble(reading, topic, state, partitionProblem(topic.part.topic, state.partition, error));
    return;
  }
  state.end = state.stableEnd = high.offset;
  const missed = replaceLost(topic, state, { first: low.offset, last: high.offset }, reading);
  noteProgress(state, reading.steady());
  await post(reading, topic, { ...nothingRead(topic), missed });
}

function nothingRead(topic: Topic): Outcome {
  return { ...emptyTally(), history: false, missed: 0, behind: isBehind(topic) };
}

/** What seems to be missing may be in a partition that is not read to its end. */
function isBehind({ partitions }: Topic): boolean {
  for (const { behindSince, nextOffset } of partitions.values())
    if (behindSince !== undefined || nextOffset === undefined) return true;
  return false;
}

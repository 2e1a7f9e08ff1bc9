/** A topic that is followed: its partitions, the position in each, and its status. */
import type { TopicCheckpoint } from '../../../model/batch.js';
import type { OffsetReset, SourceStatus } from '../../../model/status.js';
import type { Part, Reading } from '../source.js';
import type { Cluster, KafkaClient } from './client.js';
import { nothingPassed, type Passing, type Settling } from './passing.js';
import { createValueReader, type ValueReader } from './values.js';

export type TopicPart = Part & {
  readonly topic: string;
  readonly cluster: Cluster;
  readonly shard: { readonly index: number; readonly of: number };
  readonly from: 'earliest' | 'latest';
  /** It brings every record of its logs, or only some; absent: the record IDs tell. */
  readonly unfiltered?: boolean | undefined;
};

export type FollowOptions = Omit<Reading, 'steady'> & {
  readonly steady?: (() => number) | undefined;
  readonly parts: readonly TopicPart[];
  readonly connect: (cluster: Cluster) => KafkaClient;
};

export type ClusterReading = FollowOptions & {
  readonly client: KafkaClient;
  readonly topics: readonly Topic[];
  readonly steady: () => number;
  readonly stopped: () => boolean;
  /** Waits, or for as long as nobody stops. */
  readonly sleep: (ms: number) => Promise<void>;
  /** What the cluster says of topics and leaders has changed, it seems. */
  readonly refresh: () => void;
};

/** A partition and its topic. */
export type Spot = { readonly topic: Topic; readonly state: PartitionState };

export type PartitionState = {
  readonly partition: number;
  leader: number | undefined;
  /** Offset of the first record that was not read; undefined until it is known. */
  nextOffset: number | undefined;
  /** Where it begins without a saved offset. */
  begin: 'earliest' | 'latest';
  /** Up to here it is history; undefined once that was read. */
  historyEnd: number | undefined;
  /** Offsets behind its last record, and behind the last that may be read. */
  end: number;
  stableEnd: number;
  /** True once it was read to its end. */
  isCaughtUp: boolean;
  problem: string | undefined;
  /** Not asked for before this, by the steady clock as the next two. */
  retryAt: number;
  /** Since when it is not read to its end, or cannot be. */
  behindSince: number | undefined;
  /** When it last moved on, or was at its end. */
  movedAt: number;
  /** Up to when it has been read. */
  readonly passing: Passing;
  /** When it was served last, as a number that grows: who waits longest is asked for first. */
  servedAt: number;
  /** True while what came of it is being read: whoever led it before may answer, too. */
  isTaken: boolean;
};

export type Topic = {
  readonly part: TopicPart;
  /** IDs of the cluster and the topic; undefined until Kafka has told them. */
  identity: Pick<TopicCheckpoint, 'cluster' | 'topicId'> | undefined;
  partitions: Map<number, PartitionState>;
  /** Offsets saved of partitions that are not read here: of another shard, or gone. */
  others: TopicCheckpoint['partitions'];
  problem: string | undefined;
  /** When Kafka last said which partitions there are, by the steady clock as the next two. */
  askedAt: number;
  /** What is missing among its record IDs for good; undefined while nobody has asked. */
  settling: Settling | undefined;
  /** When record IDs were handed on last. */
  idsAt: number;
  /** Changes with the topic: another may bring other formats. */
  values: ValueReader;
  lastRecordAt: number | undefined;
  bytesRead: number;
  troubleToldAt: number;
  readonly resets: Record<OffsetReset, number>;
};

export function freshTopic(part: TopicPart): Topic {
  return {
    part,
    identity: undefined,
    partitions: new Map(),
    others: [],
    problem: undefined,
    askedAt: -Infinity,
    settling: undefined,
    idsAt: -Infinity,
    values: createValueReader(),
    lastRecordAt: undefined,
    bytesRead: 0,
    troubleToldAt: -Infinity,
    resets: { retention: 0, truncated: 0, recreated: 0 },
  };
}

export function freshPartition(partition: number, begin: PartitionState['begin'], now: number): PartitionState {
  return {
    partition,
    leader: undefined,
    nextOffset: undefined,
    begin,
    historyEnd: undefined,
    end: 0,
    stableEnd: 0,
    isCaughtUp: false,
    problem: undefined,
    retryAt: -Infinity,
    behindSince: undefined,
    movedAt: now,
    passing: nothingPassed(),
    servedAt: 0,
    isTaken: false,
  };
}

export function isOfShard({ shard }: TopicPart, partition: number): boolean {
  return partition % shard.of === shard.index;
}

/** The checkpoint as things stand; undefined while nothing is known. */
export function checkpointOf({ part, identity, partitions, others }: Topic): TopicCheckpoint | undefined {
  if (!identity) return undefined;
  const places = [...partitions.values()].flatMap(({ partition, nextOffset }) =>
    nextOffset === undefined ? [] : [{ partition, nextOffset }],
  );
  const history = [...partitions.values()].some(({ historyEnd }) => historyEnd !== undefined);
  return { source: part.name, ...identity, topic: part.topic, history, partitions: [...places, ...others] };
}

/** To be called whenever its offsets or its end have moved. */
export function noteProgress(state: PartitionState, now: number): void {
  const { nextOffset, stableEnd, historyEnd } = state;
  if (nextOffset === undefined) return;
  if (historyEnd !== undefined && nextOffset >= historyEnd) state.historyEnd = undefined;
  if (nextOffset >= stableEnd) {
    state.isCaughtUp = true;
    state.behindSince = undefined;
    state.movedAt = now;
  } else state.behindSince ??= now;
}

/** It cannot be read for now. */
export function noteTrouble(state: PartitionState, problem: string, now: number, pauseMs: number): void {
  state.problem = problem;
  state.retryAt = now + pauseMs;
  state.behindSince ??= now;
}

/** A partition that stands still for so long is not healthy. */
const standstillMs = 60_000;
/** Values in a row that nothing is known of: the topic is another's. */
const mostStrangers = 100;

export function statusOf(topic: Topic, reconnects: number, now: number): SourceStatus {
  const { part, problem, lastRecordAt, bytesRead, resets } = topic;
  const partitions = [...topic.partitions.values()].sort((a, b) => a.partition - b.partition);
  const troubled = partitions.filter((each) => each.problem !== undefined);
  const isRead = partitions.length > troubled.length || (partitions.length === 0 && topic.identity !== undefined);
  const strangers = topic.values.strangers() >= mostStrangers ? strangersProblem : undefined;
  const why = problem ?? troubled[0]?.problem ?? strangers;
  const lags = partitions.map((each) => ({
    partition: each.partition,
    lagRecords: each.nextOffset === undefined ? 0 : Math.max(0, each.end - each.nextOffset),
    lagSeconds: each.behindSince === undefined ? 0 : (now - each.behindSince) / 1000,
  }));
  const still = partitions.map((each) => (each.behindSince === undefined ? 0 : now - each.movedAt));
  const stalledMs = Math.max(0, ...still);
  return {
    source: part.name,
    up: problem === undefined && isRead && strangers === undefined,
    detail: why ?? wordsOf(topic, partitions),
    lastRecordAt,
    lagBytes: 0,
    lagSeconds: Math.max(0, ...lags.map(({ lagSeconds }) => lagSeconds)),
    stalledSeconds: stalledMs >= standstillMs ? stalledMs / 1000 : 0,
    bytesRead,
    topic: { partitions: lags, reconnects, resets },
  };
}

const strangersProblem =
  'the last 100 records or more are in no known format; is it the right topic? (see the table of formats in the README)';

function wordsOf({ identity, part }: Topic, partitions: readonly PartitionState[]): string {
  if (!identity) return `asking ${part.cluster.brokers.join(', ')} for topic ${part.topic}`;
  const count = `${partitions.length} partition${partitions.length === 1 ? '' : 's'}`;
  const behind = partitions.filter(({ isCaughtUp, behindSince }) => !isCaughtUp || behindSince !== undefined).length;
  return behind === 0 ? `following ${count}` : `reading ${count}, ${behind} not to the end yet`;
}

export function spotsOf({ topics }: Pick<ClusterReading, 'topics'>, leader: number): Spot[] {
  return topics.flatMap((topic) =>
    [...topic.partitions.values()].filter((state) => state.leader === leader).map((state) => ({ topic, state })),
  );
}

/** Where the partitions of a topic are read: from the ledger, else from an end of the log; and what Kafka has lost meanwhile. */
import type { TopicCheckpoint } from '../../../model/batch.js';
import { type ClusterFacts, kafkaErrors, type KafkaClient, type TopicFacts } from './client.js';
import { leaderProblem, topicProblem } from './problems.js';
import {
  freshPartition,
  type FollowOptions,
  isOfShard,
  noteTrouble,
  type PartitionState,
  type Topic,
} from './topic.js';
import { createValueReader } from './values.js';

type Told = Pick<FollowOptions, 'checkpoints' | 'log' | 'forget'>;

/** Takes over what the cluster says of a topic now. */
export function applyFacts(topic: Topic, cluster: ClusterFacts, told: Told, now: number): void {
  const facts = cluster.topics.find(({ name }) => name === topic.part.topic);
  if (!facts || (facts.error !== 0 && facts.error !== kafkaErrors.leaderNotAvailable)) {
    sayProblem(topic, topicProblem(topic.part.topic, facts?.error ?? kafkaErrors.unknownTopicOrPartition), told);
    return;
  }
  sayProblem(topic, undefined, told);
  topic.askedAt = now;
  if (topic.identity?.topicId !== facts.id || topic.identity.cluster !== cluster.id)
    takeUp(topic, cluster.id, facts, told);
  const present = facts.partitions.filter(({ partition }) => isOfShard(topic.part, partition));
  for (const { partition, leader } of present) {
    const known = topic.partitions.get(partition);
    // One that was added while the topic was followed holds nothing that was seen before.
    const state = known ?? freshPartition(partition, 'earliest', now);
    if (!known) topic.partitions.set(partition, state);
    if (state.leader !== leader) state.retryAt = -Infinity;
    state.leader = leader;
    if (leader === undefined) noteTrouble(state, leaderProblem(topic.part.topic, [partition]), now, 0);
  }
}

function sayProblem(topic: Topic, problem: string | undefined, { log }: Told): void {
  const source = topic.part.name;
  if (problem !== undefined && problem !== topic.problem) log.warn('cannot read', { source, problem });
  if (problem === undefined && topic.problem !== undefined) log.info('readable again', { source });
  topic.problem = problem;
}

/** A topic seen for the first time, after a start, or made anew. */
function takeUp(topic: Topic, cluster: string, facts: TopicFacts, told: Told): void {
  const { name: source, topic: name, from } = topic.part;
  const saved = told.checkpoints().filter((each): each is TopicCheckpoint => 'topicId' in each && each.topic === name);
  const own = saved.find((each) => each.cluster === cluster && each.topicId === facts.id);
  const former = saved.filter((each) => each.cluster === cluster && each.topicId !== facts.id);
  const isAnew = !own && (former.length > 0 || topic.identity?.cluster === cluster);
  if (isAnew) {
    topic.resets.recreated++;
    told.log.warn('the topic was deleted and recreated; reading it from its beginning', { source, topic_id: facts.id });
    told.forget?.(former);
  }
  topic.identity = { cluster, topicId: facts.id };
  topic.values = createValueReader();
  topic.partitions = new Map();
  topic.others = own?.partitions.filter(({ partition }) => !isOfShard(topic.part, partition)) ?? [];
  for (const { partition } of facts.partitions) {
    if (!isOfShard(topic.part, partition)) continue;
    const isKnown = own !== undefined || isAnew;
    const state = freshPartition(partition, isKnown ? 'earliest' : from, -Infinity);
    state.nextOffset = own?.partitions.find((each) => each.partition === partition)?.nextOffset;
    // Unread history has no end yet: it gets one when the ends are asked for.
    if (own ? own.history : !isAnew) state.historyEnd = Infinity;
    topic.partitions.set(partition, state);
  }
}

/** True when the ends of a partition must be asked for before it is read. */
export function needsPlace({ nextOffset, historyEnd }: PartitionState): boolean {
  return nextOffset === undefined || historyEnd === Infinity;
}

/** Asks for the ends of those partitions of a leader that need them. @throws KafkaProblem */
export async function place(
  client: KafkaClient,
  leader: number,
  those: readonly { readonly topic: Topic; readonly state: PartitionState }[],
): Promise<void> {
  if (those.length === 0) return;
  const asked = those.map(({ topic, state }) => ({ topic: topic.part.topic, partition: state.partition }));
  const [first, last] = [
    await client.offsets(leader, 'earliest', asked),
    await client.offsets(leader, 'latest', asked),
  ];
  for (const { topic, state } of those) {
    const isOurs = (each: { topic: string; partition: number; error: number }): boolean =>
      each.topic === topic.part.topic && each.partition === state.partition && each.error === 0;
    const [low, high] = [first.find(isOurs), last.find(isOurs)];
    if (!low || !high) continue;
    state.nextOffset ??= state.begin === 'earliest' ? low.offset : high.offset;
    if (state.historyEnd === Infinity) state.historyEnd = high.offset;
    state.end = Math.max(state.end, high.offset);
    state.stableEnd = high.offset;
  }
}

/**
 * Kafka has nothing at the offset where reading should go on: retention was faster, or the log was cut behind it.
 * @returns the records that were never read, as far as that can be told
 */
export function replaceLost(
  topic: Topic,
  state: PartitionState,
  { first, last }: { readonly first: number; readonly last: number },
  { log }: Told,
): number {
  const { name: source } = topic.part;
  const [partition, offset] = [state.partition, state.nextOffset ?? first];
  if (offset < first) {
    topic.resets.retention++;
    const missed = first - offset;
    log.error('Kafka deleted records before they were read; increase the retention of the topic', {
      source,
      partition,
      offset,
      first,
      missed,
    });
    state.nextOffset = first;
    return missed;
  }
  if (offset > last) {
    topic.resets.truncated++;
    log.error('the partition ends before the saved offset; Kafka has lost records (an unclean leader election?)', {
      source,
      partition,
      offset,
      end: last,
    });
    state.nextOffset = last;
  }
  return 0;
}

/** Follows topics, cluster by cluster: asks each every half minute what there is, and reads from every broker that leads. */
import type { Followed } from '../source.js';
import { readBroker } from './broker.js';
import { KafkaProblem } from './client.js';
import { applyFacts } from './places.js';
import { type ClusterReading, freshTopic, type FollowOptions, statusOf, type Topic, type TopicPart } from './topic.js';

/** New partitions and leaders are found this often, and as soon as a broker says that it is not the leader. */
const metadataMs = 30_000;
const leastPauseMs = 500;
const mostPauseMs = 15_000;

type ClusterState = {
  readonly reading: ClusterReading;
  readonly leaders: Set<number>;
  isTold: boolean;
  isDue: boolean;
};

/** Whoever ends the exporter gives the sources three seconds in all. */
const lastAnswerMs = 1_500;

/** Follows all topics until stopped. */
export function followTopics(options: FollowOptions): Followed {
  const { steady = () => performance.now() } = options;
  const stop = createStop();
  const topics = options.parts.map(freshTopic);
  const clusters = byCluster(options.parts).map((parts): ClusterState => {
    const own = topics.filter(({ part }) => parts.includes(part));
    const [first] = parts;
    if (!first) throw new Error('expected a topic');
    const reading: ClusterReading = {
      ...options,
      steady,
      topics: own,
      client: options.connect(first.cluster),
      stopped: stop.isStopped,
      sleep: stop.sleep,
      refresh: () => {
        state.isDue = true;
      },
    };
    const state: ClusterState = { reading, leaders: new Set(), isTold: false, isDue: false };
    return state;
  });
  const running = clusters.map((each) => run(each));
  const clientOf = new Map(clusters.flatMap(({ reading }) => reading.topics.map((topic) => [topic, reading.client])));
  return {
    statuses: () => topics.map((topic) => statusOf(topic, clientOf.get(topic)?.reconnects() ?? 0, steady())),
    caughtUp: () => topics.every((topic) => isReadToEnd(topic, steady())),
    readingHistory: () => topics.some(isReadingHistory),
    stop: async () => {
      stop.stop();
      for (const { reading } of clusters) reading.client.close();
      // A broker that says nothing is waited for no longer: what it has not sent is asked for again after the next start.
      await Promise.race([Promise.all(running), stop.after(lastAnswerMs)]);
    },
  };
}

/** Topics of the same brokers and login share connections. */
function byCluster(parts: readonly TopicPart[]): readonly (readonly TopicPart[])[] {
  const groups = new Map<string, TopicPart[]>();
  for (const part of parts) {
    const key = JSON.stringify(part.cluster);
    groups.set(key, [...(groups.get(key) ?? []), part]);
  }
  return [...groups.values()];
}

/** Where records come without a pause some have always just come. */
const mostBehindMs = 10_000;

/** What is away for now keeps nobody waiting; what it brings when it is there again is waited for. */
function isReadToEnd(topic: Topic, now: number): boolean {
  if (topic.problem !== undefined) return true;
  if (!topic.identity) return false;
  return [...topic.partitions.values()].every(
    ({ isCaughtUp, behindSince = now, problem }) =>
      problem !== undefined || (isCaughtUp && now - behindSince < mostBehindMs),
  );
}

function isReadingHistory(topic: Topic): boolean {
  if (topic.problem !== undefined) return false;
  if (!topic.identity) return true;
  return [...topic.partitions.values()].some(
    ({ historyEnd, problem }) => historyEnd !== undefined && problem === undefined,
  );
}

async function run(state: ClusterState): Promise<void> {
  const { reading } = state;
  const brokers: Promise<void>[] = [];
  let pauseMs = leastPauseMs;
  while (!reading.stopped()) {
    state.isDue = false;
    const isAnswered = await askCluster(state);
    pauseMs = isAnswered ? leastPauseMs : Math.min(mostPauseMs, pauseMs * 2);
    for (const leader of leadersOf(reading.topics)) {
      if (state.leaders.has(leader)) continue;
      state.leaders.add(leader);
      brokers.push(readBroker(reading, leader).finally(() => state.leaders.delete(leader)));
    }
    const isWhole = isAnswered && reading.topics.every(({ problem }) => problem === undefined);
    await pause(state, pauseMs, isWhole ? metadataMs : Math.max(pauseMs, 2_000));
  }
  await Promise.all(brokers);
}

/** @returns whether the cluster has answered */
async function askCluster({ reading }: ClusterState): Promise<boolean> {
  const { client, topics } = reading;
  try {
    const askedAt = reading.steady();
    const facts = await client.metadata(topics.map(({ part }) => part.topic));
    for (const topic of topics) applyFacts(topic, facts, reading, askedAt);
    return true;
  } catch (error) {
    if (reading.stopped()) return false;
    const problem = error instanceof KafkaProblem ? error.message : `Kafka cannot be asked: ${String(error)}`;
    for (const topic of topics) {
      if (topic.problem !== problem) reading.log.warn('cannot read', { source: topic.part.name, problem });
      topic.problem = problem;
      // What cannot be asked may have records that nobody sees.
      for (const each of topic.partitions.values()) each.behindSince ??= reading.steady();
    }
    return false;
  }
}

/** Between two questions: at least `leastMs`, and then until something is due. */
async function pause(state: ClusterState, leastMs: number, mostMs: number): Promise<void> {
  const { steady, stopped, sleep } = state.reading;
  const began = steady();
  await sleep(leastMs);
  while (!stopped() && !state.isDue && steady() - began < mostMs) await sleep(100);
}

function leadersOf(topics: readonly Topic[]): Set<number> {
  const leaders = new Set<number>();
  for (const { partitions } of topics)
    for (const { leader } of partitions.values()) if (leader !== undefined) leaders.add(leader);
  return leaders;
}

/** Ends all waiting at once. */
function createStop() {
  const waiting = new Set<() => void>();
  let stopped = false;
  return {
    isStopped: () => stopped,
    after: (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms).unref()),
    stop: () => {
      stopped = true;
      for (const wake of waiting) wake();
    },
    sleep: (ms: number) =>
      new Promise<void>((resolve) => {
        if (stopped) {
          resolve();
          return;
        }
        const wake = (): void => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, ms);
        waiting.add(wake);
      }),
  };
}

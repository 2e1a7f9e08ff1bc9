/**
 * Asks a Kafka cluster by @platformatic/kafka: its writing of requests, over its connections. Answers are read by wire.ts, since
 * the package throws for one bad partition among many, and unpacks records without a bound.
 */
import { fetchV12, fetchV13, listOffsetsV5, metadataV12, metadataV9, type Writer } from '@platformatic/kafka';
import { giveBack } from './answers.js';
import { type Cluster, KafkaProblem, type KafkaClient, type Wanted } from './client.js';
import { type Address, createLines, type Line } from './connections.js';
import { readFetched, readMetadata, readOffsets } from './wire.js';

/** Of one answer; a batch that is larger comes whole and alone. */
const fetchLimits = { waitMs: 500, leastBytes: 1, mostBytes: 4 * 2 ** 20, mostOfPartition: 2 ** 20 };
/** Only what was committed: the broker names the transactions that were given up. */
const readCommitted = 1;
/** Numbers of the requests. Source: Kafka protocol guide. */
const keys = { fetch: 1, listOffsets: 2, metadata: 3 } as const;

export function createPlatformaticClient(cluster: Cluster): KafkaClient {
  const lines = createLines(cluster);
  let addresses: ReadonlyMap<number, Address> = new Map();
  const leaderLine = (leader: number): Promise<Line> => {
    const address = addresses.get(leader);
    return address
      ? lines.to(address)
      : Promise.reject(new KafkaProblem(`broker ${leader} is not known to the cluster`));
  };
  return {
    metadata: async (topics) => {
      const line = await lines.first(addresses.values());
      const { api, version } = metadataApi(line);
      const request = (): Writer => api([...topics], false, false);
      const { brokers, facts } = await lines.ask(line, { key: keys.metadata, version }, request, readMetadata(version));
      addresses = brokers;
      return facts;
    },
    offsets: async (leader, which, partitions) => {
      const line = await leaderLine(leader);
      const timestamp = which === 'earliest' ? -2n : -1n;
      const asked = byTopic(partitions).map(([name, those]) => ({
        name,
        partitions: those.map(({ partition }) => ({ partitionIndex: partition, currentLeaderEpoch: -1, timestamp })),
      }));
      const request = (): Writer => listOffsetsV5.createRequest(-1, readCommitted, asked);
      return lines.ask(line, { key: keys.listOffsets, version: 5 }, request, readOffsets);
    },
    fetch: async (leader, wanted) => {
      const line = await leaderLine(leader);
      const hasIds = wanted.every(({ topicId }) => isUuid.test(topicId));
      const version = hasIds && (line.versions.get(keys.fetch) ?? 0) >= 13 ? 13 : 12;
      const idOf = new Map(wanted.map(({ topic, topicId }) => [topic, topicId]));
      const request = (): Writer => fetchRequest(version, wanted);
      return lines.ask(line, { key: keys.fetch, version }, request, readFetched(version, idOf));
    },
    done: (fetched) => {
      for (const { records } of fetched) giveBack(records);
    },
    reconnects: lines.reconnects,
    close: lines.close,
  };
}

const isUuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

function fetchRequest(version: 12 | 13, wanted: readonly Wanted[]): Writer {
  const { waitMs, leastBytes, mostBytes, mostOfPartition: partitionMaxBytes } = fetchLimits;
  const topics = byTopic(wanted).map(([topic, those]) => ({
    // Version 12 has the name in this place.
    topicId: version === 13 ? (those[0]?.topicId ?? '') : topic,
    partitions: those.map(({ partition, offset }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes,
    })),
  }));
  const { createRequest } = version === 13 ? fetchV13 : fetchV12;
  return createRequest(waitMs, leastBytes, mostBytes, readCommitted, 0, -1, topics, [], '');
}

function byTopic<Each extends { readonly topic: string }>(all: readonly Each[]): [string, Each[]][] {
  const groups = new Map<string, Each[]>();
  for (const each of all) groups.set(each.topic, [...(groups.get(each.topic) ?? []), each]);
  return [...groups];
}

/** Topics have IDs since version 10; the one before is what older brokers speak. */
function metadataApi({ versions }: Line) {
  return (versions.get(keys.metadata) ?? 0) >= 12
    ? { version: 12, api: metadataV12.createRequest }
    : { version: 9, api: metadataV9.createRequest };
}

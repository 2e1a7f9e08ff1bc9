/** Reads the answers of Kafka: an error of one partition does not affect the others, and records stay compressed. */
import type { Reader } from '@platformatic/kafka';
import type { ClusterFacts, Ends, Fetched, TopicFacts } from './client.js';

/** Tagged fields may follow any structure; none of them is of interest. */
function skipTags(reader: Reader): void {
  for (let left = reader.readUnsignedVarInt(); left > 0; left--) {
    reader.readUnsignedVarInt();
    reader.skip(reader.readUnsignedVarInt());
  }
}

function arrayOf<Item>(reader: Reader, read: (reader: Reader) => Item): Item[] {
  const read1 = (each: Reader): Item => {
    const item = read(each);
    skipTags(each);
    return item;
  };
  return reader.readArray(read1, true, false);
}

type Brokers = Map<number, { readonly host: string; readonly port: number }>;

const noId = '00000000-0000-0000-0000-000000000000';

export function readMetadata(version: number) {
  return (reader: Reader): { readonly brokers: Brokers; readonly facts: ClusterFacts } => {
    reader.readInt32();
    const brokers = arrayOf(reader, (r) => {
      const id = r.readInt32();
      const place = { host: r.readString(), port: r.readInt32() };
      r.readNullableString();
      return [id, place] as const;
    });
    const id = reader.readNullableString() ?? '';
    reader.readInt32();
    const topics = arrayOf(reader, (r) => readTopic(r, version));
    return { brokers: new Map(brokers), facts: { id, topics } };
  };
}

function readTopic(r: Reader, version: number): TopicFacts {
  const error = r.readInt16();
  const name = r.readNullableString() ?? '';
  const uuid = version >= 10 ? r.readUUID() : noId;
  r.readBoolean();
  const partitions = arrayOf(r, readPartitionFacts);
  if (version >= 8) r.readInt32();
  return { name, id: uuid === noId ? `name ${name}` : uuid, error, partitions };
}

function readPartitionFacts(r: Reader): TopicFacts['partitions'][number] {
  r.readInt16();
  const partition = r.readInt32();
  const leader = r.readInt32();
  r.readInt32();
  for (let lists = 0; lists < 3; lists++) r.readArray((each) => each.readInt32(), true, false);
  return { partition, leader: leader < 0 ? undefined : leader };
}

/** Version 5, without tags. */
export function readOffsets(reader: Reader): Ends[] {
  reader.readInt32();
  const topics = reader.readArray(
    (r) => {
      const topic = r.readString(false);
      return r.readArray(
        (each): Ends => {
          const partition = each.readInt32();
          const error = each.readInt16();
          each.readInt64();
          const offset = Number(each.readInt64());
          each.readInt32();
          return { topic, partition, error, offset };
        },
        false,
        false,
      );
    },
    false,
    false,
  );
  return topics.flat();
}

/** @param idOf the ID of a topic by its name, for versions that name it */
export function readFetched(version: number, idOf: ReadonlyMap<string, string>) {
  return (reader: Reader): Fetched[] => {
    reader.readInt32();
    const error = reader.readInt16();
    if (error !== 0) throw new Error(`Kafka refuses the fetch with error ${error}`);
    reader.readInt32();
    const topics = arrayOf(reader, (r) => {
      const topicId = version >= 13 ? r.readUUID() : (idOf.get(r.readString()) ?? '');
      return arrayOf(r, (each) => readFetchedPartition(each, topicId));
    });
    return topics.flat();
  };
}

function readFetchedPartition(r: Reader, topicId: string): Fetched {
  const partition = r.readInt32();
  const error = r.readInt16();
  const highWatermark = Number(r.readInt64());
  const lastStable = Number(r.readInt64());
  r.readInt64();
  const aborted = arrayOf(r, (each) => ({ producer: each.readInt64(), from: Number(each.readInt64()) }));
  r.readInt32();
  const length = r.readUnsignedVarInt() - 1;
  const records = length > 0 ? r.buffer.slice(r.position, r.position + length) : Buffer.alloc(0);
  if (length > 0) r.skip(length);
  return {
    topicId,
    partition,
    error,
    highWatermark,
    lastStable: lastStable < 0 ? highWatermark : lastStable,
    aborted,
    records,
  };
}

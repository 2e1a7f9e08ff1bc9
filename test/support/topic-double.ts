/** A Kafka of one topic without a network: its partitions are written, cut and taken away by a test. */
import { kafkaErrors, type Fetched, type KafkaClient } from '../../src/events/sources/kafka/client.js';

type PartitionDouble = { values: string[]; isAway: boolean };

/** @param atOnce records that one answer brings of a partition at most */
export function topicDouble(name: string, count: number, atOnce = Infinity) {
  const partitions = Array.from({ length: count }, (): PartitionDouble => ({ values: [], isAway: false }));
  const leaderOf = (partition: number): number => partition;
  const waiting = new Set<() => void>();
  const wait = (): Promise<void> =>
    new Promise((over) => {
      waiting.add(over);
      setTimeout(over, 500);
    });
  const client: KafkaClient = {
    metadata: () => {
      const facts = partitions.map(({ isAway }, partition) => ({
        partition,
        leader: isAway ? undefined : leaderOf(partition),
      }));
      return Promise.resolve({ id: 'cluster', topics: [{ name, id: 'topic', error: 0, partitions: facts }] });
    },
    offsets: (_leader, which, asked) =>
      Promise.resolve(
        asked.map(({ topic, partition }) => {
          const offset = which === 'earliest' ? 0 : (partitions[partition]?.values.length ?? 0);
          return { topic, partition, error: 0, offset };
        }),
      ),
    fetch: async (_leader, wanted) => {
      const answer = wanted.map(({ topicId, partition, offset }): Fetched => {
        const { values, isAway } = partitions[partition] ?? { values: [], isAway: true };
        const end = values.length;
        const failure = offset > end ? kafkaErrors.offsetOutOfRange : 0;
        const error = isAway ? kafkaErrors.notLeader : failure;
        const records =
          error === 0 && offset < end ? batchOf(values.slice(offset, offset + atOnce), offset) : Buffer.alloc(0);
        return { topicId, partition, error, highWatermark: end, lastStable: end, aborted: [], records };
      });
      if (answer.every(({ records }) => records.length === 0)) await wait();
      return answer;
    },
    done: () => undefined,
    reconnects: () => 0,
    close: () => {
      for (const over of waiting) over();
    },
  };
  return {
    client,
    write: (partition: number, ...values: string[]) => partitions[partition]?.values.push(...values),
    /** An election has taken a broker that had less. */
    cut: (partition: number, length: number) => partitions[partition]?.values.splice(length),
    away: (partition: number, isAway: boolean) => Object.assign(partitions[partition] ?? {}, { isAway }),
  };
}

/** Format 2, not packed; its checksum is not looked at. */
function batchOf(values: readonly string[], offset: number): Buffer {
  const records = values.map((value, n) => {
    const rest = Buffer.concat([
      Buffer.from([0, 0]),
      varint(n),
      varint(-1),
      varint(Buffer.byteLength(value)),
      Buffer.from(value),
      Buffer.from([0]),
    ]);
    return Buffer.concat([varint(rest.length), rest]);
  });
  const body = Buffer.concat(records);
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(BigInt(offset), 0);
  head.writeInt32BE(49 + body.length, 8);
  head[16] = 2;
  head.writeInt32BE(values.length - 1, 23);
  head.writeBigInt64BE(BigInt(Date.now()), 27);
  head.writeBigInt64BE(BigInt(Date.now()), 35);
  head.writeInt32BE(values.length, 57);
  return Buffer.concat([head, body]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value < 0 ? -value * 2 - 1 : value * 2;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}

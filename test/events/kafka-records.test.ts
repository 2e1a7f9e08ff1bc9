/** Batches of records as Kafka hands them out, read by us and by the parser of the package. */
import zlib from 'node:zlib';
import { createRecord, createRecordsBatch, Reader, readRecordsBatches, Writer } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchesOf } from '../../src/events/sources/kafka/record-batches.js';

type Read = { readonly offset: number; readonly timestamp: number; readonly value: string | undefined };

const fetched = (records: Buffer, aborted: { producer: bigint; from: number }[] = []) => {
  return { topicId: '', partition: 0, error: 0, highWatermark: 0, lastStable: 0, aborted, records };
};

function ours(bytes: Buffer, from = 0, aborted: { producer: bigint; from: number }[] = []) {
  const read: Read[] = [];
  let [next, lost] = [from, 0];
  for (const batch of batchesOf(fetched(bytes, aborted), from)) {
    for (const { offset, timestamp, start, end } of batch.records)
      read.push({ offset, timestamp, value: start < 0 ? undefined : batch.bytes.toString('utf8', start, end) });
    lost += batch.lost;
    next = batch.nextOffset;
  }
  return { read, next, lost };
}

/** What the parser of the package reads of whole batches. */
function theirs(bytes: Buffer): Read[] {
  return readRecordsBatches(Reader.from(bytes)).flatMap(({ firstOffset, firstTimestamp, records }) =>
    records.map(({ offsetDelta, timestampDelta, value }) => ({
      offset: Number(firstOffset) + offsetDelta,
      timestamp: Number(firstTimestamp + timestampDelta),
      value: value?.toString('utf8'),
    })),
  );
}

const compressions = ['none', 'gzip', 'snappy', 'lz4', ...('zstdCompressSync' in zlib ? ['zstd'] : [])];
const message = fc.record({
  key: fc.option(
    fc.string({ maxLength: 200 }).map((text) => Buffer.from(text)),
    { nil: undefined },
  ),
  value: fc.string({ unit: 'grapheme', maxLength: 300 }).map((text) => Buffer.from(text)),
  headers: fc
    .array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 })
    .map((pairs) => new Map(pairs.map(([name, value]) => [Buffer.from(name), Buffer.from(value)]))),
  timestamp: fc.bigInt({ min: 0n, max: 2n ** 48n }),
});
const batch = fc.record({
  messages: fc.array(message, { minLength: 1, maxLength: 12 }),
  compression: fc.constantFrom(...compressions),
  /** Offsets between it and the one before that compaction has emptied. */
  gap: fc.nat(1_000),
});

function bytesOf(batches: readonly { messages: object[]; compression: string; gap: number }[], first: number): Buffer {
  let next = first;
  return Buffer.concat(
    batches.map(({ messages, compression, gap }) => {
      const bytes = createRecordsBatch(messages as never, { compression } as never).buffer;
      bytes.writeBigInt64BE(BigInt(next + gap), 0);
      next += gap + messages.length;
      return bytes;
    }),
  );
}

test('whatever producers write is read as the package reads it, from any offset and cut off anywhere', () => {
  fc.assert(
    fc.property(
      fc.array(batch, { minLength: 1, maxLength: 5 }),
      fc.nat(2 ** 40),
      fc.nat(3_000),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (batches, first, skipped, share) => {
        const bytes = bytesOf(batches, first);
        const wanted = theirs(bytes);
        expect(ours(bytes)).toEqual({ read: wanted, next: (wanted.at(-1)?.offset ?? 0) + 1, lost: 0 });
        const from = first + skipped;
        expect(ours(bytes, from).read).toEqual(wanted.filter(({ offset }) => offset >= from));
        const part = bytes.subarray(0, Math.floor(bytes.length * share));
        const { read, next, lost } = ours(part, first);
        expect([read, lost]).toEqual([wanted.slice(0, read.length), 0]);
        // What was cut off is asked for again.
        expect([...read, ...ours(bytes, next).read]).toEqual(wanted);
      },
    ),
    { numRuns: 100 },
  );
});

/** A batch by its attributes and records, each with its difference to the first offset. */
function batchOf(
  base: number,
  last: number,
  records: readonly (readonly [number, string])[],
  { attributes = 0, producer = -1n, key = undefined as Buffer | undefined } = {},
): Buffer {
  const body = records.map(
    ([delta, text]) => createRecord({ key, value: Buffer.from(text) } as never, delta, 0n).buffer,
  );
  const head = Writer.create()
    .appendInt64(BigInt(base))
    .appendInt32(49 + Buffer.concat(body).length)
    .appendInt32(0)
    .appendInt8(2)
    .appendUnsignedInt32(0)
    .appendInt16(attributes)
    .appendInt32(last)
    .appendInt64(0n)
    .appendInt64(7_000n)
    .appendInt64(producer)
    .appendInt16(0)
    .appendInt32(0)
    .appendInt32(records.length);
  return Buffer.concat([head.buffer, ...body]);
}

const values = (read: readonly Read[]): unknown[] => read.map(({ offset, value }) => [offset, value]);

describe('a partition', () => {
  const [transactional, control, appendTime] = [0x10, 0x20, 0x08];
  const marker = (base: number, type: number): Buffer =>
    batchOf(base, 0, [[0, '']], {
      attributes: transactional | control,
      producer: 5n,
      key: Buffer.from([0, 0, 0, type]),
    });

  test('that was compacted keeps its offsets, and reading goes on behind what the last batch once held', () => {
    const bytes = batchOf(100, 9, [
      [2, 'c'],
      [7, 'h'],
    ]);
    expect([values(ours(bytes).read), ours(bytes).next]).toEqual([
      [
        [102, 'c'],
        [107, 'h'],
      ],
      110,
    ]);
    expect(ours(batchOf(110, 4, []))).toEqual({ read: [], next: 115, lost: 0 });
  });

  test('gives neither control records nor what was written in a transaction that was given up', () => {
    const written = (base: number, text: string): Buffer =>
      batchOf(base, 0, [[0, text]], { attributes: transactional, producer: 5n });
    const bytes = Buffer.concat([
      written(0, 'given up'),
      batchOf(1, 0, [[0, 'beside it']]),
      marker(2, 0),
      written(3, 'kept'),
      marker(4, 1),
    ]);
    const { read, next } = ours(bytes, 0, [{ producer: 5n, from: 0 }]);
    expect([values(read), next]).toEqual([
      [
        [1, 'beside it'],
        [3, 'kept'],
      ],
      5,
    ]);
  });

  test('whose times are those of the broker gives these', () => {
    expect(ours(batchOf(0, 0, [[0, 'a']], { attributes: appendTime })).read[0]?.timestamp).toBe(7_000);
  });

  test('with a damaged batch loses that one alone', () => {
    const damaged = batchOf(0, 2, [
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ]);
    damaged[61] = 0xff;
    const broken = batchOf(3, 1, [
      [0, 'd'],
      [1, 'e'],
    ]);
    broken.writeInt16BE(1, 21);
    const { read, next, lost } = ours(Buffer.concat([damaged, broken, batchOf(5, 0, [[0, 'f']])]));
    expect([values(read), next, lost]).toEqual([[[5, 'f']], 6, 5]);
  });
});

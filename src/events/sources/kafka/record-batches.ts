/**
 * Walks over the batches of records that Kafka gave of a partition. Offsets may have holes: of control batches, of what
 * compaction took, of transactions that were given up; whatever a batch holds, reading goes on behind its last offset.
 */
import type { Fetched } from './client.js';
import { TooLarge, unpack } from './compression.js';

/** Records of one batch. */
export type RecordsOfBatch = {
  /** Their values stand in here. */
  readonly bytes: Buffer;
  readonly records: readonly KafkaRecord[];
  /** Records of a batch that could not be unpacked, and why. */
  readonly lost: number;
  readonly trouble: string | undefined;
  readonly isTooLarge: boolean;
  /** Where reading goes on behind it. */
  readonly nextOffset: number;
};

type KafkaRecord = {
  readonly offset: number;
  /** By the clock of the producer or the broker, as the topic says. Milliseconds since 1970 UTC. */
  readonly timestamp: number;
  /** Where the value stands; both -1 when there is none. */
  readonly start: number;
  readonly end: number;
};

const headLength = 61;
const lengthBehind = 12;
const magic2 = 2;
const [codecMask, transactionalMask, controlMask, appendTimeMask] = [0x07, 0x10, 0x20, 0x08];
/** The key of a control record: version and type; an abort is type 0. */
const abortType = 0;

/** The offset behind the last whole batch. @param from where reading stands, which may be behind them */
export function nextOffsetOf(records: Buffer, from: number): number {
  let next = from;
  for (let at = 0, end = endOfBatch(records, 0); end > 0; at = end, end = endOfBatch(records, at))
    next = Math.max(next, Number(records.readBigInt64BE(at)) + records.readInt32BE(at + 23) + 1);
  return next;
}

/** -1 when there is no whole one. */
function endOfBatch(records: Buffer, at: number): number {
  if (at + headLength > records.length) return -1;
  const end = at + lengthBehind + records.readInt32BE(at + 8);
  return end > records.length || end < at + headLength ? -1 : end;
}

/** Half a batch at the end is left for the next fetch, which begins there. @param from records below it were read before */
export function* batchesOf({ records, aborted }: Fetched, from: number): Generator<RecordsOfBatch> {
  const open = [...aborted].sort((a, b) => a.from - b.from);
  const givenUp = new Set<bigint>();
  for (let at = 0, end = endOfBatch(records, 0); end > 0; at = end, end = endOfBatch(records, at)) {
    const head = headOf(records, at);
    while ((open[0]?.from ?? Infinity) <= head.lastOffset) givenUp.add(open.shift()?.producer ?? -1n);
    const isAborted = (head.attributes & transactionalMask) !== 0 && givenUp.has(head.producer);
    if ((head.attributes & controlMask) !== 0) {
      if (isAbort(records, at, end)) givenUp.delete(head.producer);
      yield nothing(head.lastOffset + 1);
    } else if (isAborted || head.lastOffset < from) yield nothing(head.lastOffset + 1);
    else yield recordsOf(records, at, end, head, from);
  }
}

type Head = {
  readonly offset: number;
  readonly lastOffset: number;
  readonly attributes: number;
  readonly firstAt: number;
  readonly latestAt: number;
  readonly producer: bigint;
  readonly count: number;
};

function headOf(bytes: Buffer, at: number): Head {
  const offset = Number(bytes.readBigInt64BE(at));
  if (bytes[at + 16] !== magic2)
    throw new Error(`records of format ${bytes[at + 16] ?? 0} as Kafka wrote them before 0.11; expected 2`);
  return {
    offset,
    attributes: bytes.readInt16BE(at + 21),
    lastOffset: offset + bytes.readInt32BE(at + 23),
    firstAt: Number(bytes.readBigInt64BE(at + 27)),
    latestAt: Number(bytes.readBigInt64BE(at + 35)),
    producer: bytes.readBigInt64BE(at + 43),
    count: bytes.readInt32BE(at + 57),
  };
}

function nothing(nextOffset: number): RecordsOfBatch {
  return { bytes: Buffer.alloc(0), records: [], lost: 0, trouble: undefined, isTooLarge: false, nextOffset };
}

function recordsOf(all: Buffer, at: number, end: number, head: Head, from: number): RecordsOfBatch {
  const nextOffset = head.lastOffset + 1;
  const codec = head.attributes & codecMask;
  try {
    // Batches that are not packed share their bytes, so that what is searched for in them is set up once.
    const bytes = codec === 0 ? all : unpack(codec, all.subarray(at + headLength, end));
    const span = codec === 0 ? { at: at + headLength, end } : { at: 0, end: bytes.length };
    return { ...nothing(nextOffset), bytes, records: readRecords(bytes, span, head, from) };
  } catch (error) {
    const isTooLarge = error instanceof TooLarge;
    const trouble = isTooLarge
      ? 'a batch unpacks to more than 64 MiB'
      : `a batch is damaged: ${(error as Error).message}`;
    return { ...nothing(nextOffset), lost: Math.max(1, head.count), trouble, isTooLarge };
  }
}

function readRecords(
  bytes: Buffer,
  { at, end: endOfAll }: { readonly at: number; readonly end: number },
  head: Head,
  from: number,
): KafkaRecord[] {
  const records: KafkaRecord[] = [];
  const cursor = { at };
  const isAppendTime = (head.attributes & appendTimeMask) !== 0;
  for (let left = head.count; left > 0 && cursor.at < endOfAll; left--) {
    const length = varint(bytes, cursor);
    const next = cursor.at + length;
    if (length < 0 || next > endOfAll) throw new Error('a record is cut off');
    cursor.at++;
    const timestamp = head.firstAt + longVarint(bytes, cursor);
    const offset = head.offset + varint(bytes, cursor);
    const keyLength = varint(bytes, cursor);
    if (keyLength > 0) cursor.at += keyLength;
    const valueLength = varint(bytes, cursor);
    const start = valueLength < 0 ? -1 : cursor.at;
    const end = valueLength < 0 ? -1 : cursor.at + valueLength;
    if (end > next) throw new Error('a value is longer than its record');
    if (offset >= from) records.push({ offset, timestamp: isAppendTime ? head.latestAt : timestamp, start, end });
    cursor.at = next;
  }
  return records;
}

function isAbort(bytes: Buffer, at: number, end: number): boolean {
  const cursor = { at: at + headLength };
  varint(bytes, cursor);
  cursor.at++;
  longVarint(bytes, cursor);
  varint(bytes, cursor);
  const keyLength = varint(bytes, cursor);
  return keyLength >= 4 && cursor.at + 4 <= end && bytes.readInt16BE(cursor.at + 2) === abortType;
}

/** Zigzag, of at most 32 bits. */
function varint(bytes: Buffer, cursor: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[cursor.at++] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return (value >>> 1) ^ -(value & 1);
}

/** Zigzag, of a difference of times: up to 2^53 without bit operations, which know 32 bits only. */
function longVarint(bytes: Buffer, cursor: { at: number }): number {
  let value = 0;
  for (let scale = 1, left = 10; left > 0; left--, scale *= 128) {
    const byte = bytes[cursor.at++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

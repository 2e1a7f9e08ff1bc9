/** Finds the records of a chunk, also of one that is damaged or torn. */
import { crc32 } from 'node:zlib';
import { chunkHeaderSize, chunkSize, mostRecords, smallestRecord, type ChunkHeader } from './chunk-header.js';
import type { NumberedRecord } from './runs.js';
import { uint64 } from './values.js';

/**
 * `gaps`: where something that is no record was stepped over, as the ID of the next record (or of the last).
 * `strangers`: records that are whole by their two sizes, with an ID that the header does not promise. In a torn chunk,
 * such as a shadow copy has it, the header is of another moment than what stands behind it.
 */
export type Walked = {
  readonly records: readonly NumberedRecord[];
  readonly strangers: readonly NumberedRecord[];
  readonly gaps: readonly number[];
};

export const recordSignature = 0x2a2a;

/** All records of a chunk in their order, and the gaps between them. */
export function walkedOf(bytes: Buffer, header: ChunkHeader): Walked {
  const sound = header.kind === 'sound';
  const end = Math.min(sound ? header.free : chunkSize, bytes.length);
  const walk: Walk = { records: [], strangers: [], gaps: [], inGap: false, at: chunkHeaderSize };
  while (walk.at + smallestRecord <= end) {
    const size = recordSizeAt(bytes, walk.at, end, walk.inGap);
    const id = size === undefined ? -1 : uint64(bytes, walk.at + 8);
    const promised = !sound || (id >= header.first && id <= header.last) || id === nextIn(walk);
    const isStranger = size !== undefined && !promised && id > 0 && bytes.readUInt32LE(walk.at + size - 4) === size;
    const isRecord = size !== undefined && (promised || isStranger);
    if (isRecord) (isStranger ? walk.strangers : walk.records).push({ offset: walk.at, size, id });
    if (isRecord && walk.inGap) walk.gaps.push(isStranger ? header.last : id);
    walk.inGap = !isRecord;
    walk.at += size ?? 8; // always on: no bytes can make this loop
  }
  // Without a header nobody says where the records end: the rest of the slot is not damage, and leftovers are told
  // by their IDs, which are far from those of most others.
  if (!sound) return { records: neighbours(walk.records), strangers: [], gaps: [] };
  if (!goesOnBehindEnd(bytes, header, walk) && walk.inGap) walk.gaps.push(header.last);
  if (walk.records.length > 0 || !areAllOf(bytes, header, walk)) return walk;
  return { records: walk.strangers, strangers: [], gaps: walk.gaps };
}

type Walk = {
  readonly records: NumberedRecord[];
  readonly strangers: NumberedRecord[];
  readonly gaps: number[];
  inGap: boolean;
  at: number;
};

/** The ID of the record that would follow the last one found. */
function nextIn({ records }: Walk): number {
  return (records.at(-1)?.id ?? Number.NaN) + 1;
}

/** The claimed end may be too low: records that go on there, with the next of the IDs promised, are no leftovers. */
function goesOnBehindEnd(bytes: Buffer, header: ChunkHeader, walk: Walk): boolean {
  const last = walk.records.at(-1);
  let at = last ? last.offset + last.size : bytes.length;
  while (nextIn(walk) <= header.last && at + smallestRecord <= bytes.length) {
    const size = recordSizeAt(bytes, at, bytes.length, true);
    if (size === undefined || uint64(bytes, at + 8) !== nextIn(walk)) break;
    walk.records.push({ offset: at, size, id: nextIn(walk) });
    at += size;
  }
  return walk.records.at(-1) !== last;
}

/**
 * No record has an ID that the header claims. Where they fill the chunk to its end without a gap, and its checksum
 * agrees if it has one, it is the claim that is wrong; else the chunk is torn, and its header of another moment.
 */
function areAllOf(bytes: Buffer, header: ChunkHeader, { gaps, at }: Walk): boolean {
  const checksum = bytes.readUInt32LE(52);
  const isExact = gaps.length === 0 && at === header.free;
  return isExact && (checksum === 0 || checksum === crc32(bytes.subarray(chunkHeaderSize, header.free)));
}

/**
 * Size of the record at an offset; undefined when no record is there. The size stands at both ends of a record:
 * when they differ, the first is believed only if another record (or the end) follows where it says.
 */
function recordSizeAt(bytes: Buffer, at: number, end: number, inGap: boolean): number | undefined {
  if (bytes.readUInt32LE(at) !== recordSignature) return undefined;
  const size = bytes.readUInt32LE(at + 4);
  const next = at + size;
  if (size < smallestRecord || next > end) return undefined;
  if (bytes.readUInt32LE(next - 4) === size) return size;
  const followed = next === end || (next + 4 <= end && bytes.readUInt32LE(next) === recordSignature);
  return followed && !inGap ? size : undefined;
}

function neighbours(records: readonly NumberedRecord[]): NumberedRecord[] {
  const ids = records.map((record) => record.id).sort((a, b) => a - b);
  const middle = ids[Math.floor(ids.length / 2)] ?? 0;
  return records.filter(({ id }) => Number.isSafeInteger(id) && Math.abs(id - middle) <= mostRecords);
}

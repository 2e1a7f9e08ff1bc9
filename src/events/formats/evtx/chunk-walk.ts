/** Finds the records of a chunk, also of one that is damaged or torn. */
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

const recordSignature = 0x2a2a;

/** All records of a chunk in their order, and the gaps between them. */
export function walkedOf(bytes: Buffer, header: ChunkHeader): Walked {
  const sound = header.kind === 'sound';
  const end = Math.min(sound ? header.free : chunkSize, bytes.length);
  const records: NumberedRecord[] = [];
  const strangers: NumberedRecord[] = [];
  const gaps: number[] = [];
  let inGap = false;
  for (let at = chunkHeaderSize; at + smallestRecord <= end;) {
    const size = recordSizeAt(bytes, at, end, inGap);
    const id = size === undefined ? -1 : uint64(bytes, at + 8);
    const promised = !sound || (id >= header.first && id <= header.last);
    const isStranger = size !== undefined && !promised && id > 0 && bytes.readUInt32LE(at + size - 4) === size;
    const isRecord = size !== undefined && (promised || isStranger);
    if (isRecord) (isStranger ? strangers : records).push({ offset: at, size, id });
    if (isRecord && inGap) gaps.push(isStranger ? header.last : id);
    inGap = !isRecord;
    at += size ?? 8; // always on: no bytes can make this loop
  }
  // Without a header nobody says where the records end: the rest of the slot is not damage, and leftovers are told
  // by their IDs, which are far from those of most others.
  if (!sound) return { records: neighbours(records), strangers: [], gaps: [] };
  if (inGap) gaps.push(header.last);
  return { records, strangers, gaps };
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

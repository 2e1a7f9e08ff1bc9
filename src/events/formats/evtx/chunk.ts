/** A chunk (64 KiB) of the binary log: is it whole, which records does it hold, and where is it damaged. */
import { crc32 } from 'node:zlib';
import type { Decoded, WindowsEvent } from '../../../model.js';
import type { RunFound } from '../../record-runs.js';
import { decodingOf, eventOf, type DecodingChunk, type RecordPlace } from './record.js';
import { runsOf, type NumberedEvent, type NumberedRecord } from './runs.js';
import { uint64 } from './values.js';

export const chunkSize = 65_536;
export const chunkHeaderSize = 512;

/**
 * What the header of a slot says.
 *
 * `empty`: nothing was written here yet. `sound`: the header can be believed. `broken`: it cannot, but records may
 * still be found behind it.
 */
export type ChunkHeader = {
  readonly kind: 'empty' | 'sound' | 'broken';
  /** Record IDs of the first and last record. */
  readonly first: number;
  readonly last: number;
  /** Records end here; what follows is left over from an earlier use of the slot. */
  readonly free: number;
  /** How many records there should be. */
  readonly promised: number;
  /** Changes with every byte of header and records, unless the file is without checksums. */
  readonly seal: number;
};

/** Only records whose ID is in this range are wanted; the others have been read before or belong to a later walk. */
export type IdRange = { readonly after: number; readonly upTo: number };

/** What the records of one chunk came to. */
export type ChunkReading = {
  readonly decoded: Decoded[];
  ignored: number;
  /** Records of the range that could not be decoded. */
  damaged: number;
  /**
   * Records that are not there. Of a whole chunk those of the range; of one that is not whole all of them, and at
   * least one, whatever the range: the caller subtracts what it has counted before.
   */
  missing: number;
  /** The IDs of the range that are there, and those that are lost to damage. */
  runs: readonly RunFound[];
  /** Highest record ID that was read, with its time written (FILETIME); 0 when none was. */
  last: number;
  written: string;
  /** Work that the chunk asked for: see `effortLimit`. */
  effort: number;
};

/** `gaps`: where something that is no record was stepped over, as the ID of the next record (or of the last). */
type Walked = { readonly records: readonly NumberedRecord[]; readonly gaps: readonly number[] };

/**
 * Reads the first 512 bytes of a slot.
 * @param checksums false when the file says that it was written without them
 */
export function headerOf(bytes: Buffer, checksums: boolean): ChunkHeader {
  const free = bytes.readUInt32LE(48);
  const [first, last] = [uint64(bytes, 24), uint64(bytes, 32)];
  const promised = uint64(bytes, 16) - uint64(bytes, 8) + 1;
  const header = { first, last, free, promised: clamp(promised, 0, mostRecords), seal: bytes.readUInt32LE(124) };
  if (bytes.toString('latin1', 0, 8) !== chunkSignature) {
    return { ...header, kind: bytes.readUInt32LE(0) === 0 && isZero(bytes) ? 'empty' : 'broken' };
  }
  if (checksums && headerChecksum(bytes) !== header.seal) return { ...header, kind: 'broken' };
  if (free <= chunkHeaderSize) return { ...header, kind: 'empty' };
  const sane = free <= chunkSize && first <= last && Number.isSafeInteger(last) && last - first < idSpan;
  return { ...header, kind: sane ? 'sound' : 'broken' };
}

/** True when the records of a sound chunk are all there, by their checksum or, without one, by their sizes. */
export function isWhole(bytes: Buffer, header: ChunkHeader, checksums: boolean): boolean {
  if (header.kind !== 'sound' || header.free > bytes.length) return false;
  if (checksums) return crc32(bytes.subarray(chunkHeaderSize, header.free)) === bytes.readUInt32LE(52);
  const { records, gaps } = walkedOf(bytes, header);
  return gaps.length === 0 && records.length >= header.promised;
}

/** First and last ID among the records of a chunk whose header is broken; undefined when there are none. */
export function idsOf(bytes: Buffer, header: ChunkHeader): { first: number; last: number } | undefined {
  const { records } = walkedOf(bytes, header);
  if (records.length === 0) return undefined;
  const ids = records.map((record) => record.id);
  return { first: Math.min(...ids), last: Math.max(...ids) };
}

/** When the record with this ID was written (FILETIME as hexadecimal digits); undefined when it is not in the chunk. */
export function writtenOf(bytes: Buffer, header: ChunkHeader, id: number): string | undefined {
  const record = walkedOf(bytes, header).records.find((each) => each.id === id);
  return record && writtenAt(bytes, record);
}

/**
 * Decodes the records of a chunk that lie in a range of IDs. A chunk that is not whole gives what is left of it:
 * every record that its header promises and that is not there counts as missing.
 */
export function readChunk(
  bytes: Buffer,
  header: ChunkHeader,
  whole: boolean,
  range: IdRange,
  wanted: (eventId: number) => boolean,
): ChunkReading {
  const { records, gaps } = walkedOf(bytes, header);
  const chunk = decodingOf(bytes);
  const reading: ChunkReading = {
    decoded: [],
    ignored: 0,
    damaged: 0,
    missing: 0,
    runs: [],
    last: 0,
    written: '',
    effort: 0,
  };
  const inRange = (id: number): boolean => id > range.after && id <= range.upTo;
  const found = records.filter(({ id }) => inRange(id));
  let newest: NumberedRecord | undefined;
  let decoded: NumberedEvent | undefined;
  for (const record of found) {
    const event = readRecord(chunk, record, wanted, reading);
    if (event) decoded ??= { event, id: record.id };
    if (newest === undefined || record.id > newest.id) newest = record;
  }
  if (newest) {
    reading.last = newest.id;
    reading.written = writtenAt(bytes, newest);
  }
  const promised = header.kind === 'sound' ? header.promised : 0;
  // A chunk with a bad checksum is damaged somewhere, even where every record can be read.
  const atLeast = reading.damaged > 0 ? 0 : 1;
  reading.missing = whole ? gaps.filter(inRange).length : Math.max(gaps.length, promised - records.length, atLeast);
  const ids = [Math.max(header.first, range.after + 1), Math.min(header.last, range.upTo)] as const;
  const isExact = (whole && gaps.length === 0) || header.kind !== 'sound';
  reading.runs = runsOf(chunk, found, decoded, isExact ? undefined : ids);
  reading.effort = chunk.effort;
  return reading;
}

const chunkSignature = 'ElfChnk\0';
const recordSignature = 0x2a2a;
const smallestRecord = 28;
const mostRecords = Math.floor((chunkSize - chunkHeaderSize) / smallestRecord);
/** IDs in a chunk follow one another; an export of a selection keeps gaps. More than this is not a chunk. */
const idSpan = 0x1_0000_0000;

/** Decodes one record into the reading; what cannot be read is counted and never thrown. */
function readRecord(
  chunk: DecodingChunk,
  record: NumberedRecord,
  wanted: (eventId: number) => boolean,
  reading: ChunkReading,
): WindowsEvent | undefined {
  try {
    const event = eventOf(chunk, record, wanted);
    if (event) reading.decoded.push(event);
    else reading.ignored++;
    return event;
  } catch {
    // RangeError: an offset or size that leads out of the chunk. Anything else is a mistake of ours, and costs no more.
    reading.damaged++;
    return undefined;
  }
}

/** All records of a chunk in their order, and the gaps between them. */
function walkedOf(bytes: Buffer, header: ChunkHeader): Walked {
  const sound = header.kind === 'sound';
  const end = Math.min(sound ? header.free : chunkSize, bytes.length);
  const records: NumberedRecord[] = [];
  const gaps: number[] = [];
  let inGap = false;
  for (let at = chunkHeaderSize; at + smallestRecord <= end;) {
    const size = recordSizeAt(bytes, at, end, inGap);
    const id = size === undefined ? -1 : uint64(bytes, at + 8);
    const isRecord = size !== undefined && (!sound || (id >= header.first && id <= header.last));
    if (isRecord) records.push({ offset: at, size, id });
    if (isRecord && inGap) gaps.push(id);
    inGap = !isRecord;
    at += size ?? 8; // always on: no bytes can make this loop
  }
  // Without a header nobody says where the records end: the rest of the slot is not damage, and leftovers are told
  // by their IDs, which are far from those of most others.
  if (!sound) return { records: neighbours(records), gaps: [] };
  if (inGap) gaps.push(header.last);
  return { records, gaps };
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

/** Over the header without its last 8 bytes of the first 128, and the tables of names and templates. */
function headerChecksum(bytes: Buffer): number {
  return crc32(bytes.subarray(128, chunkHeaderSize), crc32(bytes.subarray(0, 120)));
}

function writtenAt(bytes: Buffer, record: RecordPlace): string {
  return bytes.readBigUInt64LE(record.offset + 16).toString(16);
}

function isZero(bytes: Buffer): boolean {
  return bytes.subarray(0, chunkHeaderSize).every((byte) => byte === 0);
}

function clamp(value: number, low: number, high: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(value, low), high) : low;
}

/** A chunk of the binary log: is it whole, which records does it hold, and where is it damaged. */
import { crc32 } from 'node:zlib';
import type { Decoded, WindowsEvent } from '../../../model/records.js';
import type { RunFound } from '../../read/record-runs.js';
import { decodingOf, eventOf, type DecodingChunk, type RecordPlace } from './record.js';
import { runsOf, type NumberedEvent, type NumberedRecord } from './runs.js';
import { chunkHeaderSize, mostRecords, type ChunkHeader } from './chunk-header.js';
import { walkedOf } from './chunk-walk.js';

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

/** True when the records of a sound chunk are all there, by their checksum or, without one, by their sizes. */
export function isWhole(bytes: Buffer, header: ChunkHeader, checksums: boolean): boolean {
  if (header.kind !== 'sound' || header.free > bytes.length) return false;
  if (checksums) return crc32(bytes.subarray(chunkHeaderSize, header.free)) === bytes.readUInt32LE(52);
  const { records, gaps } = walkedOf(bytes, header);
  return gaps.length === 0 && records.length >= Math.max(1, header.promised);
}

/**
 * First and last ID among the records that a chunk holds, whatever its header claims; undefined when there are none.
 */
export function idsOf(bytes: Buffer, header: ChunkHeader): { first: number; last: number } | undefined {
  const { records } = walkedOf(bytes, header);
  const newest = newestOf(records, header);
  return newest && { first: Math.min(...records.map(({ id }) => id)), last: newest.id };
}

/**
 * The record that tells how far a chunk goes. Behind a sound header records stand in order, so that one with a wild ID
 * does not make itself the last. Without one leftovers of an older chunk may stand behind them: there it is the highest
 * ID that follows, or is followed by, the next to it, so that one that damage made does not hide what comes after.
 */
function newestOf(records: readonly NumberedRecord[], { kind }: ChunkHeader): NumberedRecord | undefined {
  if (kind === 'sound') return records.at(-1);
  const isVouchedFor = ({ id }: NumberedRecord, at: number): boolean =>
    records[at - 1]?.id === id - 1 || records[at + 1]?.id === id + 1;
  const vouchedFor = records.filter(isVouchedFor);
  const candidates = vouchedFor.length > 0 ? vouchedFor : records;
  return candidates.reduce<NumberedRecord | undefined>(
    (highest, each) => (highest === undefined || each.id > highest.id ? each : highest),
    undefined,
  );
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
  const { records, strangers, gaps } = walkedOf(bytes, header);
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
  const newest = newestOf(found, header);
  let decoded: NumberedEvent | undefined;
  for (const record of found) {
    const event = readRecord(chunk, record, wanted, reading);
    if (event) decoded ??= { event, id: record.id };
  }
  // Where they belong they may be read once more: the ledger knows an event by its ID and time. They do not say how far
  // this log has been read.
  for (const record of strangers) if (!whole || inRange(record.id)) readStranger(chunk, record, wanted, reading);
  if (newest) {
    reading.last = newest.id;
    reading.written = writtenAt(bytes, newest);
  }
  const promised = header.kind === 'sound' ? header.promised : 0;
  // A chunk with a bad checksum is damaged somewhere, even where every record can be read.
  const atLeast = reading.damaged > 0 ? 0 : 1;
  reading.missing = whole ? gaps.filter(inRange).length : Math.max(gaps.length, promised - records.length, atLeast);
  const ids = [Math.max(header.first, range.after + 1), Math.min(header.last, range.upTo)] as const;
  const isClaimed = header.kind === 'sound' && header.last - header.first < mostRecords;
  const isExact = (whole && gaps.length === 0) || !isClaimed;
  reading.runs = runsOf(chunk, found, decoded, isExact ? undefined : ids);
  reading.effort = chunk.effort;
  return reading;
}

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

/** A torn record may find a template of another moment: one that does not tell its own ID is not believed. */
function readStranger(
  chunk: DecodingChunk,
  record: NumberedRecord,
  wanted: (eventId: number) => boolean,
  reading: ChunkReading,
): void {
  const alone = { ...reading, decoded: [], damaged: 0 };
  const event = readRecord(chunk, record, wanted, alone);
  if (alone.damaged > 0 || (event && event.recordId !== record.id)) return;
  if (event) reading.decoded.push(event);
  else reading.ignored++;
}

function writtenAt(bytes: Buffer, record: RecordPlace): string {
  return bytes.readBigUInt64LE(record.offset + 16).toString(16);
}

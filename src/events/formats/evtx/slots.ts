/** Reads slots of a binary log and the records in them, with what the pass may still spend. */
import type { Decoded } from '../../../model/records.js';
import type { RunFound } from '../../read/record-runs.js';
import { mostEvents, type ReadableFile } from '../format.js';
import { type ChunkHeader, chunkHeaderSize, chunkSize, headerOf } from './chunk-header.js';
import { recordSignature } from './chunk-walk.js';
import { type ChunkReading, idsOf, isWhole } from './chunk.js';
import type { Memory } from './memory.js';
import { withRuns } from './runs.js';
import { uint64 } from './values.js';

export const fileHeaderSize = 4096;

const flagWithoutChecksums = 4;

/** State of one pass. */
export type Reading = {
  readonly file: ReadableFile;
  readonly memory: Memory;
  readonly wanted: (eventId: number) => boolean;
  /** One chunk; every read goes into it. */
  readonly bytes: Buffer;
  readonly slots: number;
  readonly checksums: boolean;
  readonly limit: number;
  readonly deadline: number;
  readonly found: {
    readonly decoded: Decoded[];
    ignored: number;
    damaged: number;
    runs: RunFound[] | undefined;
  };
  spent: number;
  scans: number;
};

/** A slot as it is now; `bytes` are those of the pass, less what lies behind the end of the file. */
export type Slot = { readonly bytes: Buffer; readonly header: ChunkHeader; readonly whole: boolean };

export function claimedBy({ kind, first }: ChunkHeader): ReturnType<typeof idsOf> {
  return kind === 'sound' ? { first, last: first } : undefined;
}

/** Puts what a chunk gave to the result of the pass. @returns how much damage was counted */
export function enter(reading: Reading, content: ChunkReading, countedBefore: number): number {
  const { found } = reading;
  for (const event of content.decoded) found.decoded.push(event);
  const damaged = content.damaged + Math.max(0, content.missing - countedBefore);
  found.ignored += content.ignored;
  found.damaged += damaged;
  found.runs = withRuns(found.runs, content.runs);
  reading.spent += content.effort + content.decoded.length * 512;
  return damaged;
}

export async function readSlot(reading: Reading, index: number): Promise<Slot> {
  const available = await readAt(reading, index, chunkSize);
  const header = headerOf(reading.bytes, reading.checksums);
  const bytes = reading.bytes.subarray(0, available);
  return { bytes, header, whole: isWhole(bytes, header, reading.checksums) };
}

/** The header of a slot; the head of its first record stands behind it in the buffer. */
export async function readHeader(reading: Reading, index: number): Promise<ChunkHeader> {
  await readAt(reading, index, chunkHeaderSize + recordHeadSize);
  return headerOf(reading.bytes, reading.checksums);
}

/** Whether anything was ever written to a slot. */
export async function hasBegun(reading: Reading, index: number): Promise<boolean> {
  await readAt(reading, index, 4);
  return reading.bytes.readUInt32LE(0) !== 0;
}

/**
 * First and last ID of the records in the slot whose header has just been read. A claim is believed when the first
 * and the last record, at their places, say the same; else the slot is walked.
 */
export async function idsAt(reading: Reading, index: number, header: ChunkHeader): Promise<ReturnType<typeof idsOf>> {
  if (header.kind === 'sound' && isRecordHead(reading.bytes, chunkHeaderSize, header.first)) {
    const { lastAt, free, last } = header;
    if (lastAt >= chunkHeaderSize && lastAt < free) await readAt(reading, index, recordHeadSize, lastAt);
    if (isRecordHead(reading.bytes, 0, last) && lastAt + reading.bytes.readUInt32LE(4) === free) return header;
  }
  const slot = await readSlot(reading, index);
  return idsOf(slot.bytes, slot.header);
}

const recordHeadSize = 24;

function isRecordHead(bytes: Buffer, at: number, id: number): boolean {
  return bytes.readUInt32LE(at) === recordSignature && uint64(bytes, at + 8) === id;
}

/** Fills the buffer from a place in a slot, with zeros where the file ends. @returns the bytes there were */
async function readAt(reading: Reading, index: number, length: number, from = 0): Promise<number> {
  const { file, bytes } = reading;
  const start = fileHeaderSize + index * chunkSize + from;
  let available = 0;
  while (available < length) {
    const { bytesRead } = await file.read(bytes, available, length - available, start + available);
    if (bytesRead === 0) break;
    available += bytesRead;
  }
  bytes.fill(0, available, length);
  reading.spent += length;
  return available;
}

/** The flag is believed only where no unknown flags stand beside it, as they would in damaged bytes. */
export async function hasChecksums(file: ReadableFile, bytes: Buffer): Promise<boolean> {
  const { bytesRead } = await file.read(bytes, 0, 128, 0);
  const flags = bytesRead === 128 ? bytes.readUInt32LE(120) : 0;
  return flags > 7 || (flags & flagWithoutChecksums) === 0;
}

export function isSpent({ found, spent, limit, deadline }: Reading): boolean {
  return spent >= limit || found.decoded.length >= mostEvents || performance.now() >= deadline;
}

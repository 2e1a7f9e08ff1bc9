/**
 * Reads a binary log piece by piece while it is written: every record once, by its ID.
 *
 * A first look scans the headers of all chunks and then walks through those with new records, oldest first. After
 * that only the newest chunk and the slots where the next may appear are looked at, until something does not fit:
 * then all headers are scanned again. The header of the file is not believed: in a live log it is that of the last
 * clean close. What the header of a chunk says of its IDs is a claim: what was read is told by the records alone.
 */
import { crc32 } from 'node:zlib';
import type { Decoded, Position } from '../../../model/model.js';
import type { PassResult, ReadableFile } from '../format.js';
import type { RunFound } from '../../read/record-runs.js';
import { chunkHeaderSize, chunkSize, headerOf, type ChunkHeader } from './chunk-header.js';
import { idsOf, isWhole, readChunk, writtenOf, type ChunkReading, type IdRange } from './chunk.js';
import { addToRuns, emptyMemory, emptyScan, memoryOf, type Memory, type Scan, type Walk } from './memory.js';
import { recordSignature } from './chunk-walk.js';
import { withRuns } from './runs.js';
import { uint64 } from './values.js';

/** How much one pass may do; it ends after the chunk that reaches one of them. */
export type Budget = { readonly bytes: number; readonly ms: number };

/** A chunk that is not whole is taken as it is when it was seen unchanged this many times, one look a pass. */
export const sightingsOfDamage = 3;

/**
 * One pass over an .evtx file.
 *
 * The offset of the position is the size of the file less the bytes of the chunks known to be unread, so that their
 * difference is the lag: it is not a place in the file. What decides is the memory.
 * @throws what reading the file throws
 */
export async function readPass(
  file: ReadableFile,
  position: Position,
  wanted: (eventId: number) => boolean,
  budget: Budget = { bytes: 4 * 1024 * 1024, ms: 20 },
): Promise<PassResult> {
  const { size } = await file.stat();
  const memory = memoryOf(position.memory);
  const bytes = Buffer.allocUnsafeSlow(chunkSize);
  const reading: Reading = {
    file,
    memory,
    wanted,
    bytes,
    slots: Math.max(0, Math.ceil((size - fileHeaderSize) / chunkSize)),
    checksums: await hasChecksums(file, bytes),
    spent: 0,
    limit: budget.bytes,
    deadline: performance.now() + budget.ms,
    scans: 0,
    found: { decoded: [], ignored: 0, damaged: 0, runs: [] },
  };
  let more = reading.slots > 0;
  while (more && !isSpent(reading)) more = await step(reading);
  const { decoded, ignored, damaged, runs } = reading.found;
  const isRead = decoded.length + ignored > 0;
  const barren = { atEnd: isRead ? 0 : damaged, throughout: !isRead };
  const offset = memory.scan ? Math.min(position.offset, size) : Math.max(0, size - unreadBytes(memory));
  const unreadable = damaged > 0 ? { damaged } : {};
  return { decoded, ignored, unreadable, barren, runs, position: { offset, memory }, more };
}

const fileHeaderSize = 4096;
const flagWithoutChecksums = 4;

/** State of one pass. */
type Reading = {
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
type Slot = { readonly bytes: Buffer; readonly header: ChunkHeader; readonly whole: boolean };

/** Does the next thing. @returns false when all that can be read now has been read */
function step(reading: Reading): Promise<boolean> {
  const { scan, walk, tip } = reading.memory;
  if (scan) return scanOn(reading, scan);
  if (walk) return walkOn(reading, walk);
  if (tip < 0 || tip >= reading.slots) return Promise.resolve(startScan(reading));
  return followTip(reading, tip);
}

// ------------------------------------------------------------------------------------------------------ scan

/** One scan a pass: should a damaged file ask for another at once, it waits for the next poll. */
function startScan(reading: Reading): boolean {
  reading.memory.scan = emptyScan();
  return reading.scans++ === 0;
}

async function scanOn(reading: Reading, scan: Scan): Promise<boolean> {
  while (scan.slot < reading.slots) {
    if (!(await scanSlot(reading, scan))) return forgetLog(reading);
    scan.slot++;
    if (isSpent(reading)) return true;
  }
  const { memory } = reading;
  // A cleared log starts to number again. While a chunk cannot be read, the highest ID may be in that one.
  if (scan.top < memory.highest && !scan.unsure) return forgetLog(reading);
  memory.scan = undefined;
  memory.used = scan.used;
  memory.seal = undefined;
  const runs = scan.runs.sort((a, b) => a[2] - b[2]);
  if (runs.length === 0) {
    memory.tip = scan.tip;
    memory.left = undefined;
    return false;
  }
  const { highest, written } = memory;
  memory.walk = { after: highest, upTo: scan.top, runs, reached: highest, written, tip: scan.tip };
  return true;
}

/** @returns false when the record that was the newest is now another one: the log is a new one */
async function scanSlot(reading: Reading, scan: Scan): Promise<boolean> {
  const { memory } = reading;
  const header = await readHeader(reading, scan.slot);
  if (header.kind === 'empty') return true;
  scan.used = scan.slot + 1;
  const ids = await idsAt(reading, scan.slot, header);
  scan.unsure ||= header.kind === 'broken' || ids === undefined;
  if (ids === undefined) {
    if (header.kind === 'sound') addClaimed(scan, memory, header.first);
    return true;
  }
  if (header.kind === 'sound' && ids.first <= memory.highest && ids.last >= memory.highest) {
    if (isOtherLog(memory, await readSlot(reading, scan.slot))) return false;
  }
  if (ids.last > scan.top) {
    scan.top = ids.last;
    scan.tip = scan.slot;
  }
  if (ids.last > memory.highest) addToRuns(scan.runs, scan.slot, ids.first, ids.last);
  return true;
}

/** A torn chunk, without a record that its header claims: it is read once, in the place that the claim gives it. */
function addClaimed(scan: Scan, memory: Memory, first: number): void {
  if (scan.tip < 0) scan.tip = scan.slot;
  if (first > memory.highest) addToRuns(scan.runs, scan.slot, first, first);
}

/** Begins at the beginning of a new log that took the place of the one read before. */
function forgetLog(reading: Reading): boolean {
  Object.assign(reading.memory, { ...emptyMemory(), scan: emptyScan(), walk: undefined, left: undefined });
  reading.memory.salvaged = undefined;
  return true;
}

function isOtherLog(memory: Memory, slot: Slot): boolean {
  if (!slot.whole || memory.written === '') return false;
  return (writtenOf(slot.bytes, slot.header, memory.highest) ?? memory.written) !== memory.written;
}

// ------------------------------------------------------------------------------------------------------ walk

async function walkOn(reading: Reading, walk: Walk): Promise<boolean> {
  const { memory } = reading;
  for (let run = walk.runs[0]; run !== undefined; run = walk.runs[0]) {
    await walkSlot(reading, walk, run[0]++);
    if (run[0] > run[1] || run[0] >= reading.slots) walk.runs.shift();
    if (isSpent(reading)) return true;
  }
  memory.highest = walk.reached;
  memory.written = walk.written;
  memory.tip = walk.tip;
  memory.walk = undefined;
  return memory.left === undefined; // else go on at the tip: records may have come meanwhile
}

async function walkSlot(reading: Reading, walk: Walk, index: number): Promise<void> {
  const slot = await readSlot(reading, index);
  const ids = idsOf(slot.bytes, slot.header) ?? claimedBy(slot.header);
  if (slot.header.kind === 'empty' || ids === undefined || ids.last <= walk.after) return;
  const newest = index === walk.tip || ids.last >= walk.upTo;
  if (!newest && ids.first > walk.upTo) return;
  if (newest) walk.tip = index;
  // Only the newest chunk can be half written; any other that is not whole will not become so.
  if (!slot.whole && newest) {
    const salvaged = salvageOrLeave(reading, index, slot, walk);
    if (salvaged) reach(walk, salvaged.last, salvaged.written);
    return;
  }
  if (reading.memory.left?.slot === index) reading.memory.left = undefined;
  const content = readChunk(slot.bytes, slot.header, slot.whole, walk, reading.wanted);
  enter(reading, content, slot.whole ? 0 : countedBefore(reading.memory, index, slot.header));
  reach(walk, content.last, content.written);
}

function claimedBy({ kind, first }: ChunkHeader): ReturnType<typeof idsOf> {
  return kind === 'sound' ? { first, last: first } : undefined;
}

function reach(walk: Walk, last: number, written: string): void {
  if (last <= walk.reached) return;
  walk.reached = last;
  walk.written = written;
}

// ------------------------------------------------------------------------------------------------------- tip

/** Looks at the newest chunk, and where the next one may have appeared. */
async function followTip(reading: Reading, tip: number): Promise<boolean> {
  const { memory } = reading;
  const header = await readHeader(reading, tip);
  const known = memory.seal === header.seal && header.kind === 'sound';
  if (!known) {
    const outcome = await readTip(reading, tip);
    if (outcome === 'misfit') return startScan(reading);
    if (outcome === 'left') return false;
  }
  for (const candidate of new Set([tip + 1, 0, memory.used])) {
    if (candidate === tip || candidate >= reading.slots) continue;
    const next = await readHeader(reading, candidate);
    if (next.kind === 'empty') continue;
    const ids = await idsAt(reading, candidate, next);
    const { first, last } = ids ?? claimedBy(next) ?? { first: -1, last: -1 };
    if (last <= memory.highest) continue;
    if (first !== memory.highest + 1) {
      if (ids === undefined) continue;
      return startScan(reading);
    }
    memory.tip = candidate;
    memory.used = Math.max(memory.used, candidate + 1);
    memory.seal = undefined;
    return true;
  }
  return false;
}

/** Reads what is new in the newest chunk. `misfit`: that is not the chunk that was the newest. */
async function readTip(reading: Reading, tip: number): Promise<'read' | 'left' | 'misfit'> {
  const { memory } = reading;
  const slot = await readSlot(reading, tip);
  const { bytes, header } = slot;
  const range = { after: memory.highest, upTo: Number.MAX_SAFE_INTEGER };
  if (header.kind === 'empty') return 'misfit';
  if (!slot.whole) {
    const salvaged = salvageOrLeave(reading, tip, slot, range);
    if (salvaged && salvaged.last > memory.highest) {
      memory.highest = salvaged.last;
      memory.written = salvaged.written;
    }
    return memory.left ? 'left' : 'read';
  }
  memory.left = undefined;
  const ids = idsOf(bytes, header);
  const follows = ids && ids.first <= memory.highest + 1 && ids.last >= memory.highest;
  if (!follows || isOtherLog(memory, slot)) return 'misfit';
  const content = readChunk(bytes, header, true, range, reading.wanted);
  enter(reading, content, 0);
  if (content.last > memory.highest) {
    memory.written = content.written;
    memory.highest = content.last;
  }
  memory.seal = header.seal;
  return 'read';
}

// ---------------------------------------------------------------------------------------------------- damage

/**
 * The newest chunk is not whole. As long as it changes somebody is writing it, and it is left for the next poll.
 * One that stays as it is was cut off or damaged: what is left of it is read, and the loss counted once.
 * @returns what was read of it, or undefined when nothing was
 */
function salvageOrLeave(reading: Reading, index: number, slot: Slot, range: IdRange): ChunkReading | undefined {
  const { memory } = reading;
  const print = crc32(slot.bytes);
  memory.seal = undefined;
  if (memory.salvaged?.slot === index && memory.salvaged.print === print) {
    memory.left = undefined;
    return undefined;
  }
  const before = memory.left?.slot === index && memory.left.print === print ? memory.left.sightings : 0;
  if (before + 1 < sightingsOfDamage) {
    memory.left = { slot: index, print, sightings: before + 1 };
    return undefined;
  }
  const content = readChunk(slot.bytes, slot.header, false, range, reading.wanted);
  const counted = countedBefore(memory, index, slot.header);
  const damaged = enter(reading, content, counted);
  memory.salvaged = { slot: index, print, first: slot.header.first, damaged: counted + damaged };
  memory.left = undefined;
  return content;
}

/** Damage of the same chunk that has been counted already. */
function countedBefore(memory: Memory, index: number, header: ChunkHeader): number {
  const { salvaged } = memory;
  return salvaged?.slot === index && salvaged.first === header.first ? salvaged.damaged : 0;
}

/** Puts what a chunk gave to the result of the pass. @returns how much damage was counted */
function enter(reading: Reading, content: ChunkReading, countedBefore: number): number {
  const { found } = reading;
  for (const event of content.decoded) found.decoded.push(event);
  const damaged = content.damaged + Math.max(0, content.missing - countedBefore);
  found.ignored += content.ignored;
  found.damaged += damaged;
  found.runs = withRuns(found.runs, content.runs);
  reading.spent += content.effort + content.decoded.length * 512;
  return damaged;
}

// --------------------------------------------------------------------------------------------------- reading

async function readSlot(reading: Reading, index: number): Promise<Slot> {
  const available = await readAt(reading, index, chunkSize);
  const header = headerOf(reading.bytes, reading.checksums);
  const bytes = reading.bytes.subarray(0, available);
  return { bytes, header, whole: isWhole(bytes, header, reading.checksums) };
}

/** The header of a slot; the head of its first record stands behind it in the buffer. */
async function readHeader(reading: Reading, index: number): Promise<ChunkHeader> {
  await readAt(reading, index, chunkHeaderSize + recordHeadSize);
  return headerOf(reading.bytes, reading.checksums);
}

/**
 * First and last ID of the records in the slot whose header has just been read. A claim is believed when the first
 * and the last record, at their places, say the same; else the slot is walked.
 */
async function idsAt(reading: Reading, index: number, header: ChunkHeader): Promise<ReturnType<typeof idsOf>> {
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
async function hasChecksums(file: ReadableFile, bytes: Buffer): Promise<boolean> {
  const { bytesRead } = await file.read(bytes, 0, 128, 0);
  const flags = bytesRead === 128 ? bytes.readUInt32LE(120) : 0;
  return flags > 7 || (flags & flagWithoutChecksums) === 0;
}

function isSpent(reading: Reading): boolean {
  return reading.spent >= reading.limit || performance.now() >= reading.deadline;
}

function unreadBytes(memory: Memory): number {
  const chunks = memory.walk?.runs.reduce((sum, [from, to]) => sum + to - from + 1, 0) ?? 0;
  return (chunks + (memory.left ? 1 : 0)) * chunkSize;
}

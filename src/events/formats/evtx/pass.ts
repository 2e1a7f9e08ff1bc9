/**
 * Reads a binary log piece by piece while it is written: every record once, by its ID.
 *
 * A first look scans the headers of all chunks and then walks through those with new records, oldest first. After
 * that only the newest chunk and the slots where the next may appear are looked at, until something does not fit:
 * then all headers are scanned again. The header of the file is not believed: in a live log it is that of the last
 * clean close. What the header of a chunk says of its IDs is a claim: what was read is told by the records alone.
 */
import type { Position } from '../../../model/batch.js';
import type { PassResult, ReadableFile } from '../format.js';
import { chunkSize } from './chunk-header.js';
import { idsOf, readChunk } from './chunk.js';
import { type Memory, memoryOf, type Walk } from './memory.js';
import { scanOn, startScan } from './scan.js';
import { claimedBy, enter, fileHeaderSize, hasChecksums, isSpent, type Reading, readSlot } from './slots.js';
import { countedBefore, followTip, reach, salvageOrLeave } from './tip.js';

/** How much one pass may do; it ends after the chunk that reaches one of them. */
export type Budget = { readonly bytes: number; readonly ms: number };

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

/** Does the next thing. @returns false when all that can be read now has been read */
function step(reading: Reading): Promise<boolean> {
  const { scan, walk, tip } = reading.memory;
  if (scan) return scanOn(reading, scan);
  if (walk) return walkOn(reading, walk);
  if (tip < 0 || tip >= reading.slots) return Promise.resolve(startScan(reading));
  return followTip(reading, tip);
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

function unreadBytes(memory: Memory): number {
  const chunks = memory.walk?.runs.reduce((sum, [from, to]) => sum + to - from + 1, 0) ?? 0;
  return (chunks + (memory.left ? 1 : 0)) * chunkSize;
}

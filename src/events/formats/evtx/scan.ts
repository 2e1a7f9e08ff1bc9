/** Reads the headers of all chunks of a binary log, and finds those with unread records. */
import { writtenOf } from './chunk.js';
import { addToRuns, emptyMemory, emptyScan, type Memory, type Scan } from './memory.js';
import { idsAt, isSpent, readHeader, type Reading, readSlot, type Slot } from './slots.js';

/** One scan a pass: should a damaged file ask for another at once, it waits for the next poll. */
export function startScan(reading: Reading): boolean {
  reading.memory.scan = emptyScan();
  return reading.scans++ === 0;
}

export async function scanOn(reading: Reading, scan: Scan): Promise<boolean> {
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

export function isOtherLog(memory: Memory, slot: Slot): boolean {
  if (!slot.whole || memory.written === '') return false;
  return (writtenOf(slot.bytes, slot.header, memory.highest) ?? memory.written) !== memory.written;
}

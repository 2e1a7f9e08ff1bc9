/** Follows the newest chunk of a binary log while it is being written. */
import { crc32 } from 'node:zlib';
import type { ChunkHeader } from './chunk-header.js';
import { type ChunkReading, type IdRange, idsOf, readChunk } from './chunk.js';
import type { Memory, Walk } from './memory.js';
import { isOtherLog, startScan } from './scan.js';
import { claimedBy, enter, hasBegun, idsAt, readHeader, type Reading, readSlot, type Slot } from './slots.js';

/** A chunk that is not whole is taken as it is when it was seen unchanged this many times, one look a pass. */
export const sightingsOfDamage = 3;

export function reach(walk: Walk, last: number, written: string): void {
  if (last <= walk.reached) return;
  walk.reached = last;
  walk.written = written;
}

/** Looks at the newest chunk, and where the next one may have appeared. */
export async function followTip(reading: Reading, tip: number): Promise<boolean> {
  const { memory } = reading;
  const header = await readHeader(reading, tip);
  const known = memory.seal === header.seal && header.kind === 'sound';
  if (!known) {
    const outcome = await readTip(reading, tip);
    if (outcome === 'misfit') return startScan(reading);
    if (outcome === 'left') return false;
  }
  for (const candidate of await placesOfNext(reading, tip)) {
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

/** Of chunks that a damaged header makes look empty so many are passed over. */
const mostLookedOver = 8;

/** Where the next chunk may be: behind the newest, behind others that only look empty, or at the end of a file that is copied. */
async function placesOfNext(reading: Reading, tip: number): Promise<ReadonlySet<number>> {
  const { memory, slots } = reading;
  const places = new Set([tip + 1, 0, memory.used]);
  for (let at = memory.used; at < Math.min(slots, memory.used + mostLookedOver); at++) {
    if (!(await hasBegun(reading, at))) break;
    places.add(at + 1);
  }
  return slots - 1 > memory.used ? places.add(slots - 1) : places;
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

/**
 * The newest chunk is not whole. As long as it changes somebody is writing it, and it is left for the next poll.
 * One that stays as it is was cut off or damaged: what is left of it is read, and the loss counted once.
 * @returns what was read of it, or undefined when nothing was
 */
export function salvageOrLeave(reading: Reading, index: number, slot: Slot, range: IdRange): ChunkReading | undefined {
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
export function countedBefore(memory: Memory, index: number, header: ChunkHeader): number {
  const { salvaged } = memory;
  return salvaged?.slot === index && salvaged.first === header.first ? salvaged.damaged : 0;
}

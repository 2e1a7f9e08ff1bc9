/**
 * Texts that come again and again in a log (names of providers, channels, computers, connectors), made once: a text that
 * is known is not decoded again, and a pass leaves less behind for the collector of garbage, which was a third of its time.
 */
import { standsAt } from './bytes.js';

/** Slots of the memory: what it holds is bounded by them and by the length of a text. */
const slots = 4096;
const longestBytes = 96;

type Make = (bytes: Buffer, start: number, end: number) => string;

/** The text of the bytes between `start` and `end`; `hash` is over these bytes, for the caller looks at each of them anyway. */
export type CommonTexts = (bytes: Buffer, start: number, end: number, hash: number) => string;

/** @param make the text of such bytes, which depends on nothing but them */
export function createCommonTexts(make: Make): CommonTexts {
  // One room for all: a small buffer of its own would hold on to the 8 KiB that Node cuts such buffers from.
  const room = Buffer.alloc(slots * longestBytes);
  const bytesBySlot = new Array<Buffer | undefined>(slots);
  const textBySlot = new Array<string>(slots).fill('');
  /** Hash of the latest text of each slot that was not known: a text is kept when it comes a second time. */
  const strangers = new Int32Array(slots);
  return (bytes, start, end, hash) => {
    // The lower bits say most of the last bytes: names differ in the middle too.
    const slot = (hash ^ (hash >>> 15)) & (slots - 1);
    const known = bytesBySlot[slot];
    if (known?.length === end - start && standsAt(bytes, start, known)) return textBySlot[slot] ?? '';
    const text = make(bytes, start, end);
    if (strangers[slot] === hash && end - start <= longestBytes) {
      const at = slot * longestBytes;
      bytesBySlot[slot] = room.subarray(at, at + bytes.copy(room, at, start, end));
      textBySlot[slot] = text;
    }
    strangers[slot] = hash;
    return text;
  };
}

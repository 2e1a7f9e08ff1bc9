/**
 * Texts that come again and again in a log (names of providers, channels, computers, connectors), made once: a text that
 * is known is not decoded again, and a pass leaves less behind for the collector of garbage, which was a third of its time.
 */
import { standsAt } from './bytes.js';

/** Slots of the memory: what it holds is bounded by them and by the length of a text. */
const slots = 1024;
const longestBytes = 96;

const bytesBySlot = new Array<Buffer | undefined>(slots);
const textBySlot = new Array<string>(slots).fill('');
/** Hash of the latest text of each slot that was not known: a text is kept when it comes a second time. */
const strangers = new Int32Array(slots);

/**
 * The text that `make` gives for the bytes between `start` and `end`.
 * @param hash over these bytes, computed by the caller, who looks at each of them anyway
 * @param make depends on nothing but the bytes
 */
export function commonText(
  bytes: Buffer,
  start: number,
  end: number,
  hash: number,
  make: (bytes: Buffer, start: number, end: number) => string,
): string {
  const slot = hash & (slots - 1);
  const known = bytesBySlot[slot];
  if (known?.length === end - start && standsAt(bytes, start, known)) return textBySlot[slot] ?? '';
  const text = make(bytes, start, end);
  if (strangers[slot] === hash && end - start <= longestBytes) {
    bytesBySlot[slot] = Buffer.from(bytes.subarray(start, end));
    textBySlot[slot] = text;
  }
  strangers[slot] = hash;
  return text;
}

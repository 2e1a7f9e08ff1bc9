/** Where a record begins and ends without the blanks and separators around it. */
import type { TextFormat } from '../formats/format.js';
import { maxRecordBytes } from './text.js';

const space = 0x20;

/** Blanks before a record, and the comma or bracket before an element of a JSON array, are not part of it. */
export function startOfRecord(bytes: Buffer, start: number, end: number, framing: TextFormat['framing']): number {
  let at = framing === 'json' ? bytes.indexOf('{', start) : start;
  while (at < end && (bytes[at] ?? 0) <= space) at++;
  return at;
}

export function trimBlanks(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && (bytes[at - 1] ?? 0) <= space) at--;
  return at;
}

const eventStarts = [Buffer.from('<Event '), Buffer.from('<Event>')];

/** Where the last event begins that may still be read, behind what is too long for one; -1 when none does, or in other framings. */
export function eventBehind(bytes: Buffer, from: number, end: number, framing: TextFormat['framing']): number {
  if (framing !== 'xml') return -1;
  const least = Math.max(from, end - maxRecordBytes);
  const part = bytes.subarray(least, end);
  const at = Math.max(...eventStarts.map((start) => part.lastIndexOf(start)));
  return at < 0 ? -1 : least + at;
}

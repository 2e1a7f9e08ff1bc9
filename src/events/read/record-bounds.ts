/** Where a record begins and ends without the blanks and separators around it. */
import type { TextFormat } from '../formats/format.js';

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

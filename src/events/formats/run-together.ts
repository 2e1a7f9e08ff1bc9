/** Several objects on one line, with nothing, commas or carriage returns between them (Fluent Bit's `json_stream`). */
import { findEndFor } from '../read/text.js';
import type { TextFormat } from './format.js';
import { formats } from './formats.js';

const endOfObject = findEndFor('json');

/** The format as it is framed here: its twin for documents, when a second object begins on the line on which the first one ends. */
export function framedAsWritten(format: TextFormat, bytes: Buffer, from: number): TextFormat {
  if (format.framing !== 'lines' || !isObjectAt(bytes, from)) return format;
  const end = endOfObject(bytes, from);
  if (end < 0 || !isObjectAt(bytes, end)) return format;
  const twin = formats.find(({ name }) => name === `${format.name}-document`);
  return twin?.kind === 'text' ? twin : format;
}

/** Whether an object begins there, on the same line: a carriage return alone ends none. */
function isObjectAt(bytes: Buffer, from: number): boolean {
  let at = from;
  while (between.includes(bytes[at] ?? 0)) at++;
  return bytes[at] === openBrace;
}

/** Tab, carriage return, blank and comma. */
const between = [9, 0x0d, 32, 0x2c];
const openBrace = 0x7b;

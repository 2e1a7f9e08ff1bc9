/**
 * Whether bytes are JSON, without making anything of them. `JSON.parse` says no by an error, which costs as much as ten short
 * records, and garbage comes in millions.
 */
import { standsAt } from './bytes.js';
import { withoutStack } from './unreadable.js';

/** Of a longer record the error is no more the greater part of the work. */
const mostBytes = 1_024;

/** The closing brackets that are waited for. */
const open = new Uint8Array(mostBytes);

/** True for what `JSON.parse` would refuse (as text of UTF-8, whatever is no UTF-8 being a character); only short texts are looked at. */
export function isBrokenJson(bytes: Buffer, start: number, end: number): boolean {
  return end - start <= mostBytes && !isJson(bytes, start, end);
}

/** The same of a string. */
export function isBrokenJsonText(text: string): boolean {
  if (text.length > mostBytes) return false;
  const bytes = Buffer.from(text);
  return isBrokenJson(bytes, 0, bytes.length);
}

/** Whether it is a text of JSON, however long. */
export function isWholeJson(text: string): boolean {
  if (isBrokenJsonText(text)) return false;
  if (text.length <= mostBytes / 3) return true;
  try {
    withoutStack(() => JSON.parse(text) as unknown);
    return true;
  } catch {
    return false;
  }
}

function isJson(bytes: Buffer, start: number, end: number): boolean {
  let depth = 0;
  for (let at = behindBlanks(bytes, start, end); at >= 0 && at < end;) {
    const first = bytes[at] ?? 0;
    if (first === openBrace || first === openBracket) {
      const closing = first + 2;
      at = behindBlanks(bytes, at + 1, end);
      if (at >= end) return false;
      if (bytes[at] !== closing) {
        open[depth++] = closing;
        if (closing === closeBrace) at = behindKey(bytes, at, end);
        continue;
      }
      at++;
    } else at = behindScalar(bytes, at, end);
    // A value has ended, and perhaps what holds it.
    if (at < 0) return false;
    at = behindBlanks(bytes, at, end);
    while (depth > 0 && at < end && bytes[at] === open[depth - 1]) {
      depth--;
      at = behindBlanks(bytes, at + 1, end);
    }
    if (depth === 0) return at === end;
    if (at >= end || bytes[at] !== comma) return false;
    at = behindBlanks(bytes, at + 1, end);
    if (open[depth - 1] === closeBrace) at = behindKey(bytes, at, end);
  }
  return false;
}

const [quote, plus, comma, minus, dot, slash, zero, colon] = [0x22, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x3a];
const [openBracket, backslash, openBrace, closeBrace, letterE, letterU] = [0x5b, 0x5c, 0x7b, 0x7d, 0x65, 0x75];
/** What may stand behind a backslash, without `u`. */
const escapes = new Set(Buffer.from(String.raw`"\/bfnrt`));
const words = ['true', 'false', 'null'].map((word) => Buffer.from(word));

function behindBlanks(bytes: Buffer, from: number, end: number): number {
  let at = from;
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) break;
  }
  return at;
}

/** The place of the value of the member whose key stands at `at`; -1 when there is none. So do all below. */
function behindKey(bytes: Buffer, at: number, end: number): number {
  if (at >= end || bytes[at] !== quote) return -1;
  const key = behindString(bytes, at, end);
  if (key < 0) return -1;
  const next = behindBlanks(bytes, key, end);
  return next < end && bytes[next] === colon ? behindBlanks(bytes, next + 1, end) : -1;
}

function behindScalar(bytes: Buffer, at: number, end: number): number {
  if (bytes[at] === quote) return behindString(bytes, at, end);
  for (const word of words) if (standsAt(bytes, at, word)) return at + word.length <= end ? at + word.length : -1;
  return behindNumber(bytes, at, end);
}

function behindString(bytes: Buffer, from: number, end: number): number {
  for (let at = from + 1; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === quote) return at + 1;
    if (byte < 32) return -1;
    if (byte !== backslash) continue;
    const escaped = bytes[++at] ?? 0;
    if (at >= end) return -1;
    if (escaped === letterU) {
      for (let digit = 0; digit < 4; digit++) if (++at >= end || !isHex(bytes[at] ?? 0)) return -1;
    } else if (!escapes.has(escaped)) return -1;
  }
  return -1;
}

function behindNumber(bytes: Buffer, from: number, end: number): number {
  const first = bytes[from] === minus ? from + 1 : from;
  let at = bytes[first] === zero && first < end ? first + 1 : behindDigits(bytes, first, end);
  if (at >= 0 && at < end && bytes[at] === dot) at = behindDigits(bytes, at + 1, end);
  if (at >= 0 && at < end && ((bytes[at] ?? 0) | 0x20) === letterE) {
    const sign = bytes[at + 1];
    at = behindDigits(bytes, sign === plus || sign === minus ? at + 2 : at + 1, end);
  }
  return at;
}

function behindDigits(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && isDigit(bytes[at] ?? 0)) at++;
  return at > from ? at : -1;
}

function isDigit(byte: number): boolean {
  return byte > slash && byte < colon;
}

function isHex(byte: number): boolean {
  return isDigit(byte) || ((byte | 0x20) > 0x60 && (byte | 0x20) < 0x67);
}

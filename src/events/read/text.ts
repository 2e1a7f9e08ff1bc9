/** Encodings and framing: where whole records begin and end in bytes that may break off anywhere. */

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** Longest record that is decoded, in bytes of UTF-8; Windows cuts event strings at 31,000 characters. */
export const maxRecordBytes = 1024 * 1024;

/**
 * The encoding of a file by its first bytes.
 * Without a byte order mark UTF-16 shows by NUL bytes beside ASCII: every export begins with `<`, `{` or `[`.
 */
export function encodingOf(head: Buffer): { readonly encoding: Encoding; readonly markLength: number } {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', markLength: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', markLength: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', markLength: 2 };
  if (isAsciiBesideNul(head, 0, 1)) return { encoding: 'utf-16le', markLength: 0 };
  if (isAsciiBesideNul(head, 1, 0)) return { encoding: 'utf-16be', markLength: 0 };
  return { encoding: 'utf-8', markLength: 0 };
}

/** Whole code units of UTF-16 as UTF-8 bytes; a surrogate pair cut in two stays unread. */
export function utf8Of(raw: Buffer, encoding: Encoding): Buffer {
  if (encoding === 'utf-8') return raw;
  const even = raw.subarray(0, raw.length - (raw.length % 2));
  const little = encoding === 'utf-16le' ? even : Buffer.from(even).swap16();
  const cut = isHighSurrogate(little, little.length - 2) ? little.length - 2 : little.length;
  return Buffer.from(little.toString('utf16le', 0, cut), 'utf8');
}

/**
 * How many bytes of the file `length` bytes of its UTF-8 form stand for.
 * A lone surrogate became U+FFFD, one code unit for one, so counting code units is exact.
 */
export function rawLength(utf8: Buffer, length: number, encoding: Encoding): number {
  return encoding === 'utf-8' ? length : utf8.toString('utf8', 0, length).length * 2;
}

/**
 * Finds the end of the first record at or after `from`: the index after its last byte, or -1 when it is not whole.
 * Bytes between records (line ends, commas and brackets of a JSON array) belong to the record that follows them.
 */
export type FindEnd = (bytes: Buffer, from: number) => number;

/** How the records of a text follow one another. */
export type Framing = 'lines' | 'xml' | 'json';

const findEnds: Record<Framing, FindEnd> = { lines: endOfLine, xml: endOfEvent, json: endOfObject };

export function findEndFor(framing: Framing): FindEnd {
  return findEnds[framing];
}

/**
 * Is what is left at the end of a file a whole record that lacks only its line end, or nothing but the end of a
 * document? A prefix of a JSON object is never a JSON object, so a torn write cannot be taken for a record.
 */
export function restKind(rest: string, framing: Framing): 'record' | 'nothing' | 'half' {
  const text = rest.trim();
  if (text === '' || text === '\0') return 'nothing';
  if (framing === 'xml') return /^<\/Events>$/.test(text) ? 'nothing' : 'half';
  if (framing === 'json') return /^[\],\s]+$/.test(text) ? 'nothing' : 'half';
  return text.startsWith('{') && text.endsWith('}') && isJson(text) ? 'record' : 'half';
}

/**
 * Why the end of a file waits for more than the rest of a record. `nul`: a crash, or space that is only reserved;
 * `returns`: no line feed ends its lines; `long`: a record longer than any is read.
 */
export type WaitingRest = 'nul' | 'returns' | 'long';

/** @param rest half a record, by `restKind` */
export function waitingRest(rest: string, framing: Framing): WaitingRest | undefined {
  if (rest.endsWith('\0'.repeat(8))) return 'nul';
  return framing === 'lines' && hasBareReturns(rest) ? 'returns' : undefined;
}

/** Lines that end in a carriage return alone, as the first Macs wrote them: more than one, and no line feed. UTF-16 as bytes has both too. */
export function hasBareReturns(text: string | Buffer): boolean {
  if (text.includes('\n')) return false;
  const first = text.indexOf('\r');
  return first >= 0 && first < text.length - 1 && text.includes('\r', first + 1);
}

/** Where a record that is too long may end; found again in every pass while it is being skipped. */
export function findSkipEnd(bytes: Buffer, framing: Framing): number {
  if (framing === 'xml') return endOfEvent(bytes, 0);
  const line = endOfLine(bytes, 0);
  const nul = bytes.indexOf(0);
  return nul < 0 || (line >= 0 && line < nul) ? line : endOfNuls(bytes, nul);
}

/** NUL bytes are what a crash left of the record before: the next begins behind them. */
function endOfNuls(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] === 0) at++;
  return at < bytes.length ? at : -1;
}

const lineFeed = 0x0a;
const eventEnd = Buffer.from('</Event>');

function endOfLine(bytes: Buffer, from: number): number {
  return bytes.indexOf(lineFeed, from) + 1 || -1;
}

function endOfEvent(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(eventEnd, from);
  return at < 0 ? -1 : at + eventEnd.length;
}

const [quote, backslash, openBrace, closeBrace] = [0x22, 0x5c, 0x7b, 0x7d];

/** The matching brace of the next object; strings are jumped over, so braces inside them do not count. */
function endOfObject(bytes: Buffer, from: number): number {
  const open = bytes.indexOf(openBrace, from);
  if (open < 0) return -1;
  let depth = 0;
  for (let at = open; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      at = closingQuote(bytes, at);
      if (at < 0) return -1;
    } else if (byte === openBrace) depth++;
    else if (byte === closeBrace && --depth === 0) return at + 1;
  }
  return -1;
}

function closingQuote(bytes: Buffer, open: number): number {
  for (let at = bytes.indexOf(quote, open + 1); at >= 0; at = bytes.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (bytes[at - 1 - slashes] === backslash) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}

function isAsciiBesideNul(head: Buffer, ascii: number, nul: number): boolean {
  const pairs = Math.min(head.length >> 1, 8);
  for (let pair = 0; pair < pairs; pair++) {
    if (head[pair * 2 + nul] !== 0 || !head[pair * 2 + ascii]) return false;
  }
  return pairs >= 2;
}

function isHighSurrogate(little: Buffer, at: number): boolean {
  return at >= 0 && ((little[at + 1] ?? 0) & 0xfc) === 0xd8;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Finds the log records in a JSON request of OTLP without parsing those that do not matter. */
import { UnreadableRecord } from '../decode/unreadable.js';
import { objectOf, isObject } from '../decode/json-fields.js';
import { textOf } from '../decode/event-fields.js';
import { plainValueOf } from '../formats/otel.js';
import { expectUtf8, isCutJson, type LogRecord, type RecordSpan } from './log-record.js';

/** Keys on the way to the records; the second name of the middle one is that before OTLP 0.16. */
const way: readonly (readonly string[])[] = [
  ['resourceLogs'],
  ['scopeLogs', 'instrumentationLibraryLogs'],
  ['logRecords'],
];

type Scan = { readonly bytes: Buffer; at: number };

/** A place where the search can be laid down. */
type Spans = Generator<JsonSpan | undefined, void, void>;

/** Where a record stands, and how many values it holds at most: what is built of it is bounded by them. */
type JsonSpan = RecordSpan & { readonly values: number };

/**
 * Where each record stands, in their order, and undefined now and then within what is long.
 * @throws UnreadableRecord `not_json`, `wrong_shape`, from where it is none
 */
export function* recordsOfJson(bytes: Buffer): Spans {
  const scan: Scan = { bytes, at: hasMark(bytes) ? mark.length : 0 };
  skipBlanks(scan);
  yield* recordsBelow(scan, 0);
  skipBlanks(scan);
  if (scan.at < bytes.length) throw notJson(scan, 'the end');
}

/** The object at the cursor, `depth` steps down the way. */
function* recordsBelow(scan: Scan, depth: number): Spans {
  const wanted = way[depth];
  if (wanted === undefined) {
    const start = scan.at;
    if (scan.bytes[start] !== openBrace) throw notJson(scan, 'a log record');
    const values = yield* skipValue(scan);
    yield { start, end: scan.at, values };
    return;
  }
  expect(scan, openBrace, 'an object');
  for (let first = true; !isOver(scan, closeBrace, first); first = false) {
    const key = keyAt(scan);
    skipBlanks(scan);
    expect(scan, colon, 'a colon');
    skipBlanks(scan);
    if (wanted.includes(key) && scan.bytes[scan.at] === openBracket) yield* recordsIn(scan, depth + 1);
    else if (wanted.includes(key) && scan.bytes[scan.at] !== letterN)
      throw new UnreadableRecord('wrong_shape', `expected an array at "${key}"`);
    else yield* skipValue(scan);
  }
}

/** The array at the cursor. */
function* recordsIn(scan: Scan, depth: number): Spans {
  scan.at++;
  for (let first = true; !isOver(scan, closeBracket, first); first = false) yield* recordsBelow(scan, depth);
}

/** Steps to the next member or item. @returns true behind the closing bracket */
function isOver(scan: Scan, closing: number, first: boolean): boolean {
  skipBlanks(scan);
  if (scan.bytes[scan.at] === closing) {
    scan.at++;
    return true;
  }
  if (first) return false;
  expect(scan, comma, 'a comma');
  skipBlanks(scan);
  return false;
}

function expect(scan: Scan, byte: number, what: string): void {
  if (scan.bytes[scan.at] !== byte) throw notJson(scan, what);
  scan.at++;
}

/** A byte order mark, which .NET writes. */
const mark = Buffer.from([0xef, 0xbb, 0xbf]);

function hasMark(bytes: Buffer): boolean {
  return bytes.subarray(0, mark.length).equals(mark);
}

/** No key on the way has an escape in it. */
function keyAt(scan: Scan): string {
  const start = scan.at;
  if (scan.bytes[start] !== quote) throw notJson(scan, 'a key');
  skipString(scan);
  const length = scan.at - start - 2;
  return length > longestKey ? '' : scan.bytes.toString('latin1', start + 1, scan.at - 1);
}

const longestKey = 64;

/** How a value is being stepped over: brackets are counted, so that depth costs nothing. */
type Skip = { readonly start: number; depth: number; values: number };

/** So many bytes are searched in one go. */
const stretch = 64 * 1024;

/** Steps over any value. @returns how many values it holds at most */
function* skipValue(scan: Scan): Generator<undefined, number, void> {
  const skip: Skip = { start: scan.at, depth: 0, values: 1 };
  while (!skipStretch(scan, skip)) yield undefined;
  return skip.values;
}

/** @returns true at its end */
function skipStretch(scan: Scan, skip: Skip): boolean {
  const { bytes } = scan;
  const stop = scan.at + stretch;
  while (scan.at < bytes.length) {
    if (scan.at >= stop) return false;
    const byte = bytes[scan.at] ?? 0;
    if (byte === quote) {
      skipString(scan);
      if (skip.depth === 0) return true;
      continue;
    }
    if (byte === openBrace || byte === openBracket) {
      skip.depth++;
      skip.values++;
    } else if (byte === closeBrace || byte === closeBracket) {
      if (skip.depth === 0) break;
      scan.at++;
      if (--skip.depth === 0) return true;
      continue;
    } else if (skip.depth === 0 && (byte === comma || byte <= space)) break;
    else if (byte === comma) skip.values++;
    else if (!isPlain(byte)) throw notJson(scan, 'a value');
    scan.at++;
  }
  if (scan.at === skip.start || scan.at >= bytes.length) throw notJson(scan, 'a value');
  return true;
}

/** Of numbers, `true`, `false`, `null`, and what separates values. */
function isPlain(byte: number): boolean {
  return (byte >= 43 && byte <= 58) || byte <= space || (byte >= 97 && byte <= 122) || byte === 69;
}

function skipString(scan: Scan): void {
  const { bytes } = scan;
  const open = scan.at;
  for (let at = bytes.indexOf(quote, open + 1); at >= 0; at = bytes.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (at - 1 - slashes > open && bytes[at - 1 - slashes] === backslash) slashes++;
    if (slashes % 2 === 1) continue;
    scan.at = at + 1;
    return;
  }
  throw notJson(scan, 'the end of a string');
}

function skipBlanks(scan: Scan): void {
  while (scan.at < scan.bytes.length && (scan.bytes[scan.at] ?? 0) <= space) scan.at++;
}

function notJson({ bytes, at }: Scan, expected: string): UnreadableRecord {
  const found = at < bytes.length ? JSON.stringify(bytes.toString('utf8', at, at + 20)) : 'nothing more';
  return new UnreadableRecord('not_json', `expected ${expected} of OTLP logs as JSON at byte ${at}, got ${found}`);
}

/** Bodies have some fifty members; a hostile record must not be built. */
const mostValues = 10_000;

/** Body and attributes of one record. @throws UnreadableRecord `not_json`, `wrong_shape` */
export function logOfJson(bytes: Buffer, { start, end, values = 0 }: RecordSpan & Partial<JsonSpan>): LogRecord {
  if (values > mostValues) throw new UnreadableRecord('wrong_shape', `a log record of more than ${mostValues} values`);
  const { body, attributes } = objectOf(bytes.toString('utf8', start, end));
  if (body !== undefined && body !== null && !isObject(body))
    throw new UnreadableRecord('wrong_shape', `expected an object as the body of a log record, got a ${typeof body}`);
  const value = plainValueOf(body);
  if (isObject(body) && typeof body.bytesValue === 'string') expectUtf8(Buffer.from(body.bytesValue, 'base64'));
  const pairs = Array.isArray(attributes) ? attributes.filter(isObject) : [];
  return {
    body: value,
    attributes: Object.fromEntries(pairs.map(({ key, value }) => [textOf(key), plainValueOf(value)])),
  };
}

/** Whether its body may hold what its bytes do not show: bytes in base64, or half a text of JSON. */
export function isHiddenInJson(bytes: Buffer, { start }: RecordSpan, text: string): boolean {
  if (text.includes('"bytesValue"')) return true;
  for (let at = text.indexOf(bodyKey); at >= 0; at = text.indexOf(bodyKey, at + 1)) {
    bodyOfJson.lastIndex = at;
    if (!bodyOfJson.test(text)) continue;
    const scan = { bytes, at: start + bodyOfJson.lastIndex - 1 };
    const inside = scan.at + 1;
    skipString(scan);
    if (isCutJson(bytes, { start: inside, end: scan.at - 1 })) return true;
  }
  return false;
}

const bodyKey = '"body"';
const bodyOfJson = /"body"\s*:\s*\{\s*"stringValue"\s*:\s*"(?=\s*[{[])/y;

const space = 32;
const quote = 34;
const comma = 44;
const colon = 58;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const letterN = 110;
const openBrace = 123;
const closeBrace = 125;

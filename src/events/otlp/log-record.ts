/** What a log record of OTLP carries: an event of the Collector's receiver, or a record of any format as its body. */
import { isUtf8 } from 'node:buffer';
import type { Decoded } from '../../model/records.js';
import type { Steps } from '../../runtime/breath.js';
import { relatedProviders } from '../../model/related-providers.js';
import { transportProviders } from '../classify.js';
import { isObject } from '../decode/json-fields.js';
import { isWholeJson } from '../decode/json-text.js';
import { UnreadableRecord } from '../decode/unreadable.js';
import { formats } from '../formats/formats.js';
import type { TextFormat } from '../formats/format.js';
import { eventOfBody } from '../formats/otel.js';
import { trimBlanks } from '../read/record-bounds.js';
import { encodingOf, maxRecordBytes } from '../read/text.js';

/** Where a log record stands in the bytes of a request. */
export type RecordSpan = { readonly start: number; readonly end: number };

/** Body and attributes as plain values. */
export type LogRecord = { readonly body: unknown; readonly attributes: Readonly<Record<string, unknown>> };

/** @returns nothing for a record that is no Windows event. @throws UnreadableRecord */
export function decodedOfLog({ body, attributes }: LogRecord): readonly Decoded[] {
  const carrier = body === undefined || body === '' ? attributes : body;
  const event = eventOfBody(carrier);
  if (event !== undefined) return [event];
  if (typeof carrier === 'string') return decodedOfText(carrier);
  // Fluent Bit sends its own fields as a map: written as JSON it is the record that its file output would have.
  return isObject(carrier) ? decodedOfText(JSON.stringify(carrier)) : [];
}

/** So much of a record tells its format. */
const headLength = 128 * 1024;

/** One record of a format of text, as a line of a log that a shipper has followed. @throws UnreadableRecord */
function decodedOfText(text: string): readonly Decoded[] {
  const record = text.trim();
  if (record.length > maxRecordBytes) throw tooLarge();
  const format = formatOf(record.slice(0, headLength));
  if (!format && isBrokenJson(record))
    throw new UnreadableRecord(
      'not_json',
      `expected JSON as the body of a log record, got ${JSON.stringify(record.slice(0, 60))}`,
    );
  return eventsOf(format?.decode(record) ?? []);
}

/** Other text is somebody else's, and so is JSON that is whole: nobody can say of half of it that it holds no event. */
function isBrokenJson(text: string): boolean {
  return /^[{[]/.test(text) && !isWholeJson(text);
}

/** A body of bytes. @throws UnreadableRecord `wrong_shape` when they are no text of UTF-8 */
export function expectUtf8(bytes: Buffer): void {
  const { encoding } = encodingOf(bytes);
  if (encoding === 'utf-8' && isUtf8(bytes)) return;
  const found = encoding === 'utf-8' ? 'others' : encoding.toUpperCase();
  throw new UnreadableRecord('wrong_shape', `expected bytes of UTF-8 as the body of a log record, got ${found}`);
}

/** Whether a body that names no provider must be decoded all the same to tell that it cannot be read: half a text of JSON. */
export function isCutJson(bytes: Buffer, { start, end }: RecordSpan): boolean {
  let first = start;
  while (first < end && (bytes[first] ?? 0) <= space) first++;
  const closing = closingOf[bytes[first] ?? 0];
  return closing !== undefined && bytes[trimBlanks(bytes, first, end) - 1] !== closing;
}

const space = 32;
/** Of braces and brackets. */
const closingOf: Readonly<Record<number, number>> = { 0x7b: 0x7d, 0x5b: 0x5d };

/** The same from its bytes, of which no text is made where the format can do without. @throws UnreadableRecord */
export function decodedOfBytes(record: Buffer): readonly Decoded[] {
  if (record.length > maxRecordBytes) throw tooLarge();
  const start = blanksOf(record);
  const end = trimBlanks(record, start, record.length);
  const format = formatOf(record.toString('utf8', start, Math.min(end, start + headLength)));
  return eventsOf(
    format?.decodeBytes?.(record, start, end) ?? format?.decode(record.toString('utf8', start, end)) ?? [],
  );
}

function formatOf(head: string): TextFormat | undefined {
  return formats.find((each): each is TextFormat => each.kind === 'text' && each.recognises(head));
}

function tooLarge(): UnreadableRecord {
  return new UnreadableRecord('too_large', `a record of more than ${maxRecordBytes} bytes`);
}

function eventsOf(decoded: readonly Decoded[]): readonly Decoded[] {
  if (decoded.every(({ kind }) => kind === 'event' || kind === 'shipped_line')) return decoded;
  throw new UnreadableRecord(
    'wrong_shape',
    'a line of a transport log, which names neither its server nor its place; ship it as Filebeat does, or send it to /ingest?server=NAME',
  );
}

function blanksOf(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length && (bytes[at] ?? 0) <= 32) at++;
  return at;
}

/** The event ID is a number without a name beside it in protobuf: the provider's name is what tells, in whatever case. */
const names = [...transportProviders, ...relatedProviders.flatMap(({ names: written }) => written)];
const shortNames = [...new Set(names.map((name) => (/^MSExchange/i.test(name) ? 'MSExchange' : name)))];
const providers = new RegExp(shortNames.map((name) => name.replace(/[^\w-]/g, String.raw`\$&`)).join('|'), 'i');
const longestName = Math.max(...shortNames.map(({ length }) => length));

/** So much is searched in one go. */
const stretch = 64 * 1024;

export function isLong({ start, end }: RecordSpan): boolean {
  return end - start > stretch;
}

/** Whether a record names a provider whose events are of interest. */
export function mayMatter(bytes: Buffer, { start, end }: RecordSpan): boolean {
  return namesProvider(bytes.toString('latin1', start, end));
}

/** @param text its bytes as latin1 */
function namesProvider(text: string): boolean {
  return providers.test(text);
}

/** The same of a record that may be a line of a transport log, too: a row has a time and a comma at its beginning. */
export function mayMatterOrBeLine(text: string): boolean {
  return namesProvider(text) || text.includes('Z,') || (text.includes('#') && headers.test(text));
}

const headers = /#(?:Software|Version|Log-type|Date|Fields): /;

/** The same of a record of any length. */
export function* longMayMatter(bytes: Buffer, { start, end }: RecordSpan, matters = namesProvider): Steps<boolean> {
  for (let from = start; from < end; from += stretch) {
    if (matters(bytes.toString('latin1', from, Math.min(end, from + stretch + longestName)))) return true;
    yield;
  }
  return false;
}

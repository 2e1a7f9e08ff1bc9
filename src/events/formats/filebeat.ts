/** Lines of Exchange's transport logs as Filebeat ships them: JSON with the line, its file and its place there. */
import type { Decoded } from '../../model/records.js';
import { textOf } from '../decode/event-fields.js';
import { decodeText, layouts, objectSpan } from '../decode/json-events.js';
import { fieldReader } from '../decode/json-fields.js';
import { UnreadableRecord } from '../decode/unreadable.js';
import { rowTimePattern } from '../transport/cells.js';
import { connectivityLog } from './connectivity-log.js';
import { sendLog } from './send-log.js';

const line = String.raw`(?:#(?:Software: Microsoft Exchange|Version: |Log-type: |Date: |Fields: date-time,)|${rowTimePattern},)`;
/** A byte order mark is left in the first line, unless Filebeat is told of it. */
const linePattern = new RegExp(String.raw`^\uFEFF?${line}`, 'i');
const messagePattern = new RegExp(String.raw`"message"\s*:\s*"(?:\uFEFF|\\uFEFF)?${line}`, 'i');

const messageKey = Buffer.from('"message":"');
const lineStarts = new Set([...Buffer.from('2#\\'), 0xef]);

export const [filebeat, filebeatDocument] = layouts('filebeat', recognises, {
  mayGiveNothing: true,
  decode: (record) => decodeText(decode, record),
  decodeBytes: decode,
});

/** A quote within a JSON string is escaped, so that it cannot stand in a value. */
function recognises(head: string): boolean {
  return messagePattern.test(head);
}

/** What a record holds of them, whatever else Filebeat ships. @throws UnreadableRecord */
export function shippedLinesIn(record: Buffer): readonly Decoded[] {
  return record.includes('"offset"') || beginsAsLine(record) ? decode(record, 0, record.length) : [];
}

/** Whether the message begins with a time, a header or a byte order mark: to look is much cheaper than to decode. */
function beginsAsLine(record: Buffer): boolean {
  const at = record.indexOf(messageKey);
  return at >= 0 && lineStarts.has(record[at + messageKey.length] ?? 0);
}

/**
 * Which file it is: by its first bytes, else by its number in the file system. Sources: metafields.go and fs_metafields_*.go
 * of elastic/beats.
 */
const identities = ['fingerprint', 'device_id', 'inode', 'vol', 'idxhi', 'idxlo'];
/** The server: as the processor add_host_metadata says it, else as Filebeat does. */
const names = [
  ['host', 'name'],
  ['host', 'hostname'],
  ['agent', 'hostname'],
  ['agent', 'name'],
];
const [pathAt, offsetAt, identityAt] = [1, 2, 3];
const namesAt = identityAt + identities.length;
const readFields = fieldReader([
  ['message'],
  ['log', 'file', 'path'],
  ['log', 'offset'],
  ...identities.map((name) => ['log', 'file', name]),
  ...names,
]);

function decode(bytes: Buffer, start: number, end: number): readonly Decoded[] {
  const field = readFields(bytes, ...objectSpan(bytes, start, end));
  const [text, path, offset] = [field(0), field(pathAt), field(offsetAt)];
  if (typeof text !== 'string' || !linePattern.test(text)) return [];
  if (!isPath(path) || !isOffset(offset)) return withoutPlace(text);
  const server = names.map((_, n) => textOf(field(namesAt + n))).find((name) => name !== '') ?? '';
  return [{ kind: 'shipped_line', server, path, file: fileOf(field), offset, text }];
}

/** Others ship lines that begin with a time, too: only those of a log that is read are missed. */
function withoutPlace(text: string): readonly Decoded[] {
  if (!sendLog.recognises(text) && !connectivityLog.recognises(text)) return [];
  throw new UnreadableRecord(
    'wrong_shape',
    'a line of a transport log without its file and place (log.file.path, log.offset); ship it as Filebeat does (docs/fleet.md)',
  );
}

/** Far longer than that of any log of Exchange: thousands of files are known at once. */
const longestPath = 1_024;

function isPath(path: unknown): path is string {
  return typeof path === 'string' && path !== '' && path.length < longestPath;
}

function isOffset(offset: unknown): offset is number {
  return Number.isSafeInteger(offset) && Number(offset) >= 0;
}

function fileOf(field: (path: number) => unknown): string {
  const told = identities.map((_, n) => field(identityAt + n)).map((part) => (isPart(part) ? String(part) : ''));
  const [fingerprint = '', ...numbers] = told;
  return (fingerprint !== '' ? fingerprint : numbers.filter((part) => part !== '').join(':')).slice(0, 128);
}

function isPart(part: unknown): part is string | number {
  return typeof part === 'string' || typeof part === 'number';
}

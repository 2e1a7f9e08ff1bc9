/** Lines of Exchange's transport logs as Filebeat ships them: JSON with the line, its file and its place there. */
import type { Decoded } from '../../model/records.js';
import { textOf } from '../decode/event-fields.js';
import { decodeText, layouts, objectSpan } from '../decode/json-events.js';
import { fieldReader } from '../decode/json-fields.js';
import { rowTimePattern } from '../transport/cells.js';

const line = String.raw`(?:#(?:Software: Microsoft Exchange|Version: |Log-type: |Date: |Fields: date-time,)|${rowTimePattern},)`;
/** A byte order mark is left in the first line, unless Filebeat is told of it. */
const linePattern = new RegExp(String.raw`^\uFEFF?${line}`, 'i');
const messagePattern = new RegExp(String.raw`"message"\s*:\s*"(?:\uFEFF|\\uFEFF)?${line}`, 'i');

export const [filebeat, filebeatDocument] = layouts('filebeat', recognises, {
  mayGiveNothing: true,
  decode: (record) => decodeText(decode, record),
  decodeBytes: decode,
});

/** A quote within a JSON string is escaped, so that none of this can stand in a value. */
function recognises(head: string): boolean {
  return /"offset"\s*:\s*\d/.test(head) && /"file"\s*:\s*\{/.test(head) && messagePattern.test(head);
}

/** What a record holds of them, whatever else Filebeat ships. @throws UnreadableRecord */
export function shippedLinesIn(record: Buffer): readonly Decoded[] {
  return record.includes('"offset"') ? decode(record, 0, record.length) : [];
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
  if (typeof text !== 'string' || !isPath(path) || !isOffset(offset) || !linePattern.test(text)) return [];
  const server = names.map((_, n) => textOf(field(namesAt + n))).find((name) => name !== '') ?? '';
  return [{ kind: 'shipped_line', server, path, file: fileOf(field), offset, text }];
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

/** Finds the log records in an OTLP protobuf request and converts their bodies to plain values. */
import Pbf from 'pbf';
import { UnreadableRecord } from '../decode/unreadable.js';
import { expectUtf8, isCutJson, type LogRecord, type RecordSpan } from './log-record.js';
import { type Field, fieldsOf, lengthDelimited } from './wire.js';

/** ExportLogsServiceRequest.resource_logs, ResourceLogs.scope_logs, ScopeLogs.log_records. Source: opentelemetry-proto 1.9. */
const resourceLogs = [1];
/** 1000: `instrumentation_library_logs`, as it was called before OTLP 0.16. */
const scopeLogs = [2, 1000];
const logRecords = [2];

/** Where each record stands, in their order. @throws UnreadableRecord `damaged` from where the bytes are no protobuf */
export function* recordsOfProtobuf(bytes: Buffer): Generator<RecordSpan, void, void> {
  const pbf = new Pbf(bytes);
  for (const resource of messagesOf(pbf, { start: 0, end: bytes.length }, resourceLogs))
    for (const scope of messagesOf(pbf, resource, scopeLogs))
      for (const { start, end } of messagesOf(pbf, scope, logRecords)) yield { start, end };
}

function* messagesOf(pbf: Pbf, { start, end }: RecordSpan, numbers: readonly number[]): Generator<Field, void, void> {
  for (const field of fieldsOf(pbf, start, end))
    if (field.type === lengthDelimited && numbers.includes(field.number)) yield field;
}

/** Body and attributes of one record. @throws UnreadableRecord `damaged`, `wrong_shape` */
export function logOfProtobuf(bytes: Buffer, { start, end }: RecordSpan): LogRecord {
  const reading: Reading = { pbf: new Pbf(bytes), values: 0 };
  let body: unknown;
  const attributes: Record<string, unknown> = {};
  for (const field of fieldsOf(reading.pbf, start, end)) {
    if (field.type !== lengthDelimited) continue;
    if (field.number === 5) body = bodyOf(bytes, reading, field);
    if (field.number === 6) keepMember(reading, field, attributes, 0);
  }
  return { body, attributes };
}

/** Of bytes, only text is read. */
function bodyOf(bytes: Buffer, reading: Reading, body: Field): unknown {
  const value = anyValueOf(reading, body, 0);
  for (const { number, type, start, end } of fieldsOf(reading.pbf, body.start, body.end))
    if (number === 7 && type === lengthDelimited) expectUtf8(bytes.subarray(start, end));
  return value;
}

/** Whether its body may hold what its bytes do not show. */
export function isHiddenInProtobuf(bytes: Buffer, span: RecordSpan): boolean {
  const body = contentOf(bytes, span, bodyTag);
  if (!body) return false;
  return (
    contentOf(bytes, body, bytesTag) !== undefined || isCutJson(bytes, contentOf(bytes, body, stringTag) ?? nothing)
  );
}

/** Tags of LogRecord.body, AnyValue.string_value and AnyValue.bytes_value. */
const [bodyTag, stringTag, bytesTag] = [0x2a, 0x0a, 0x3a];
const nothing: RecordSpan = { start: 0, end: 0 };

/** The content of the first field with this tag, without making anything of the others; undefined as well for what is no message. */
function contentOf(bytes: Buffer, { start, end }: RecordSpan, wanted: number): RecordSpan | undefined {
  for (let at = start; at < end;) {
    const tag = bytes[at++] ?? 0;
    let length = lengths[tag & 7] ?? 0;
    if (tag >= 0x80 || length < 0) return undefined;
    if (length === 0) {
      // A varint: the content itself, or its length.
      let byte = 0x80;
      for (let scale = 1; byte >= 0x80 && at < end; scale *= 128) length += ((byte = bytes[at++] ?? 0) & 0x7f) * scale;
      if ((tag & 7) === 0) length = 0;
    }
    if (tag === wanted) return at + length <= end ? { start: at, end: at + length } : undefined;
    at += length;
  }
  return undefined;
}

/** Bytes of a field by its wire type; 0: a varint says it; -1: there is no such type. */
const lengths = [0, 8, 0, -1, -1, 4, -1, -1];

type Reading = { readonly pbf: Pbf; values: number };

/** Bodies are five deep and have some fifty members; hostile ones must exhaust neither stack nor memory. */
const deepest = 20;
const mostValues = 10_000;

/** The plain value that an AnyValue stands for; undefined when it is empty. What is not there has no default here. */
function anyValueOf(reading: Reading, { start, end }: RecordSpan, depth: number): unknown {
  if (depth > deepest) return undefined;
  if (++reading.values > mostValues)
    throw new UnreadableRecord('wrong_shape', `a log record of more than ${mostValues} values`);
  let value: unknown;
  // The last one counts, as everywhere in protobuf.
  for (const field of fieldsOf(reading.pbf, start, end)) value = valueOf(reading, field, depth) ?? value;
  return value;
}

function valueOf(reading: Reading, field: Field, depth: number): unknown {
  const { pbf } = reading;
  const { number, type } = field;
  pbf.pos = field.start;
  if (type === 0 && number === 2) return pbf.readBoolean();
  if (type === 0 && number === 3) return pbf.readVarint(true);
  if (type === 1 && number === 4) return pbf.readDouble();
  if (type !== lengthDelimited) return undefined;
  if (number === 1 || number === 7) return textOf(pbf, field);
  if (number === 5) return itemsOf(reading, field, depth);
  return number === 6 ? membersOf(reading, field, depth) : undefined;
}

function textOf(pbf: Pbf, { start, end }: RecordSpan): string {
  const { buf } = pbf;
  return Buffer.from(buf.buffer, buf.byteOffset + start, end - start).toString('utf8');
}

function itemsOf(reading: Reading, list: Field, depth: number): unknown[] {
  const items: unknown[] = [];
  for (const field of fieldsOf(reading.pbf, list.start, list.end))
    if (field.number === 1 && field.type === lengthDelimited) items.push(anyValueOf(reading, field, depth + 1));
  return items;
}

function membersOf(reading: Reading, list: Field, depth: number): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const field of fieldsOf(reading.pbf, list.start, list.end))
    if (field.number === 1 && field.type === lengthDelimited) keepMember(reading, field, members, depth + 1);
  return members;
}

/** One KeyValue. */
function keepMember(reading: Reading, pair: Field, members: Record<string, unknown>, depth: number): void {
  let [key, value]: [string, unknown] = ['', undefined];
  if (++reading.values > mostValues)
    throw new UnreadableRecord('wrong_shape', `a log record of more than ${mostValues} values`);
  for (const field of fieldsOf(reading.pbf, pair.start, pair.end)) {
    if (field.type !== lengthDelimited) continue;
    if (field.number === 1) key = textOf(reading.pbf, field);
    if (field.number === 2) value = anyValueOf(reading, field, depth);
  }
  // A member called __proto__ is one like any other.
  Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Events from the OpenTelemetry Collector's windowseventlog receiver, written by its file exporter as OTLP JSON. */
import type { Decoded } from '../../model/records.js';
import { eventIdOf, insertionStringOf, messageOf, recordIdOf, textOf, type Strings } from '../decode/event-fields.js';
import { timeOf } from '../decode/event-time.js';
import { eventOfXml } from '../decode/event-xml.js';
import { layouts, wrongShape } from '../decode/json-events.js';
import { isObject, objectOf } from '../decode/json-fields.js';
import { alloy } from './alloy.js';
import { unreadableOf, UnreadableRecord } from '../decode/unreadable.js';

/** No mark for the ID: one record holds as many events as the collector put into a batch. */
export const [otel, otelDocument] = layouts('otel', (head) => /"resourceLogs"\s*:\s*\[/.test(head), { decode });

/**
 * All events of a batch. An unreadable one among others is left out; when there is no other the record is unreadable.
 */
function decode(record: string): readonly Decoded[] {
  const events: Decoded[] = [];
  let trouble: UnreadableRecord | undefined;
  for (const log of logRecordsOf(objectOf(record))) {
    try {
      const event = eventOfLog(log);
      if (event) events.push(event);
    } catch (error) {
      trouble = unreadableOf(error);
    }
  }
  if (trouble && events.length === 0) throw trouble;
  return events;
}

function logRecordsOf(batch: Record<string, unknown>): Record<string, unknown>[] {
  const below = (objects: Record<string, unknown>[], ...keys: string[]) =>
    objects.flatMap((object) => keys.flatMap((key): unknown => object[key])).filter(isObject);
  // `instrumentationLibraryLogs` is what `scopeLogs` was called before OTLP 0.16.
  return below(below(below([batch], 'resourceLogs'), 'scopeLogs', 'instrumentationLibraryLogs'), 'logRecords');
}

function eventOfLog(log: Record<string, unknown>): Decoded | undefined {
  return eventOfBody(plainValueOf(log.body));
}

/**
 * The body of a log record as a plain value: what the receiver makes of an event, or its XML.
 * @returns undefined for a body of another kind. @throws UnreadableRecord `wrong_shape`
 */
export function eventOfBody(body: unknown): Decoded | undefined {
  if (typeof body === 'string') return eventOfText(body);
  if (!isObject(body) || body.event_id === undefined) return undefined;
  const eventId = eventIdOf(body.event_id);
  const provider = isObject(body.provider) ? body.provider.name : body.provider;
  if (eventId === undefined || typeof provider !== 'string') throw wrongShape('otel', body.event_id, provider);
  const values = stringsOfEventData(body.event_data);
  return {
    kind: 'event',
    provider,
    eventId,
    channel: textOf(body.channel),
    computer: textOf(body.computer),
    recordId: recordIdOf(body.record_id),
    time: timeOf(body.system_time),
    values,
    message: messageOf(body.message),
  };
}

/** `raw: true` gives the XML; what came through Grafana Alloy is the line that Loki would get. */
function eventOfText(body: string): Decoded | undefined {
  if (/<Event[\s>]/.test(body) && !body.trimStart().startsWith('{')) return eventOfXml(body);
  return alloy.recognises(body) ? alloy.decode(body)[0] : undefined;
}

/**
 * Unnamed strings were dropped before v0.89, then stood in `data` as objects with an empty key, and are members
 * `Data1`, `Data2` ... since 2026. Source: opentelemetry-collector-contrib #28587, #46034.
 */
function stringsOfEventData(data: unknown): Strings {
  if (!isObject(data)) return [];
  const list = data.data;
  if (Array.isArray(list)) {
    return list.map((item) => insertionStringOf(isObject(item) ? Object.values(item)[0] : item));
  }
  const values: (string | undefined)[] = [];
  for (const [key, value] of Object.entries(data)) {
    const number = Number(/^Data(\d{1,2})$/.exec(key)?.[1] ?? 0);
    if (number > 0) values[number - 1] = insertionStringOf(value);
  }
  return Array.from(values);
}

/** An OTLP AnyValue as the plain value it stands for. */
export function plainValueOf(any: unknown, depth = 0): unknown {
  if (!isObject(any) || depth > deepest) return undefined;
  const { kvlistValue, arrayValue } = any;
  if (isObject(kvlistValue)) {
    const members = Array.isArray(kvlistValue.values) ? kvlistValue.values.filter(isObject) : [];
    return Object.fromEntries(members.map(({ key, value }) => [textOf(key), plainValueOf(value, depth + 1)]));
  }
  if (isObject(arrayValue)) {
    const items: unknown[] = Array.isArray(arrayValue.values) ? arrayValue.values : [];
    return items.map((item) => plainValueOf(item, depth + 1));
  }
  return any.stringValue ?? numberOf(any.intValue) ?? any.doubleValue ?? any.boolValue ?? textOfBytes(any.bytesValue);
}

/** 64 bits are a text in JSON; the number, where it is one that can be held. */
function numberOf(value: unknown): unknown {
  const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : value;
}

/** Bytes are base64 in JSON, with either alphabet; what they hold is read as text. @throws UnreadableRecord `wrong_shape` */
function textOfBytes(bytes: unknown): string | undefined {
  if (bytes === undefined || bytes === null) return undefined;
  if (typeof bytes === 'string' && /^[\w+/-]*={0,2}$/.test(bytes)) return Buffer.from(bytes, 'base64').toString('utf8');
  throw new UnreadableRecord('wrong_shape', 'expected base64 in bytesValue');
}

/** Bodies of the receiver are five deep; hostile ones must not exhaust the stack. */
const deepest = 20;

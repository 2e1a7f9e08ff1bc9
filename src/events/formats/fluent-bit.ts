/** Events written by Fluent Bit: winevtlog in all its renderings, and the older winlog. */
import type { Decoded } from '../../model/records.js';
import { insertionStringsOf, messageOf, needsMessage, recordIdOf, eventIdOf } from '../decode/event-fields.js';
import { timeOf } from '../decode/event-time.js';
import { eventOfXml } from '../decode/event-xml.js';
import { decodeText, jsonFormats, layouts, objectSpan, wrongShape } from '../decode/json-events.js';
import { fieldReader } from '../decode/json-fields.js';

// `date`, which the outputs add, is when the record was collected and never stands in for the time of the event.

export const [winevtlog, winevtlogDocument] = jsonFormats({
  name: 'fluent-bit-winevtlog',
  // With the ID as a string it is Fluentd's shape, which reads all that this one does.
  shape: [/"ProviderName"\s*:/, /"EventID"\s*:\s*\d/, /"EventRecordID"\s*:/],
  idKey: 'EventID',
  places: {
    id: ['EventID'],
    provider: ['ProviderName'],
    channel: ['Channel'],
    computer: ['Computer'],
    recordId: ['EventRecordID'],
    time: ['TimeCreated'],
    message: ['Message'],
    values: ['StringInserts', 'EventData'],
  },
  valuesOf: insertionStringsOf,
});

export const [winlog, winlogDocument] = jsonFormats({
  name: 'fluent-bit-winlog',
  shape: [/"SourceName"\s*:/, /"TimeGenerated"\s*:/, /"EventID"\s*:/],
  idKey: 'EventID',
  places: {
    id: ['EventID'],
    provider: ['SourceName'],
    channel: ['Channel'],
    computer: ['ComputerName'],
    recordId: ['RecordNumber'],
    time: ['TimeGenerated'],
    message: ['Message'],
    values: ['StringInserts'],
  },
  valuesOf: insertionStringsOf,
});

/** `Render_Event_As_XML`. No mark for the ID: the same text may stand in the message, where `<` needs no escape. */
export const [winevtlogXml, winevtlogXmlDocument] = layouts(
  'fluent-bit-xml',
  (head) => /"System"\s*:\s*"\s*(?:<|\\u003[cC])Event/.test(head),
  { decode: (record) => decodeText(decodeXml, record), decodeBytes: decodeXml },
);

/** `Render_Event_As_Text`: one member `log` of `Key=value` lines. */
export const [winevtlogText, winevtlogTextDocument] = layouts(
  'fluent-bit-text',
  (head) => /"log"\s*:\s*"[^"]*\bProviderName=/.test(head),
  { decode: (record) => decodeText(decodeLog, record), decodeBytes: decodeLog },
);

const readXmlFields = fieldReader([['System'], ['Message'], ['StringInserts']]);

function decodeXml(bytes: Buffer, start: number, end: number): readonly Decoded[] {
  const field = readXmlFields(bytes, ...objectSpan(bytes, start, end));
  const xml = field(0);
  if (typeof xml !== 'string') return [];
  const event = eventOfXml(xml);
  const values = insertionStringsOf(field(2)) ?? event.values;
  return [{ ...event, values, message: needsMessage(values) ? messageOf(field(1)) : undefined }];
}

const readLogField = fieldReader([['log']]);

function decodeLog(bytes: Buffer, start: number, end: number): readonly Decoded[] {
  const log = readLogField(bytes, ...objectSpan(bytes, start, end))(0);
  if (typeof log !== 'string') return [];
  const field = (key: string): string | undefined => new RegExp(`^${key}=([^\\r\\n]*)`, 'm').exec(log)?.[1];
  const id = field('EventID');
  if (id === undefined) return [];
  const eventId = eventIdOf(id);
  const provider = field('ProviderName');
  if (eventId === undefined || provider === undefined) throw wrongShape('fluent-bit-text', id, provider);
  return [
    {
      kind: 'event',
      provider,
      eventId,
      channel: field('Channel') ?? '',
      computer: field('Computer') ?? '',
      recordId: recordIdOf(field('EventRecordID')),
      time: timeOf(field('TimeCreated')),
      values: [],
      message: field('Message'),
    },
  ];
}

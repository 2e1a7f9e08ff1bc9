/** Events shipped by Winlogbeat 6 to 9, also after Elastic's ingest pipeline. */
import { eventIdOf, insertionStringsOf, messageOf, needsMessage, recordIdOf, textOf } from '../decode/event-fields.js';
import { timeOf } from '../decode/event-time.js';
import { fieldReader } from '../decode/json-fields.js';
import { decodeText, layouts, objectSpan, wrongShape } from '../decode/json-events.js';
import type { Decoded } from '../../model/records.js';

/**
 * The `winlog` object of version 7 and later, or the type that version 6 gave its events. A quote within a JSON string
 * is escaped, so this cannot stand inside a value.
 */
const shape = /"winlog"\s*:\s*\{|"type"\s*:\s*"wineventlog"/;

export const [winlogbeat, winlogbeatDocument] = layouts('winlogbeat', (head) => shape.test(head), {
  idMark: { after: '"event_id":' },
  recordMarks: {
    recordId: { after: '"record_id":' },
    channel: { after: '"channel":' },
    computer: { after: '"computer_name":' },
  },
  decode: (record) => decodeText(decode, record),
  decodeBytes: decode,
});

const current = ['provider_name', 'channel', 'record_id'] as const;
const version6 = ['source_name', 'log_name', 'record_number'] as const;
/** Under `_source` events stand in an export of the index, as elasticdump writes it. */
const readers = [
  eventReader([], ['winlog'], ...current),
  eventReader([], [], ...version6),
  eventReader(['_source'], ['_source', 'winlog'], ...current),
  eventReader(['_source'], ['_source'], ...version6),
];

function decode(bytes: Buffer, start: number, end: number): readonly Decoded[] {
  const span = objectSpan(bytes, start, end);
  for (const read of readers) {
    const events = read(bytes, ...span);
    if (events) return events;
  }
  return [];
}

/** The fields of an event below `top`, which versions name differently, in a document below `root`. */
function eventReader(
  root: readonly string[],
  top: readonly string[],
  provider: string,
  channel: string,
  recordId: string,
) {
  const members = [['event_id'], [provider], [channel], ['computer_name'], [recordId], ['event_data', 'param#']];
  const readFields = fieldReader([
    ...members.map((path) => [...top, ...path]),
    [...root, '@timestamp'],
    [...root, 'message'],
  ]);
  return (bytes: Buffer, start: number, end: number): readonly Decoded[] | undefined => {
    const field = readFields(bytes, start, end);
    const id = field(0);
    const source = field(1);
    if (id === undefined) return undefined;
    const eventId = eventIdOf(id);
    if (eventId === undefined || typeof source !== 'string') throw wrongShape('winlogbeat', id, source);
    const values = insertionStringsOf(field(5)) ?? [];
    return [
      {
        kind: 'event',
        provider: source,
        eventId,
        channel: textOf(field(2)),
        computer: textOf(field(3)),
        recordId: recordIdOf(field(4)),
        time: timeOf(field(6)),
        values,
        message: needsMessage(values) ? messageOf(field(7)) : undefined,
      },
    ];
  };
}

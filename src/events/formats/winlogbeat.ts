/** Events shipped by Winlogbeat 6 to 9, also after Elastic's ingest pipeline. */
import { eventIdOf, messageOf, numberedStringsOf, recordIdOf, textOf } from '../event-fields.js';
import { timeOf } from '../event-time.js';
import type { TextFormat } from '../formats.js';
import { fieldReader } from '../json-fields.js';
import { asJsonDocument, jsonLayoutOf } from '../json-layout.js';
import { UnreadableRecord } from '../unreadable.js';
import type { Decoded } from '../../model.js';

/**
 * The `winlog` object of version 7 and later, or the type that version 6 gave its events. A quote within a JSON string
 * is escaped, so this cannot stand inside a value.
 */
const shape = /"winlog"\s*:\s*\{|"type"\s*:\s*"wineventlog"/;

export const winlogbeat: TextFormat = {
  name: 'winlogbeat',
  kind: 'text',
  framing: 'lines',
  recognises: (head) => jsonLayoutOf(head) === 'lines' && shape.test(head),
  idMark: { after: '"event_id":' },
  decode,
};

export const winlogbeatDocument: TextFormat = asJsonDocument(winlogbeat, shape);

const readFields = fieldReader([
  ['@timestamp'],
  ['message'],
  ['winlog', 'event_id'],
  ['winlog', 'provider_name'],
  ['winlog', 'channel'],
  ['winlog', 'computer_name'],
  ['winlog', 'record_id'],
  ['winlog', 'event_data'],
  // Version 6 has the same members at the top.
  ['event_id'],
  ['source_name'],
  ['log_name'],
  ['computer_name'],
  ['record_number'],
  ['event_data'],
]);

function decode(record: string): readonly Decoded[] {
  const fields = readFields(record);
  const [time, message] = fields;
  const [id, provider, channel, computer, recordId, data] =
    fields[2] === undefined && fields[3] === undefined ? fields.slice(8) : fields.slice(2, 8);
  if (id === undefined && provider === undefined) return [];
  const eventId = eventIdOf(id);
  if (eventId === undefined || typeof provider !== 'string') {
    throw new UnreadableRecord('wrong_shape', 'expected an event ID and a provider name in the Winlogbeat event');
  }
  return [
    {
      kind: 'event',
      provider,
      eventId,
      channel: textOf(channel),
      computer: textOf(computer),
      recordId: recordIdOf(recordId),
      time: timeOf(time),
      values: numberedStringsOf(data, 'param'),
      message: messageOf(message),
    },
  ];
}

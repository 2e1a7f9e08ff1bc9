/** Events sent by Snare for Windows to syslog: fields between tabs, of the event's text only the finished message. */
import type { Decoded } from '../../model/records.js';
import { eventIdOf, messageOf } from '../decode/event-fields.js';
import type { TextFormat } from './format.js';
import { UnreadableRecord } from '../decode/unreadable.js';

/** rsyslog writes a tab as `#011` unless told otherwise. */
const tab = /\t|#011/;

export const snare: TextFormat = {
  name: 'snare',
  kind: 'text',
  framing: 'lines',
  recognises: (head) => !/^\s*[[{]/.test(head) && /MSWinEventLog(?:\t|#011)\d/.test(head),
  decode,
};

/**
 * Behind `MSWinEventLog`: criticality, log, Snare's own counter, date, event ID, source, user, kind of SID, type,
 * computer, category, data, message, and a counter again. The date is local time without a zone, so there is no time.
 */
function decode(line: string): readonly Decoded[] {
  const mark = line.indexOf('MSWinEventLog');
  if (mark < 0) return [];
  const fields = line.slice(mark).split(tab);
  if (fields.length < 14) {
    throw new UnreadableRecord('wrong_shape', `expected 14 fields or more behind MSWinEventLog, got ${fields.length}`);
  }
  const eventId = eventIdOf(fields[5]);
  const provider = fields[6] ?? '';
  if (eventId === undefined || provider === '') {
    throw new UnreadableRecord('wrong_shape', 'expected event ID and source in the sixth and seventh field');
  }
  const last = /^\d+\s*$/.test(fields.at(-1) ?? '') && fields.length > 14 ? -1 : undefined;
  return [
    {
      kind: 'event',
      provider,
      eventId,
      channel: fields[2] ?? '',
      computer: computerOf(line.slice(0, mark), fields[10] ?? ''),
      recordId: undefined,
      time: undefined,
      values: [],
      message: messageOf(fields.slice(13, last).join('\t').trim()),
    },
  ];
}

/** The computer of the event, by its full name when the header before it says the same one in full. */
function computerOf(header: string, computer: string): string {
  const host = header.split(/(?:\s|#011)+/).findLast((word) => word !== '') ?? '';
  return computer === '' || host.toLowerCase().startsWith(`${computer.toLowerCase()}.`) ? host : computer;
}

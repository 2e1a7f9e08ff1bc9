/**
 * Event XML from wevtutil (`xml` and `RenderedXml`), Get-WinEvent's ToXml, Event Viewer and Splunk's XmlWinEventLog:
 * with or without a root element, many events on a line or one over many lines.
 */
import { eventOfXmlBytes, startOfEvent } from '../decode/event-xml.js';
import type { TextFormat } from './format.js';
import { decodeText } from '../decode/json-events.js';
import { UnreadableRecord } from '../decode/unreadable.js';
import type { Decoded } from '../../model/records.js';

export const eventXml: TextFormat = {
  name: 'event-xml',
  kind: 'text',
  framing: 'xml',
  recognises: (head) => !/^\s*[[{]/.test(head) && /<Events?[\s/>]/.test(head),
  // Within a value a `<` is escaped.
  idMark: { before: '</EventID>' },
  recordMarks: {
    recordId: { before: '</EventRecordID>' },
    channel: { after: '<Channel>' },
    computer: { after: '<Computer>' },
  },
  decode: (record) => decodeText(decode, record),
  decodeBytes: decode,
};

function decode(bytes: Buffer, start: number, end: number): readonly Decoded[] {
  if (startOfEvent(bytes, start, end) >= 0) return [eventOfXmlBytes(bytes, start, end)];
  // What is left behind the last event: the end of the root element, blanks, line breaks.
  const rest = bytes.toString('utf8', start, end).replace(/<\/?Events[^<>]*>|<\?xml[^<>]*\?>|[\s\uFEFF-]/g, '');
  if (rest === '') return [];
  throw new UnreadableRecord('not_xml', 'expected <Event>, found none in the record');
}

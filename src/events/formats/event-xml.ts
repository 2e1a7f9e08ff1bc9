/**
 * Event XML from wevtutil (`xml` and `RenderedXml`), Get-WinEvent's ToXml, Event Viewer and Splunk's XmlWinEventLog:
 * with or without a root element, many events on a line or one over many lines.
 */
import { eventOfXml, startOfEvent } from '../event-xml.js';
import type { TextFormat } from '../formats.js';
import { UnreadableRecord } from '../unreadable.js';
import type { Decoded } from '../../model.js';

export const eventXml: TextFormat = {
  name: 'event-xml',
  kind: 'text',
  framing: 'xml',
  recognises: (head) => !/^\s*[[{]/.test(head) && (startOfEvent(head, 0) >= 0 || head.includes('<Events')),
  // Within a value a `<` is escaped.
  idMark: { before: '</EventID>' },
  decode,
};

function decode(record: string): readonly Decoded[] {
  if (startOfEvent(record, 0) >= 0) return [eventOfXml(record)];
  // What is left behind the last event: the end of the root element, blanks, line breaks.
  if (record.replace(/<\/?Events[^<>]*>|<\?xml[^<>]*\?>|[\s-]/g, '') === '') return [];
  throw new UnreadableRecord('not_xml', 'expected <Event>, found none in the record');
}

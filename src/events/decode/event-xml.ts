/**
 * Reads one Windows event from its XML: a scanner for this one schema, forgiving where the world is (characters that
 * XML forbids, text between elements, `- ` before lines copied from Event Viewer) and strict about the rest.
 */
import type { WindowsEvent } from '../../model/records.js';
import { digitsAt, placeOf, standsAt } from './bytes.js';
import { eventIdOf, messageOf, recordIdOf } from './event-fields.js';
import {
  channel,
  computer,
  data,
  event,
  eventIdName,
  eventRecordId,
  eventSourceName,
  message,
  provider,
  providerName,
  type Section,
  sectionOf,
  systemTime,
  timeCreated,
} from './event-members.js';
import { timeOf } from './event-time.js';
import { UnreadableRecord } from './unreadable.js';
import {
  afterEndTag,
  afterMarkup,
  attributeOf,
  cdata,
  endsName,
  exclamation,
  greater,
  isNamed,
  less,
  noTag,
  notClosed,
  question,
  readTag,
  slash,
  type Tag,
  unescapedAt,
} from './xml-tags.js';

/**
 * The event in the UTF-8 of `bytes` between `start` and `end`, which may have anything before `<Event` and after
 * `</Event>`. When there is the torn beginning of one event and then a whole one, the whole one is read.
 * @throws UnreadableRecord `not_xml` when there is no whole `<Event>` element, `wrong_shape` when it lacks provider or ID
 */
export function eventOfXmlBytes(bytes: Buffer, start: number, end: number): WindowsEvent {
  const at = startOfEvent(bytes, start, end);
  if (at < 0) throw new UnreadableRecord('not_xml', 'expected <Event>, found none in the record');
  const scan = emptyScan(bytes, at, end);
  while (scan.depth >= 0) readElement(scan);
  const eventId = eventIdOf(scan.eventId);
  if (eventId === undefined || scan.provider === undefined) {
    throw new UnreadableRecord('wrong_shape', 'expected Provider and EventID in the System element of the event');
  }
  return {
    kind: 'event',
    provider: scan.provider,
    eventId,
    channel: scan.channel,
    computer: scan.computer,
    recordId: recordIdOf(scan.recordId),
    // Windows writes UTC in SystemTime always; python-evtx leaves the zone out.
    time: timeOf(scan.time) ?? timeOf(`${scan.time ?? ''}Z`),
    values: stringsIn(scan.values),
    message: messageOf(scan.message),
  };
}

/** python-evtx writes all strings as elements into one Data, escaped: `&lt;string&gt;one&lt;/string&gt;` and so on. */
function stringsIn(values: string[]): string[] {
  const text = values.length === 1 ? (values[0] ?? '').trim() : '';
  if (!text.startsWith('<string>') || !text.endsWith('</string>')) return values;
  return text.slice('<string>'.length, -'</string>'.length).split(/<\/string>\s*<string>/);
}

/** The same from a string. */
export function eventOfXml(xml: string): WindowsEvent {
  const bytes = Buffer.from(xml);
  return eventOfXmlBytes(bytes, 0, bytes.length);
}

/** Insertion strings from the inner XML of an EventData element: `<Data>one</Data><Data Name='x'>two</Data><Data/>`. */
export function eventDataOf(inner: string): string[] {
  const bytes = Buffer.from(inner);
  const scan = emptyScan(bytes, 0, bytes.length);
  scan.depth = 2;
  scan.section = 'data';
  while (scan.depth >= 2 && placeOf(bytes, less, scan.at, scan.end) >= 0) readElement(scan);
  return scan.values;
}

/** Where `<Event` begins, not `<EventData`, `<Events` or the like; -1 when nowhere. */
export function startOfEvent(bytes: Buffer, start: number, end: number): number {
  for (let at = placeOf(bytes, less, start, end); at >= 0; at = placeOf(bytes, less, at + 1, end)) {
    if (standsAt(bytes, at + 1, event) && at + 6 < end && endsName(bytes[at + 6] ?? 0)) return at;
  }
  return -1;
}

/** Where the scanner stands, and what it has found so far. */
type Scan = {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;
  /** The tag that is being read. */
  readonly tag: Tag;
  /** Open elements: 0 before Event, 1 in Event, 2 in a section; -1 when Event has ended. */
  depth: number;
  section: Section;
  provider: string | undefined;
  eventId: number | string | undefined;
  recordId: number | string | undefined;
  time: string | undefined;
  channel: string;
  computer: string;
  message: string | undefined;
  values: string[];
};

function emptyScan(bytes: Buffer, at: number, end: number): Scan {
  return {
    bytes,
    end,
    at,
    tag: noTag(),
    depth: 0,
    section: 'other',
    provider: undefined,
    eventId: undefined,
    recordId: undefined,
    time: undefined,
    channel: '',
    computer: '',
    message: undefined,
    values: [],
  };
}

/** Reads on to the next tag and over it; over the whole element when its text is wanted. */
function readElement(scan: Scan): void {
  const { bytes, end } = scan;
  const place = placeOf(bytes, less, scan.at, end);
  if (place < 0) throw notClosed();
  const first = bytes[place + 1];
  if (first === slash) {
    endElement(scan, place);
    return;
  }
  if (first === exclamation || first === question) {
    scan.at = afterMarkup(bytes, place, end);
    return;
  }
  const { tag } = scan;
  readTag(tag, bytes, place, end);
  if (scan.depth !== 0 && isNamed(bytes, tag, event)) {
    Object.assign(scan, emptyScan(bytes, place, end));
    return;
  }
  scan.at = tag.end + 1;
  if (tag.torn) return;
  if (scan.depth === 2 && readMember(scan, tag)) return;
  if (tag.empty) {
    if (scan.depth === 0) throw notClosed();
    return;
  }
  if (scan.depth === 1) scan.section = sectionOf(bytes, tag);
  scan.depth++;
}

function endElement(scan: Scan, place: number): void {
  scan.at = afterEndTag(scan.bytes, place, scan.end);
  if (scan.bytes[scan.at - 1] !== greater) return;
  if (--scan.depth > 0) return;
  // What ends here must be Event itself: anything else is text torn and glued together.
  if (!standsAt(scan.bytes, place + 2, event) || !endsName(scan.bytes[place + 7] ?? 0)) throw notClosed();
  scan.depth = -1;
}

/** Takes an element within a section, `scan.at` standing behind its start tag. @returns whether it was read to its end */
function readMember(scan: Scan, tag: Tag): boolean {
  const { bytes, section } = scan;
  if (section === 'system') return readSystemMember(scan, tag);
  if (section === 'data' && isNamed(bytes, tag, data)) {
    scan.values.push(tag.empty ? '' : textOfElement(scan));
    return true;
  }
  if (section === 'rendering' && !tag.empty && isNamed(bytes, tag, message)) {
    scan.message = textOfElement(scan);
    return true;
  }
  return false;
}

function readSystemMember(scan: Scan, tag: Tag): boolean {
  const { bytes } = scan;
  if (isNamed(bytes, tag, provider)) {
    scan.provider = attributeOf(bytes, tag, providerName) ?? attributeOf(bytes, tag, eventSourceName);
    return false;
  }
  if (isNamed(bytes, tag, timeCreated)) {
    scan.time = attributeOf(bytes, tag, systemTime);
    return false;
  }
  if (tag.empty) return false;
  if (isNamed(bytes, tag, eventIdName)) scan.eventId = numberOfElement(scan);
  else if (isNamed(bytes, tag, eventRecordId)) scan.recordId = numberOfElement(scan);
  else if (isNamed(bytes, tag, channel)) scan.channel = textOfElement(scan).trim();
  else if (isNamed(bytes, tag, computer)) scan.computer = textOfElement(scan).trim();
  else return false;
  return true;
}

function numberOfElement(scan: Scan): number | string {
  const close = placeOf(scan.bytes, less, scan.at, scan.end);
  const number = digitsAt(scan.bytes, scan.at, close);
  if (number < 0 || scan.bytes[close + 1] !== slash) return textOfElement(scan);
  scan.at = afterEndTag(scan.bytes, close, scan.end);
  return number;
}

/** The text up to the end tag of the element, which is left behind too. */
function textOfElement(scan: Scan): string {
  const { bytes, end } = scan;
  let text = '';
  let nested = 0;
  for (;;) {
    const place = placeOf(bytes, less, scan.at, end);
    if (place < 0) throw notClosed();
    if (place > scan.at) text += unescapedAt(bytes, scan.at, place);
    const next = bytes[place + 1];
    if (next === slash) {
      scan.at = afterEndTag(bytes, place, end);
      if (nested-- === 0) return text;
    } else if (next === exclamation || next === question) {
      scan.at = afterMarkup(bytes, place, end);
      if (standsAt(bytes, place, cdata)) text += bytes.toString('utf8', place + cdata.length, scan.at - 3);
    } else {
      const { tag } = scan;
      readTag(tag, bytes, place, end);
      // Text that ends here was torn: the event that begins now is another one.
      if (isNamed(bytes, tag, event)) return text;
      if (!tag.empty && !tag.torn) nested++;
      scan.at = tag.end + 1;
    }
  }
}

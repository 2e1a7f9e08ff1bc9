/**
 * Reads one Windows event from its XML: a scanner for this one schema, forgiving where the world is (characters that
 * XML forbids, text between elements, `- ` before lines copied from Event Viewer) and strict about the rest.
 */
import type { WindowsEvent } from '../model.js';
import { eventIdOf, messageOf, recordIdOf } from './event-fields.js';
import { timeOf } from './event-time.js';
import { UnreadableRecord } from './unreadable.js';
import { unescapeXml } from './xml-text.js';

/**
 * The event in `xml`, which may have anything before `<Event` and after `</Event>`.
 * When the text holds the torn beginning of one event and then a whole one, the whole one is read.
 * @throws UnreadableRecord `not_xml` when there is no whole `<Event>` element, `wrong_shape` when it lacks provider or ID
 */
export function eventOfXml(xml: string): WindowsEvent {
  const start = startOfEvent(xml, 0);
  if (start < 0) throw new UnreadableRecord('not_xml', 'expected <Event>, found none in the record');
  const scan = emptyScan(start);
  while (scan.depth >= 0) readElement(xml, scan);
  const eventId = scan.eventId === undefined ? undefined : eventIdOf(scan.eventId);
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
    time: timeOf(scan.time),
    values: scan.values,
    message: messageOf(scan.message),
  };
}

/** Insertion strings from the inner XML of an EventData element: `<Data>one</Data><Data Name='x'>two</Data><Data/>`. */
export function eventDataOf(inner: string): string[] {
  const scan = emptyScan(0);
  scan.depth = 2;
  scan.section = 'data';
  while (scan.depth === 2 && inner.includes('<', scan.at)) readElement(inner, scan);
  return scan.values;
}

/** Where `<Event` begins, not `<EventData`, `<Events` or the like; -1 when nowhere. */
export function startOfEvent(xml: string, from: number): number {
  let at = xml.indexOf('<Event', from);
  while (at >= 0 && !endsName(xml.charCodeAt(at + 6))) at = xml.indexOf('<Event', at + 6);
  return at;
}

type Section = 'system' | 'data' | 'rendering' | 'other';

/** Where the scanner stands, and what it has found so far. */
type Scan = {
  at: number;
  /** Open elements: 0 before Event, 1 in Event, 2 in a section; -1 when Event has ended. */
  depth: number;
  section: Section;
  provider: string | undefined;
  eventId: string | undefined;
  recordId: string | undefined;
  time: string | undefined;
  channel: string;
  computer: string;
  message: string | undefined;
  values: string[];
};

function emptyScan(at: number): Scan {
  return {
    at,
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

const exclamation = 33;
const quote = 34;
const apostrophe = 39;
const slash = 47;
const greater = 62;
const question = 63;

/** Reads on to the next tag and over it; over the whole element when its text is wanted. */
function readElement(xml: string, scan: Scan): void {
  const tag = xml.indexOf('<', scan.at);
  if (tag < 0) throw notClosed();
  const first = xml.charCodeAt(tag + 1);
  if (first === slash) {
    endElement(xml, scan, tag);
    return;
  }
  if (first === exclamation || first === question) {
    scan.at = afterMarkup(xml, tag);
    return;
  }
  const nameEnd = endOfName(xml, tag + 1);
  const tagEnd = endOfTag(xml, nameEnd);
  if (scan.depth !== 0 && nameEnd - tag === 6 && xml.startsWith('Event', tag + 1)) {
    Object.assign(scan, emptyScan(tag));
    return;
  }
  scan.at = tagEnd + 1;
  const empty = xml.charCodeAt(tagEnd - 1) === slash;
  if (scan.depth === 2) readMember(xml, scan, tag + 1, nameEnd, tagEnd, empty);
  else if (!empty) {
    if (scan.depth === 1) scan.section = sectionOf(xml, tag + 1, nameEnd);
    scan.depth++;
  } else if (scan.depth === 0) throw notClosed();
}

function endElement(xml: string, scan: Scan, tag: number): void {
  const end = xml.indexOf('>', tag);
  if (end < 0) throw notClosed();
  scan.at = end + 1;
  scan.depth--;
  // What ends at depth 1 must be Event itself: anything else is text torn and glued together.
  if (scan.depth === 0) {
    if (!xml.startsWith('Event', tag + 2) || !endsName(xml.charCodeAt(tag + 7))) throw notClosed();
    scan.depth = -1;
  }
}

function sectionOf(xml: string, start: number, end: number): Section {
  const length = end - start;
  if (length === 6 && xml.startsWith('System', start)) return 'system';
  if (length === 9 && xml.startsWith('EventData', start)) return 'data';
  if (length === 13 && xml.startsWith('RenderingInfo', start)) return 'rendering';
  return 'other';
}

/** An element within a section; `scan.at` stands behind its start tag. */
function readMember(xml: string, scan: Scan, start: number, nameEnd: number, tagEnd: number, empty: boolean): void {
  const length = nameEnd - start;
  if (scan.section === 'data') {
    if (length === 4 && xml.startsWith('Data', start)) scan.values.push(empty ? '' : textOfElement(xml, scan));
    else if (!empty) scan.depth++;
  } else if (scan.section === 'rendering') {
    if (!empty && length === 7 && xml.startsWith('Message', start)) scan.message = textOfElement(xml, scan);
    else if (!empty) scan.depth++;
  } else if (scan.section === 'system') {
    readSystemMember(xml, scan, start, length, tagEnd, empty);
  } else if (!empty) scan.depth++;
}

function readSystemMember(
  xml: string,
  scan: Scan,
  start: number,
  length: number,
  tagEnd: number,
  empty: boolean,
): void {
  if (length === 8 && xml.startsWith('Provider', start)) {
    scan.provider =
      attributeOf(xml, start + 8, tagEnd, 'Name') ?? attributeOf(xml, start + 8, tagEnd, 'EventSourceName');
  } else if (length === 11 && xml.startsWith('TimeCreated', start)) {
    scan.time = attributeOf(xml, start + 11, tagEnd, 'SystemTime');
  }
  if (empty) return;
  if (length === 7 && xml.startsWith('EventID', start)) scan.eventId = textOfElement(xml, scan);
  else if (length === 7 && xml.startsWith('Channel', start)) scan.channel = textOfElement(xml, scan).trim();
  else if (length === 8 && xml.startsWith('Computer', start)) scan.computer = textOfElement(xml, scan).trim();
  else if (length === 13 && xml.startsWith('EventRecordID', start)) scan.recordId = textOfElement(xml, scan);
  else scan.depth++;
}

/** The text up to the end tag of the element, which is left behind too. */
function textOfElement(xml: string, scan: Scan): string {
  let text = '';
  let nested = 0;
  for (;;) {
    const tag = xml.indexOf('<', scan.at);
    if (tag < 0) throw notClosed();
    if (tag > scan.at) text += unescapeXml(xml.slice(scan.at, tag));
    const next = xml.charCodeAt(tag + 1);
    if (xml.startsWith('<![CDATA[', tag)) {
      scan.at = afterMarkup(xml, tag);
      text += xml.slice(tag + 9, scan.at - 3);
    } else if (next === exclamation || next === question) {
      scan.at = afterMarkup(xml, tag);
    } else if (next === slash) {
      scan.at = xml.indexOf('>', tag) + 1;
      if (scan.at === 0) throw notClosed();
      if (nested-- === 0) return text;
    } else {
      const end = endOfTag(xml, endOfName(xml, tag + 1));
      if (xml.charCodeAt(end - 1) !== slash) nested++;
      scan.at = end + 1;
    }
  }
}

/** The place after a comment, a CDATA section, a declaration or a processing instruction. */
function afterMarkup(xml: string, tag: number): number {
  const mark = xml.startsWith('<!--', tag) ? '-->' : xml.startsWith('<![CDATA[', tag) ? ']]>' : '>';
  const end = xml.indexOf(mark, tag + 2);
  if (end < 0) throw notClosed();
  return end + mark.length;
}

function endOfName(xml: string, at: number): number {
  let i = at;
  while (i < xml.length && !endsName(xml.charCodeAt(i))) i++;
  return i;
}

/** A blank, `/`, `>`, or the end of the text (NaN). */
function endsName(code: number): boolean {
  return code === greater || code === slash || !(code > 32);
}

/** The place of the `>` that ends a tag; one within a quoted attribute does not. */
function endOfTag(xml: string, at: number): number {
  for (let i = at; i < xml.length; i++) {
    const code = xml.charCodeAt(i);
    if (code === greater) return i;
    if (code === apostrophe || code === quote) {
      i = xml.indexOf(code === quote ? '"' : "'", i + 1);
      if (i < 0) break;
    }
  }
  throw notClosed();
}

/** The value of the attribute `name` in the tag between `at` and `end`. */
function attributeOf(xml: string, at: number, end: number, name: string): string | undefined {
  let i = at;
  while (i < end) {
    const equals = xml.indexOf('=', i);
    if (equals < 0 || equals > end) return undefined;
    const key = xml.slice(i, equals).trim();
    let open = equals + 1;
    while (open < end && xml.charCodeAt(open) <= 32) open++;
    const mark = xml[open] === '"' ? '"' : "'";
    const close = xml.indexOf(mark, open + 1);
    if (close < 0 || close > end) return undefined;
    if (key === name) return unescapeXml(xml.slice(open + 1, close));
    i = close + 1;
  }
  return undefined;
}

function notClosed(): UnreadableRecord {
  return new UnreadableRecord('not_xml', 'expected the <Event> element to be whole, the record ends within it');
}

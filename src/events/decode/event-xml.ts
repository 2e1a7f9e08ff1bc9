/**
 * Reads one Windows event from its XML: a scanner for this one schema, forgiving where the world is (characters that
 * XML forbids, text between elements, `- ` before lines copied from Event Viewer) and strict about the rest.
 */
import type { WindowsEvent } from '../../model/model.js';
import { digitsAt, placeOf, standsAt } from './bytes.js';
import { commonText } from './common-texts.js';
import { eventIdOf, messageOf, recordIdOf } from './event-fields.js';
import { timeOf } from './event-time.js';
import { UnreadableRecord } from './unreadable.js';
import { unescapeXml } from './xml-text.js';

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

type Section = 'system' | 'data' | 'rendering' | 'other';

/** Where the scanner stands, and what it has found so far. */
type Scan = {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;
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
const ampersand = 38;
const apostrophe = 39;
const slash = 47;
const less = 60;
const equals = 61;
const greater = 62;
const question = 63;

const event = Buffer.from('Event');
const system = Buffer.from('System');
const eventData = Buffer.from('EventData');
const renderingInfo = Buffer.from('RenderingInfo');
const data = Buffer.from('Data');
const message = Buffer.from('Message');
const provider = Buffer.from('Provider');
const providerName = Buffer.from('Name');
const eventSourceName = Buffer.from('EventSourceName');
const timeCreated = Buffer.from('TimeCreated');
const systemTime = Buffer.from('SystemTime');
const eventIdName = Buffer.from('EventID');
const eventRecordId = Buffer.from('EventRecordID');
const channel = Buffer.from('Channel');
const computer = Buffer.from('Computer');

/** A start tag: the place of its name, the end of its name, its `>`, whether it ends its element too,
 * and whether it is only the beginning of a tag. */
type Tag = {
  readonly start: number;
  readonly nameEnd: number;
  readonly end: number;
  readonly empty: boolean;
  readonly torn: boolean;
};

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
  const tag = tagAt(bytes, place, end);
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

function sectionOf(bytes: Buffer, tag: Tag): Section {
  if (isNamed(bytes, tag, system)) return 'system';
  if (isNamed(bytes, tag, eventData)) return 'data';
  return isNamed(bytes, tag, renderingInfo) ? 'rendering' : 'other';
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
      const tag = tagAt(bytes, place, end);
      // Text that ends here was torn: the event that begins now is another one.
      if (isNamed(bytes, tag, event)) return text;
      if (!tag.empty && !tag.torn) nested++;
      scan.at = tag.end + 1;
    }
  }
}

function unescapedAt(bytes: Buffer, start: number, end: number): string {
  let hash = 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0;
  // The lower bits say most of the last bytes: names differ in the middle too.
  return commonText(bytes, start, end, hash ^ (hash >>> 15), decodedAt);
}

function decodedAt(bytes: Buffer, start: number, end: number): string {
  let seen = 0;
  let escaped = false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    seen |= byte;
    if (byte === ampersand) escaped = true;
  }
  const text = bytes.toString(seen < 128 ? 'latin1' : 'utf8', start, end);
  return escaped ? unescapeXml(text) : text;
}

const cdata = Buffer.from('<![CDATA[');
const comment = Buffer.from('<!--');
const [endOfComment, endOfCdata, endOfOther] = ['-->', ']]>', '>'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
];

/** The place after a comment, a CDATA section, a declaration or a processing instruction. */
function afterMarkup(bytes: Buffer, place: number, end: number): number {
  const isComment = standsAt(bytes, place, comment);
  const mark = isComment ? endOfComment : standsAt(bytes, place, cdata) ? endOfCdata : endOfOther;
  // Not beyond the record: behind it stand megabytes that are none of its business.
  for (let at = placeOf(bytes, greater, place + 2, end); at >= 0; at = placeOf(bytes, greater, at + 1, end)) {
    if (standsAt(bytes, at + 1 - mark.length, mark)) return at + 1;
  }
  throw notClosed();
}

/**
 * The start tag whose `<` stands at `place`; a `>` within a quoted attribute does not end it. A `<` in a tag is not
 * XML: there a record was torn and glued to the next, which is where reading goes on.
 */
function tagAt(bytes: Buffer, place: number, end: number): Tag {
  let i = place + 1;
  while (i < end && !endsName(bytes[i] ?? 0) && bytes[i] !== less) i++;
  const nameEnd = i;
  let within = 0;
  for (; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === less) return { start: place + 1, nameEnd, end: i - 1, empty: false, torn: true };
    if (within !== 0) {
      if (byte === within) within = 0;
    } else if (byte === greater) {
      return { start: place + 1, nameEnd, end: i, empty: bytes[i - 1] === slash, torn: false };
    } else if (byte === apostrophe || byte === quote) within = byte;
  }
  throw notClosed();
}

/** The place after an end tag; one that is torn ends where the next tag begins. */
function afterEndTag(bytes: Buffer, place: number, end: number): number {
  for (let i = place + 2; i < end; i++) {
    if (bytes[i] === greater) return i + 1;
    if (bytes[i] === less) return i;
  }
  throw notClosed();
}

function isNamed(bytes: Buffer, tag: Tag, name: Buffer): boolean {
  return tag.nameEnd - tag.start === name.length && standsAt(bytes, tag.start, name);
}

/** A blank, `/` or `>`. */
function endsName(byte: number): boolean {
  return byte === greater || byte === slash || byte <= 32;
}

/** The value of an attribute of a tag. */
function attributeOf(bytes: Buffer, tag: Tag, name: Buffer): string | undefined {
  let i = tag.nameEnd;
  while (i < tag.end) {
    while (i < tag.end && (bytes[i] ?? 0) <= 32) i++;
    const start = i;
    while (i < tag.end && bytes[i] !== equals && (bytes[i] ?? 0) > 32) i++;
    const length = i - start;
    while (i < tag.end && bytes[i] !== quote && bytes[i] !== apostrophe) i++;
    const close = placeOf(bytes, bytes[i] ?? 0, i + 1, tag.end);
    if (close < 0) return undefined;
    if (length === name.length && standsAt(bytes, start, name)) return unescapedAt(bytes, i + 1, close);
    i = close + 1;
  }
  return undefined;
}

function notClosed(): UnreadableRecord {
  return new UnreadableRecord('not_xml', 'expected the <Event> element to be whole, the record ends within it');
}

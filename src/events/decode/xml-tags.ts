/** Tags, attributes, comments and text of XML by their bytes, without a copy. */
import { placeOf, standsAt } from './bytes.js';
import { createCommonTexts } from './common-texts.js';
import { UnreadableRecord } from './unreadable.js';
import { unescapeXml } from './xml-text.js';

export const exclamation = 33;

const quote = 34;

const ampersand = 38;

const apostrophe = 39;

export const slash = 47;

export const less = 60;

const equals = 61;

export const greater = 62;

export const question = 63;

/** A start tag: the place of its name, the end of its name, its `>`, whether it ends its element too,
 * and whether it is only the beginning of a tag. A scanner has one, and writes it over with each tag. */
export type Tag = { start: number; nameEnd: number; end: number; empty: boolean; torn: boolean };

export function noTag(): Tag {
  return { start: 0, nameEnd: 0, end: 0, empty: false, torn: false };
}

export function unescapedAt(bytes: Buffer, start: number, end: number): string {
  let hash = 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0;
  return textOf(bytes, start, end, hash);
}

const textOf = createCommonTexts((bytes, start, end) => {
  let seen = 0;
  let escaped = false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    seen |= byte;
    if (byte === ampersand) escaped = true;
  }
  const text = bytes.toString(seen < 128 ? 'latin1' : 'utf8', start, end);
  return escaped ? unescapeXml(text) : text;
});

export const cdata = Buffer.from('<![CDATA[');

const comment = Buffer.from('<!--');

const [endOfComment, endOfCdata, endOfOther] = ['-->', ']]>', '>'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
];

/** The place after a comment, a CDATA section, a declaration or a processing instruction. */
export function afterMarkup(bytes: Buffer, place: number, end: number): number {
  const isComment = standsAt(bytes, place, comment);
  const mark = isComment ? endOfComment : standsAt(bytes, place, cdata) ? endOfCdata : endOfOther;
  // Not beyond the record: behind it stand megabytes that are none of its business.
  for (let at = placeOf(bytes, greater, place + 2, end); at >= 0; at = placeOf(bytes, greater, at + 1, end)) {
    if (standsAt(bytes, at + 1 - mark.length, mark)) return at + 1;
  }
  throw notClosed();
}

/**
 * Reads the start tag whose `<` stands at `place`; a `>` within a quoted attribute does not end it. A `<` in a tag is not
 * XML: there a record was torn and glued to the next, which is where reading goes on.
 */
export function readTag(tag: Tag, bytes: Buffer, place: number, end: number): void {
  let i = place + 1;
  while (i < end && !endsName(bytes[i] ?? 0) && bytes[i] !== less) i++;
  tag.start = place + 1;
  tag.nameEnd = i;
  let within = 0;
  for (; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === less || (byte === greater && within === 0)) {
      tag.torn = byte === less;
      tag.end = tag.torn ? i - 1 : i;
      tag.empty = !tag.torn && bytes[i - 1] === slash;
      return;
    }
    if (within !== 0) {
      if (byte === within) within = 0;
    } else if (byte === apostrophe || byte === quote) within = byte;
  }
  throw notClosed();
}

/** The place after an end tag; one that is torn ends where the next tag begins. */
export function afterEndTag(bytes: Buffer, place: number, end: number): number {
  for (let i = place + 2; i < end; i++) {
    if (bytes[i] === greater) return i + 1;
    if (bytes[i] === less) return i;
  }
  throw notClosed();
}

export function isNamed(bytes: Buffer, tag: Tag, name: Buffer): boolean {
  return tag.nameEnd - tag.start === name.length && standsAt(bytes, tag.start, name);
}

/** A blank, `/` or `>`. */
export function endsName(byte: number): boolean {
  return byte === greater || byte === slash || byte <= 32;
}

/** The value of an attribute of a tag. */
export function attributeOf(bytes: Buffer, tag: Tag, name: Buffer): string | undefined {
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

export function notClosed(): UnreadableRecord {
  return new UnreadableRecord('not_xml', 'expected the <Event> element to be whole, the record ends within it');
}

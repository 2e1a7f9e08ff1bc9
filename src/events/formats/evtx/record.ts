/** Decodes one record of the binary log; a template is analysed once per chunk and then remembered. */
import type { WindowsEvent } from '../../../model/records.js';
import { UnreadableRecord } from '../../decode/unreadable.js';
import { layoutOf } from './layout.js';
import { places, spend, type ChunkText, type Layout, type NestedPart, type Part, type Place } from './layout-parts.js';
import { arrayOf, numberOfValue, textOfValue, textsOfArray, uint64, unixMsOfFileTime, valueType } from './values.js';

/** A chunk being decoded, with the templates seen in it so far. */
export type DecodingChunk = ChunkText & {
  /** Layouts of template definitions, by `layoutKey`. */
  readonly layouts: Map<number, Layout>;
};

export type RecordPlace = { readonly offset: number; readonly size: number };

export function decodingOf(bytes: Buffer): DecodingChunk {
  return { bytes, names: new Map(), layouts: new Map(), effort: 0 };
}

/**
 * Decodes one record.
 * @returns undefined when its event ID is not wanted
 * @throws UnreadableRecord or RangeError when it cannot be read
 */
export function eventOf(
  chunk: DecodingChunk,
  record: RecordPlace,
  wanted: (eventId: number) => boolean,
): WindowsEvent | undefined {
  const end = record.offset + record.size - sizeOfCopy;
  const content = contentAt(chunk, record.offset + sizeOfHeader, end, '', wanted);
  if (content === undefined) return undefined;
  const { layout } = content;
  const eventId = eventIdOf(chunk, content);
  if (eventId === undefined) throw new UnreadableRecord('damaged', 'record without an event ID');
  if (!wanted(eventId)) return undefined;
  const provider = textOf(chunk, content, layout.provider);
  if (provider === undefined) throw new UnreadableRecord('damaged', 'record without a provider');
  const parts = { values: [] as string[], message: textOf(chunk, content, layout.message) };
  gather(chunk, content, parts, 0);
  return {
    kind: 'event',
    provider,
    eventId,
    channel: textOf(chunk, content, layout.channel) ?? '',
    computer: textOf(chunk, content, layout.computer) ?? '',
    // A forwarded event keeps the number that its own computer gave it; the record header numbers this file.
    recordId: wholeNumberOf(chunk, content, layout.recordId) ?? uint64(chunk.bytes, record.offset + 8),
    time: timeOf(chunk, content, layout.time) ?? unixMsOfFileTime(chunk.bytes, record.offset + 16),
    values: parts.values,
    message: parts.message,
  };
}

/** Bytes before the BinXML of a record: signature, size, ID, time written. After it the size stands once more. */
const sizeOfHeader = 24;
const sizeOfCopy = 4;
const fragmentHeader = 0x0001010f;
const templateInstance = 0x0c;
const deepestNesting = 4;

/** A layout with the values that belong into it. */
type Content = { readonly layout: Layout; readonly values: Values };

/** Values of a template instance: `count` descriptors of 4 bytes, then the values one after another. */
type Values = { readonly count: number; readonly descriptors: number; readonly end: number };

const noValues: Values = { count: 0, descriptors: 0, end: 0 };

/** Template instance or plain element, whichever stands at `at`; undefined when a plain element is not wanted. */
function contentAt(
  chunk: DecodingChunk,
  at: number,
  end: number,
  place: Place,
  wanted: (eventId: number) => boolean,
): Content | undefined {
  const from = chunk.bytes.readUInt32LE(at) === fragmentHeader ? at + 4 : at;
  if (chunk.bytes.readUInt8(from) === templateInstance) return instanceAt(chunk, from, end, place);
  // Forwarded events have no template: elements without dependency IDs, every value is text.
  const verdict = { dropped: false };
  const layout = layoutOf(chunk, { from, to: end }, place, false, (part) => {
    const eventId = eventIdOfText(typeof part[0] === 'string' ? part[0] : '');
    verdict.dropped = eventId !== undefined && !wanted(eventId);
    return !verdict.dropped;
  });
  return verdict.dropped ? undefined : { layout, values: noValues };
}

/** Template instance: token, 1 byte, template ID (4), offset of the definition (4), [definition], values. */
function instanceAt(chunk: DecodingChunk, at: number, end: number, place: Place): Content {
  const { bytes } = chunk;
  const definition = bytes.readUInt32LE(at + 6);
  let next = at + 10;
  // The first use in a chunk carries the definition: offset of the next one (4), GUID (16), size (4), BinXML.
  if (definition === next) next += 24 + bytes.readUInt32LE(definition + 20);
  if (next > end) throw new UnreadableRecord('damaged', 'template definition beyond the end of its record');
  const count = bytes.readUInt32LE(next);
  if (count * 4 > end - next) throw new UnreadableRecord('damaged', `template instance with ${count} values`);
  const values: Values = { count, descriptors: next + 4, end };
  const key = definition * places.length + places.indexOf(place);
  const known = chunk.layouts.get(key);
  if (known) return { layout: known, values };
  const from = definition + 24;
  const to = Math.min(from + bytes.readUInt32LE(definition + 20), bytes.length);
  const layout = layoutOf(chunk, { from, to }, place, true);
  chunk.layouts.set(key, layout);
  return { layout, values };
}

/** Puts the insertion strings of this content and of the BinXML nested in it behind those already there. */
function gather(
  chunk: DecodingChunk,
  content: Content,
  parts: { values: string[]; message: string | undefined },
  depth: number,
): void {
  if (depth > deepestNesting) throw new UnreadableRecord('damaged', 'BinXML nested too deep');
  for (const part of content.layout.data) {
    if ('index' in part) {
      const nested = nestedContent(chunk, content, part);
      if (nested === undefined) continue;
      parts.message ??= textOf(chunk, nested, nested.layout.message);
      gather(chunk, nested, parts, depth + 1);
    } else if ('list' in part) {
      for (const text of listOf(chunk, content.values, part.list)) parts.values.push(text);
    } else {
      parts.values.push(joined(chunk, content.values, part));
    }
  }
}

function nestedContent(chunk: DecodingChunk, content: Content, part: NestedPart): Content | undefined {
  const value = valueAt(chunk, content.values, part.index);
  if (value.type !== valueType.binXml || value.size < 5) return undefined;
  spend(chunk, 16);
  return contentAt(chunk, value.at, value.at + value.size, part.place, () => true);
}

function listOf(chunk: DecodingChunk, values: Values, index: number): string[] {
  const value = valueAt(chunk, values, index);
  spend(chunk, 1 + value.size / 2);
  if (value.type === valueType.none) return [];
  if ((value.type & arrayOf) === 0) return [textOfValue(chunk.bytes, value.type, value.at, value.size)];
  return textsOfArray(chunk.bytes, value.type, value.at, value.size);
}

function textOf(chunk: DecodingChunk, { values }: Content, part: Part | undefined): string | undefined {
  if (part === undefined || part.length === 0) return undefined;
  return joined(chunk, values, part);
}

function joined(chunk: DecodingChunk, values: Values, part: Part): string {
  const [only] = part;
  if (part.length === 1 && typeof only === 'string') return only;
  let text = '';
  for (const piece of part) {
    if (typeof piece === 'string') text += piece;
    else {
      const value = valueAt(chunk, values, piece);
      spend(chunk, 1 + value.size);
      text += textOfValue(chunk.bytes, value.type, value.at, value.size);
    }
  }
  return text;
}

function eventIdOf(chunk: DecodingChunk, content: Content): number | undefined {
  const part = content.layout.eventId;
  const [only] = part ?? [];
  if (typeof only === 'string') return eventIdOfText(only);
  if (only === undefined) return undefined;
  const number = numberOfSubstitution(chunk, content.values, only);
  return number === undefined ? undefined : number & 0xffff;
}

/** The identifier may be written with its qualifiers in the high 16 bits. */
function eventIdOfText(text: string): number | undefined {
  return /^\s*\d{1,10}\s*$/.test(text) ? Number(text) & 0xffff : undefined;
}

function wholeNumberOf(chunk: DecodingChunk, content: Content, part: Part | undefined): number | undefined {
  const [only] = part ?? [];
  if (only === undefined) return undefined;
  const number =
    typeof only === 'number'
      ? numberOfSubstitution(chunk, content.values, only)
      : /^\s*\d{1,16}\s*$/.test(only)
        ? Number(only)
        : undefined;
  return number !== undefined && number > 0 && Number.isSafeInteger(number) ? number : undefined;
}

function numberOfSubstitution(chunk: DecodingChunk, values: Values, index: number): number | undefined {
  if (index >= values.count) return undefined;
  const value = valueAt(chunk, values, index);
  return numberOfValue(chunk.bytes, value.type, value.at, value.size);
}

function timeOf(chunk: DecodingChunk, content: Content, part: Part | undefined): number | undefined {
  const [only] = part ?? [];
  if (typeof only === 'number') {
    const value = valueAt(chunk, content.values, only);
    if (value.type === valueType.fileTime && value.size === 8) return unixMsOfFileTime(chunk.bytes, value.at);
  }
  const text = textOf(chunk, content, part);
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text ?? '');
  const ms = Date.parse(`${match?.[1] ?? ''}.${(match?.[2] ?? '').padEnd(3, '0').slice(0, 3)}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

/**
 * Sums the sizes up to the value instead of remembering where each is: nearly every record is dropped by its event
 * ID, one of the first values, and of the others a handful is needed.
 */
function valueAt(chunk: DecodingChunk, values: Values, index: number): { type: number; at: number; size: number } {
  if (index >= values.count) return { type: valueType.none, at: 0, size: 0 };
  const { bytes } = chunk;
  spend(chunk, index >> 4);
  let at = values.descriptors + values.count * 4;
  for (let each = 0; each < index; each++) at += bytes.readUInt16LE(values.descriptors + each * 4);
  const descriptor = values.descriptors + index * 4;
  const size = bytes.readUInt16LE(descriptor);
  if (at + size > values.end) throw new UnreadableRecord('damaged', 'values beyond the end of their record');
  return { type: bytes.readUInt8(descriptor + 2), at, size };
}

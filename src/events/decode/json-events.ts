/** Builds the two formats (JSON lines, JSON document) of a carrier that writes one flat object per event. */
import type { Decoded } from '../../model/records.js';
import { placeOf } from './bytes.js';
import { eventIdOf, messageOf, needsMessage, recordIdOf, textOf, type Strings } from './event-fields.js';
import { clockTimeOf, timeOf } from './event-time.js';
import type { TextFormat } from '../formats/format.js';
import { fieldReader } from './json-fields.js';
import { jsonLayoutOf } from './json-layout.js';
import { UnreadableRecord } from './unreadable.js';

/** Where a carrier keeps what: each a list of paths (`win/system/eventID`), of which the first that is there counts. */
type Places = {
  readonly id: readonly string[];
  readonly provider: readonly string[];
  readonly channel: readonly string[];
  readonly computer: readonly string[];
  readonly recordId: readonly string[];
  readonly time: readonly string[];
  readonly message: readonly string[];
  readonly values: readonly string[];
};

export type JsonCarrier = {
  readonly name: string;
  /**
   * All of these are found in the beginning of a file of this carrier. They look for keys with their quotes: a quote
   * within a JSON string is escaped, so that they cannot match text in a value.
   */
  readonly shape: readonly RegExp[];
  /** The key of the event ID when no other member of that name can come before it. */
  readonly idKey?: string;
  readonly places: Places;
  /** Insertion strings of what stands at `places.values`. */
  readonly valuesOf: (value: unknown) => Strings | undefined;
  readonly cleanMessage?: (message: string) => string;
};

export function jsonFormats(carrier: JsonCarrier): readonly [lines: TextFormat, document: TextFormat] {
  const decode = carrierDecoder(carrier);
  return layouts(carrier.name, (head) => carrier.shape.every((part) => part.test(head)), {
    ...(carrier.idKey === undefined ? {} : { idMark: keyMark(carrier.idKey) }),
    ...recordMarksOf(carrier.places),
    decode: (record) => decodeText(decode, record),
    decodeBytes: decode,
  });
}

/** The keys of the first alternatives; a record that has another one is decoded for its record ID. */
function recordMarksOf({ recordId, channel, computer }: Places): Pick<TextFormat, 'recordMarks'> {
  const keys = [recordId, channel, computer].map(([path]) => path?.split('/').at(-1));
  const [recordKey, channelKey, computerKey] = keys;
  if (recordKey === undefined || channelKey === undefined || computerKey === undefined) return {};
  return {
    recordMarks: { recordId: keyMark(recordKey), channel: keyMark(channelKey), computer: keyMark(computerKey) },
  };
}

function keyMark(key: string): { readonly after: string } {
  return { after: `"${key}":` };
}

/** A format for JSON lines and its twin for the same objects in an array or pretty-printed. */
export function layouts(
  name: string,
  recognises: (head: string) => boolean,
  rest: Pick<TextFormat, 'idMark' | 'recordMarks' | 'mayGiveNothing' | 'decode' | 'decodeBytes'>,
): readonly [lines: TextFormat, document: TextFormat] {
  return [
    {
      ...rest,
      name,
      kind: 'text',
      framing: 'lines',
      recognises: (head) => jsonLayoutOf(head) === 'lines' && recognises(head),
    },
    {
      ...rest,
      name: `${name}-document`,
      kind: 'text',
      framing: 'json',
      recognises: (head) => jsonLayoutOf(head) === 'document' && recognises(head),
    },
  ];
}

export function decodeText(decode: NonNullable<TextFormat['decodeBytes']>, record: string): readonly Decoded[] {
  const bytes = Buffer.from(record);
  return decode(bytes, 0, bytes.length);
}

/**
 * The object in a line that may have something around it: a syslog header, or the tag and time of a file output. In a
 * header a brace may stand too, as in the structured data of RFC 5424 (`ProviderGuid="{A68CA8B7-...}"`): the first brace
 * before a key counts.
 * @returns where it begins and where it ends; the whole when there is none
 */
export function objectSpan(bytes: Buffer, start: number, end: number): readonly [start: number, end: number] {
  if (bytes[start] === openBrace) return [start, end];
  for (let at = placeOf(bytes, openBrace, start, end); at >= 0; at = placeOf(bytes, openBrace, at + 1, end)) {
    let next = at + 1;
    while (next < end && (bytes[next] ?? 0) <= space) next++;
    if (bytes[next] === quote) return [at, endOfLast(bytes, at, end)];
    at = next - 1;
  }
  return [start, end];
}

/** The place after the last closing brace; the end when there is none. */
function endOfLast(bytes: Buffer, start: number, end: number): number {
  for (let at = end; at > start; at--) if (bytes[at - 1] === closeBrace) return at;
  return end;
}

const space = 32;
const quote = 34;
const openBrace = 123;
const closeBrace = 125;

function carrierDecoder({ name, places, valuesOf, cleanMessage }: JsonCarrier): NonNullable<TextFormat['decodeBytes']> {
  const paths: string[][] = [];
  const slots = Object.fromEntries(
    Object.entries(places).map(([place, alternatives]) => [
      place,
      alternatives.map((path) => paths.push(path.split('/')) - 1),
    ]),
  ) as Record<keyof Places, number[]>;
  const readFields = fieldReader(paths);
  return (bytes, start, end) => {
    const field = readFields(bytes, ...objectSpan(bytes, start, end));
    const at = (place: keyof Places): unknown => {
      for (const slot of slots[place]) {
        const value = field(slot);
        if (value !== undefined && value !== null) return value;
      }
      return undefined;
    };
    const id = at('id');
    // Whatever has no event ID is not an event: a shipper's own log lines, for instance.
    if (id === undefined) return [];
    const eventId = eventIdOf(id);
    const provider = at('provider');
    if (eventId === undefined || typeof provider !== 'string') throw wrongShape(name, id, provider);
    let values: Strings = [];
    for (const slot of slots.values) if (values.length === 0) values = valuesOf(field(slot)) ?? [];
    const message = needsMessage(values) ? messageOf(at('message')) : undefined;
    const written = at('time');
    const time = timeOf(written);
    return [
      {
        kind: 'event',
        provider,
        eventId,
        channel: textOf(at('channel')),
        computer: textOf(at('computer')),
        recordId: recordIdOf(at('recordId')),
        time,
        clockTime: time === undefined ? clockTimeOf(written) : undefined,
        values,
        message: message === undefined || cleanMessage === undefined ? message : cleanMessage(message),
      },
    ];
  };
}

export function wrongShape(name: string, id: unknown, provider: unknown): UnreadableRecord {
  return new UnreadableRecord(
    'wrong_shape',
    () =>
      `expected an event ID and a provider name in the ${name} event, got ${shownValue(id)} and ${shownValue(provider)}`,
  );
}

/** A value for messages; what is nested is only named, since it may be nested without end. */
function shownValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

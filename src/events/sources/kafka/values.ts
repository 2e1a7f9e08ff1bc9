/**
 * Reads the values of Kafka's records: each is one record of a carrier or several lines of them, and a topic may mix
 * carriers. What cannot matter is dropped by its bytes; only the rest is recognised and decoded.
 */
import type { Decoded, UnreadableReason } from '../../../model/records.js';
import { isWanted } from '../../classify.js';
import { isBrokenJsonText } from '../../decode/json-text.js';
import type { TextFormat } from '../../formats/format.js';
import { formats } from '../../formats/formats.js';
import { cutRecords } from '../../read/cut.js';
import { idFilter } from '../../read/id-filter.js';
import { ShortRecords } from '../../read/short-records.js';
import { encodingOf, utf8Of } from '../../read/text.js';

export type ValueTally = {
  readonly decoded: Decoded[];
  ignored: number;
  readonly unreadable: Partial<Record<UnreadableReason, number>>;
  /** What the first value that could not be read was like. */
  trouble: string | undefined;
};

export type ValueReader = {
  /** @param end -1 for a record without a value, as compaction leaves it */
  readonly read: (bytes: Buffer, start: number, end: number, into: ValueTally) => void;
  /** Values in a row, up to now, that no format recognises. */
  readonly strangers: () => number;
};

export function emptyTally(): ValueTally {
  return { decoded: [], ignored: 0, unreadable: {}, trouble: undefined };
}

const textFormats = formats.filter((each): each is TextFormat => each.kind === 'text');
/** Formats of a topic that are tried by their marks before a value is looked at. */
const mostRecent = 4;
/** So much of a value tells its format. */
const headBytes = 64 * 1024;

/** A format that this topic has brought, and with which byte its values begin. */
type Seen = { readonly format: TextFormat; readonly firstByte: number };
type Filter = ReturnType<typeof idFilter>;

type State = {
  recent: Seen[];
  /** The filters of the bytes that are being read. */
  bytes: Buffer | undefined;
  filters: (Filter | undefined)[];
  /** The next line end in them. */
  lineEndAt: number;
  readonly short: ShortRecords;
  strangers: number;
};

export function createValueReader(): ValueReader {
  const state: State = {
    recent: [],
    bytes: undefined,
    filters: [],
    lineEndAt: -1,
    short: new ShortRecords(),
    strangers: 0,
  };
  return {
    read: (bytes, start, end, into) => {
      if (end <= start || isDull(state, bytes, start, end)) into.ignored++;
      else readValue(state, bytes.subarray(start, end), into);
    },
    strangers: () => state.strangers,
  };
}

/** True when a format that the topic brings has its event IDs in there, and none of them is of interest. */
function isDull(state: State, bytes: Buffer, start: number, end: number): boolean {
  if (state.bytes !== bytes) {
    state.bytes = bytes;
    state.filters = [];
    state.lineEndAt = -1;
  }
  if (bytes[start] === openBracket || hasLines(state, bytes, start, end)) return false;
  let dull = false;
  for (let n = 0; n < state.recent.length; n++) {
    const seen = state.recent[n];
    if (seen?.format.idMark === undefined || bytes[start] !== seen.firstByte) continue;
    const filter = (state.filters[n] ??= idFilter({ format: seen.format, wanted: isWanted }, bytes));
    const verdict = filter(start, end);
    if (verdict === 'wanted') return false;
    dull ||= verdict === 'dull';
  }
  return dull;
}

/** Several records in one value are cut, filtered and counted one by one. */
function hasLines(state: State, bytes: Buffer, start: number, end: number): boolean {
  if (state.lineEndAt < start) {
    const at = bytes.indexOf(lineFeed, start);
    state.lineEndAt = at < 0 ? Infinity : at;
  }
  return state.lineEndAt < end - 1;
}

function readValue(state: State, value: Buffer, into: ValueTally): void {
  const { encoding, markLength } = encodingOf(value);
  const text = utf8Of(value.subarray(markLength), encoding);
  const head = text.toString('utf8', 0, headBytes).trimStart();
  if (head === '') {
    into.ignored++;
    return;
  }
  const format = textFormats.find((each) => each.recognises(head));
  if (format) {
    state.strangers = 0;
    noteSeen(state, { format, firstByte: value[0] ?? 0 });
    readRecords(state, text, format, into);
  } else readStranger(state, value, head, into);
}

/** The format seen last stands first. */
function noteSeen(state: State, seen: Seen): void {
  const [first] = state.recent;
  if (first?.format === seen.format && first.firstByte === seen.firstByte) return;
  const others = state.recent.filter(({ format, firstByte }) => format !== seen.format || firstByte !== seen.firstByte);
  state.recent = [seen, ...others].slice(0, mostRecent);
  state.filters = [];
}

/** Cuts the value into records. It is whole: what is left at its end is a record without its line end, or half of one. */
function readRecords(state: State, text: Buffer, format: TextFormat, into: ValueTally): void {
  const isOpen = format.framing === 'lines' && text[text.length - 1] !== lineFeed;
  let rest: Buffer = isOpen ? Buffer.concat([text, lineEnd]) : text;
  while (rest.length > 0) {
    state.short.begin(rest);
    const cut = cutRecords(rest, state.short, false, true, { format, wanted: isWanted, unfiltered: false });
    into.decoded.push(...cut.decoded);
    into.ignored += cut.ignored;
    for (const [reason, count] of Object.entries(cut.unreadable) as [UnreadableReason, number][])
      into.unreadable[reason] = (into.unreadable[reason] ?? 0) + count;
    into.trouble ??= cut.trouble && `${cut.trouble.reason}: ${cut.trouble.message}`;
    if (!cut.outOfTime) {
      if (cut.consumed < rest.length && !cut.skipping)
        unreadable(into, 'damaged', `${format.name}: half a record at the end of a value`);
      return;
    }
    rest = rest.subarray(cut.consumed);
  }
}

const [lineFeed, openBracket] = [10, 91];
const lineEnd = Buffer.from('\n');

/**
 * No format recognises it. JSON that is whole is somebody else's, for topics are shared; of what is no JSON nobody can say
 * that it held no event.
 */
function readStranger(state: State, value: Buffer, head: string, into: ValueTally): void {
  state.strangers++;
  if (isBinary(value)) {
    unreadable(into, 'wrong_shape', binaryWords(value));
    return;
  }
  if (/^[{[]/.test(head)) {
    if (isWholeJson(value)) into.ignored++;
    else unreadable(into, 'not_json', `expected JSON, got ${JSON.stringify(head.slice(0, 60))}`);
    return;
  }
  unreadable(
    into,
    'wrong_shape',
    `no known format: ${JSON.stringify(head.slice(0, 60))}; expected events as in the table of formats in the README`,
  );
}

function isWholeJson(value: Buffer): boolean {
  const text = value.toString('utf8');
  if (isBrokenJsonText(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isBinary(value: Buffer): boolean {
  return (
    value.subarray(0, 512).some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) || !startsAsText(value)
  );
}

/** No text of UTF-8 begins with a byte from the middle of a character, or with one that never stands in it. */
function startsAsText(value: Buffer): boolean {
  const first = value[0] ?? 0;
  return first < 0x80 || (first >= 0xc2 && first <= 0xf4);
}

/** MessagePack begins with a map or an array: Fluent Bit's `format msgpack`. Source: MessagePack specification. */
function binaryWords(value: Buffer): string {
  const first = value[0] ?? 0;
  const isMessagePack = (first >= 0x80 && first <= 0x9f) || (first >= 0xdc && first <= 0xdf);
  if (isMessagePack) return 'MessagePack, which is not read; set the format of the shipper to json';
  if (first === 0)
    return 'a value of a schema registry (Avro, Protobuf), which is not read; ship JSON without a registry';
  if (first === 0x1f && value[1] === 0x8b)
    return 'gzip within a value, which is not read; let Kafka compress (compression of the producer)';
  return 'binary content, which is not read; ship JSON, XML or OTLP';
}

function unreadable(into: ValueTally, reason: UnreadableReason, why: string): void {
  into.unreadable[reason] = (into.unreadable[reason] ?? 0) + 1;
  into.trouble ??= `${reason}: ${why}`;
}

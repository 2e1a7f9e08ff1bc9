/**
 * Reads the values of Kafka's records: each is one record of a carrier or several lines of them, and a topic may mix
 * carriers. What cannot matter is dropped by its bytes; only the rest is recognised and decoded.
 */
import type { Decoded } from '../../../model/records.js';
import { isWanted } from '../../classify.js';
import type { TextFormat } from '../../formats/format.js';
import { formats } from '../../formats/formats.js';
import { framedAsWritten } from '../../formats/run-together.js';
import { cutRecords } from '../../read/cut.js';
import { idFilter } from '../../read/id-filter.js';
import { type MarkReader, markReader, type Span } from '../../read/record-marks.js';
import type { RunFound } from '../../read/record-runs.js';
import { ShortRecords } from '../../read/short-records.js';
import type { SpreadCollector } from '../../read/spread-ids.js';
import { encodingOf, utf8Of } from '../../read/text.js';
import { isOtlpFormat, isOtlpProtobuf, readOtlpJson, readOtlpProtobuf } from './otlp-values.js';
import { readStranger } from './strangers.js';
import { addUnreadable, noteUnreadable, type ValueTally } from './tally.js';

export type ValueReader = {
  /**
   * @param end -1 for a record without a value, as compaction leaves it
   * @param at when it came, by the clock of Kafka
   */
  readonly read: (bytes: Buffer, start: number, end: number, into: ValueTally, at: number) => void;
  /** Values in a row, up to now, that no format recognises. */
  readonly strangers: () => number;
};

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
  /** What finds their record IDs, of formats that have marks for them. */
  marked: Map<TextFormat, MarkReader>;
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
    marked: new Map(),
    lineEndAt: -1,
    short: new ShortRecords(),
    strangers: 0,
  };
  return {
    read: (bytes, start, end, into, at) => {
      const dull = end > start ? dullIn(state, bytes, start, end) : undefined;
      if (end > start && !dull) {
        readValue(state, bytes.subarray(start, end), into, at);
        return;
      }
      into.ignored++;
      if (dull && into.ids) noteId(state, dull, [start, end], { ids: into.ids, bytes, at });
    },
    strangers: () => state.strangers,
  };
}

/** A format that the topic brings and that has its event IDs in there, none of which is of interest. */
function dullIn(state: State, bytes: Buffer, start: number, end: number): TextFormat | undefined {
  if (state.bytes !== bytes) {
    state.bytes = bytes;
    state.filters = [];
    state.marked.clear();
    state.lineEndAt = -1;
  }
  if (bytes[start] === openBracket || hasLines(state, bytes, start, end)) return undefined;
  let dull: TextFormat | undefined;
  for (let n = 0; n < state.recent.length; n++) {
    const seen = state.recent[n];
    if (seen?.format.idMark === undefined || bytes[start] !== seen.firstByte) continue;
    const filter = (state.filters[n] ??= idFilter({ format: seen.format, wanted: isWanted }, bytes));
    const verdict = filter(start, end);
    if (verdict === 'wanted') return undefined;
    if (verdict === 'dull') dull ??= seen.format;
  }
  return dull;
}

type Noting = { readonly ids: SpreadCollector; readonly bytes: Buffer; readonly at: number };

/** Takes down the record ID of what is dropped by its bytes. */
function noteId(state: State, format: TextFormat, span: Span, { ids, bytes, at }: Noting): void {
  const { recordMarks } = format;
  if (!recordMarks) return;
  let marked = state.marked.get(format);
  if (!marked) state.marked.set(format, (marked = markReader(bytes, recordMarks)));
  const decoded = (): readonly Decoded[] => decodedOrNone(format, bytes, span);
  if (ids.drop(bytes, marked, span, at, () => timeOf(decoded()[0]))) return;
  noteOne(ids, decoded(), at);
}

function timeOf(record: Decoded | undefined): number | undefined {
  return record?.kind === 'event' ? record.time : undefined;
}

/** What is dropped was not looked at: whether it is sound does not matter. */
function decodedOrNone(format: TextFormat, bytes: Buffer, [start, end]: Span): readonly Decoded[] {
  try {
    return format.decodeBytes?.(bytes, start, end) ?? format.decode(bytes.toString('utf8', start, end));
  } catch {
    return [];
  }
}

/** Several records in one value are cut, filtered and counted one by one. */
function hasLines(state: State, bytes: Buffer, start: number, end: number): boolean {
  if (state.lineEndAt < start) {
    const at = bytes.indexOf(lineFeed, start);
    state.lineEndAt = at < 0 ? Infinity : at;
  }
  return state.lineEndAt < end - 1;
}

function readValue(state: State, value: Buffer, into: ValueTally, at: number): void {
  if (isOtlpProtobuf(value)) {
    state.strangers = 0;
    readOtlpProtobuf(value, into);
    return;
  }
  const { encoding, markLength } = encodingOf(value);
  const whole = utf8Of(value.subarray(markLength), encoding);
  const text = whole.subarray(blanksOf(whole));
  const head = text.toString('utf8', 0, headBytes);
  if (head === '') {
    into.ignored++;
    return;
  }
  const format = textFormats.find((each) => each.recognises(head));
  if (format) {
    state.strangers = 0;
    noteSeen(state, { format, firstByte: value[0] ?? 0 });
    if (!isOtlpFormat(format) || !readOtlpJson(text, into))
      readRecords(state, text, framedAsWritten(format, text, 0), into, at);
  } else {
    state.strangers++;
    readStranger(value, head, into);
  }
}

function blanksOf(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length && (bytes[at] ?? 0) <= space) at++;
  return at;
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
function readRecords(state: State, text: Buffer, format: TextFormat, into: ValueTally, at: number): void {
  const isOpen = format.framing === 'lines' && text[text.length - 1] !== lineFeed;
  const ids = format.recordMarks && into.ids;
  // To find the IDs of one record by their marks costs more than to decode it, which is done as a rule.
  const isOne = isOpen && !text.includes(lineFeed);
  let rest: Buffer = isOpen ? Buffer.concat([text, lineEnd]) : text;
  while (rest.length > 0) {
    state.short.begin(rest);
    const unfiltered = ids && !isOne ? undefined : false;
    const cut = cutRecords(rest, state.short, false, true, { format, wanted: isWanted, unfiltered });
    if (ids && isOne) noteOne(ids, cut.ignored > 0 ? decodedOrNone(format, text, [0, text.length]) : cut.decoded, at);
    else if (ids) noteRuns(ids, cut.runs.runs(), at);
    for (const each of cut.decoded) into.decoded.push(each);
    into.ignored += cut.ignored;
    addUnreadable(into, cut.unreadable, cut.trouble && `${cut.trouble.reason}: ${cut.trouble.message}`);
    if (!cut.outOfTime) {
      if (cut.consumed < rest.length && !cut.skipping)
        noteUnreadable(into, 'damaged', `${format.name}: half a record at the end of a value`);
      return;
    }
    rest = rest.subarray(cut.consumed);
  }
}

function noteOne(ids: SpreadCollector, decoded: readonly Decoded[], at: number): void {
  for (const each of decoded) if (each.kind === 'event') ids.take(each, at);
}

function noteRuns(ids: SpreadCollector, runs: readonly RunFound[] | undefined, at: number): void {
  if (!runs) ids.isBroken = true;
  for (const run of runs ?? []) ids.takeRun(run, at);
}

const [lineFeed, space, openBracket] = [10, 32, 91];
const lineEnd = Buffer.from('\n');

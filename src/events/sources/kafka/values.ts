/**
 * Reads the values of Kafka's records: each is one record of a carrier or several lines of them, and a topic may mix
 * carriers. What cannot matter is dropped by its bytes; only the rest is recognised and decoded.
 */
import { isWanted } from '../../classify.js';
import type { TextFormat } from '../../formats/format.js';
import { framedAsWritten } from '../../formats/run-together.js';
import { cutRecords } from '../../read/cut.js';
import type { RunFound } from '../../read/record-runs.js';
import { ShortRecords } from '../../read/short-records.js';
import type { SpreadCollector } from '../../read/spread-ids.js';
import { encodingOf, utf8Of } from '../../read/text.js';
import { decodedOrNone, headBytes, KnownValues, noteDecoded, textFormats } from './known-values.js';
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

type State = { readonly known: KnownValues; readonly short: ShortRecords; strangers: number };

export function createValueReader(): ValueReader {
  const state: State = { known: new KnownValues(), short: new ShortRecords(), strangers: 0 };
  return {
    read: (bytes, start, end, into, at) => {
      if (end <= start) into.ignored++;
      else if (state.known.read(bytes, start, end, into, at)) state.strangers = 0;
      else readValue(state, bytes.subarray(start, end), into, at);
    },
    strangers: () => state.strangers,
  };
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
    state.known.note(format, value[0] ?? 0);
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
    if (ids && isOne) noteDecoded(ids, cut.ignored > 0 ? decodedOrNone(format, text, 0, text.length) : cut.decoded, at);
    else if (ids) noteRuns(ids, cut.runs.runs(), at);
    for (const each of cut.decoded) into.decoded.push(each);
    into.ignored += cut.ignored;
    addUnreadable(into, cut.unreadable, cut.trouble && `${cut.trouble.reason}: ${cut.trouble.message}`);
    if (!cut.isCutShort) {
      if (cut.consumed < rest.length && !cut.skipping)
        noteUnreadable(into, 'damaged', `${format.name}: half a record at the end of a value`);
      return;
    }
    rest = rest.subarray(cut.consumed);
  }
}

function noteRuns(ids: SpreadCollector, runs: readonly RunFound[] | undefined, at: number): void {
  if (!runs) ids.isBroken = true;
  for (const run of runs ?? []) ids.takeRun(run, at);
}

const [lineFeed, space] = [10, 32];
const lineEnd = Buffer.from('\n');

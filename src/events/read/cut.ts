/** Cuts a buffer into records and decodes those that may matter; what each gave is counted. */
import type { Decoded, UnreadableReason } from '../../model/records.js';
import { unreadableOf, UnreadableRecord } from '../decode/unreadable.js';
import { mostEvents, type PassResult, type TextFormat, type Trouble } from '../formats/format.js';
import { idFilter, type PassOptions } from './id-filter.js';
import { eventBehind, startOfRecord, trimBlanks } from './record-bounds.js';
import { createRunCollector, type RunCollector } from './record-runs.js';
import { type Outcome, shortRecordBytes, type ShortRecords } from './short-records.js';
import { findEndFor, findSkipEnd, maxRecordBytes, restKind, type WaitingRest, waitingRest } from './text.js';

const passMs = 20;

/** The clock is looked at after so many bytes, or 64 records. */
const bytesBetweenLooks = 64 * 1024;

type Cut = {
  decoded: Decoded[];
  ignored: number;
  unreadable: Partial<Record<UnreadableReason, number>>;
  barren: PassResult['barren'];
  trouble: Trouble | undefined;
  rest: WaitingRest | undefined;
  consumed: number;
  skipping: boolean;
  isCutShort: boolean;
  /** What the last record gave when it was known before. */
  known: Outcome | undefined;
  readonly short: ShortRecords;
  readonly runs: RunCollector;
  /** The next NUL byte, looked for once; beyond the end when there is none. */
  nul: number;
};

type CutOptions = Pick<PassOptions, 'format' | 'wanted' | 'unfiltered' | 'gapsBefore'>;

export function cutRecords(
  bytes: Buffer,
  short: ShortRecords,
  skipping: boolean,
  atEnd: boolean,
  options: CutOptions,
): Cut {
  const cut: Cut = {
    decoded: [],
    ignored: 0,
    unreadable: {},
    barren: { atEnd: 0, throughout: true },
    trouble: undefined,
    rest: undefined,
    consumed: 0,
    skipping,
    isCutShort: false,
    known: undefined,
    short,
    runs: runsOf(bytes, options),
    nul: -1,
  };
  if (skipping && !skipRecord(bytes, cut, options.format)) return cut;
  const findEnd = findEndFor(options.format.framing);
  const idOf = idFilter(options, bytes);
  const deadline = performance.now() + passMs;
  const most = options.format.mayGiveNothing ? Infinity : mostEvents;
  let askedAt = cut.consumed;
  for (let records = 0; ; records++) {
    const end = findEnd(bytes, cut.consumed);
    if (end < 0) break;
    cut.known = undefined;
    if (end - cut.consumed > maxRecordBytes) stepOverTooLarge(bytes, cut, end, options.format);
    if (cut.consumed < end) {
      const id = idOf(cut.consumed, end);
      if (id === 'dull') dropRecord(cut, end);
      else decodeRecord(bytes, cut, end, options.format, id === 'wanted');
    }
    const from = cut.consumed;
    cut.consumed = end;
    if (end - from <= shortRecordBytes) stepOverKnown(cut, from, options.format.framing);
    // A big record may take as long as many small ones.
    if ((records & 63) !== 63 && cut.consumed - askedAt < bytesBetweenLooks) continue;
    askedAt = cut.consumed;
    if (performance.now() > deadline || cut.decoded.length >= most) {
      cut.isCutShort = true;
      return cut;
    }
  }
  takeRest(bytes, cut, atEnd, options.format);
  return cut;
}

/** An event that stands right behind it is read. */
function stepOverTooLarge(bytes: Buffer, cut: Cut, end: number, { framing }: TextFormat): void {
  count(cut, tooLarge());
  const next = eventBehind(bytes, cut.consumed + 1, end, framing);
  cut.consumed = next < 0 ? end : next;
}

/** Steps over what is known when the last record, which began at `from`, was short. */
function stepOverKnown(cut: Cut, from: number, framing: TextFormat['framing']): void {
  const { short, known, consumed } = cut;
  if (framing === 'lines') {
    cut.consumed = short.stepOverLines(consumed, (outcome, times) => {
      countAgain(cut, outcome, times);
    });
  } else if (known !== undefined) {
    const times = short.timesAgain(from, consumed);
    countAgain(cut, known, times);
    cut.consumed += times * (consumed - from);
  }
}

/** Steps over the rest of a record that is too long. Returns false when its end is not in these bytes. */
function skipRecord(bytes: Buffer, cut: Cut, format: TextFormat): boolean {
  const end = findSkipEnd(bytes, format.framing);
  const next = eventBehind(bytes, 0, end < 0 ? bytes.length : end, format.framing);
  cut.skipping = next < 0 && end < 0;
  // The end mark of an event may itself be cut in two: its first bytes are looked at again.
  const rest = cut.skipping ? Math.max(0, bytes.length - '</Event>'.length) : end;
  cut.consumed = next < 0 ? rest : next;
  return !cut.skipping;
}

function takeRest(bytes: Buffer, cut: Cut, atEnd: boolean, format: TextFormat): void {
  const length = bytes.length - cut.consumed;
  if (length > maxRecordBytes) {
    stepOverTooLarge(bytes, cut, bytes.length, format);
    cut.skipping = cut.consumed === bytes.length;
    if (cut.skipping) cut.consumed -= '</Event>'.length;
  } else if (atEnd && length > 0) {
    const text = bytes.toString('utf8', cut.consumed);
    const kind = restKind(text, format.framing);
    if (kind === 'record') decodeRecord(bytes, cut, bytes.length, format, false);
    if (kind === 'half') cut.rest = waitingRest(text, format.framing);
    else cut.consumed = bytes.length;
  }
}

function dropRecord(cut: Cut, end: number): void {
  cut.ignored++;
  cut.barren = fruitful;
  cut.runs.drop(cut.consumed, end);
}

const fruitful: PassResult['barren'] = { atEnd: 0, throughout: false };

/** @param isWanted whether an event ID of interest stands at its mark in the record */
function decodeRecord(bytes: Buffer, cut: Cut, end: number, format: TextFormat, isWanted: boolean): void {
  const first = startOfRecord(bytes, cut.consumed, end, format.framing);
  if (first === end) return;
  const start = format.framing === 'lines' ? startBehindCrash(bytes, cut, first, end) : first;
  if (start === end) {
    cut.short.keep(end, end, 'damaged');
    return;
  }
  cut.known = cut.short.find(start, end);
  if (cut.known) {
    countAgain(cut, cut.known);
    return;
  }
  const outcome = decodeNew(bytes, cut, start, end, format, isWanted);
  if (outcome) cut.short.keep(start, end, outcome);
}

/** Counts what needs no message, because the first record of its kind in the pass has told it. */
function countAgain(cut: Cut, outcome: Outcome, times = 1): void {
  if (outcome === 'ignored' || outcome === 'barren') cut.ignored += times;
  else cut.unreadable[outcome] = (cut.unreadable[outcome] ?? 0) + times;
  if (outcome !== 'ignored') noteBarren(cut, times);
}

/** @returns undefined when the record gave something */
function decodeNew(
  bytes: Buffer,
  cut: Cut,
  start: number,
  end: number,
  format: TextFormat,
  isWanted: boolean,
): Outcome | undefined {
  try {
    const decoded = decodedOf(bytes, start, end, format);
    if (decoded.length === 0) {
      // An event of interest that the carrier keeps where nobody looks must not be lost in silence.
      if (isWanted) {
        count(cut, noEvent(format));
        return 'wrong_shape';
      }
      const outcome = !format.mayGiveNothing && isOfFormat(bytes, start, end, format) ? 'barren' : 'ignored';
      countAgain(cut, outcome);
      return outcome;
    }
    cut.barren = fruitful;
    for (const each of decoded) {
      cut.decoded.push(each);
      cut.runs.take(each);
    }
    return undefined;
  } catch (error) {
    const unreadable = unreadableOf(error);
    count(cut, unreadable);
    return unreadable.reason;
  }
}

/**
 * A crash leaves half a line and NUL bytes behind it; the writer goes on right there. Only that half is lost.
 * @returns where the record begins that has its end
 */
function startBehindCrash(bytes: Buffer, cut: Cut, start: number, end: number): number {
  if (cut.nul < start) cut.nul = bytes.indexOf(0, start) >>> 0;
  if (cut.nul >= end) return start;
  const last = start + bytes.subarray(start, end).lastIndexOf(0);
  count(cut, new UnreadableRecord('damaged', 'half a record with NUL bytes behind it, as a crash leaves it'));
  return startOfRecord(bytes, last + 1, end, 'lines');
}

/** Whether a record without an event is one of the format, and not a stranger's: another shipper's line, for instance. */
function isOfFormat(bytes: Buffer, start: number, end: number, format: TextFormat): boolean {
  return format.recognises(bytes.toString('utf8', start, Math.min(end, start + recognisedBytes)));
}

const recognisedBytes = 64 * 1024;

function noteBarren(cut: Cut, times: number): void {
  cut.barren = { ...cut.barren, atEnd: cut.barren.atEnd + times };
}

function decodedOf(bytes: Buffer, start: number, end: number, format: TextFormat): readonly Decoded[] {
  const last = trimBlanks(bytes, start, end);
  return format.decodeBytes?.(bytes, start, last) ?? format.decode(bytes.toString('utf8', start, last));
}

function runsOf(bytes: Buffer, { format, unfiltered, gapsBefore }: CutOptions): RunCollector {
  const decode = (start: number, end: number): readonly Decoded[] =>
    decodedOf(bytes, startOfRecord(bytes, start, end, format.framing), end, format);
  return createRunCollector(bytes, { marks: format.recordMarks, decode, unfiltered, gapsBefore });
}

function count(cut: Cut, unreadable: UnreadableRecord): void {
  countAgain(cut, unreadable.reason);
  // The message is made for this one alone.
  cut.trouble ??= { at: cut.consumed, reason: unreadable.reason, message: unreadable.message };
}

function noEvent({ name }: TextFormat): UnreadableRecord {
  return new UnreadableRecord('wrong_shape', `${name}: an event ID, and no event around it`);
}

function tooLarge(): UnreadableRecord {
  return new UnreadableRecord('too_large', `a record of more than ${maxRecordBytes} bytes`);
}

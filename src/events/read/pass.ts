/** One bounded pass over one text file: from a position to the last whole record, decoding only what may matter. */
import { hash } from 'node:crypto';
import type { Decoded, Fingerprint, Position, UnreadableReason } from '../../model/model.js';
import type { PassResult, ReadableFile, TextFormat, Trouble } from '../formats/format.js';
import { numberAt, placesOf } from './marks.js';
import { createRunCollector, type RunCollector } from './record-runs.js';
import { ShortRecords, shortRecordBytes, type Outcome } from './short-records.js';
import {
  findEndFor,
  findSkipEnd,
  maxRecordBytes,
  rawLength,
  restKind,
  utf8Of,
  waitingRest,
  type Encoding,
  type WaitingRest,
} from './text.js';
import { unreadableOf, UnreadableRecord } from '../decode/unreadable.js';

/** Reads at most this many bytes a pass, so that scrapes and probes are never late. */
const passBytes = 4 * 1024 * 1024;
const passMs = 20;
/** The clock is looked at after so many bytes, or 64 records. */
const bytesBetweenLooks = 64 * 1024;
/**
 * So many bytes before the position are read again to prove that the file is still the one read before: several records,
 * for the ends of two may be alike and only their times, at the beginning, differ.
 */
const tailBytes = 4_096;

export type PassOptions = {
  readonly format: TextFormat;
  readonly encoding: Encoding;
  /** Hash of the bytes right before the position. */
  readonly tail: Fingerprint;
  /** Whether an event ID is of any interest. */
  readonly wanted: (eventId: number) => boolean;
  /** Setting of the source; see the run collector. */
  readonly unfiltered?: boolean | undefined;
};

export type TextPass = PassResult & { readonly tail: Fingerprint };

export type Reader = (file: ReadableFile, from: Position, options: PassOptions) => Promise<TextPass | 'replaced'>;

/**
 * Creates a reader that reuses one buffer; its passes must not overlap.
 * Invariant 3: the position returned never stands beyond a record that is not in the result, and half a record at
 * the end stays unread.
 * @returns `replaced` when the bytes before the position are not those of the pass before: truncated and written anew
 */
export function createReader(size = passBytes): Reader {
  const buffer = Buffer.allocUnsafe(size + tailBytes);
  const short = new ShortRecords();
  return async (file, from, options) => {
    const before = options.tail.length;
    const { bytesRead } = await file.read(buffer, 0, before + size, from.offset - before);
    if (fingerprintOf(buffer.subarray(0, Math.min(before, bytesRead))).hash !== options.tail.hash) return 'replaced';
    const raw = buffer.subarray(before, bytesRead);
    const bytes = utf8Of(raw, options.encoding);
    short.begin(bytes);
    const cut = cutRecords(bytes, short, from.skipping === true, raw.length < size, options);
    const read = rawLength(bytes, cut.consumed, options.encoding);
    const offset = from.offset + read;
    const end = before + read;
    return {
      decoded: cut.decoded,
      ignored: cut.ignored,
      unreadable: cut.unreadable,
      barren: cut.barren,
      trouble: cut.trouble && { ...cut.trouble, at: from.offset + rawLength(bytes, cut.trouble.at, options.encoding) },
      rest: cut.skipping ? 'long' : cut.rest,
      runs: cut.runs.runs(),
      position: cut.skipping ? { offset, skipping: true } : { offset },
      tail: fingerprintOf(buffer.subarray(Math.max(0, end - tailBytes), end)),
      more: read > 0 && (cut.outOfTime || raw.length === size),
    };
  };
}

/** Hash of some bytes; nothing at all hashes to the empty text. */
export function fingerprintOf(bytes: Buffer): Fingerprint {
  return { length: bytes.length, hash: bytes.length === 0 ? '' : hash('sha1', bytes).slice(0, 16) };
}

type Cut = {
  decoded: Decoded[];
  ignored: number;
  unreadable: Partial<Record<UnreadableReason, number>>;
  barren: PassResult['barren'];
  trouble: Trouble | undefined;
  rest: WaitingRest | undefined;
  consumed: number;
  skipping: boolean;
  outOfTime: boolean;
  /** What the last record gave when it was known before. */
  known: Outcome | undefined;
  readonly short: ShortRecords;
  readonly runs: RunCollector;
};

function cutRecords(bytes: Buffer, short: ShortRecords, skipping: boolean, atEnd: boolean, options: PassOptions): Cut {
  const runs = runsOf(bytes, options);
  const cut: Cut = {
    decoded: [],
    ignored: 0,
    unreadable: {},
    barren: { atEnd: 0, throughout: true },
    trouble: undefined,
    rest: undefined,
    consumed: 0,
    skipping,
    outOfTime: false,
    known: undefined,
    short,
    runs,
  };
  if (skipping && !skipRecord(bytes, cut, options.format)) return cut;
  const findEnd = findEndFor(options.format.framing);
  const idOf = idFilter(options, bytes);
  const deadline = performance.now() + passMs;
  let askedAt = cut.consumed;
  for (let records = 0; ; records++) {
    const end = findEnd(bytes, cut.consumed);
    if (end < 0) break;
    cut.known = undefined;
    if (end - cut.consumed > maxRecordBytes) count(cut, tooLarge());
    else {
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
    if (performance.now() > deadline) {
      cut.outOfTime = true;
      return cut;
    }
  }
  takeRest(bytes, cut, atEnd, options.format);
  return cut;
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
  // The end mark of an event may itself be cut in two: its first bytes are looked at again.
  cut.consumed = end < 0 ? Math.max(0, bytes.length - '</Event>'.length) : end;
  cut.skipping = end < 0;
  return end >= 0;
}

function takeRest(bytes: Buffer, cut: Cut, atEnd: boolean, format: TextFormat): void {
  const length = bytes.length - cut.consumed;
  if (length > maxRecordBytes) {
    count(cut, tooLarge());
    cut.consumed = bytes.length - '</Event>'.length;
    cut.skipping = true;
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
  const last = bytes.lastIndexOf(0, end - 1);
  if (last < start) return start;
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

function runsOf(bytes: Buffer, { format, unfiltered }: PassOptions): RunCollector {
  return createRunCollector(bytes, {
    marks: format.recordMarks,
    decode: (start, end) => decodedOf(bytes, startOfRecord(bytes, start, end, format.framing), end, format),
    unfiltered,
  });
}

/**
 * The byte filter: `dull` when every event ID found in the record is of no interest. Of a record without a mark, or with
 * something else than digits at it, nothing is known: the decoder decides.
 */
function idFilter(options: PassOptions, bytes: Buffer): (start: number, end: number) => 'dull' | 'wanted' | undefined {
  const { idMark } = options.format;
  if (!idMark) return () => undefined;
  const next = placesOf(bytes, idMark);
  let at = next(0);
  return (start, end) => {
    let found = false;
    while (at >= 0 && at < start) at = next(start);
    while (at >= 0 && at < end) {
      const id = numberAt(bytes, at, idMark);
      if (id < 0) return undefined;
      if (options.wanted(id)) return 'wanted';
      found = true;
      at = next(at + 1);
    }
    return found ? 'dull' : undefined;
  };
}

const space = 0x20;

/** Blanks before a record, and the comma or bracket before an element of a JSON array, are not part of it. */
function startOfRecord(bytes: Buffer, start: number, end: number, framing: TextFormat['framing']): number {
  let at = framing === 'json' ? bytes.indexOf('{', start) : start;
  while (at < end && (bytes[at] ?? 0) <= space) at++;
  return at;
}

function trimBlanks(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && (bytes[at - 1] ?? 0) <= space) at--;
  return at;
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

/** Values in the formats that a topic has brought before: what cannot matter is dropped by its bytes, the rest decoded where it stands. */
import type { Decoded } from '../../../model/records.js';
import { isWanted } from '../../classify.js';
import { connectivityLog } from '../../formats/connectivity-log.js';
import type { TextFormat } from '../../formats/format.js';
import { formats } from '../../formats/formats.js';
import { sendLog } from '../../formats/send-log.js';
import { idFilter } from '../../read/id-filter.js';
import { type MarkReader, markReader } from '../../read/record-marks.js';
import { shortRecordBytes } from '../../read/short-records.js';
import type { SpreadCollector } from '../../read/spread-ids.js';
import { maxRecordBytes } from '../../read/text.js';
import type { ValueTally } from './tally.js';

export const textFormats = formats.filter((each): each is TextFormat => each.kind === 'text');
/** No row of a transport log is an object of JSON. */
const objectFormats = textFormats.filter((each) => each !== sendLog && each !== connectivityLog);
/** Formats of a topic that are tried by their marks before a value is looked at. */
const mostRecent = 4;
/** So much of a value tells its format. */
export const headBytes = 64 * 1024;

/** A format that this topic has brought, and with which byte its values begin. */
type Seen = { readonly format: TextFormat; readonly firstByte: number };
type Filter = ReturnType<typeof idFilter>;

export class KnownValues {
  private recent: Seen[] = [];
  /** The filters of the bytes that are being read. */
  private bytes: Buffer | undefined;
  private filters: (Filter | undefined)[] = [];
  /** What finds their record IDs, of formats that have marks for them. */
  private readonly marked = new Map<TextFormat, MarkReader>();
  /** The next line end in them. */
  private lineEndAt = -1;
  private isDull = false;

  /** The format seen last stands first. */
  note(format: TextFormat, firstByte: number): void {
    const [first] = this.recent;
    if (first?.format === format && first.firstByte === firstByte) return;
    const others = this.recent.filter((each) => each.format !== format || each.firstByte !== firstByte);
    this.recent = [{ format, firstByte }, ...others].slice(0, mostRecent);
    this.filters = [];
  }

  /** @returns false when it is to be recognised first: nothing of it was taken */
  read(bytes: Buffer, start: number, end: number, into: ValueTally, at: number): boolean {
    const format = this.formatOf(bytes, start, end);
    if (!format) return false;
    if (!this.isDull) return decodeInPlace(format, bytes, start, end, into, at);
    into.ignored++;
    if (into.ids) this.noteId(format, bytes, start, end, into.ids, at);
    return true;
  }

  /** One that has its event IDs in there; whether all of them are dull. */
  private formatOf(bytes: Buffer, start: number, end: number): TextFormat | undefined {
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.filters = [];
      this.marked.clear();
      this.lineEndAt = -1;
    }
    if (bytes[start] === openBracket || this.hasLines(bytes, start, end)) return undefined;
    let dull: TextFormat | undefined;
    for (let n = 0; n < this.recent.length; n++) {
      const seen = this.recent[n];
      if (seen?.format.idMark === undefined || bytes[start] !== seen.firstByte) continue;
      const filter = (this.filters[n] ??= idFilter({ format: seen.format, wanted: isWanted }, bytes));
      const verdict = filter(start, end);
      this.isDull = verdict !== 'wanted';
      if (verdict === 'wanted') return seen.format;
      if (verdict === 'dull') dull ??= seen.format;
    }
    return dull;
  }

  /** Several records in one value are cut, filtered and counted one by one. */
  private hasLines(bytes: Buffer, start: number, end: number): boolean {
    if (this.lineEndAt < start) {
      const at = bytes.indexOf(lineFeed, start);
      this.lineEndAt = at < 0 ? Infinity : at;
    }
    return this.lineEndAt < end - 1;
  }

  /** Takes down the record ID of what is dropped by its bytes. */
  private noteId(
    format: TextFormat,
    bytes: Buffer,
    start: number,
    end: number,
    ids: SpreadCollector,
    at: number,
  ): void {
    const { recordMarks } = format;
    if (!recordMarks) return;
    let marked = this.marked.get(format);
    if (!marked) this.marked.set(format, (marked = markReader(bytes, recordMarks)));
    const decoded = (): readonly Decoded[] => decodedOrNone(format, bytes, start, end);
    if (!ids.drop(bytes, marked, [start, end], at, () => timeOf(decoded()[0]))) noteDecoded(ids, decoded(), at);
  }
}

/**
 * The whole value is one object of this format on one line, and gives something: then that is what reading it with all care
 * would give. @returns false when that cannot be said
 */
function decodeInPlace(
  format: TextFormat,
  bytes: Buffer,
  start: number,
  end: number,
  into: ValueTally,
  at: number,
): boolean {
  const length = end - start;
  if (!format.decodeBytes || format.framing !== 'lines' || length <= shortRecordBytes || length > maxRecordBytes)
    return false;
  if (bytes[start] !== openBrace || bytes[end - 1] !== closeBrace) return false;
  // What a crash leaves; and every other character of UTF-16.
  const nul = bytes.indexOf(0, start);
  if (nul >= 0 && nul < end) return false;
  const head = bytes.toString('utf8', start, Math.min(end, start + headBytes));
  if (objectFormats.find((each) => each.recognises(head)) !== format) return false;
  const decoded = decodedOrNone(format, bytes, start, end);
  if (decoded.length === 0) return false;
  for (const each of decoded) into.decoded.push(each);
  if (into.ids && format.recordMarks) noteDecoded(into.ids, decoded, at);
  return true;
}

/** What is dropped was not looked at: whether it is sound does not matter. */
export function decodedOrNone(format: TextFormat, bytes: Buffer, start: number, end: number): readonly Decoded[] {
  try {
    return format.decodeBytes?.(bytes, start, end) ?? format.decode(bytes.toString('utf8', start, end));
  } catch {
    return [];
  }
}

export function noteDecoded(ids: SpreadCollector, decoded: readonly Decoded[], at: number): void {
  for (const each of decoded) if (each.kind === 'event') ids.take(each, at);
}

function timeOf(record: Decoded | undefined): number | undefined {
  return record?.kind === 'event' ? record.time : undefined;
}

const [lineFeed, openBracket, openBrace, closeBrace] = [10, 91, 123, 125];

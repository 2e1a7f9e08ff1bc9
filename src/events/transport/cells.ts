/** Cuts one row of a transport log into its cells: by the commas where nothing is quoted, else by csv-parse. */
import { parse } from 'csv-parse/sync';
import { placeOf } from '../decode/bytes.js';
import { UnreadableRecord } from '../decode/unreadable.js';

const [comma, quote] = [0x2c, 0x22];

/** True for a line of the header, which begins a file and may stand anywhere where files were put together. */
export function isHeader(bytes: Buffer, start: number): boolean {
  return bytes[start] === 0x23;
}

/**
 * The place after the comma that ends the cell at `start`. The cells that are stepped over are short but for the name of
 * the connector, which is the one that may be quoted.
 * @throws UnreadableRecord when there is no such comma
 */
export function nextCell(bytes: Buffer, start: number, end: number): number {
  let from = start;
  if (bytes[start] === quote) {
    from = closingQuote(bytes, start, end);
    if (from < 0) throw tooFewCells(bytes, start, end);
  }
  const at = placeOf(bytes, comma, from, end);
  if (at < 0) throw tooFewCells(bytes, start, end);
  return at + 1;
}

/**
 * All cells of a row as text. Bytes that are no UTF-8 become U+FFFD, as in every other reader.
 * @param count how many there have to be; commas beyond them belong to the last
 */
export function cellsOf(bytes: Buffer, start: number, end: number, count: number): string[] {
  const text = bytes.toString('utf8', start, end);
  const cells = text.includes('"') ? quotedCells(text) : text.split(',');
  if (cells.length < count) throw tooFewCells(bytes, start, end);
  return cells.length === count ? cells : [...cells.slice(0, count - 1), cells.slice(count - 1).join(',')];
}

/** Milliseconds since 1970 of `2026-01-15T08:13:40.512Z`; undefined for anything else. */
export function rowTimeOf(bytes: Buffer, start: number): number | undefined {
  const at = Date.UTC(
    number(bytes, start, 4),
    number(bytes, start + 5, 2) - 1,
    number(bytes, start + 8, 2),
    number(bytes, start + 11, 2),
    number(bytes, start + 14, 2),
    number(bytes, start + 17, 2),
    number(bytes, start + 20, 3),
  );
  return Number.isNaN(at) ? undefined : at;
}

/** What Exchange writes before anything else in a row: a time in UTC, here also one that a person has masked. */
export const rowTimePattern = String.raw`[\dX]{4}-[\dX]{2}-[\dX]{2}T[\dX]{2}:[\dX]{2}:[\dX]{2}\.[\dX]{1,7}Z`;

function number(bytes: Buffer, start: number, length: number): number {
  let value = 0;
  for (let at = start; at < start + length; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** A doubled quote is a quote of the text. */
function closingQuote(bytes: Buffer, open: number, end: number): number {
  for (let at = open + 1; at < end; at++) {
    if (bytes[at] !== quote) continue;
    if (bytes[at + 1] !== quote) return at;
    at++;
  }
  return -1;
}

/** Texts of remote servers are free: a stray quote is text, and so is whatever stands after a closing one. */
function quotedCells(text: string): string[] {
  try {
    const rows = parse(text, { relax_quotes: true, record_delimiter: '\n', bom: false });
    return rows[0] ?? [];
  } catch (error) {
    throw new UnreadableRecord('wrong_shape', `not a row of a transport log: ${(error as Error).message}`);
  }
}

function tooFewCells(bytes: Buffer, start: number, end: number): UnreadableRecord {
  const text = bytes.toString('utf8', start, Math.min(end, start + 80));
  return new UnreadableRecord('wrong_shape', `not a row of a transport log: too few cells in ${text}`);
}

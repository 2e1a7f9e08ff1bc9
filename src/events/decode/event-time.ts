/** Reads the times that carriers of Windows events write; a time without a zone is no time. */
import { deepest } from './event-fields.js';

/**
 * Milliseconds since 1970 UTC of an ISO 8601 time with zone (0 to 9 or more digits of fraction, `T` or a blank, `Z`,
 * `+01:00`, `+0100`, ` +0100`) or of PowerShell's `/Date(ms)/`.
 * @returns undefined for anything else: above all for local time without a zone, since a wrong time is worse than none
 */
export function timeOf(value: unknown, depth = 0): number | undefined {
  if (typeof value === 'string') return isoTimeOf(value) ?? dateCallOf(value);
  // ConvertTo-Json of Windows PowerShell writes some dates as an object around the call.
  if (typeof value !== 'object' || value === null || depth === deepest || !('value' in value)) return undefined;
  return timeOf(value.value, depth + 1);
}

/** What a clock shows without saying its zone, `2026-01-15 09:14:02`: milliseconds since 1970 as if it were UTC. */
export function clockTimeOf(value: unknown): number | undefined {
  return typeof value === 'string' ? isoTimeOf(`${value}Z`) : undefined;
}

const zero = 48;

function isoTimeOf(text: string): number | undefined {
  const start = text.charCodeAt(0) <= 32 ? text.length - text.trimStart().length : 0;
  const separator = text.charCodeAt(start + 10);
  if (separator !== 84 /* T */ && separator !== 32 && separator !== 116 /* t */) return undefined;
  if (!hasPunctuation(text, start)) return undefined;
  const year = digits(text, start, 4);
  const month = digits(text, start + 5, 2);
  const day = digits(text, start + 8, 2);
  const hour = digits(text, start + 11, 2);
  const minute = digits(text, start + 14, 2);
  const second = digits(text, start + 17, 2);
  if (!(year >= 1601 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return undefined;
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return undefined;
  const fractionEnd = endOfFraction(text, start + 19);
  const offset = zoneMinutes(text, fractionEnd);
  if (offset === undefined) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second, milliseconds(text, start + 19)) - offset * 60_000;
}

/** `YYYY-MM-DD` and `HH:MM:SS` have their separators. */
function hasPunctuation(text: string, start: number): boolean {
  return (
    text.charCodeAt(start + 4) === 45 &&
    text.charCodeAt(start + 7) === 45 &&
    text.charCodeAt(start + 13) === 58 &&
    text.charCodeAt(start + 16) === 58
  );
}

/** The number of exactly `count` digits, or NaN. */
function digits(text: string, at: number, count: number): number {
  let number = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - zero;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    number = number * 10 + digit;
  }
  return number;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

function endOfFraction(text: string, at: number): number {
  const mark = text.charCodeAt(at);
  if (mark !== 46 && mark !== 44) return at;
  let i = at + 1;
  while (text.charCodeAt(i) >= zero && text.charCodeAt(i) <= zero + 9) i++;
  return i;
}

/** Whole milliseconds of a fraction that begins with its point at `at`; what is finer is cut off. */
function milliseconds(text: string, at: number): number {
  let total = 0;
  let worth = 100;
  for (let i = at + 1, end = endOfFraction(text, at); i < end && worth >= 1; i++, worth /= 10) {
    total += (text.charCodeAt(i) - zero) * worth;
  }
  return total;
}

/** Minutes east of UTC of the zone that ends the text at `at`, or undefined when there is none. */
function zoneMinutes(text: string, at: number): number | undefined {
  const mark = text.charCodeAt(at);
  if ((mark === 90 || mark === 122) && text.length === at + 1) return 0;
  const match = /^(?:Z|(?: ?([+-])(\d{2}):?(\d{2})?))\s*$/i.exec(text.slice(at));
  if (!match) return undefined;
  if (match[1] === undefined) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return match[1] === '-' ? -minutes : minutes;
}

/** `/Date(1768464842137)/`; the zone that may follow the number only says how to show it. */
function dateCallOf(text: string): number | undefined {
  const match = /^\s*\/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\/\s*$/.exec(text);
  return match ? Number(match[1]) : undefined;
}

/** Walks over JSON by its characters and finds where the wanted members stand, without parsing the rest. */
import { digitsAt, standsAt } from './bytes.js';

/** The keys wanted in one object, by their length: nearly all unwanted keys are told by that alone. */
type Wanted = {
  readonly byLength: (Member[] | undefined)[];
  readonly slots: readonly number[];
  /** Beginning of the keys of numbered members, when they are wanted. */
  readonly numbered: Buffer | undefined;
  /** True when they are wanted here or further inside. */
  readonly holdsNumbered: boolean;
};

type Member = { readonly key: Buffer; readonly slot: number; readonly inside: Wanted | undefined };

/** Windows allows no more insertion strings in one event: %1 to %99. */
export const mostNumbered = 99;

/** Where reading stands, and where each wanted value was found: two places for each path, then for each number. */
export type Cursor = {
  readonly bytes: Buffer;
  readonly end: number;
  readonly paths: number;
  readonly spans: number[];
  at: number;
};

export const quote = 34;

const comma = 44;

const colon = 58;

const openBracket = 91;

export const backslash = 92;

const closeBracket = 93;

const openBrace = 123;

const closeBrace = 125;

export function wantedMembers(paths: readonly (readonly string[])[], depth = 0, slots = [...paths.keys()]): Wanted {
  const byLength: (Member[] | undefined)[] = [];
  let numbered: Buffer | undefined;
  let holdsNumbered = false;
  for (const key of new Set(slots.map((slot) => paths[slot]?.[depth] ?? ''))) {
    if (key.endsWith('#')) {
      numbered = Buffer.from(key.slice(0, -1));
      holdsNumbered = true;
      continue;
    }
    const below = slots.filter((slot) => paths[slot]?.[depth] === key);
    const leaf = below.find((slot) => paths[slot]?.length === depth + 1);
    const deeper = below.filter((slot) => slot !== leaf);
    const inside = deeper.length > 0 ? wantedMembers(paths, depth + 1, deeper) : undefined;
    holdsNumbered ||= inside?.holdsNumbered ?? false;
    const bytes = Buffer.from(key);
    while (byLength.length <= bytes.length) byLength.push(undefined);
    (byLength[bytes.length] ??= []).push({ key: bytes, slot: leaf ?? -1, inside });
  }
  return { byLength, slots, numbered, holdsNumbered };
}

/** Reads the object at the cursor. @returns false when only a real parser can tell; so do all functions below */
export function readObject(cursor: Cursor, wanted: Wanted): boolean {
  if (cursor.bytes[cursor.at] !== openBrace) return false;
  cursor.at++;
  skipBlanks(cursor);
  if (cursor.bytes[cursor.at] === closeBrace) {
    cursor.at++;
    return cursor.at <= cursor.end;
  }
  while (cursor.at < cursor.end) {
    const keyStart = cursor.at + 1;
    // A key with an escape may spell a wanted one.
    if (cursor.bytes[cursor.at] !== quote || !skipPlainString(cursor)) return false;
    const keyEnd = cursor.at - 1;
    const member = memberAt(cursor.bytes, keyStart, keyEnd, wanted);
    skipBlanks(cursor);
    if (cursor.bytes[cursor.at] !== colon) return false;
    cursor.at++;
    skipBlanks(cursor);
    const valueStart = cursor.at;
    if (!(member === undefined ? skipValue(cursor) : readMember(cursor, member))) return false;
    if (wanted.numbered !== undefined) keepNumbered(cursor, wanted.numbered, keyStart, keyEnd, valueStart);
    skipBlanks(cursor);
    const next = cursor.bytes[cursor.at++];
    if (next === closeBrace) return cursor.at <= cursor.end;
    if (next !== comma) return false;
    skipBlanks(cursor);
  }
  return false;
}

function memberAt(bytes: Buffer, start: number, end: number, wanted: Wanted): Member | undefined {
  const candidates = wanted.byLength[end - start];
  if (candidates === undefined) return undefined;
  for (const candidate of candidates) if (standsAt(bytes, start, candidate.key)) return candidate;
  return undefined;
}

/** Notes where the value of a numbered member stands: behind the places of the paths. */
function keepNumbered(cursor: Cursor, prefix: Buffer, keyStart: number, keyEnd: number, valueStart: number): void {
  if (!standsAt(cursor.bytes, keyStart, prefix)) return;
  const number = digitsAt(cursor.bytes, keyStart + prefix.length, keyEnd);
  if (number < 1 || number > mostNumbered || cursor.bytes[keyStart + prefix.length] === 48) return;
  const place = cursor.paths * 2 + (number - 1) * 2;
  while (cursor.spans.length < place) cursor.spans.push(-1);
  cursor.spans[place] = valueStart;
  cursor.spans[place + 1] = cursor.at;
}

function readMember(cursor: Cursor, member: Member): boolean {
  const { slot, inside } = member;
  const start = cursor.at;
  if (inside !== undefined) {
    // The last of equal keys counts, and it counts alone.
    for (const below of inside.slots) cursor.spans[below * 2] = -1;
    if (inside.holdsNumbered) cursor.spans.length = cursor.paths * 2;
    if (!(cursor.bytes[start] === openBrace ? readObject(cursor, inside) : skipValue(cursor))) return false;
  } else if (!skipValue(cursor)) return false;
  if (slot >= 0) {
    cursor.spans[slot * 2] = start;
    cursor.spans[slot * 2 + 1] = cursor.at;
  }
  return true;
}

/** Steps over a string that holds no escape. */
function skipPlainString(cursor: Cursor): boolean {
  const { bytes, end } = cursor;
  for (let i = cursor.at + 1; i < end; i++) {
    const byte = bytes[i];
    if (byte === quote) {
      cursor.at = i + 1;
      return true;
    }
    if (byte === backslash) return false;
  }
  return false;
}

function skipValue(cursor: Cursor): boolean {
  const first = cursor.bytes[cursor.at];
  if (first === quote) return skipString(cursor);
  if (first === openBrace || first === openBracket) return skipNested(cursor);
  return skipWord(cursor);
}

function skipString(cursor: Cursor): boolean {
  const { bytes, end } = cursor;
  for (let i = cursor.at + 1; i < end; i++) {
    const byte = bytes[i];
    if (byte === quote) {
      cursor.at = i + 1;
      return true;
    }
    if (byte === backslash) i++;
  }
  return false;
}

/** Steps over an object or an array, counting brackets. */
function skipNested(cursor: Cursor): boolean {
  const { bytes, end } = cursor;
  let depth = 0;
  while (cursor.at < end) {
    const byte = bytes[cursor.at] ?? 0;
    if (byte === quote) {
      if (!skipString(cursor)) return false;
      continue;
    }
    cursor.at++;
    if (byte === openBrace || byte === openBracket) depth++;
    else if (byte === closeBrace || byte === closeBracket) {
      if (--depth === 0) return true;
    } else if (!isBetweenStrings(byte)) return false;
  }
  return false;
}

/** Characters of numbers, `true`, `false`, `null`, and what separates values: anything else is torn text. */
function isBetweenStrings(byte: number): boolean {
  return (byte >= 43 && byte <= 58) || byte <= 32 || (byte >= 97 && byte <= 122) || byte === 69;
}

/** Steps over a number or a literal. */
function skipWord(cursor: Cursor): boolean {
  const { bytes, end } = cursor;
  const start = cursor.at;
  for (; cursor.at < end; cursor.at++) {
    const byte = bytes[cursor.at] ?? 0;
    if (byte === comma || byte === closeBrace || byte === closeBracket || byte <= 32) break;
    if (!isBetweenStrings(byte)) return false;
  }
  return cursor.at > start;
}

export function skipBlanks(cursor: Cursor): void {
  for (; cursor.at < cursor.end; cursor.at++) {
    const byte = cursor.bytes[cursor.at];
    if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) return;
  }
}

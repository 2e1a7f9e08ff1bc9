/** Scans JSON and finds the positions of the wanted members, without parsing the rest. */
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

/** A record, and where in it each wanted value was found. */
export type Scan = {
  readonly bytes: Buffer;
  readonly end: number;
  readonly paths: number;
  /** Beginning and end of the value of each path, then of each number; a beginning of -1 where there is none. */
  readonly spans: Int32Array;
  /** The highest number found. */
  numbered: number;
};

export const quote = 34;

const comma = 44;

const colon = 58;

const openBracket = 91;

export const backslash = 92;

const closeBracket = 93;

const openBrace = 123;

const closeBrace = 125;

/** Room for the places of that many paths, and of all numbers. */
export function roomForSpans(paths: number): Int32Array {
  return new Int32Array(2 * (paths + mostNumbered));
}

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

/** Reads the object at `from`. @returns the place behind it; -1 when only a real parser can tell; so do all functions below */
export function readObject(scan: Scan, from: number, wanted: Wanted): number {
  const { bytes, end } = scan;
  if (bytes[from] !== openBrace) return -1;
  let at = behindBlanks(bytes, from + 1, end);
  if (bytes[at] === closeBrace) return at < end ? at + 1 : -1;
  while (at < end) {
    // A key with an escape may spell a wanted one.
    const keyStart = at + 1;
    const key = bytes[at] === quote ? behindPlainString(bytes, at, end) : -1;
    if (key < 0) return -1;
    at = behindBlanks(bytes, key, end);
    if (bytes[at] !== colon) return -1;
    const start = behindBlanks(bytes, at + 1, end);
    const member = memberAt(bytes, keyStart, key - 1, wanted);
    at = member === undefined ? behindValue(bytes, start, end) : readMember(scan, start, member);
    if (at < 0) return -1;
    if (wanted.numbered !== undefined)
      keepNumbered(scan, numberAfter(bytes, wanted.numbered, keyStart, key - 1), start, at);
    at = behindBlanks(bytes, at, end);
    const next = bytes[at++];
    if (next === closeBrace) return at <= end ? at : -1;
    if (next !== comma) return -1;
    at = behindBlanks(bytes, at, end);
  }
  return -1;
}

function memberAt(bytes: Buffer, start: number, end: number, wanted: Wanted): Member | undefined {
  const candidates = wanted.byLength[end - start];
  if (candidates === undefined) return undefined;
  for (const candidate of candidates) if (standsAt(bytes, start, candidate.key)) return candidate;
  return undefined;
}

/** The number of a numbered member; -1 for another one. */
function numberAfter(bytes: Buffer, prefix: Buffer, keyStart: number, keyEnd: number): number {
  const start = keyStart + prefix.length;
  if (!standsAt(bytes, keyStart, prefix) || bytes[start] === 48) return -1;
  return digitsAt(bytes, start, keyEnd);
}

function keepNumbered(scan: Scan, number: number, start: number, end: number): void {
  if (number < 1 || number > mostNumbered) return;
  const { spans, paths } = scan;
  while (scan.numbered < number) spans[2 * (paths + scan.numbered++)] = -1;
  spans[2 * (paths + number - 1)] = start;
  spans[2 * (paths + number) - 1] = end;
}

function readMember(scan: Scan, start: number, { slot, inside }: Member): number {
  const { bytes, end, spans } = scan;
  let behind: number;
  if (inside === undefined) behind = behindValue(bytes, start, end);
  else {
    // The last of equal keys counts, and it counts alone.
    for (const below of inside.slots) spans[below * 2] = -1;
    if (inside.holdsNumbered) scan.numbered = 0;
    behind = bytes[start] === openBrace ? readObject(scan, start, inside) : behindValue(bytes, start, end);
  }
  if (slot >= 0) {
    spans[slot * 2] = start;
    spans[slot * 2 + 1] = behind;
  }
  return behind;
}

/** Steps over a string that holds no escape. */
function behindPlainString(bytes: Buffer, from: number, end: number): number {
  for (let at = from + 1; at < end; at++) {
    const byte = bytes[at];
    if (byte === quote) return at + 1;
    if (byte === backslash) return -1;
  }
  return -1;
}

function behindValue(bytes: Buffer, from: number, end: number): number {
  const first = bytes[from];
  if (first === quote) return behindString(bytes, from, end);
  if (first === openBrace || first === openBracket) return behindNested(bytes, from, end);
  return behindWord(bytes, from, end);
}

function behindString(bytes: Buffer, from: number, end: number): number {
  for (let at = from + 1; at < end; at++) {
    const byte = bytes[at];
    if (byte === quote) return at + 1;
    if (byte === backslash) at++;
  }
  return -1;
}

/** What a byte is where no string is: one look at a table is faster than several comparisons. */
const [tornText, betweenStrings, aroundString, opening, closing] = [0, 1, 2, 3, 4];
const kinds = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === quote) return aroundString;
  if (byte === openBrace || byte === openBracket) return opening;
  if (byte === closeBrace || byte === closeBracket) return closing;
  // Characters of numbers, `true`, `false`, `null`, and what separates values.
  const isBetween = (byte >= 43 && byte <= 58) || byte <= 32 || (byte >= 97 && byte <= 122) || byte === 69;
  return isBetween ? betweenStrings : tornText;
});

/** Steps over an object or an array, counting brackets. */
function behindNested(bytes: Buffer, from: number, end: number): number {
  let depth = 0;
  for (let at = from; at < end; at++) {
    const kind = kinds[bytes[at] ?? 0];
    if (kind === aroundString) {
      at = behindString(bytes, at, end) - 1;
      if (at < 0) return -1;
    } else if (kind === opening) depth++;
    else if (kind === closing) {
      if (--depth === 0) return at + 1;
    } else if (kind === tornText) return -1;
  }
  return -1;
}

/** Steps over a number or a literal. */
function behindWord(bytes: Buffer, from: number, end: number): number {
  let at = from;
  for (; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === comma || byte === closeBrace || byte === closeBracket || byte <= 32) break;
    if (kinds[byte] !== betweenStrings) return -1;
  }
  return at > from ? at : -1;
}

export function behindBlanks(bytes: Buffer, from: number, end: number): number {
  let at = from;
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) break;
  }
  return at;
}

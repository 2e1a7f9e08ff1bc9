/** Reads a few members of a JSON object without building the rest of it. */
import { UnreadableRecord } from './unreadable.js';

/** The values at the wanted paths, in the order of the paths; undefined where there is none. */
export type FieldReader = (record: string) => readonly unknown[];

/**
 * A reader for the members at `paths` of a JSON object, each path a list of keys from the top.
 *
 * Whenever `JSON.parse` accepts the record the reader gives what it would give (last of equal keys, escapes resolved).
 * What is not wanted is only stepped over, at a fifth of the cost of parsing it; damage in there may go unnoticed.
 * No path may be the beginning of another.
 * @throws UnreadableRecord `not_json`
 */
export function fieldReader(paths: readonly (readonly string[])[]): FieldReader {
  const root = wantedMembers(paths);
  return (record) => {
    const found: unknown[] = new Array<unknown>(paths.length).fill(undefined);
    const start = skipBlanks(record, 0);
    if (record.charCodeAt(start) === openBrace) {
      const end = readMembers(record, start + 1, root, found);
      if (end >= 0 && skipBlanks(record, end) === record.length) return found;
    }
    return fieldsByParsing(record, paths);
  };
}

/** The same by `JSON.parse`: what the reader falls back on, and what its tests compare it with. */
export function fieldsByParsing(record: string, paths: readonly (readonly string[])[]): unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(record);
  } catch (error) {
    throw new UnreadableRecord('not_json', `expected a JSON object, got ${shown(record)}: ${String(error)}`);
  }
  if (!isObject(parsed)) throw new UnreadableRecord('wrong_shape', `expected a JSON object, got ${shown(record)}`);
  const top = parsed;
  return paths.map((path) =>
    path.reduce<unknown>((value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined), top),
  );
}

/** The keys wanted in one object, by their length: nearly all unwanted keys are told by that alone. */
type Wanted = { readonly byLength: (Member[] | undefined)[]; readonly slots: readonly number[] };
type Member = { readonly key: string; readonly slot: number; readonly inside: Wanted | undefined };

const quote = 34;
const comma = 44;
const colon = 58;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

function wantedMembers(paths: readonly (readonly string[])[], depth = 0, slots = [...paths.keys()]): Wanted {
  const byLength: (Member[] | undefined)[] = [];
  for (const key of new Set(slots.map((slot) => paths[slot]?.[depth] ?? ''))) {
    const below = slots.filter((slot) => paths[slot]?.[depth] === key);
    const leaf = below.find((slot) => paths[slot]?.length === depth + 1);
    const inside = leaf === undefined ? wantedMembers(paths, depth + 1, below) : undefined;
    while (byLength.length <= key.length) byLength.push(undefined);
    (byLength[key.length] ??= []).push({ key, slot: leaf ?? -1, inside });
  }
  return { byLength, slots };
}

/**
 * Reads the members of an object whose `{` stands before `at`.
 * @returns the place after its `}`, or -1 when only a real parser can tell
 */
function readMembers(text: string, at: number, wanted: Wanted, found: unknown[]): number {
  let i = skipBlanks(text, at);
  if (text.charCodeAt(i) === closeBrace) return i + 1;
  for (;;) {
    if (text.charCodeAt(i) !== quote) return -1;
    const keyStart = i + 1;
    const keyEnd = endOfPlainString(text, keyStart);
    // A key with an escape may spell a wanted one.
    if (keyEnd < 0) return -1;
    i = skipBlanks(text, keyEnd + 1);
    if (text.charCodeAt(i) !== colon) return -1;
    i = readMember(text, skipBlanks(text, i + 1), memberAt(text, keyStart, keyEnd, wanted), found);
    if (i < 0) return -1;
    i = skipBlanks(text, i);
    const next = text.charCodeAt(i);
    if (next === closeBrace) return i + 1;
    if (next !== comma) return -1;
    i = skipBlanks(text, i + 1);
  }
}

function memberAt(text: string, start: number, end: number, wanted: Wanted): Member | undefined {
  const candidates = wanted.byLength[end - start];
  if (candidates === undefined) return undefined;
  for (const candidate of candidates) if (text.startsWith(candidate.key, start)) return candidate;
  return undefined;
}

function readMember(text: string, at: number, member: Member | undefined, found: unknown[]): number {
  if (member === undefined) return skipValue(text, at);
  if (member.inside !== undefined) {
    // The last of equal keys counts, and it counts alone.
    for (const slot of member.inside.slots) found[slot] = undefined;
    if (text.charCodeAt(at) === openBrace) return readMembers(text, at + 1, member.inside, found);
    return skipValue(text, at);
  }
  if (text.charCodeAt(at) === quote) {
    const end = endOfPlainString(text, at + 1);
    if (end >= 0) {
      found[member.slot] = text.slice(at + 1, end);
      return end + 1;
    }
  }
  const end = skipValue(text, at);
  if (end < 0) return -1;
  try {
    found[member.slot] = JSON.parse(text.slice(at, end));
  } catch {
    return -1;
  }
  return end;
}

/** The place of the quote that ends a string without escapes, or -1. */
function endOfPlainString(text: string, at: number): number {
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) return i;
    if (code === backslash) return -1;
  }
  return -1;
}

/** The place after the value that begins at `at`, or -1. */
function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === quote) return skipString(text, at + 1);
  if (first === openBrace || first === openBracket) return skipNested(text, at + 1);
  const end = skipWord(text, at);
  return end === at ? -1 : end;
}

/** The place after the quote that ends the string whose first character stands at `at`, or -1. */
function skipString(text: string, at: number): number {
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) return i + 1;
    if (code === backslash) i++;
  }
  return -1;
}

/** The place after the bracket that closes the one before `at`, or -1. */
function skipNested(text: string, at: number): number {
  let depth = 1;
  let i = at;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code === quote) {
      i = skipString(text, i + 1);
      if (i < 0) return -1;
      continue;
    }
    i++;
    if (code === openBrace || code === openBracket) depth++;
    else if (code === closeBrace || code === closeBracket) {
      if (--depth === 0) return i;
    } else if (!isBetweenStrings(code)) return -1;
  }
  return -1;
}

/** Characters of numbers, `true`, `false`, `null`, and what separates values: anything else is torn text. */
function isBetweenStrings(code: number): boolean {
  return (code >= 43 && code <= 58) || code <= 32 || (code >= 97 && code <= 122) || code === 69;
}

/** The place after a number or a literal. */
function skipWord(text: string, at: number): number {
  let i = at;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === comma || code === closeBrace || code === closeBracket || code <= 32) break;
  }
  return i;
}

function skipBlanks(text: string, at: number): number {
  let i = at;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) break;
  }
  return i;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The beginning of a record, for messages. */
function shown(record: string): string {
  return JSON.stringify(record.length > 60 ? `${record.slice(0, 60)}...` : record);
}

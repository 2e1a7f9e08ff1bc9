/** Reads a few members of a JSON object straight from its bytes, without building the rest of it. */
import { digitsAt } from './bytes.js';
import { createCommonTexts } from './common-texts.js';
import {
  backslash,
  behindBlanks,
  mostNumbered,
  quote,
  readObject,
  roomForSpans,
  type Scan,
  wantedMembers,
} from './json-scan.js';
import { isBrokenJson, isBrokenJsonText } from './json-text.js';
import { UnreadableRecord, withoutStack } from './unreadable.js';

/** The value at a wanted path, by the number of the path; undefined where there is none. Holds until the reader reads on. */
type Fields = (path: number) => unknown;

/** Reads the object that fills `bytes` from `start` to `end` (UTF-8, blanks around it allowed). */
export type FieldReader = (bytes: Buffer, start: number, end: number) => Fields;

/**
 * A reader for the members at `paths` of a JSON object, each path a list of keys from the top. The last key of one path
 * may end in `#`, as `param#`: its value is the array of the members `param1`, `param2` ... to `param99`, each at its
 * number less one, undefined where one is missing.
 *
 * Whenever `JSON.parse` accepts the record the reader gives what it would give (last of equal keys, escapes resolved).
 * What is not wanted is only stepped over, at a fraction of the cost of parsing it; damage in there may go unnoticed.
 * @throws UnreadableRecord `not_json`, `wrong_shape`; also later from `Fields` when a wanted value is damaged
 */
export function fieldReader(paths: readonly (readonly string[])[]): FieldReader {
  const root = wantedMembers(paths);
  // Written over with each record.
  const spans = roomForSpans(paths.length);
  const numbered = paths.findIndex((path) => path.at(-1)?.endsWith('#'));
  return (bytes, start, end) => {
    spans.fill(-1, 0, 2 * paths.length);
    const scan: Scan = { bytes, end, paths: paths.length, spans, numbered: 0 };
    const behind = readObject(scan, behindBlanks(bytes, start, end), root);
    if (behind >= 0 && behindBlanks(bytes, behind, end) === end)
      return (path) => {
        if (path === numbered) return numberedValues(scan);
        return valueAt(bytes, spans[path * 2] ?? -1, spans[path * 2 + 1] ?? -1);
      };
    if (isBrokenJson(bytes, start, end)) throw notJson('object', () => bytes.toString('utf8', start, end));
    const values = fieldsByParsing(bytes.toString('utf8', start, end), paths);
    return (path) => values[path];
  };
}

/** The same by `JSON.parse`: what the reader falls back on, and what its tests compare it with. */
export function fieldsByParsing(record: string, paths: readonly (readonly string[])[]): unknown[] {
  const top = parsedObject(record);
  return paths.map((path) => path.reduce<unknown>(memberOf, top));
}

function memberOf(value: unknown, key: string): unknown {
  if (key.endsWith('#')) return numberedMembersOf(value, key.slice(0, -1));
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function numberedMembersOf(value: unknown, prefix: string): unknown[] {
  const members: unknown[] = [];
  for (let number = mostNumbered; number > 0; number--) {
    const member = memberOf(value, `${prefix}${number}`);
    if (member !== undefined) members[number - 1] = member;
  }
  return Array.from(members);
}

/**
 * A record as a JSON object.
 * @throws UnreadableRecord `not_json`, `wrong_shape`
 */
export function objectOf(record: string): Record<string, unknown> {
  if (isBrokenJsonText(record)) throw notJson('object', () => record);
  return parsedObject(record);
}

function parsedObject(record: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = withoutStack(() => JSON.parse(record) as unknown);
  } catch {
    throw notJson('object', () => record);
  }
  if (!isObject(parsed))
    throw new UnreadableRecord('wrong_shape', () => `expected a JSON object, got ${shown(record)}`);
  return parsed;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberedValues({ bytes, spans, paths, numbered }: Scan): unknown[] {
  // Of its length from the first: one that grows makes room for many more than most events have.
  const values = new Array<unknown>(numbered);
  for (let n = 0; n < numbered; n++) {
    const place = 2 * (paths + n);
    values[n] = valueAt(bytes, spans[place] ?? -1, spans[place + 1] ?? -1);
  }
  return values;
}

/** A JSON string without an escape. */
const textOf = createCommonTexts((bytes, start, end) => bytes.toString('utf8', start, end));

/** The JSON value between two places. */
function valueAt(bytes: Buffer, start: number, end: number): unknown {
  if (start < 0) return undefined;
  const number = digitsAt(bytes, start, end);
  if (number >= 0) return number;
  if (bytes[start] === quote) {
    let hash = 0;
    let i = start + 1;
    for (; i < end - 1; i++) {
      const byte = bytes[i] ?? 0;
      if (byte === backslash) break;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    if (i === end - 1) return textOf(bytes, start + 1, end - 1, hash);
  }
  if (isBrokenJson(bytes, start, end)) throw notJson('value', () => bytes.toString('utf8', start, end));
  const text = bytes.toString('utf8', start, end);
  try {
    return withoutStack(() => JSON.parse(text) as unknown);
  } catch {
    throw notJson('value', () => text);
  }
}

function notJson(what: 'object' | 'value', text: () => string): UnreadableRecord {
  return new UnreadableRecord(
    'not_json',
    () => `expected a JSON ${what}, got ${shown(text())}: ${parserWords(text())}`,
  );
}

/** What `JSON.parse` says of a text that it refuses. */
function parserWords(text: string): string {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return String(error);
  }
}

/** The beginning of a record, for messages. */
function shown(record: string): string {
  return JSON.stringify(record.length > 60 ? `${record.slice(0, 60)}...` : record);
}

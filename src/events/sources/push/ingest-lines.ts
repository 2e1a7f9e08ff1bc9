/** Reads lines of JSON that were pushed as one text, each by its own shape: several shippers may have written them. */
import { setImmediate as turn } from 'node:timers/promises';
import type { UnreadableRecord } from '../../decode/unreadable.js';
import { restKind } from '../../read/text.js';
import { emptyTally, noteUnreadable } from '../kafka/tally.js';
import { createValueReader } from '../kafka/values.js';
import type { Pushed } from './entry.js';

/** What was wrong first, where anything was. */
export type Ingested = { trouble: string | undefined };

const bytesAtOnce = 1024 * 1024;
const linesAtOnce = 1_000;

type LineIngester = (
  bytes: Buffer,
  begin: number,
  enter: (part: Pushed) => Promise<unknown>,
  unknown: UnreadableRecord | undefined,
) => Promise<Ingested>;

/**
 * Its calls must not overlap.
 * @returns a function that throws `unknown` when no line is of a known format
 */
export function createLineIngester(): LineIngester {
  const values = createValueReader();
  return async (bytes, begin, enter, unknown) => {
    let trouble: string | undefined;
    let known = false;
    for (let at = begin; at < bytes.length;) {
      const tally = emptyTally();
      const until = Math.min(bytes.length, at + bytesAtOnce);
      for (let count = 0; at < until && count < linesAtOnce; count++) {
        const lineEnd = bytes.indexOf(lineFeed, at);
        const end = lineEnd < 0 ? bytes.length : lineEnd;
        const start = at;
        const line = bytes.subarray(start, end);
        at = end + 1;
        if (isBlank(line)) continue;
        if (lineEnd < 0 && isHalf(line)) {
          noteUnreadable(tally, 'damaged', 'the last record has no end');
          continue;
        }
        const strangers = values.strangers();
        values.read(bytes, start, end, tally, 0);
        known ||= values.strangers() <= strangers;
      }
      if (!known && at >= bytes.length && unknown) throw unknown;
      trouble ??= tally.trouble;
      await enter(tally);
      await turn();
    }
    return { trouble };
  };
}

const lineFeed = 10;

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte <= 32);
}

function isHalf(line: Buffer): boolean {
  return restKind(line.toString('utf8'), 'lines') === 'half';
}

/** One window of records: what has arrived since the last look, and whether it is complete. */
import { finish } from '../../../runtime/breath.js';
import type { Decoded, UnreadableReason } from '../../../model/records.js';
import { unreadableOf, UnreadableRecord } from '../../decode/unreadable.js';
import { shippedLinesIn } from '../../formats/filebeat.js';
import { decodedOfBytes, isCutJson, isLong, longMayMatter, mayMatter } from '../../otlp/log-record.js';
import type { Pushed } from '../push/entry.js';
import { Malformed } from './frames.js';

export type Window = {
  readonly size: number;
  /** Sequence number of the last record; what is acknowledged. */
  readonly last: () => number;
  readonly isWhole: () => boolean;
  readonly take: (sequence: number, payload: Buffer) => void;
  /** Events decoded that nobody has taken out yet. */
  readonly decoded: () => number;
  /** Takes out what it has brought since the last call: a window may be long in coming, and holds nothing meanwhile. */
  readonly part: () => Pushed;
  readonly trouble: () => string | undefined;
  readonly bytes: () => number;
};

type Part = {
  readonly decoded: Decoded[];
  ignored: number;
  readonly unreadable: Partial<Record<UnreadableReason, number>>;
};

function emptyPart(): Part {
  return { decoded: [], ignored: 0, unreadable: {} };
}

/** Beats send 2,048 at most unless bulk_max_size says otherwise. */
const mostRecords = 2_048;

/** @throws Malformed */
export function openWindow(size: number): Window {
  if (size < 1 || size > mostRecords)
    throw new Malformed(
      `expected a window of 1 to ${mostRecords} records, got ${size}; set bulk_max_size of the sender to ${mostRecords}`,
    );
  let pushed = emptyPart();
  let [count, last, bytes] = [0, 0, 0];
  let trouble: string | undefined;
  return {
    size,
    decoded: () => pushed.decoded.length,
    part: () => {
      const part = pushed;
      pushed = emptyPart();
      return part;
    },
    last: () => last,
    isWhole: () => count === size,
    trouble: () => trouble,
    bytes: () => bytes,
    take: (sequence, payload) => {
      count++;
      last = sequence;
      bytes += payload.length;
      const span = { start: 0, end: payload.length };
      const isEvent = isLong(span) ? finish(longMayMatter(payload, span)) : mayMatter(payload, span);
      try {
        const decoded = isEvent ? decodedOfBytes(payload) : shippedLinesIn(payload);
        // What is sent is an object of JSON, whatever it is.
        if (decoded.length === 0 && isCutJson(payload, span))
          throw new UnreadableRecord('not_json', wantedRecord(payload));
        if (decoded.length === 0) pushed.ignored++;
        pushed.decoded.push(...decoded);
      } catch (error) {
        const { reason, message } = unreadableOf(error);
        pushed.unreadable[reason] = (pushed.unreadable[reason] ?? 0) + 1;
        trouble ??= message;
      }
    },
  };
}

function wantedRecord(payload: Buffer): string {
  return `expected an object of JSON as a record, got ${JSON.stringify(payload.toString('utf8', 0, 60))}`;
}

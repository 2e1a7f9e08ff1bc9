/** One window of records: what it brought so far, and whether it is whole. */
import type { Decoded, UnreadableReason } from '../../../model/records.js';
import { unreadableOf } from '../../decode/unreadable.js';
import { decodedOfText, mayMatter } from '../../otlp/log-record.js';
import { Malformed } from './frames.js';

export type Window = {
  readonly size: number;
  /** Sequence number of the last record; what is acknowledged. */
  readonly last: () => number;
  readonly isWhole: () => boolean;
  readonly take: (sequence: number, payload: Buffer) => void;
  readonly pushed: {
    readonly decoded: Decoded[];
    ignored: number;
    readonly unreadable: Partial<Record<UnreadableReason, number>>;
  };
  readonly trouble: () => string | undefined;
  readonly bytes: () => number;
};

/** Beats send 2,048 at most unless bulk_max_size says otherwise. */
const mostRecords = 2_048;

/** @throws Malformed */
export function openWindow(size: number): Window {
  if (size < 1 || size > mostRecords)
    throw new Malformed(
      `expected a window of 1 to ${mostRecords} records, got ${size}; set bulk_max_size of the sender to ${mostRecords}`,
    );
  const pushed: Window['pushed'] = { decoded: [], ignored: 0, unreadable: {} };
  let [count, last, bytes] = [0, 0, 0];
  let trouble: string | undefined;
  return {
    size,
    pushed,
    last: () => last,
    isWhole: () => count === size,
    trouble: () => trouble,
    bytes: () => bytes,
    take: (sequence, payload) => {
      count++;
      last = sequence;
      bytes += payload.length;
      if (!mayMatter(payload, { start: 0, end: payload.length })) {
        pushed.ignored++;
        return;
      }
      try {
        const decoded = decodedOfText(payload.toString('utf8'));
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

/** What the values of records gave. */
import type { Decoded, UnreadableReason } from '../../../model/records.js';
import type { SpreadCollector } from '../../read/spread-ids.js';

export type ValueTally = {
  readonly decoded: Decoded[];
  ignored: number;
  readonly unreadable: Partial<Record<UnreadableReason, number>>;
  /** What the first value that could not be read was like. */
  trouble: string | undefined;
  /** Their record IDs, where those are looked at. */
  readonly ids?: SpreadCollector | undefined;
};

export function emptyTally(ids?: SpreadCollector): ValueTally {
  return { decoded: [], ignored: 0, unreadable: {}, trouble: undefined, ids };
}

export function noteUnreadable(into: ValueTally, reason: UnreadableReason, why: string, count = 1): void {
  into.unreadable[reason] = (into.unreadable[reason] ?? 0) + count;
  into.trouble ??= `${reason}: ${why}`;
}

export function addUnreadable(into: ValueTally, counts: ValueTally['unreadable'], trouble: string | undefined): void {
  for (const [reason, count] of Object.entries(counts) as [UnreadableReason, number][])
    into.unreadable[reason] = (into.unreadable[reason] ?? 0) + count;
  into.trouble ??= trouble;
}

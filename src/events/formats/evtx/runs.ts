/** Which record IDs the chunks of a binary log hold: as runs without a gap, for counting missing records. */
import type { WindowsEvent } from '../../../model/records.js';
import type { RunFound } from '../../read/record-runs.js';
import { eventOf, type DecodingChunk, type RecordPlace } from './record.js';
import { unixMsOfFileTime } from './values.js';

/** A record with the number that this log gave it. */
export type NumberedRecord = RecordPlace & { readonly id: number };

/** So many gaps in one pass are a selection, or a crafted file. */
const mostRuns = 64;

/** An event that was decoded, and the number that this log gave it. */
export type NumberedEvent = { readonly event: WindowsEvent; readonly id: number };

/**
 * The runs of records in the order in which they stand in their chunk. Their times are those of writing.
 * @param decoded one of them, where any was decoded: it tells the names of the log
 * @param promised first and last ID of a damaged chunk: what is not there counts as unreadable, so it is no gap
 * @returns nothing when the records were forwarded: what they are numbered by is not the log they come from
 */
export function runsOf(
  chunk: DecodingChunk,
  records: readonly NumberedRecord[],
  decoded: NumberedEvent | undefined,
  promised: readonly [first: number, last: number] | undefined,
): RunFound[] {
  const named = decoded ?? firstReadable(chunk, records);
  if (!named || named.event.recordId !== named.id) return [];
  const { computer, channel } = named.event;
  const timeOf = ({ offset }: NumberedRecord): number | undefined => unixMsOfFileTime(chunk.bytes, offset + 16);
  const runs: RunFound[] = [];
  for (let from = 0; from < records.length;) {
    let to = from;
    while (to + 1 < records.length && (promised || records[to + 1]?.id === (records[to]?.id ?? 0) + 1)) to++;
    const [first, last] = [records[from], records[to]];
    if (first && last)
      runs.push({ computer, channel, first: first.id, last: last.id, firstAt: timeOf(first), lastAt: timeOf(last) });
    from = to + 1;
  }
  return promised ? runs.map((run) => ({ ...run, first: promised[0], last: promised[1] })) : runs;
}

/** Adds the runs of the next chunk, joining those that touch; undefined once they are too many to mean anything. */
export function withRuns(found: RunFound[] | undefined, more: readonly RunFound[]): RunFound[] | undefined {
  if (!found) return undefined;
  for (const run of more) {
    const before = found.at(-1);
    const touches =
      before?.last === run.first - 1 && before.computer === run.computer && before.channel === run.channel;
    if (touches) Object.assign(before, { last: run.last, lastAt: run.lastAt });
    else found.push({ ...run });
  }
  return found.length > mostRuns ? undefined : found;
}

function firstReadable(chunk: DecodingChunk, records: readonly NumberedRecord[]): NumberedEvent | undefined {
  for (const record of records) {
    try {
      const event = eventOf(chunk, record, () => true);
      if (event) return { event, id: record.id };
    } catch {
      // Counted where the record was read.
    }
  }
  return undefined;
}

/** Which record IDs the chunks of a binary log hold: as runs without a gap, for counting the records that never came. */
import { UnreadableRecord } from '../../unreadable.js';
import type { RunFound } from '../../record-runs.js';
import { eventOf, type DecodingChunk, type RecordPlace } from './record.js';
import { unixMsOfFileTime } from './values.js';

/** A record with the number that this log gave it. */
export type NumberedRecord = RecordPlace & { readonly id: number };

/** So many gaps in one pass are a selection, or a crafted file. */
const mostRuns = 64;

/**
 * The runs of records in the order in which they stand in their chunk. Their times are those of writing.
 * @param promised first and last ID of a damaged chunk: what is not there counts as unreadable, so it is no gap
 * @returns nothing when the records were forwarded: what they are numbered by is not the log they come from
 */
export function runsOf(
  chunk: DecodingChunk,
  records: readonly NumberedRecord[],
  promised: readonly [first: number, last: number] | undefined,
): RunFound[] {
  const names = namesOf(chunk, records);
  if (!names) return [];
  const runs: RunFound[] = [];
  for (const { id, offset } of records) {
    const at = unixMsOfFileTime(chunk.bytes, offset + 16);
    const run = runs.at(-1);
    if (run && (promised || id === run.last + 1)) Object.assign(run, { last: Math.max(run.last, id), lastAt: at });
    else runs.push({ ...names, first: id, last: id, firstAt: at, lastAt: at });
  }
  if (!promised) return runs;
  const [first, last] = promised;
  return runs.map((run) => ({ ...run, first: Math.min(run.first, first), last: Math.max(run.last, last) }));
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

/** As the first record that can be read names them. */
function namesOf(chunk: DecodingChunk, records: readonly NumberedRecord[]) {
  for (const record of records) {
    try {
      const event = eventOf(chunk, record, () => true);
      if (event) return event.recordId === record.id ? { computer: event.computer, channel: event.channel } : undefined;
    } catch (error) {
      if (!(error instanceof UnreadableRecord) && !(error instanceof RangeError)) throw error;
    }
  }
  return undefined;
}

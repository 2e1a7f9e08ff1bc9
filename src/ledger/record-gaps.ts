/**
 * Notices missing records by the numbers that Windows gives them (invariant 12): per log of each server.
 *
 * A gap counts only in a log that comes unfiltered: a setting says so, or a hundred record IDs in a row have come from
 * it. Records come late, too: from a rotated file, or from a shipper that tries again. So a gap stays open for a
 * minute, in which they may fill it; what is counted then is never taken back, because a counter must not fall.
 */
import {
  closeDue,
  keyOf,
  lateMs,
  type Log,
  loseTrack,
  noteRun,
  postpone,
  type SavedLog,
  sizeOf,
  takeLog,
  textOf,
  timeOf,
} from './log-numbering.js';
import type { RunsOfBatch } from './runs-of-batch.js';
import { createTopicGaps, giveUpAll, type SpreadBatch } from './topic-gaps.js';
import { restoreNumbering } from './topic-numbering.js';

export type RecordGaps = {
  readonly note: (batch: RunsOfBatch) => void;
  /** The same of a topic. Returns whether records are missing for good. */
  readonly noteSpread: (batch: SpreadBatch) => boolean;
  /** Adds records that a source itself knows to be lost. */
  readonly miss: (source: string, count: number) => void;
  /** What stands under one name of a server stands under another from now on, unless that one knows the log already. */
  readonly rename: (from: string, to: string) => void;
  /** Counts the gaps that have been open long enough. Returns whether there were any. */
  readonly settle: () => boolean;
  /** When the next gap is due, by the steady clock; undefined when none is open. */
  readonly dueAt: () => number | undefined;
  /** Missed records by source, as settled. */
  readonly missed: () => ReadonlyMap<string, number>;
  /** The saved form of the logs: one JSON text each. */
  readonly texts: () => readonly string[];
};

export type GapsOptions = {
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** A clock that only goes forward, milliseconds: by it a gap is open for its minute. @default now */
  readonly steady?: () => number;
  readonly missed?: ReadonlyMap<string, number>;
};

export function createRecordGaps(saved: readonly SavedLog[], { now, steady = now, missed }: GapsOptions): RecordGaps {
  const logs = new Map<string, Log>();
  const totals = new Map(missed);
  // While nobody was looking nothing could fill a gap: its minute starts over.
  for (const each of saved) {
    const open = each.open.map((gap) => ({ ...gap, nextAt: timeOf(gap.nextAt, now()), since: steady() }));
    const [latestAt, startedAt] = [timeOf(each.latestAt, now()), timeOf(each.startedAt, now())];
    const topics = each.topics?.map(restoreNumbering) ?? [];
    logs.set(keyOf(each), { ...each, latestAt, startedAt, open, topics, text: undefined });
  }
  const miss = (source: string, count: number): void => {
    totals.set(source, (totals.get(source) ?? 0) + count);
  };
  const topicGaps = createTopicGaps(logs, miss);
  return {
    miss,
    noteSpread: topicGaps.note,
    note: (batch) => {
      if (batch.behind) postpone(logs, batch.source, steady());
      if (!batch.runs) loseTrack(logs, batch.source);
      for (const run of batch.runs ?? []) {
        const log = takeLog(logs, run);
        const [firstAt, lastAt] = [timeOf(run.firstAt, now()), timeOf(run.lastAt, now())];
        for (const gap of noteRun(log, { ...run, firstAt, lastAt }, batch, steady())) miss(gap.source, sizeOf(gap));
      }
    },
    rename: (from, to) => {
      for (const [key, log] of [...logs]) {
        if (log.server !== from) continue;
        logs.delete(key);
        const name = { server: to, channel: log.channel };
        const other = logs.get(keyOf(name));
        // What came under one name is missing under the other.
        if (other) giveUpAll(other, steady());
        else logs.set(keyOf(name), { ...log, ...name, text: undefined });
      }
    },
    settle: () => {
      const due = [...logs.values()].flatMap((log) => closeDue(log, steady()));
      for (const gap of due) miss(gap.source, sizeOf(gap));
      return due.length > 0;
    },
    dueAt: () => {
      const since = Math.min(...[...logs.values()].flatMap((log) => log.open.map((gap) => gap.since)));
      return since === Infinity ? undefined : since + lateMs;
    },
    missed: () => totals,
    texts: () => [...logs.values()].map((log) => (log.text ??= textOf(log))),
  };
}

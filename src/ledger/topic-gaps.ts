/** Notices missing records in what topics bring, per log of each server and each topic (invariant 12). */
import type { SpreadIds } from '../model/records.js';
import { type Log, mostBringers, takeLog } from './log-numbering.js';
import { freshNumbering, giveUp, holesOf, noteIds, type Numbering, settle } from './topic-numbering.js';

export type SpreadBatch = {
  readonly source: string;
  readonly unfiltered: boolean | undefined;
  readonly spread: SpreadIds;
};

/** Holes of all logs together, some six megabytes. */
const mostHolesInAll = 131_072;

/** @param miss is told of missing records */
export function createTopicGaps(logs: Map<string, Log>, miss: (source: string, count: number) => void) {
  const settledAt = new Map<string, number | undefined>();
  const count = (): number => [...logs.values()].reduce((sum, log) => sum + holesIn(log), 0);
  let holes = count();
  /** Does something with a numbering, and keeps count. */
  const change = (log: Log, numbering: Numbering, work: () => number): number => {
    const before = holesOf(numbering);
    const missing = work();
    if (missing > 0) miss(numbering.source, missing);
    holes += holesOf(numbering) - before;
    log.text = undefined;
    return missing;
  };
  const numberingsOf = (source: string) =>
    [...logs.values()].flatMap((log) =>
      log.topics.filter((each) => each.source === source).map((numbering) => ({ log, numbering })),
    );
  return {
    /** @returns whether records are missing for good */
    note: ({ source, unfiltered, spread }: SpreadBatch): boolean => {
      const came = { at: spread.at, settledAt: spread.settledAt, unfiltered };
      let missing = 0;
      if (spread.broken)
        for (const { log, numbering } of numberingsOf(source))
          change(log, numbering, () => (giveUp(numbering, spread.at), 0));
      if (settledAt.get(source) !== spread.settledAt) {
        settledAt.set(source, spread.settledAt);
        for (const { log, numbering } of numberingsOf(source))
          missing += change(log, numbering, () => settle(numbering, came));
      }
      for (const each of spread.logs) {
        const log = takeLog(logs, each);
        const numbering = numberingOf(log, source, spread.at);
        missing += change(log, numbering, () => noteIds(numbering, each, came));
      }
      // Logs come and go by themselves.
      if (holes > mostHolesInAll) holes = count();
      while (holes > mostHolesInAll) {
        const { log, numbering } = mostOf(logs);
        change(log, numbering, () => (giveUp(numbering, spread.at), 0));
      }
      return missing > 0;
    },
  };
}

/** Nothing that is missing in the log now counts. */
export function giveUpAll(log: Log, now: number): void {
  for (const each of log.topics) giveUp(each, now);
  log.text = undefined;
}

function numberingOf(log: Log, source: string, at: number): Numbering {
  const known = log.topics.find((each) => each.source === source);
  if (known) return known;
  const fresh = freshNumbering(source, at);
  log.topics = [...log.topics, fresh].slice(-mostBringers);
  return fresh;
}

function holesIn({ topics }: Log): number {
  return topics.reduce((sum, each) => sum + holesOf(each), 0);
}

/** The one with the most holes. */
function mostOf(logs: ReadonlyMap<string, Log>): { readonly log: Log; readonly numbering: Numbering } {
  const all = [...logs.values()].flatMap((log) => log.topics.map((numbering) => ({ log, numbering })));
  return all.reduce((most, each) => (holesOf(each.numbering) > holesOf(most.numbering) ? each : most));
}

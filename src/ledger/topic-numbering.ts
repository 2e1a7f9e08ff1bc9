/**
 * What is known of the numbers of one event log that a topic brings. Its partitions hand the records on out of their order,
 * so an ID is missing only when every partition has been read beyond the time at which a higher one came: until then
 * it is a hole. Holes are many while a partition lags; what is below them all is settled.
 */
import * as z from 'zod';
import type { SpreadLog } from '../model/records.js';
import { blockLength, blockText, pairsOf } from './record-block.js';
import { countGap, countStreak, proof } from './unfiltered-proof.js';

/** One log of one source as saved; `holes`: first and last of each, in blocks of pairs, base 36, as differences. */
export const savedNumbering = z.strictObject({
  source: z.string(),
  /** All up to `low` is settled; `top` is the highest that came. */
  low: z.int(),
  top: z.int(),
  holes: z.array(z.string()),
  /** False until all partitions were read to where they ended when the log was met: what came before is not known. */
  watched: z.boolean(),
  /** None was logged later; and when the first of this numbering was, where the log was cleared before. */
  latestAt: z.number().optional(),
  startedAt: z.number().optional(),
  ...proof.shape,
});
export type SavedNumbering = z.infer<typeof savedNumbering>;

/** `holes`: first, last, and when a higher ID came, of each in turn, ascending. `metAt`: undefined once it is watched. */
export type Numbering = Omit<SavedNumbering, 'holes' | 'watched'> & { holes: number[]; metAt: number | undefined };

/** A hole takes three numbers. */
const members = 3;
/** Of one log, in holes: an hour's lag of one partition of sixteen at a hundred and more records a second. */
const mostHoles = 32_768;
/** Of one that may be filtered. */
const mostUnproven = 1_024;

/** Times of records may be cut to seconds. */
const toleranceMs = 1_000;

export function freshNumbering(source: string, metAt: number): Numbering {
  return { source, low: 0, top: 0, holes: [], metAt, streak: 0, complete: false, gaps: 0 };
}

/** What was read before the end of the process was settled then or is asked for again: all partitions must pass anew. */
export function restoreNumbering({ holes, watched, ...saved }: SavedNumbering): Numbering {
  const pairs = holes.flatMap(pairsOf);
  const marked: number[] = [];
  for (let at = 0; at < pairs.length; at += 2) marked.push(pairs[at] ?? 0, pairs[at + 1] ?? 0, -Infinity);
  return { ...saved, holes: marked, metAt: watched ? undefined : -Infinity };
}

export function savedOf({ holes, metAt, ...rest }: Numbering): SavedNumbering {
  const pairs: number[] = [];
  for (let at = 0; at < holes.length; at += members) pairs.push(holes[at] ?? 0, holes[at + 1] ?? 0);
  const blocks: string[] = [];
  for (let at = 0; at < pairs.length; at += 2 * blockLength)
    blocks.push(blockText(pairs.slice(at, at + 2 * blockLength)));
  return { ...rest, holes: blocks, watched: metAt === undefined };
}

export function holesOf({ holes }: Pick<Numbering, 'holes'>): number {
  return holes.length / members;
}

export type Came = {
  readonly at: number;
  readonly settledAt: number | undefined;
  readonly unfiltered: boolean | undefined;
};

/** Takes what came of the log. @returns how many records are missing for good */
export function noteIds(log: Numbering, { ids, until, low }: SpreadLog, came: Came): number {
  // Late ones from before the log was cleared.
  if (log.startedAt !== undefined && until !== undefined && until < log.startedAt - toleranceMs) return 0;
  if (low && isCleared(log, low)) startOver(log, low.at, came.at);
  const missing = settle(log, came);
  let isLate = false;
  for (let at = 0; at < ids.length; at += 2) {
    isLate ||= (ids[at] ?? 0) <= log.top;
    noteRun(log, ids[at] ?? 0, ids[at + 1] ?? 0, came);
  }
  if (isLate && log.holes.length > 0) log.holes = withoutFilled(log.holes);
  if (until !== undefined) log.latestAt = Math.max(log.latestAt ?? until, until);
  if (holesOf(log) > ((came.unfiltered ?? log.complete) ? mostHoles : mostUnproven)) giveUp(log, came.at);
  return missing;
}

/** A record of a low number that was logged after all others: one that is delivered again is as old as it ever was. */
function isCleared({ latestAt, top }: Numbering, { id, at }: NonNullable<SpreadLog['low']>): boolean {
  return id <= top && latestAt !== undefined && at > latestAt + toleranceMs;
}

function startOver(log: Numbering, startedAt: number, metAt: number): void {
  Object.assign(log, { low: 0, top: 0, latestAt: undefined, startedAt });
  giveUp(log, metAt);
}

/** Nothing that is missing now counts: what was lost on the way, or too much to be known one by one. */
export function giveUp(log: Numbering, now: number): void {
  Object.assign(log, { holes: [], low: log.top, metAt: now, streak: 0 });
}

function noteRun(log: Numbering, first: number, last: number, { at, settledAt }: Came): void {
  if (log.metAt !== undefined) {
    // The first that came into Kafka after the log was met: whatever is higher has not been read.
    if (settledAt !== undefined && settledAt >= log.metAt) log.metAt = undefined;
    log.top = Math.max(log.top, last);
    log.low = log.top;
    return;
  }
  if (first > log.top + 1) log.holes.push(log.top + 1, first - 1, at);
  else if (first <= log.top && last > log.low) fill(log.holes, first, last);
  log.top = Math.max(log.top, last);
}

/** A hole that is filled stays as one that ends before it begins, until all are taken out at once. */
function fill(holes: number[], first: number, last: number): void {
  let at = firstReaching(holes, first);
  while (at < holes.length && (holes[at] ?? 0) <= last) {
    const [from, to, mark] = [holes[at] ?? 0, holes[at + 1] ?? 0, holes[at + 2] ?? 0];
    if (first > from && last < to) holes.splice(at, members, from, first - 1, mark, last + 1, to, mark);
    else if (first > from) holes[at + 1] = Math.min(to, first - 1);
    else holes[at] = Math.min(to, last) + 1;
    at += members;
  }
}

function withoutFilled(holes: readonly number[]): number[] {
  const left: number[] = [];
  for (let at = 0; at < holes.length; at += members) {
    const [first, last, mark] = [holes[at] ?? 0, holes[at + 1] ?? 0, holes[at + 2] ?? 0];
    if (first <= last) left.push(first, last, mark);
  }
  return left;
}

/** The place of the lowest hole that ends at this ID or above it. */
function firstReaching(holes: readonly number[], id: number): number {
  let [low, high] = [0, holes.length / members];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((holes[middle * members + 1] ?? 0) < id) low = middle + 1;
    else high = middle;
  }
  return low * members;
}

/** Closes the holes that nothing can fill any more, the lowest first. @returns how many records are missing for good */
export function settle(log: Numbering, { settledAt, unfiltered }: Pick<Came, 'settledAt' | 'unfiltered'>): number {
  if (log.metAt !== undefined) return 0;
  const wasComplete = log.complete;
  let [missing, at] = [0, 0];
  for (; settledAt !== undefined && at < log.holes.length && (log.holes[at + 2] ?? 0) <= settledAt; at += members) {
    const [first, last] = [log.holes[at] ?? 0, log.holes[at + 1] ?? 0];
    countStreak(log, first - 1 - log.low);
    if (unfiltered ?? log.complete) missing += last - first + 1;
    countGap(log);
    log.low = last;
  }
  if (at > 0) log.holes.splice(0, at);
  const known = (log.holes[0] ?? log.top + 1) - 1;
  countStreak(log, known - log.low);
  log.low = known;
  // What is missing of a log that is filtered by now was left out on purpose.
  return unfiltered !== true && wasComplete && !log.complete ? 0 : missing;
}

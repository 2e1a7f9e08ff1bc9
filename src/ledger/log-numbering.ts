/** What is known of the numbers of one event log: up to where they came, what is missing, and who brings them. */
import * as z from 'zod';
import type { RecordRun } from '../model/records.js';
import { isCredible } from '../runtime/noted-time.js';
import type { RunsOfBatch } from './runs-of-batch.js';
import { type Numbering, savedNumbering, savedOf } from './topic-numbering.js';
import { countGap, countStreak, proof } from './unfiltered-proof.js';

/** How one source brings one log. */
const bringer = z.strictObject({
  source: z.string(),
  /** Highest record ID of this source; undefined before the first. */
  top: z.int().optional(),
  ...proof.shape,
});
type Bringer = z.infer<typeof bringer>;

/** Record IDs that have not come; `nextAt`: when the record behind them was logged. */
const gap = z.strictObject({
  source: z.string(),
  first: z.int(),
  last: z.int(),
  nextAt: z.number().optional(),
  since: z.number(),
});
type Gap = z.infer<typeof gap>;

/** One log of one server as saved. */
export const savedLog = z.strictObject({
  server: z.string(),
  channel: z.string(),
  /** The latest record IDs that came, as runs with their ends, ascending. */
  known: z.array(z.tuple([z.int(), z.int()])),
  /** Time of the newest record, and of the first one of this numbering where the log was cleared before. */
  latestAt: z.number().optional(),
  startedAt: z.number().optional(),
  bringers: z.array(bringer),
  open: z.array(gap),
  /** The same of topics, each by itself. */
  topics: z.array(savedNumbering).optional(),
});
export type SavedLog = z.infer<typeof savedLog>;

export const lateMs = 60_000;

const dayMs = 86_400_000;

/** Times of records may be cut to seconds. */
const toleranceMs = 1_000;

const mostKnown = 64;
const mostOpen = 64;

const mostLogs = 4_096;

export const mostBringers = 64;

export type Log = Omit<SavedLog, 'topics'> & { topics: Numbering[]; text: string | undefined };

/**
 * A time from the future does not tell what came first: all that is true would be older. A clock in the wrong zone is
 * still good enough for the order of its own records.
 */
export function timeOf(at: number | undefined, now: number): number | undefined {
  return at !== undefined && isCredible(at, now + dayMs) ? at : undefined;
}

export function keyOf({ server, channel }: { readonly server: string; readonly channel: string }): string {
  return `${server}\n${channel}`;
}

/** The log of a run, as the one used last; names of servers come from logs too, so they are bounded. */
export function takeLog(logs: Map<string, Log>, { server, channel }: Pick<RecordRun, 'server' | 'channel'>): Log {
  const key = keyOf({ server, channel });
  const log = logs.get(key) ?? freshLog(server, channel);
  logs.delete(key);
  logs.set(key, log);
  if (logs.size > mostLogs) logs.delete(logs.keys().next().value ?? '');
  log.text = undefined;
  return log;
}

function freshLog(server: string, channel: string): Log {
  return {
    server,
    channel,
    known: [],
    latestAt: undefined,
    startedAt: undefined,
    bringers: [],
    open: [],
    topics: [],
    text: undefined,
  };
}

/** Returns the gaps that can no longer be kept open. */
export function noteRun(log: Log, run: RecordRun, batch: RunsOfBatch, now: number): Gap[] {
  log.open = log.open.flatMap((gap) => (mayFill(run, gap) ? rest(gap, run) : [gap]));
  if (isNewNumbering(log, run)) startNumbering(log, run);
  const bringer = bringerOf(log, batch.source);
  if (isOfOldNumbering(log, bringer, run)) return [];
  const before = bringer.top;
  const complete = batch.unfiltered ?? bringer.complete;
  if (complete && before !== undefined && run.first > before + 1) {
    log.open.push(...unknownIn(log, { source: batch.source, first: before + 1, last: run.first - 1, now, run }));
  }
  proceed(bringer, run);
  // What is missing of a filtered log was left out on purpose.
  if (complete && !(batch.unfiltered ?? bringer.complete)) {
    log.open = log.open.filter((gap) => gap.source !== batch.source);
  }
  log.known = withRun(log.known, run);
  log.latestAt = latest(log.latestAt, run.lastAt);
  return log.open.splice(0, Math.max(0, log.open.length - mostOpen));
}

/** Records of an old numbering fill only its own gaps, and the new ones only theirs: their times tell. */
function mayFill(run: RecordRun, gap: Gap): boolean {
  if (run.first > gap.last || run.last < gap.first) return false;
  return run.firstAt === undefined || gap.nextAt === undefined || run.firstAt <= gap.nextAt + toleranceMs;
}

function rest(gap: Gap, run: RecordRun): Gap[] {
  const below = run.first > gap.first ? [{ ...gap, last: run.first - 1 }] : [];
  const above = run.last < gap.last ? [{ ...gap, first: run.last + 1 }] : [];
  return [...below, ...above];
}

/** A record with an earlier number and a time after all others: the log was cleared and restarted its numbering. */
function isNewNumbering(log: Log, run: RecordRun): boolean {
  const top = log.known.at(-1)?.[1];
  return top !== undefined && run.first <= top && isLater(run.firstAt, log.latestAt);
}

function startNumbering(log: Log, run: RecordRun): void {
  log.known = [];
  log.startedAt = run.firstAt;
  log.latestAt = undefined;
  for (const bringer of log.bringers) bringer.top = undefined;
}

/** Late lines from before the log was cleared; those that continue the last one belong to the new numbering all the same. */
function isOfOldNumbering(log: Log, bringer: Bringer, run: RecordRun): boolean {
  if (!isLater(log.startedAt, run.firstAt)) return false;
  return bringer.top === undefined || run.first !== bringer.top + 1;
}

function isLater(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && a > b + toleranceMs;
}

function bringerOf(log: Log, source: string): Bringer {
  const known = log.bringers.find((each) => each.source === source);
  if (known) return known;
  const fresh = { source, top: undefined, streak: 0, complete: false, gaps: 0 };
  log.bringers = [...log.bringers, fresh].slice(-mostBringers);
  return fresh;
}

/** Moves on by a run, learning whether the log comes unfiltered. */
function proceed(bringer: Bringer, { first, last }: RecordRun): void {
  const top = bringer.top ?? first - 1;
  if (last <= top) return;
  if (first > top + 1) countGap(bringer);
  countStreak(bringer, last - Math.max(first - 1, top));
  bringer.top = last;
}

type Missing = {
  readonly source: string;
  readonly first: number;
  readonly last: number;
  readonly now: number;
  readonly run: RecordRun;
};

/** The parts of a gap that no source has brought before. */
function unknownIn(log: Log, { source, first, last, now, run }: Missing): Gap[] {
  let gaps: Gap[] = [{ source, first, last, nextAt: run.firstAt, since: now }];
  for (const [from, to] of log.known) {
    gaps = gaps.flatMap((gap) =>
      to < gap.first || from > gap.last ? [gap] : rest(gap, { ...run, first: from, last: to }),
    );
  }
  return gaps;
}

/** Adds a run to ascending ones, joining those that touch; the lowest are forgotten first. */
function withRun(known: SavedLog['known'], { first, last }: RecordRun): SavedLog['known'] {
  let [from, to] = [first, last];
  const below: [number, number][] = [];
  const above: [number, number][] = [];
  for (const [start, end] of known) {
    if (end < from - 1) below.push([start, end]);
    else if (start > to + 1) above.push([start, end]);
    else [from, to] = [Math.min(from, start), Math.max(to, end)];
  }
  const joined: [number, number] = [from, to];
  return [...below, joined, ...above].slice(-mostKnown);
}

export function postpone(logs: ReadonlyMap<string, Log>, source: string, now: number): void {
  for (const log of logs.values()) {
    for (const gap of log.open) if (gap.source === source) gap.since = now;
  }
}

/** So few IDs follow one another that the source is filtered, or its records cannot be told by their bytes. */
export function loseTrack(logs: ReadonlyMap<string, Log>, source: string): void {
  for (const log of logs.values()) {
    if (![...log.bringers, ...log.topics].some((each) => each.source === source)) continue;
    log.topics = log.topics.filter((each) => each.source !== source);
    log.bringers = log.bringers.filter((each) => each.source !== source);
    log.open = log.open.filter((gap) => gap.source !== source);
    log.text = undefined;
  }
}

/** Takes out the gaps that have been open for a minute. */
export function closeDue(log: Log, now: number): Gap[] {
  const due = log.open.filter((gap) => now - gap.since >= lateMs);
  if (due.length > 0) {
    log.open = log.open.filter((gap) => !due.includes(gap));
    log.text = undefined;
  }
  return due;
}

export function sizeOf({ first, last }: Gap): number {
  return last - first + 1;
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

export function textOf({
  server,
  channel,
  known,
  latestAt,
  startedAt,
  bringers,
  open,
  topics: numberings,
}: Log): string {
  const topics = numberings.length > 0 ? numberings.map(savedOf) : undefined;
  return JSON.stringify({ server, channel, known, latestAt, startedAt, bringers, open, topics } satisfies SavedLog);
}

/** The latest result, the totals and the recent visits of each destination; in memory only, bounded. */
import type { PathReport, PingReport, ProbeResult } from '../model/probes.js';
import type { Reason, StepName } from '../model/words.js';
import { type Noted, trueTime } from '../runtime/noted-time.js';
import { durationBounds, type StepDurations } from './durations.js';
import { type Outcome, outcomeOf, outcomesKept } from './outcomes.js';

export type Board = {
  /** Enters a result. One that was entered before (same id) is not counted again. */
  readonly post: (result: ProbeResult) => void;
  /** Keeps the latest report of each kind; one about a destination that was never probed is dropped. */
  readonly postPing: (destination: string, report: PingReport) => void;
  readonly postPath: (destination: string, report: PathReport) => void;
  readonly latest: (destination: string) => ProbeResult | undefined;
  readonly entry: (destination: string) => BoardEntry | undefined;
  /** All destinations, in the order in which they were first probed. */
  readonly entries: () => readonly BoardEntry[];
  /** Visits that are kept, newest first: failed ones longer than good ones, always the last of each. */
  readonly history: (destination: string) => readonly ProbeResult[];
  /** One kept visit by its id. */
  readonly visit: (id: string) => ProbeResult | undefined;
};

/** A live, read-only view of one destination: read it at once, it changes with the next result. Times in ms UTC. */
export type BoardEntry = {
  readonly destination: string;
  readonly latest: ProbeResult;
  readonly lastGood: ProbeResult | undefined;
  readonly lastFailed: ProbeResult | undefined;
  readonly probes: number;
  /** Every failed step of every visit, whether it decided the visit or not. */
  readonly failures: readonly FailureCount[];
  /** Durations by step; a step that never ran is absent. */
  readonly durations: readonly StepDurations[];
  readonly lastSuccessAt: number | undefined;
  /** Start of the first failed visit since the last good one; undefined while good, or not connected by policy. */
  readonly failingSince: number | undefined;
  /** Start of the first good visit since the last failed one; undefined while failing. */
  readonly passingSince: number | undefined;
  /** Failed visits in a row. */
  readonly failedInARow: number;
  /** The latest visits in short, oldest first: more of them than are kept whole. */
  readonly outcomes: readonly Outcome[];
  /** Latest ping and path; undefined before the first. They come apart from the visits, and later. */
  readonly ping: PingReport | undefined;
  readonly path: PathReport | undefined;
};

type FailureCount = { readonly step: StepName; readonly reason: Reason; readonly count: number };

export type BoardOptions = {
  /** A clock that only goes forward, milliseconds: a clock that is set forgets nothing. @default performance.now */
  readonly clock?: () => number;
  /** A destination without a result for this long is no longer a target and is forgotten. @default 6 h */
  readonly forgetAfterMs?: number;
  /** Good and failed visits kept of one destination. @default 3 and 12 */
  readonly keepGood?: number;
  readonly keepFailed?: number;
  /** Visits kept of all destinations together, besides the last good and last failed of each. @default 4000 */
  readonly keepInAll?: number;
};

/** Times as noted, by our own clock, which may turn out to have been wrong. */
type Times = { success: Noted | undefined; failing: Noted | undefined; passing: Noted | undefined };

type MutableEntry = {
  -readonly [Field in keyof Omit<BoardEntry, 'failures' | 'durations' | 'outcomes'>]: BoardEntry[Field];
} & {
  readonly times: Times;
  /** When the latest result came, by the steady clock. */
  postedAt: number;
  readonly outcomes: Outcome[];
  readonly failures: { -readonly [Field in keyof FailureCount]: FailureCount[Field] }[];
  readonly durations: { step: StepName; buckets: number[]; sum: number; count: number }[];
  /** Oldest first. */
  readonly good: ProbeResult[];
  readonly failed: ProbeResult[];
};

export function createBoard(options: BoardOptions = {}): Board {
  const clock = options.clock ?? ((): number => performance.now());
  const forgetAfterMs = options.forgetAfterMs ?? 6 * 3600_000;
  const keep = { good: options.keepGood ?? 3, failed: options.keepFailed ?? 12, inAll: options.keepInAll ?? 4000 };
  const byDestination = new Map<string, MutableEntry>();
  /** Ids of kept visits, oldest first. */
  const kept = new Set<string>();
  let nextSweep = clock() + sweepMs;

  const forgetSilent = (): void => {
    const now = clock();
    if (now < nextSweep) return;
    nextSweep = now + sweepMs;
    for (const [destination, { postedAt }] of byDestination) {
      if (now - postedAt > forgetAfterMs) byDestination.delete(destination);
    }
  };
  return {
    post(result) {
      forgetSilent();
      let entry = byDestination.get(result.destination);
      if (entry?.latest.id === result.id) return;
      if (!entry) byDestination.set(result.destination, (entry = firstEntry(result)));
      enter(entry, result, clock());
      remember(entry, result, keep, kept);
      dropOldest(kept, keep.inAll, byDestination);
    },
    postPing(destination, report) {
      const entry = byDestination.get(destination);
      if (entry) entry.ping = report;
    },
    postPath(destination, report) {
      const entry = byDestination.get(destination);
      if (entry) entry.path = report;
    },
    latest: (destination) => byDestination.get(destination)?.latest,
    entry: (destination) => byDestination.get(destination),
    entries() {
      forgetSilent();
      return [...byDestination.values()];
    },
    history(destination) {
      const entry = byDestination.get(destination);
      return entry ? [...entry.good, ...entry.failed].sort((a, b) => b.at - a.at) : [];
    },
    visit(id) {
      const entry = byDestination.get(id.slice(0, id.lastIndexOf('@')));
      return entry && [...entry.good, ...entry.failed].find((result) => result.id === id);
    },
  };
}

/** How often silent destinations are looked for. */
const sweepMs = 60_000;

function firstEntry(result: ProbeResult): MutableEntry {
  return {
    destination: result.destination,
    latest: result,
    lastGood: undefined,
    lastFailed: undefined,
    probes: 0,
    failures: [],
    durations: [],
    lastSuccessAt: undefined,
    failingSince: undefined,
    passingSince: undefined,
    failedInARow: 0,
    outcomes: [],
    ping: undefined,
    path: undefined,
    times: { success: undefined, failing: undefined, passing: undefined },
    postedAt: 0,
    good: [],
    failed: [],
  };
}

function enter(entry: MutableEntry, result: ProbeResult, steadyAt: number): void {
  entry.postedAt = steadyAt;
  entry.latest = result;
  entry.probes += 1;
  entry.outcomes.push(outcomeOf(result));
  if (entry.outcomes.length > outcomesKept) entry.outcomes.shift();
  for (const step of result.steps) {
    if (step.reason !== undefined) countFailure(entry, step.step, step.reason);
    // Nothing was asked when policy forbade it: a duration of zero would be a lie.
    if (step.reason !== 'blocked_by_policy') countDuration(entry, step.step, step.seconds);
  }
  const { times } = entry;
  const noted = { at: result.at, steadyAt };
  if (result.success) {
    entry.lastGood = result;
    Object.assign(times, { success: noted, passing: times.passing ?? noted, failing: undefined });
    entry.failedInARow = 0;
  } else {
    entry.lastFailed = result;
    const failing = result.reason === 'blocked_by_policy' ? undefined : (times.failing ?? noted);
    Object.assign(times, { passing: undefined, failing });
    entry.failedInARow += 1;
  }
  showTimes(entry, result, steadyAt);
}

/** The end of the visit is now: whatever stands later was noted by a clock that was wrong. */
function showTimes(entry: MutableEntry, { at, seconds }: ProbeResult, steadyAt: number): void {
  const clocks = { now: () => at + seconds * 1000, steady: () => steadyAt };
  const { success, failing, passing } = entry.times;
  entry.lastSuccessAt = success && trueTime(success, clocks);
  entry.failingSince = failing && trueTime(failing, clocks);
  entry.passingSince = passing && trueTime(passing, clocks);
}

function countFailure(entry: MutableEntry, step: StepName, reason: Reason): void {
  const known = entry.failures.find((each) => each.step === step && each.reason === reason);
  if (known) known.count += 1;
  else entry.failures.push({ step, reason, count: 1 });
}

function countDuration(entry: MutableEntry, step: StepName, seconds: number): void {
  let known = entry.durations.find((each) => each.step === step);
  if (!known) {
    known = { step, buckets: new Array<number>(durationBounds.length + 1).fill(0), sum: 0, count: 0 };
    entry.durations.push(known);
  }
  const found = durationBounds.findIndex((bound) => seconds <= bound);
  const bucket = found === -1 ? durationBounds.length : found;
  known.buckets[bucket] = (known.buckets[bucket] ?? 0) + 1;
  known.sum += seconds;
  known.count += 1;
}

function remember(
  entry: MutableEntry,
  result: ProbeResult,
  keep: { readonly good: number; readonly failed: number },
  kept: Set<string>,
): void {
  const ring = result.success ? entry.good : entry.failed;
  ring.push(result);
  kept.add(result.id);
  const most = Math.max(1, result.success ? keep.good : keep.failed);
  for (const old of ring.splice(0, Math.max(0, ring.length - most))) kept.delete(old.id);
}

/** The last good and the last failed visit of a destination always stay: a person at night asks for just these. */
function dropOldest(kept: Set<string>, inAll: number, byDestination: ReadonlyMap<string, MutableEntry>): void {
  for (const id of kept) {
    if (kept.size <= inAll) return;
    kept.delete(id);
    const entry = byDestination.get(id.slice(0, id.lastIndexOf('@')));
    for (const ring of entry ? [entry.good, entry.failed] : []) {
      // The oldest of the ring is this visit, or one that stayed behind as the last of its kind when its turn came.
      if (ring.length > 1 && ring.some((result) => result.id === id)) ring.shift();
    }
  }
}

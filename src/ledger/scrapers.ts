/**
 * Who scrapes, how often, and what everybody has seen: decides when a new series has been seen at its first value.
 *
 * `increase()` knows nothing of a series before its first sample, so a counter born at 1 hides the first error. A new
 * series is therefore exposed at its previous value until every active scraper has read it once (invariant 6). Active is
 * who has read a whole answer lately: whoever asks and breaks off holds nothing back. And nobody holds back a series for
 * longer than twice its own interval, or than five minutes.
 */
import * as z from 'zod';
import type { Immutable } from '../runtime/immutable.js';

export const savedScraper = z.strictObject({
  address: z.string(),
  /** When it last had a whole answer, milliseconds since 1970 UTC. */
  lastAt: z.number(),
  /** Longest of the latest intervals, milliseconds; undefined after a single scrape. */
  intervalMs: z.number().optional(),
});
export type Scraper = Immutable<z.infer<typeof savedScraper>>;

export type Scrapers = {
  /** A mark for a series that is first shown now. */
  readonly birth: () => number;
  /** The latest mark: what is shown now shows all series up to it. */
  readonly births: () => number;
  /** Notes when a scraper asks: its interval is measured from one start to the next. */
  readonly asks: (address: string) => void;
  /** Notes that a scraper has its whole answer, which showed all series up to the mark. From now on it is waited for. */
  readonly hasRead: (address: string, births: number) => void;
  /** The mark up to which every active scraper has read; 0 without any, for then nobody has. */
  readonly seenByAll: () => number;
  /** Scrapers that have read a whole answer: kept over a restart, so that the second of a pair is still waited for. */
  readonly all: () => readonly Scraper[];
};

export type ScraperClocks = {
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** A clock that only goes forward: a clock on the wall that is set makes nobody wait, and nobody be forgotten. */
  readonly steady: () => number;
};

/** Taken for the interval of a scraper while it is not known. */
const defaultIntervalMs = 60_000;
/** A longer pause is an absence, not an interval. */
const longestIntervalMs = 10 * 60_000;
const longestHoldMs = 5 * 60_000;
const maxScrapers = 64;
/** Marks are remembered by the second, for as long as anybody may be waited for. */
const markMs = 1_000;

/** Times by the steady clock, except `lastAt`. */
type Known = {
  lastAt: number;
  readAt: number;
  startedAt: number | undefined;
  intervals: readonly number[];
  seen: number;
};

type Mark = { readonly at: number; births: number };

/** @param saved scrapers from before the restart; the active ones count as seen now, because their next scrape is still to come */
export function createScrapers(saved: readonly Scraper[], clocks: ScraperClocks): Scrapers {
  const { now, steady } = clocks;
  const known = new Map<string, Known>();
  const asking = new Map<string, number>();
  const marks: Mark[] = [];
  let births = 0;
  const newestAt = Math.max(...saved.map(({ lastAt }) => Math.min(lastAt, now())));
  for (const { address, lastAt: savedAt, intervalMs } of saved.slice(-maxScrapers)) {
    const lastAt = Math.min(savedAt, now());
    const each = { lastAt, startedAt: undefined, intervals: intervalMs && intervalMs > 0 ? [intervalMs] : [], seen: 0 };
    // Who had stayed away before the end is not waited for afterwards either.
    known.set(address, { ...each, readAt: newestAt - lastAt <= holdOf(each) ? steady() : -Infinity });
  }
  const isActive = (each: Known): boolean => steady() - each.readAt <= holdOf(each);
  /** The mark of what has been there for longer than a scraper is waited for. */
  const bornBefore = (at: number): number => marks.findLast((mark) => mark.at < at)?.births ?? 0;
  return {
    birth: () => {
      const last = marks.at(-1);
      births++;
      if (last && steady() - last.at < markMs) last.births = births;
      else marks.push({ at: steady(), births });
      // The oldest but one is older than anybody is waited for: nothing asks for the oldest any more.
      while (steady() - (marks[1]?.at ?? Infinity) > longestHoldMs) marks.shift();
      return births;
    },
    births: () => births,
    asks: (address) => {
      remember(asking, address, steady());
      if (asking.size > maxScrapers) asking.delete(asking.keys().next().value ?? '');
    },
    hasRead: (address, shown) => {
      const startedAt = asking.get(address) ?? steady();
      asking.delete(address);
      const before = known.get(address);
      const seen = Math.max(shown, before?.seen ?? 0);
      const intervals = intervalsOf(before, startedAt);
      remember(known, address, { lastAt: now(), readAt: steady(), startedAt, intervals, seen });
      if (known.size > maxScrapers) known.delete(leastOf(known, isActive));
    },
    seenByAll: () => {
      const active = [...known.values()].filter(isActive);
      const seen = active.map((each) => Math.max(each.seen, bornBefore(steady() - holdOf(each))));
      return seen.length === 0 ? 0 : Math.min(...seen);
    },
    all: () => [...known].map(scraperOf),
  };
}

function holdOf({ intervals }: Pick<Known, 'intervals'>): number {
  return Math.min(2 * (longestOf(intervals) ?? defaultIntervalMs), longestHoldMs);
}

function longestOf(intervals: readonly number[]): number | undefined {
  return intervals.length === 0 ? undefined : Math.max(...intervals);
}

function intervalsOf(before: Known | undefined, startedAt: number): readonly number[] {
  const intervals = before?.intervals ?? [];
  const interval = startedAt - (before?.startedAt ?? startedAt);
  return interval > 0 && interval <= longestIntervalMs ? [...intervals, interval].slice(-3) : intervals;
}

/** A map keeps the order of insertion: the last is the latest. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
}

/** Who goes when there are too many: one that stays away, else one that came once, else the one that came longest ago. */
function leastOf(known: ReadonlyMap<string, Known>, isActive: (each: Known) => boolean): string {
  const all = [...known];
  const least =
    all.find(([, each]) => !isActive(each)) ?? all.find(([, { intervals }]) => intervals.length === 0) ?? all[0];
  return least?.[0] ?? '';
}

function scraperOf([address, { lastAt, intervals }]: readonly [string, Known]): Scraper {
  return { address, lastAt, intervalMs: longestOf(intervals) };
}

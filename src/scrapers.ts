/**
 * Who scrapes, how often, and what everybody has seen: decides when a new series has been seen at its first value.
 *
 * `increase()` knows nothing of a series before its first sample, so a counter born at 1 hides the first error. A new
 * series is therefore shown at its value of before until every scraper seen lately has read it once (invariant 6).
 */

export type Scraper = {
  readonly address: string;
  /** Start of the latest scrape, milliseconds since 1970 UTC. */
  readonly lastAt: number;
  /** Longest of the latest intervals, milliseconds; undefined after a single scrape. */
  readonly intervalMs: number | undefined;
};

export type Scrapers = {
  /** A mark for a series that is first shown now. */
  readonly birth: () => number;
  /** The latest mark: what is shown now shows all series up to it. */
  readonly births: () => number;
  /** Notes that a scraper asks: from now on it is waited for. */
  readonly asks: (address: string) => void;
  /** Notes that a scraper has its answer, which showed all series up to the mark. */
  readonly hasRead: (address: string, births: number) => void;
  /** The mark up to which every scraper seen lately has read; 0 without any scraper, for then nobody has. */
  readonly seenByAll: () => number;
  /** Scrapers seen lately: kept over a restart, so that the second of a pair is still waited for. */
  readonly all: () => readonly Scraper[];
};

/** Taken for the interval of a scraper while it is not known. */
const defaultIntervalMs = 60_000;
/** A longer pause is an absence, not an interval. */
const longestIntervalMs = 10 * 60_000;
const maxScrapers = 64;

type Known = { lastAt: number; intervals: number[]; seen: number };

/** @param saved scrapers of before the restart; they count as seen now, for their next scrape is still to come */
export function createScrapers(saved: readonly Scraper[], now: () => number): Scrapers {
  const known = new Map<string, Known>();
  for (const { address, intervalMs } of saved) {
    known.set(address, { lastAt: now(), intervals: intervalMs === undefined ? [] : [intervalMs], seen: 0 });
  }
  let births = 0;
  const lately = (): Known[] => {
    const bound = 2 * longestOf(known);
    return [...known.values()].filter((each) => now() - each.lastAt <= bound);
  };
  return {
    birth: () => ++births,
    births: () => births,
    asks: (address) => {
      noteScrape(known, address, now());
    },
    hasRead: (address, shown) => {
      const scraper = known.get(address);
      if (scraper) scraper.seen = Math.max(scraper.seen, shown);
    },
    seenByAll: () => {
      const live = lately();
      return live.length === 0 ? 0 : Math.min(...live.map((each) => each.seen));
    },
    all: () =>
      [...known].map(([address, { lastAt, intervals }]) => ({
        address,
        lastAt,
        intervalMs: intervals.length === 0 ? undefined : Math.max(...intervals),
      })),
  };
}

function noteScrape(known: Map<string, Known>, address: string, now: number): void {
  const before = known.get(address);
  const scraper = before ?? { lastAt: now, intervals: [], seen: 0 };
  const interval = now - scraper.lastAt;
  if (before && interval > 0 && interval <= longestIntervalMs) {
    scraper.intervals = [...scraper.intervals, interval].slice(-3);
  }
  scraper.lastAt = now;
  known.delete(address);
  known.set(address, scraper);
  if (known.size > maxScrapers) known.delete(known.keys().next().value ?? '');
}

function longestOf(known: ReadonlyMap<string, Known>): number {
  const longest = Math.max(0, ...[...known.values()].flatMap((each) => each.intervals));
  return longest === 0 ? defaultIntervalMs : longest;
}

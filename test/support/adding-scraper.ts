/** Scrapes an exporter again and again and adds up what its counters rose by, as Prometheus does over all its samples. */
import { setTimeout as pause } from 'node:timers/promises';
import { errorCounter, series } from './scraped.js';

export type AddingScraper = {
  /** Errors shown in all: a fall is taken for a reset, after which the whole value is new. */
  readonly shown: () => number;
  /** The same by series, name and labels as written. */
  readonly shownOf: () => ReadonlyMap<string, number>;
  /** Scrapes in which a counter was lower than in the one before, or gone. */
  readonly falls: () => readonly string[];
  /** How many ended. */
  readonly scrapes: () => number;
  readonly stop: () => Promise<void>;
};

/** @param page the text of /metrics; a scrape that fails is a scrape that was not made */
export function startAddingScraper(
  page: () => Promise<string>,
  everyMs = 100,
  counters: readonly string[] = [errorCounter],
): AddingScraper {
  const last = new Map<string, number>();
  const shownOf = new Map<string, number>();
  const falls: string[] = [];
  const state = { shown: 0, scrapes: 0, stopped: false };
  const note = (values: ReadonlyMap<string, number>): void => {
    state.scrapes++;
    for (const [labels, value] of values) {
      const before = last.get(labels) ?? 0;
      if (value < before) falls.push(`${labels} fell from ${before} to ${value}`);
      const risen = value < before ? value : value - before;
      state.shown += risen;
      shownOf.set(labels, (shownOf.get(labels) ?? 0) + risen);
      last.set(labels, value);
    }
    for (const each of last.keys()) if (!values.has(each)) falls.push(`${each} is gone`);
  };
  const run = async (): Promise<void> => {
    while (!state.stopped) {
      const text = await page().catch(() => undefined);
      if (text !== undefined) note(seriesOf(text, counters));
      await pause(everyMs);
    }
  };
  const running = run();
  return {
    shown: () => state.shown,
    shownOf: () => shownOf,
    falls: () => falls,
    scrapes: () => state.scrapes,
    stop: () => {
      state.stopped = true;
      return running;
    },
  };
}

/** Values of some metrics by series, name and labels as written. */
export function seriesOf(page: string, names: readonly string[]): Map<string, number> {
  return new Map(names.flatMap((name) => [...series(page, name)].map(([labels, value]) => [name + labels, value])));
}

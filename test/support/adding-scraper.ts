/** Scrapes an exporter again and again and adds up what its counters rose by, as Prometheus does over all its samples. */
import { setTimeout as pause } from 'node:timers/promises';
import { errorCounter, series } from './scraped.js';

export type AddingScraper = {
  /** Errors shown in all: a fall is taken for a reset, after which the whole value is new. */
  readonly shown: () => number;
  /** Scrapes in which a counter was lower than in the one before, or gone. */
  readonly falls: () => readonly string[];
  readonly stop: () => Promise<void>;
};

/** @param page the text of /metrics; a scrape that fails is a scrape that was not made */
export function startAddingScraper(page: () => Promise<string>, everyMs = 100): AddingScraper {
  const last = new Map<string, number>();
  const falls: string[] = [];
  const state = { shown: 0, stopped: false };
  const note = (values: ReadonlyMap<string, number>): void => {
    for (const [labels, value] of values) {
      const before = last.get(labels) ?? 0;
      if (value < before) falls.push(`${labels} fell from ${before} to ${value}`);
      state.shown += value < before ? value : value - before;
      last.set(labels, value);
    }
    for (const labels of last.keys()) if (!values.has(labels)) falls.push(`${labels} is gone`);
  };
  const run = async (): Promise<void> => {
    while (!state.stopped) {
      const text = await page().catch(() => undefined);
      if (text !== undefined) note(series(text, errorCounter));
      await pause(everyMs);
    }
  };
  const running = run();
  return {
    shown: () => state.shown,
    falls: () => falls,
    stop: () => {
      state.stopped = true;
      return running;
    },
  };
}

/** A world for one exactness scenario: a folder, the built exporter that may die and come back, a scraper that adds up. */
import { appendFile, chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, vi } from 'vitest';
import { startAddingScraper } from './adding-scraper.js';
import { startExporter, type ExporterOptions, type RunningExporter } from './exporter.js';
import { winlogbeatLine } from './winlogbeat-line.js';

export type World = {
  readonly folder: string;
  /** `events.ndjson` in the folder. */
  readonly file: string;
  /** Starts the exporter on paths, as a rule on the folder; once more on the same state after it ended. */
  readonly start: (paths?: readonly string[], options?: ExporterOptions) => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly kill9: () => Promise<void>;
  readonly exporter: () => RunningExporter;
  /** Waits until the scraper has added up so many errors. */
  readonly shows: (errors: number) => Promise<void>;
};

const patience = { timeout: 60_000, interval: 50 };

/**
 * Runs a scenario to its end: the errors it says were written are shown, also after one more restart, and no scrape was
 * lower than the one before.
 */
export async function playScenario(scenario: (world: World) => Promise<number>): Promise<void> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'exactness-'));
  // One scenario runs as an account without rights.
  await chmod(home, 0o777);
  const folder = path.join(home, 'logs');
  await mkdir(folder);
  const now: { exporter?: RunningExporter; again?: () => Promise<void> } = {};
  const scraper = startAddingScraper(async () => (await now.exporter?.scrape()) ?? Promise.reject(new Error('down')));
  const end = async (how: 'stop' | 'kill9'): Promise<void> => {
    const { exporter } = now;
    delete now.exporter;
    await exporter?.[how]();
  };
  const start: World['start'] = async (paths = [folder], options = {}) => {
    now.again = () => start(paths, options);
    const stateDirectory = path.join(home, 'state');
    now.exporter = await startExporter({ ...options, files: paths, stateDirectory, args: ['--no-probe'] });
  };
  const shows: World['shows'] = (errors) =>
    vi.waitFor(() => {
      expect(scraper.shown()).toBe(errors);
    }, patience);
  try {
    const world = { folder, file: path.join(folder, 'events.ndjson'), start, shows };
    const written = await scenario({
      ...world,
      stop: () => end('stop'),
      kill9: () => end('kill9'),
      exporter: () => now.exporter ?? raise('the exporter is down'),
    });
    await shows(written);
    // Whatever was read twice would show by now or after the restart.
    await end('stop');
    await now.again?.();
    await untilReadAll(() => now.exporter);
    await shows(written);
    expect(scraper.falls()).toEqual([]);
  } finally {
    await scraper.stop();
    await end('kill9');
    await rm(home, { recursive: true, force: true });
  }
}

/** All sources read to their end: nothing is left that could still be counted. */
async function untilReadAll(exporter: () => RunningExporter | undefined): Promise<void> {
  await vi.waitFor(async () => {
    expect((await exporter()?.page('/-/ready'))?.body ?? '').not.toContain('first read');
  }, patience);
}

function raise(message: string): never {
  throw new Error(message);
}

/** Lines with the record IDs from one to another; a few destinations, so that counters are many. */
export function lines(from: number, to: number, more: Parameters<typeof winlogbeatLine>[0] = {}): string {
  return Array.from({ length: to - from + 1 }, (_, index) => line(from + index, more)).join('');
}

/** Three hours ago: history on a first read, and not so old that it is forgotten. */
const firstAt = Math.floor(Date.now() / 1000) * 1000 - 3 * 3_600_000;

/** Records are logged a second apart, so that their times differ as in a log. */
export function line(recordId: number, more: Parameters<typeof winlogbeatLine>[0] = {}): string {
  const at = new Date(timeOf(recordId));
  return winlogbeatLine({ recordId, destination: `203.0.113.${recordId % 7}:25`, at, ...more });
}

/** Appends in pieces that end in the middle of lines. */
export async function appendTorn(file: string, text: string, pieceLength = 777): Promise<void> {
  for (let at = 0; at < text.length; at += pieceLength) await appendFile(file, text.slice(at, at + pieceLength));
}

export function timeOf(recordId: number): number {
  return firstAt + recordId * 1000;
}

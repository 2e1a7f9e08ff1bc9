/**
 * What others notice while a gigabyte of a log is caught up with: how long a scrape takes, as Prometheus makes it, and for how
 * long the event loop is held, by the clock and without waiting for a processor. The exporter runs when it is appended, so that all of
 * it is news; scraped ten times a second. Says which aim is missed; fails when a figure has become worse by more than a fifth than the one
 * that is kept in `bench/backlog/kept.json`.
 *
 * `npm run bench -- backlog [megabytes]`; `KEEP=1` keeps the new figures.
 */
import { appendFile, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { quantile, startExporter, table, total } from './exporter.mjs';
import { compare } from './kept.mjs';
import { createWorkload, writeWorkload } from './workload.mjs';

const rounds = 2;
const scrapeEveryMs = 100;
const bytesOfRecord = 1_080;
const mixes = {
  '1 % hits, 10,000 pairs, four servers': { share: 0.01 },
  'all hits, 200 pairs, one server': { share: 1, servers: 1, connectors: 10, destinations: 20 },
  'all hits, 10,000 pairs, four servers': { share: 1 },
};

export async function run(megabytes = 1_000) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'backlog-bench-'));
  const rows = [
    ['Backlog', 'MB', 's', 'scrapes', 'scrape p50 / p99, ms', 'loop held, ms', 'by the clock', 'peak RSS, MiB'],
  ];
  const [figures, aims] = [{}, {}];
  try {
    for (const [mix, of] of Object.entries(mixes)) {
      const made = path.join(folder, 'made');
      const log = { carrier: 'winlogbeat', records: Math.round((megabytes * 1e6) / bytesOfRecord), ...of };
      const { errors } = await writeWorkload(made, log);
      const results = [];
      for (let round = 0; round < rounds; round++) results.push(await catchUp(made, folder, log, errors));
      const least = (of) => Math.min(...results.map(of));
      const p99 = least(({ times }) => quantile(times, 0.99));
      const own = least(({ ownHold }) => ownHold);
      rows.push([
        ...[mix, ((await stat(made)).size / 1e6).toFixed(0), least(({ seconds }) => seconds).toFixed(1)],
        ...[
          least(({ times }) => times.length),
          `${least(({ times }) => quantile(times, 0.5)).toFixed(0)} / ${p99.toFixed(0)}`,
        ],
        ...[own.toFixed(0), least(({ hold }) => hold).toFixed(0), least(({ peak }) => peak).toFixed(0)],
      ]);
      const names = [`${mix}: scrape p99, ms`, `${mix}: event loop held, ms`];
      Object.assign(figures, { [names[0]]: p99, [names[1]]: own });
      Object.assign(aims, { [names[0]]: 100, [names[1]]: 50 });
      await rm(made);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  table(rows);
  await compare(fileURLToPath(new URL('backlog/kept.json', import.meta.url)), figures, aims);
}

async function catchUp(made, folder, of, errors) {
  const state = await mkdtemp(path.join(folder, 'state-'));
  const file = path.join(state, 'events.log');
  await writeFile(file, '');
  const exporter = await startExporter([file], state);
  const shown = async (times) => {
    const page = await exporter.scrape({ 'Accept-Encoding': 'gzip' });
    times.push(page.ms);
    return total(gunzipSync(page.body()).toString());
  };
  try {
    // The very first read is history; what comes later is not.
    await appendFile(file, createWorkload({ ...of, share: 1, servers: 1 })(Date.now()).line);
    while ((await shown([])) < 1) await pause(100);
    await exporter.longestHoldMs();
    await exporter.longestOwnHoldMs();
    const times = [];
    const begun = performance.now();
    const copied = copy(made, file);
    while ((await shown(times)) < 1 + errors) await pause(Math.max(0, scrapeEveryMs - times.at(-1)));
    await copied;
    const seconds = (performance.now() - begun) / 1000;
    const [hold, ownHold] = [await exporter.longestHoldMs(), await exporter.longestOwnHoldMs()];
    return { times, seconds, hold, ownHold, peak: (await exporter.memory()).peak };
  } finally {
    await exporter.stop();
    await rm(state, { recursive: true });
  }
}

/** Appends a file to another. */
async function copy(from, to) {
  const [source, target] = [await open(from), await open(to, 'a')];
  const buffer = Buffer.alloc(4 * 1024 * 1024);
  for (;;) {
    const { bytesRead } = await source.read(buffer);
    if (bytesRead === 0) break;
    await target.write(buffer, 0, bytesRead);
  }
  await Promise.all([source.close(), target.close()]);
}

/**
 * A log that was written to do harm: a million events, each with another destination, with another server and connector
 * besides, or with names as long as they may be. What counts is memory, and how long a scrape takes meanwhile and
 * after (the longest of ten).
 */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { quantile, startExporter, table, total } from './exporter.mjs';
import { winlogbeatLine } from './workload.mjs';

const attacks = {
  destinations: (n) => ({ server: 'exch01', connector: 'Outbound', destination: addressOf(n) }),
  'all names': (n) => ({ server: `host${n}`, connector: `Outbound ${n % 5_000}`, destination: addressOf(n) }),
  servers: (n) => ({ server: `host${n}`, connector: 'Outbound', destination: '203.0.113.25:25' }),
  'long names': (n) => ({
    server: `${n}`.padEnd(256, 's'),
    connector: `${n % 300}`.padEnd(256, 'c'),
    destination: `${n}`.padEnd(256, 'd'),
  }),
};

export async function run(records = 1_000_000) {
  const lines = [
    ['attack', 'events', 'CPU s', 'RSS MiB peak', 'series', 'scrape ms p50', 'p95', 'max', 'after', 'counted'],
  ];
  for (const [name, place] of Object.entries(attacks)) lines.push([name, ...(await attack(place, records))]);
  table(lines);
}

async function attack(place, records) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hostile-bench-'));
  const file = path.join(folder, 'events.ndjson');
  await writeFile(file, '');
  const exporter = await startExporter([file], folder);
  try {
    const writing = write(file, place, records);
    const times = [];
    let text = '';
    while (total(text) < records) {
      const scrape = await exporter.scrape();
      times.push(scrape.ms);
      text = scrape.text();
      await pause(500);
    }
    await writing;
    const after = [];
    for (let scrape = 0; scrape < 10; scrape++) after.push((await exporter.scrape()).ms);
    const { peak } = await exporter.memory();
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
    const spread = [quantile(times, 0.5), quantile(times, 0.95), Math.max(...times), Math.max(...after)].map((ms) =>
      ms.toFixed(0),
    );
    const cpu = ((await exporter.cpuMs()) / 1000).toFixed(1);
    return [records, cpu, peak.toFixed(0), series, ...spread, total(text)];
  } finally {
    await exporter.stop();
    await rm(folder, { recursive: true });
  }
}

async function write(file, place, records) {
  // Of today: what has been silent for a month is not shown.
  const at = Date.now();
  const handle = await open(file, 'a');
  for (let from = 0; from < records; from += 1000) {
    let text = '';
    for (let n = from; n < Math.min(records, from + 1000); n++) text += winlogbeatLine(n, { ...place(n), at });
    await handle.write(text);
  }
  await handle.close();
}

function addressOf(n) {
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}:25`;
}

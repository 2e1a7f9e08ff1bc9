/**
 * `npm run bench -- pages [rows]`: what pages, API answers and the support bundle cost with many rows, each with an error within the
 * last hour. First each alone: milliseconds over HTTP and the longest hold of the event loop. Then eight readers at a time of the
 * same page, and of a page each, with scrapes beside them: how long a scrape takes, and the longest hold without waiting for a
 * processor. Exit code 1 when a scrape takes half a second or the event loop is held over 100 ms.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { quantile, startWithRows, table } from './exporter.mjs';

const rounds = 3;
const readers = 8;
const mostScrapeMs = 500;
const mostHoldMs = 100;
const pages = {
  status: '/',
  'status, all rows': '/?page=all',
  'status, searched': '/?q=10.0.3',
  events: '/events',
  'API status': '/api/v1/status',
  'API connectors': '/api/v1/connectors',
  'API destinations': '/api/v1/destinations',
  'API events': '/api/v1/events',
  '/sd': '/sd',
  'support bundle': '/api/v1/support-bundle',
};

export async function run(rows = 27_000) {
  const { exporter, end } = await startWithRows(Array.from({ length: rows }, (_, index) => rowOf(index)));
  try {
    await exporter.scrape();
    await alone(exporter, rows);
    await together(exporter);
  } finally {
    await end();
  }
}

async function alone(exporter, rows) {
  console.log(`${rows} rows; each alone`);
  const lines = [['page', 'first ms', 'median ms', 'p95 ms', 'longest hold ms', 'bytes']];
  for (const [name, address] of Object.entries(pages)) {
    await holds(exporter);
    const times = [];
    let bytes = 0;
    for (let round = 0; round < rounds; round++) {
      const answer = await read(exporter.url + address);
      times.push(answer.ms);
      bytes = answer.bytes;
    }
    const figures = [times[0], quantile(times, 0.5), quantile(times, 0.95), await holds(exporter)];
    lines.push([name, ...figures.map((each) => each.toFixed(0)), bytes]);
  }
  table(lines);
}

async function together(exporter) {
  console.log(`${readers} readers at a time, scrapes beside them`);
  const lines = [['read', 'median ms', 'slowest ms', 'scrape median ms', 'slowest scrape ms', 'longest hold ms']];
  const all = Object.values(pages);
  const different = all.filter((address) => address !== '/').slice(0, readers);
  for (const [name, addresses] of [
    ...Object.entries(pages).map(([name, address]) => [name, Array(readers).fill(address)]),
    ['a page each', different],
    ['status, searched, each for another word', different.map((_, index) => `/?page=all&q=10.0.${index}`)],
  ]) {
    lines.push([name, ...(await readTogether(exporter, addresses))]);
  }
  table(lines);
}

async function readTogether(exporter, addresses) {
  await holds(exporter);
  let reading = true;
  const scrapes = [];
  const scraping = (async () => {
    while (reading) {
      scrapes.push((await exporter.scrape()).ms);
      await pause(20);
    }
  })();
  const answers = await Promise.all(addresses.map((address) => read(exporter.url + address)));
  reading = false;
  await scraping;
  const hold = await holds(exporter);
  const times = answers.map(({ ms }) => ms);
  if (Math.max(...scrapes) >= mostScrapeMs || hold > mostHoldMs) process.exitCode = 1;
  return [quantile(times, 0.5), Math.max(...times), quantile(scrapes, 0.5), Math.max(...scrapes), hold].map((each) =>
    each.toFixed(0),
  );
}

async function holds(exporter) {
  await pause(30);
  return exporter.longestOwnHoldMs();
}

async function read(url) {
  const begun = performance.now();
  const response = await fetch(url);
  const bytes = (await response.arrayBuffer()).byteLength;
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return { ms: performance.now() - begun, bytes };
}

function rowOf(index) {
  const at = Date.now() - (index % 3_000) * 1_000;
  return {
    server: `exch${index % 10}.contoso.local`,
    connector: `Outbound ${Math.floor(index / 100)}`,
    destination: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:25`,
    errors: index + 1,
    lastErrorAt: at,
    lastObservedAt: at,
  };
}

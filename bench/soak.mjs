/**
 * `npm run bench -- soak [minutes]`: 500 events a second over 20 rotating files, two scrapers, 200 mail servers on loopback that
 * are probed, and readers of pages, all at once. Counts are exact in sum and by pair, no scrape is lower than one that
 * ended before it began, the event loop is never held over 100 ms, and memory is level after the first three minutes: neither
 * what the heap holds after its collections nor RSS rises. The book of known records, which takes nine minutes to fill at
 * this rate, is filled before the clock starts.
 * Prints the figures; exit code 1 when one of them is not held.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { quantile, startExporter } from './exporter.mjs';
import { countsOf, createScrapers, every, read } from './soak/clients.mjs';
import { startWriters } from './soak/writers.mjs';

const files = 20;
const perSecond = 500;
const targets = 200;
const mostHoldMs = 100;
/** Memory is not level while a just-in-time compiler is at work and series are born. */
const settledAfterMinutes = 3;
/** Records known one by one. */
const bookOfRecords = 262_144;
/** In ten minutes: the last visits of each destination fill their book meanwhile, and the pages are asked for one by one. */
const mostRiseMiB = 6;
const mostRssMiB = 256;
/** Between the medians of the first and the last third: RSS goes up and down with the garbage of a few seconds. */
const mostRssRise = 1.1;
/** A new pair is held at zero until both scrapers have seen it, and they may be late on a busy machine. */
const countWithinMs = 60_000;
const sampleMs = 1_000;

export async function run(minutes = 10) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'soak-bench-'));
  const faults = new Map();
  const tell = (sentence) => {
    const kind = sentence.replace(/\d+/g, 'N').slice(0, 100);
    if (!faults.has(kind)) console.log(sentence);
    faults.set(kind, (faults.get(kind) ?? 0) + 1);
  };
  const servers = await startTargets();
  const exporter = await startSoaked(folder, servers.destinations);
  try {
    await soak({ minutes, folder, exporter, tell, destinations: servers.destinations });
    if (exporter.endedWith()) tell(`the exporter ended with ${exporter.endedWith()}: ${exporter.log().slice(-1000)}`);
  } finally {
    await exporter.stop();
    servers.stop();
    await rm(folder, { recursive: true, force: true });
  }
  for (const [kind, times] of faults) console.log(`${times} times ${kind}`);
  process.exitCode = faults.size > 0 ? 1 : 0;
}

async function startTargets() {
  const script = fileURLToPath(new URL('soak/targets.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, String(targets)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8');
  while (!text.includes('\n')) text += String(await once(child.stdout, 'data'));
  return { destinations: JSON.parse(text), stop: () => child.stdin.end() };
}

async function startSoaked(folder, destinations) {
  await mkdir(path.join(folder, 'logs'));
  const file = path.join(folder, 'config.yml');
  const config = {
    sources: [{ type: 'file', paths: [path.join(folder, 'logs')] }],
    destinations: { static: destinations },
    probe: { interval: '10s', timeout: '5s', allow: ['127.0.0.0/8'], ports: ['1-65535'] },
  };
  await writeFile(file, JSON.stringify(config));
  return startExporter([], path.join(folder, 'state'), [`--config.file=${file}`]);
}

async function soak({ minutes, folder, exporter, tell, destinations }) {
  const place = { folder: path.join(folder, 'logs'), files, atOnce: bookOfRecords, perSecond, destinations };
  const scrapers = createScrapers(exporter.url, tell);
  const writers = await startWriters(place);
  await untilReady(exporter);
  await untilRead(exporter);
  const guarded = (work) => () => work().catch((error) => tell(error.message));
  const stops = [
    every(5_000, guarded(scraperOn('127.0.0.1', scrapers, writers, tell))),
    every(15_000, guarded(scraperOn('127.0.0.2', scrapers, writers, tell))),
    ...readers(exporter.url, destinations).map(({ ms, work }) => every(ms, guarded(work))),
  ];
  const samples = await watch(exporter, minutes * 60_000, tell);
  await writers.stop();
  await exactInTheEnd(scrapers, writers, tell);
  await Promise.all(stops.map((stop) => stop()));
  report({ minutes, samples, scrapers, writers, tell });
}

async function untilReady(exporter) {
  while (exporter.endedWith() === undefined) {
    const answer = await fetch(`${exporter.url}/-/ready`);
    if (answer.ok) return;
    await pause(100);
  }
}

/** All that was written at once is exposed, so that what follows is the steady load alone. */
async function untilRead(exporter) {
  const agent = new http.Agent({ keepAlive: true });
  const { scrape } = createScrapers(exporter.url, () => undefined);
  while (sumOf(countsOf(await scrape(agent, '127.0.0.1'))) < bookOfRecords) await pause(500);
  agent.destroy();
}

/** While events come the sum may lag behind, and is never above what was written. */
function scraperOn(address, { scrape }, writers, tell) {
  const agent = new http.Agent({ keepAlive: true });
  return async () => {
    const before = writers.written();
    const sum = sumOf(countsOf(await scrape(agent, address)));
    if (sum > writers.written()) tell(`counted ${sum} of ${writers.written()} written`);
    if (sum < before - countWithinMs * (perSecond / 1000)) tell(`counted only ${sum} of ${before} written`);
  };
}

function readers(url, destinations) {
  let turn = 0;
  const someone = () => encodeURIComponent(destinations[turn++ % destinations.length]);
  const pages = ['/', '/?page=all', '/events', '/api/v1/status', '/api/v1/destinations', '/api/v1/events', '/sd'];
  return [
    ...pages.map((page, n) => ({ ms: 4_000 + n * 700, work: () => read(url + page) })),
    { ms: 1_000, work: () => read(`${url}/destinations/${someone()}`) },
    { ms: 20_000, work: () => read(`${url}/api/v1/support-bundle`) },
  ];
}

/** Holds and memory, once a second. A hold that the machine made, with no processor for the exporter, is told apart. */
async function watch(exporter, ms, tell) {
  const samples = [];
  const begun = performance.now();
  await exporter.longestHoldMs();
  await exporter.longestOwnHoldMs();
  while (performance.now() - begun < ms && !exporter.endedWith()) {
    await pause(sampleMs);
    const holdMs = await exporter.longestHoldMs();
    const ownMs = await exporter.longestOwnHoldMs();
    const { now } = await exporter.memory();
    samples.push({
      minute: (performance.now() - begun) / 60_000,
      holdMs,
      ownMs,
      rss: now,
      mib: await exporter.heapMiB(),
    });
    if (ownMs > mostHoldMs)
      tell(`held the event loop for ${ownMs.toFixed(0)} ms in minute ${samples.at(-1).minute.toFixed(1)}`);
  }
  return samples;
}

async function exactInTheEnd({ scrape }, writers, tell) {
  const agent = new http.Agent({ keepAlive: true });
  const begun = performance.now();
  let counts = countsOf(await scrape(agent, '127.0.0.1'));
  while (sumOf(counts) !== writers.written() && performance.now() - begun < countWithinMs) {
    await pause(500);
    counts = countsOf(await scrape(agent, '127.0.0.1'));
  }
  for (const [pair, written] of writers.byPair()) {
    if (counts.get(pair) !== written) tell(`${pair}: ${counts.get(pair)} counted, ${written} written`);
  }
  if (sumOf(counts) !== writers.written()) tell(`${sumOf(counts)} counted in the end, ${writers.written()} written`);
  agent.destroy();
}

function sumOf(counts) {
  return [...counts.values()].reduce((sum, value) => sum + value, 0);
}

function report({ minutes, samples, scrapers, writers, tell }) {
  const settled = samples.filter(({ minute }) => minute >= Math.min(settledAfterMinutes, minutes / 2));
  const lowest = lowestByMinute(settled);
  const slope = slopeOf(lowest);
  if (minutes > settledAfterMinutes && slope * 10 > mostRiseMiB)
    tell(`the heap rises by ${slope.toFixed(2)} MiB a minute`);
  const rss = samples.map((each) => each.rss);
  const [early, late] = [firstOf(settled), lastOf(settled)].map((part) =>
    quantile(
      part.map((each) => each.rss),
      0.5,
    ),
  );
  if (minutes > settledAfterMinutes && late > early * mostRssRise)
    tell(`RSS rises from ${early.toFixed(0)} to ${late.toFixed(0)} MiB`);
  if (Math.max(...rss) > mostRssMiB) tell(`RSS of ${Math.max(...rss).toFixed(0)} MiB`);
  const most = (list) => Math.max(0, ...list).toFixed(0);
  const holds = samples.map(({ holdMs }) => holdMs);
  console.log(
    `${minutes} minutes: ${writers.written()} events of ${writers.byPair().size} pairs written, ${writers.rotations()} rotations; ` +
      `${scrapers.times.length} scrapes, p50 ${quantile(scrapers.times, 0.5).toFixed(0)} ms, at most ${most(scrapers.times)} ms; ` +
      `event loop held p99 of a second ${quantile(holds, 0.99).toFixed(0)} ms, at most ${most(holds)} ms ` +
      `(${most(samples.map(({ ownMs }) => ownMs))} ms without waiting for a processor); heap after collections ` +
      `${minMax(lowest.map(({ mib }) => mib))} MiB after it has settled, slope ${slope.toFixed(2)} MiB a minute; RSS ${minMax(settled.map((each) => each.rss))} MiB, ` +
      `median of the first and last third ${early.toFixed(0)} and ${late.toFixed(0)} MiB`,
  );
}

function firstOf(samples) {
  return samples.slice(0, Math.ceil(samples.length / 3));
}

function lastOf(samples) {
  return samples.slice(-Math.ceil(samples.length / 3));
}

/** Garbage comes and goes between two collections; what is left after one is the least of a minute. */
function lowestByMinute(samples) {
  const lowest = new Map();
  for (const each of samples) {
    const minute = Math.floor(each.minute);
    if (each.mib < (lowest.get(minute)?.mib ?? Infinity)) lowest.set(minute, each);
  }
  return [...lowest.values()];
}

function minMax(values) {
  return `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
}

/** MiB a minute, by least squares. */
function slopeOf(samples) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(samples.map(({ minute }) => minute)), mean(samples.map(({ mib }) => mib))];
  const over = samples.reduce((sum, each) => sum + (each.minute - x) * (each.mib - y), 0);
  return over / (samples.reduce((sum, each) => sum + (each.minute - x) ** 2, 0) || 1);
}

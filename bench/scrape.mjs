/**
 * What a scrape of 1,000, 10,000 and 100,000 series takes over HTTP: milliseconds, CPU, bytes, longest hold of the event
 * loop. Quiet: nothing has changed since the scrape before. Changed: every piece of the page has a new value in it.
 */
import { appendFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { quantile, startWithRows, table } from './exporter.mjs';
import { winlogbeatLine } from './workload.mjs';

/** A row of the ledger has an error counter and two times; errors of the last hour would have a diagnosis besides. */
const seriesInRow = 3;
const agoMs = 2 * 3_600_000;
const rounds = { 1_000: 200, 10_000: 100, 100_000: 40 };

export async function run() {
  const lines = [['series', 'page', 'first ms', 'median ms', 'p95 ms', 'CPU ms', 'hold ms', 'bytes', 'RSS MiB (peak)']];
  for (const series of Object.keys(rounds).map(Number)) lines.push(...(await measure(series)));
  lines.push(...(await manyAtOnce()));
  table(lines);
}

async function measure(series) {
  const { exporter, file, end } = await exporterWith(series);
  const lines = [];
  try {
    for (const gzip of [false, true]) lines.push(await quiet(exporter, series, gzip));
    lines.push(await changed(exporter, series, file));
  } finally {
    await end();
  }
  return lines;
}

function exporterWith(series) {
  return startWithRows(Array.from({ length: Math.round(series / seriesInRow) }, (_, index) => rowOf(index)));
}

async function quiet(exporter, series, gzip) {
  const headers = gzip ? { 'Accept-Encoding': 'gzip' } : {};
  await exporter.longestHoldMs();
  const first = await exporter.scrape(headers);
  const firstHold = await exporter.longestHoldMs();
  for (let warm = 0; warm < 5; warm++) await exporter.scrape(headers);
  await exporter.longestHoldMs();
  const cpu = await exporter.cpuMs();
  const scrapes = [];
  for (let round = 0; round < rounds[series]; round++) scrapes.push(await exporter.scrape(headers));
  const cpuMs = ((await exporter.cpuMs()) - cpu) / rounds[series];
  const hold = Math.max(firstHold, await exporter.longestHoldMs());
  return line(series, gzip ? 'gzip, quiet' : 'plain, quiet', first.ms, scrapes, cpuMs, hold, await exporter.memory());
}

/** Before each scrape an event comes for every piece of the page. */
async function changed(exporter, series, file) {
  const rows = Math.round(series / seriesInRow);
  const scrapes = [];
  let [cpuMs, hold, recordId] = [0, 0, 0];
  for (let round = 0; round < 10; round++) {
    let text = '';
    for (let index = round; index < rows; index += 400)
      text += winlogbeatLine(++recordId, { ...rowOf(index), at: Date.now() });
    await appendFile(file, text);
    // Time to be counted, which a scrape must not tell: it would be the first to see the change.
    await pause(1000);
    const cpu = await exporter.cpuMs();
    await exporter.longestHoldMs();
    scrapes.push(await exporter.scrape({ 'Accept-Encoding': 'gzip' }));
    hold = Math.max(hold, await exporter.longestHoldMs());
    cpuMs += ((await exporter.cpuMs()) - cpu) / 10;
  }
  return line(series, 'gzip, changed', scrapes[0].ms, scrapes, cpuMs, hold, await exporter.memory());
}

/** Two hundred scrapes at the same time, each on a connection of its own. */
async function manyAtOnce() {
  const series = 100_000;
  const { exporter, end } = await exporterWith(series);
  try {
    await exporter.scrape();
    const lines = [];
    for (const headers of [{ 'Accept-Encoding': 'gzip' }, {}]) {
      const cpu = await exporter.cpuMs();
      await exporter.longestHoldMs();
      const scrapes = await Promise.all(Array.from({ length: 200 }, () => exporter.scrapeAlone(headers)));
      const hold = await exporter.longestHoldMs();
      const cpuMs = ((await exporter.cpuMs()) - cpu) / 200;
      const page = headers['Accept-Encoding'] === 'gzip' ? 'gzip, 200 at once' : 'plain, 200 at once';
      lines.push(line(series, page, scrapes[0].ms, scrapes, cpuMs, hold, await exporter.memory()));
    }
    return lines;
  } finally {
    await end();
  }
}

function line(series, page, firstMs, scrapes, cpuMs, holdMs, { now, peak }) {
  const times = scrapes.map(({ ms }) => ms);
  const figures = [firstMs, quantile(times, 0.5), quantile(times, 0.95), cpuMs, holdMs].map((each) => each.toFixed(1));
  return [series, page, ...figures, scrapes[0].bytes, `${now.toFixed(0)} (${peak.toFixed(0)})`];
}

function rowOf(index) {
  const at = Date.now() - agoMs - index;
  return {
    server: `exch${index % 10}.contoso.local`,
    connector: `Send connector ${index % 20}`,
    destination: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:25`,
    errors: index,
    lastErrorAt: at,
    lastObservedAt: at,
  };
}

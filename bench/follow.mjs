/**
 * What following a log costs: CPU while nothing happens, and CPU and the delay from append to count at 1,000 lines a second,
 * appended one by one, of the workload of all benchmarks of reading; beside it, on the same file at the same time, a bare follower. What
 * goes on for months is measured when the process has settled, for half a minute after its start a just-in-time compiler
 * is at work. Says which aim is missed; fails when a figure has become worse by more than a fifth than the one that is kept in
 * `bench/follow/kept.json`.
 *
 * `npm run bench -- follow`; `KEEP=1` keeps the new figures. Two minutes and a half.
 */
import { spawn } from 'node:child_process';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuOf, quantile, startExporter, table, total } from './exporter.mjs';
import { compare, tellMissed } from './kept.mjs';
import { createWorkload } from './workload.mjs';

const here = (name) => fileURLToPath(new URL(`follow/${name}`, import.meta.url));
const linesPerSecond = 1_000;
const aims = { '1,000 lines a second, % of a core': 3, 'append to count p95, ms': 40 };

export async function run(steadySeconds = 20) {
  const [steadyMs, settlingMs] = [steadySeconds * 1_000, steadySeconds * 1_500];
  const folder = await mkdtemp(path.join(os.tmpdir(), 'follow-bench-'));
  const file = path.join(folder, 'events.log');
  await writeFile(file, '');
  const exporter = await startExporter([file], folder);
  const bare = spawn(process.execPath, [here('bare.mjs'), file], { stdio: 'ignore' });
  try {
    await pause(settlingMs);
    const idle = await cpuOver([exporter.pid, bare.pid], () => pause(steadyMs));
    const atRest = await exporter.memory();
    const log = await startLog(file, exporter);
    await log.atRate(settlingMs);
    const busy = await cpuOver([exporter.pid, bare.pid], () => log.atRate(steadyMs));
    const { now } = await exporter.memory();
    const delays = await delaysOf(exporter, log, steadyMs);
    report({ idle, atRest, busy, now, delays });
    const [p95, percent] = [quantile(delays, 0.95), busy[0]];
    tellMissed({ '1,000 lines a second, % of a core': percent, 'append to count p95, ms': p95 }, aims);
    await compare(here('kept.json'), {
      '1,000 lines a second, times a bare follower': busy[0] / busy[1],
      'append to count p95, ms': p95,
      'idle, times a bare follower': idle[0] / idle[1],
    });
  } finally {
    bare.kill();
    await exporter.stop();
    await rm(folder, { recursive: true });
  }
}

function report({ idle, atRest, busy, now, delays }) {
  const cpu = ([ours, bare]) => [`${ours.toFixed(2)} %`, `${bare.toFixed(2)} %`, (ours / bare).toFixed(1)];
  table([
    ['A followed log', 'CPU', 'bare follower', 'ratio', 'RSS, MiB', 'append to count p50 / p95 / max, ms'],
    ['idle', ...cpu(idle), atRest.now.toFixed(0), ''],
    [
      ...['1,000 lines a second', ...cpu(busy), now.toFixed(0)],
      [quantile(delays, 0.5), quantile(delays, 0.95), Math.max(...delays)].map((ms) => ms.toFixed(0)).join(' / '),
    ],
  ]);
}

/** Writes one line after the other. Series that are new are shown at zero first: they have been born before delays are measured. */
async function startLog(file, exporter) {
  const next = createWorkload({ carrier: 'winlogbeat', share: 0.01, connectors: 10, destinations: 20 });
  let errors = 0;
  const lineOfNow = () => {
    const { line, isError } = next(Date.now());
    if (isError) errors++;
    return { line, isError };
  };
  for (let part = 0; part < 5; part++)
    await appendFile(file, Array.from({ length: 20_000 }, () => lineOfNow().line).join(''));
  while (total((await exporter.scrape()).text()) < errors) await pause(100);
  const atRate = async (ms, onError = () => undefined) => {
    const started = performance.now();
    for (let sent = 0; performance.now() - started < ms; await pause(1)) {
      for (const due = ((performance.now() - started) * linesPerSecond) / 1000; sent < due; sent++) {
        const { line, isError } = lineOfNow();
        await appendFile(file, line);
        if (isError) onError(errors);
      }
    }
  };
  return { atRate };
}

/** @returns of each process the share of a core, in percent */
async function cpuOver(pids, work) {
  const cpuMs = () => Promise.all(pids.map(async (pid) => (await cpuOf(pid)).ownMs));
  const [before, started] = [await cpuMs(), performance.now()];
  await work();
  const ms = performance.now() - started;
  return (await cpuMs()).map((after, at) => ((after - before[at]) / ms) * 100);
}

/** From the end of an append that brought an event to the first scrape that shows it. */
async function delaysOf(exporter, log, ms) {
  const waiting = [];
  const delays = [];
  let ended = false;
  const watching = (async () => {
    while (!ended || waiting.length > 0) {
      const shown = total((await exporter.scrape()).text());
      const at = performance.now();
      while (waiting.length > 0 && waiting[0].event <= shown) delays.push(at - waiting.shift().at);
      await pause(2);
    }
  })();
  await log.atRate(ms, (event) => waiting.push({ event, at: performance.now() }));
  ended = true;
  await watching;
  return delays;
}

/**
 * What following a log costs: CPU while nothing happens, CPU and the delay from append to count at 1,000 lines a second,
 * and how fast a million lines are caught up with, of the workload of all benchmarks of reading. What goes on for months is measured when the process has settled, for
 * half a minute after its start a just-in-time compiler is at work.
 */
import { appendFile, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { quantile, startExporter, table, total } from './exporter.mjs';
import { createWorkload, writeWorkload } from './workload.mjs';

const steadyMs = 20_000;
const settlingMs = 30_000;
const linesPerSecond = 1_000;
const tickMs = 10;

export async function run(records = 1_000_000) {
  await steady();
  const lines = [
    ['catch-up', 'lines', 'wall s', 'CPU s', 'lines/s', 'lines/CPU s', 'longest hold ms', 'RSS MiB (peak)'],
  ];
  for (const carrier of ['winlogbeat', 'event-xml'])
    for (const share of [0.01, 1])
      lines.push([`${carrier} ${share * 100} %`, ...(await catchUp({ carrier, share, records }))]);
  table(lines);
}

async function inFolder(work) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'follow-bench-'));
  const file = path.join(folder, 'events.log');
  await writeFile(file, '');
  const exporter = await startExporter([file], folder);
  try {
    return await work(exporter, file);
  } finally {
    await exporter.stop();
    await rm(folder, { recursive: true });
  }
}

async function steady() {
  await inFolder(async (exporter, file) => {
    await pause(settlingMs);
    const idle = await cpuShare(exporter, () => pause(steadyMs));
    console.log(`idle: ${idle.toFixed(2)} % CPU, RSS ${(await exporter.memory()).now.toFixed(0)} MiB`);
    // Series that are new are shown at zero first: they have been born before delays are measured.
    const next = createWorkload({ carrier: 'winlogbeat', share: 0.01, connectors: 10, destinations: 20 });
    let errors = 0;
    const append = async (count) => {
      let text = '';
      for (let n = 0; n < count; n++) {
        const { line, isError } = next(Date.now());
        text += line;
        if (isError) errors++;
      }
      await appendFile(file, text);
    };
    for (let part = 0; part < 5; part++) await append(20_000);
    await untilTotal(exporter, errors);
    await atRate(append, settlingMs);
    const busy = await cpuShare(exporter, () => atRate(append, steadyMs));
    const { delays, share } = await delaysOf(exporter, append, () => errors);
    console.log(
      `${linesPerSecond} lines/s: ${busy.toFixed(1)} % CPU; append to count p50 ${quantile(delays, 0.5).toFixed(0)} ms, ` +
        `p95 ${quantile(delays, 0.95).toFixed(0)} ms, max ${Math.max(...delays).toFixed(0)} ms of ${delays.length} ` +
        `(scraped every few ms meanwhile: ${share.toFixed(0)} % CPU); RSS ${(await exporter.memory()).now.toFixed(0)} MiB`,
    );
  });
}

async function atRate(append, ms) {
  const started = performance.now();
  for (let sent = 0; performance.now() - started < ms;) {
    const due = Math.floor(((performance.now() - started) * linesPerSecond) / 1000) - sent;
    if (due > 0) await append(due);
    sent += Math.max(0, due);
    await pause(tickMs);
  }
}

async function cpuShare(exporter, work) {
  const [cpu, started] = [await exporter.cpuMs(), performance.now()];
  await work();
  return (((await exporter.cpuMs()) - cpu) / (performance.now() - started)) * 100;
}

/** From the end of an append that brought an event to the first scrape that shows it. */
async function delaysOf(exporter, append, eventsNow) {
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
  const share = await cpuShare(exporter, () =>
    atRate(async (count) => {
      const before = eventsNow();
      await append(count);
      const at = performance.now();
      for (let event = before + 1; event <= eventsNow(); event++) waiting.push({ event, at });
    }, steadyMs),
  );
  ended = true;
  await watching;
  return { delays, share };
}

async function untilTotal(exporter, wanted, everyMs = 100) {
  while (total((await exporter.scrape()).text()) < wanted) await pause(everyMs);
}

/** The exporter runs on an empty file; then everything is appended as fast as the disk takes it. */
async function catchUp(of) {
  const made = path.join(os.tmpdir(), `follow-bench-${process.pid}.log`);
  const { records } = of;
  const { errors } = await writeWorkload(made, of);
  try {
    return await inFolder(async (exporter, file) => {
      // The very first read is history; what comes later is not.
      await appendFile(file, createWorkload({ ...of, share: 1, servers: 1 })(Date.now()).line);
      await untilTotal(exporter, 1);
      await exporter.longestHoldMs();
      const [cpu, started] = [await exporter.cpuMs(), performance.now()];
      await copy(made, file);
      await untilTotal(exporter, 1 + errors, 200);
      const wall = (performance.now() - started) / 1000;
      const cpuSeconds = ((await exporter.cpuMs()) - cpu) / 1000;
      const { now, peak } = await exporter.memory();
      const rates = [records / wall, records / cpuSeconds].map((each) => `${Math.round(each / 1000)} k`);
      const hold = (await exporter.longestHoldMs()).toFixed(0);
      return [
        records,
        wall.toFixed(1),
        cpuSeconds.toFixed(2),
        ...rates,
        hold,
        `${now.toFixed(0)} (${peak.toFixed(0)})`,
      ];
    });
  } finally {
    await rm(made);
  }
}

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

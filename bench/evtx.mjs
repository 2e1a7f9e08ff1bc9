/**
 * How fast the binary log is read: generates Application logs, reads it through the built reader and
 * prints CPU seconds, MB/s, records/s and peak memory. Needs `npm run build` first.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writerModule } from './evtx-writer.mjs';

/** Of 100 events so many are 2002; the others are of other providers and IDs. */
const shares = [1, 100];
const megabytes = 64;
const rounds = 3;

export async function run() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'evtx-bench-'));
  try {
    const writer = await writerModule(folder);
    for (const share of shares) {
      const file = path.join(folder, `share-${share}.evtx`);
      const records = await generate(writer, file, share);
      // The best of a few rounds: the machine may be busy with other things.
      const results = [];
      for (let round = 0; round < rounds; round++) results.push(await measure(file));
      report(share, records, (await stat(file)).size, results);
    }
    await forwarded(writer, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function generate(writer, file, share, more = {}) {
  const log = writer.createLog();
  let records = 0;
  for (; log.slots.length < megabytes * 16; records++) {
    const is2002 = records % 100 < share;
    writer.addEvent(log, {
      provider: is2002 ? 'MSExchangeTransport' : `MSExchange ${records % 7}`,
      eventId: is2002 ? 2002 : 1000 + (records % 50),
      time: 1_768_464_842_137 + records * 997,
      strings: [`Outbound to Internet ${records % 20}`, `203.0.113.${records % 250}:25`],
      ...more,
    });
  }
  await writeFile(file, writer.imageOf(log));
  return records;
}

/** Reads in a process of its own, so that the memory is that of reading alone. */
async function measure(name) {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), 'read', name]);
  return JSON.parse(stdout);
}

async function read(name) {
  const { evtx } = await import('../dist/events/formats/evtx/evtx.js');
  const file = await open(name, 'r');
  const result = { decoded: 0, ignored: 0, damaged: 0, longestPass: 0, rss: 0, wall: 0, cpu: 0 };
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  let position = { offset: 0 };
  for (let more = true; more;) {
    const passBegun = performance.now();
    const pass = await evtx.pass(file, position, (eventId) => eventId === 2002);
    result.longestPass = Math.max(result.longestPass, performance.now() - passBegun);
    ({ position, more } = pass);
    // Not ru_maxrss: that begins with the size of the parent process.
    result.rss = Math.max(result.rss, process.memoryUsage.rss());
    result.decoded += pass.decoded.length;
    result.ignored += pass.ignored;
    result.damaged += pass.unreadable.damaged ?? 0;
  }
  const used = process.cpuUsage(cpu);
  result.wall = (performance.now() - begun) / 1000;
  result.cpu = (used.user + used.system) / 1e6;
  await file.close();
  return result;
}

async function forwarded(writer, folder) {
  const file = path.join(folder, 'forwarded.evtx');
  const records = await generate(writer, file, 1, { form: 'forwarded' });
  const results = [];
  for (let round = 0; round < rounds; round++) results.push(await measure(file));
  report('1 % forwarded', records, (await stat(file)).size, results);
}

function report(share, records, size, results) {
  const best = results.reduce((a, b) => (b.cpu < a.cpu ? b : a));
  const read = best.decoded + best.ignored;
  if (read !== records || best.damaged > 0)
    throw new Error(`read ${read} of ${records} records, ${best.damaged} damaged`);
  const label = typeof share === 'number' ? `${share} % hits` : share;
  console.log(
    `evtx ${label.padEnd(14)} ${(size / 1e6).toFixed(0)} MB, ${records} records: ` +
      `${best.cpu.toFixed(2)} CPU s, ${(size / 1e6 / best.cpu).toFixed(0)} MB/s, ${Math.round(records / best.cpu)} records/s ` +
      `per CPU second; ${best.wall.toFixed(2)} s wall, longest pass ${best.longestPass.toFixed(0)} ms, ` +
      `peak RSS ${(Math.max(...results.map(({ rss }) => rss)) / 1e6).toFixed(0)} MB`,
  );
}

if (process.argv[2] === 'read') console.log(JSON.stringify(await read(process.argv[3])));

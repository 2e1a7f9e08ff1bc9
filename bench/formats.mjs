/**
 * How fast text formats are read: writes exports of a million records, reads them through the built reader in a process
 * of its own and prints CPU seconds, MB/s and peak memory. Needs `npm run build` first.
 *
 * `node bench/formats.mjs [records]`
 */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { winlogbeatLine, xmlLine } from './lines.mjs';

/** Of 100 events so many are 2002; the others have other IDs. */
const shares = [1, 100];
const rounds = 2;
const carriers = { winlogbeat: winlogbeatLine, 'event-xml': xmlLine };

export async function run(records = 1_000_000) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'formats-bench-'));
  try {
    for (const [name, line] of Object.entries(carriers)) {
      for (const share of shares) {
        const file = path.join(folder, `${name}-${share}`);
        await generate(file, line, share, records);
        const results = [];
        for (let round = 0; round < rounds; round++) results.push(await measure(file));
        report(name, share, records, (await stat(file)).size, results);
        await rm(file);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function generate(file, line, share, records) {
  const handle = await open(file, 'w');
  for (let from = 0; from < records; from += 2000) {
    let text = '';
    for (let n = from; n < Math.min(records, from + 2000); n++)
      text += line(n, n % 100 < share ? 2002 : 1000 + (n % 50));
    await handle.write(text);
  }
  await handle.close();
}

/** Reads in a process of its own, so that the memory is that of reading alone. */
async function measure(name) {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), 'read', name]);
  return JSON.parse(stdout);
}

async function read(name) {
  const { formats } = await import('../dist/events/formats/formats.js');
  const { createReader, fingerprintOf } = await import('../dist/events/read/pass.js');
  const file = await open(name, 'r');
  const head = Buffer.alloc(65_536);
  await file.read(head, 0, head.length, 0);
  const format = formats.find((each) => each.kind === 'text' && each.recognises(head.toString()));
  const reader = createReader();
  const result = { decoded: 0, ignored: 0, longestPass: 0, rss: 0, wall: 0, cpu: 0 };
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  let position = { offset: 0 };
  let tail = fingerprintOf(Buffer.alloc(0));
  for (let more = true; more;) {
    const passBegun = performance.now();
    const pass = await reader(file, position, { format, encoding: 'utf-8', tail, wanted: (id) => id === 2002 });
    result.longestPass = Math.max(result.longestPass, performance.now() - passBegun);
    ({ position, more, tail } = pass);
    result.decoded += pass.decoded.length;
    result.ignored += pass.ignored;
  }
  const used = process.cpuUsage(cpu);
  result.wall = (performance.now() - begun) / 1000;
  result.cpu = (used.user + used.system) / 1e6;
  result.rss = process.resourceUsage().maxRSS * 1024;
  await file.close();
  return result;
}

function report(name, share, records, size, results) {
  const best = results.reduce((a, b) => (b.cpu < a.cpu ? b : a));
  if (best.decoded !== (records * share) / 100 || best.decoded + best.ignored !== records)
    throw new Error(`${name}: read ${best.decoded} and ignored ${best.ignored} of ${records} records`);
  console.log(
    `${name} ${share} % hits`.padEnd(24) +
      `${(size / 1e6).toFixed(0)} MB, ${records} records: ${best.cpu.toFixed(2)} CPU s ` +
      `(${((best.cpu / records) * 1e6).toFixed(2)} per million), ${(size / 1e6 / best.cpu).toFixed(0)} MB/s per CPU second; ` +
      `${best.wall.toFixed(2)} s wall, longest pass ${best.longestPass.toFixed(0)} ms, ` +
      `peak RSS ${(Math.max(...results.map(({ rss }) => rss)) / 1e6).toFixed(0)} MB`,
  );
}

const [, script, first, second] = process.argv;
if (first === 'read') console.log(JSON.stringify(await read(second)));
else if (script === fileURLToPath(import.meta.url)) await run(first === undefined ? undefined : Number(first));

/**
 * How fast text formats are read, of the workload of all benchmarks of reading: through the built reader alone, in a process of
 * its own, and beside it end to end, by the built exporter until `/metrics` shows the last error. Prints CPU seconds, MB/s and
 * peak memory; fails when end to end takes a fifth more, measured by the reader alone, than `bench/formats/kept.json` says
 * (`KEEP=1` keeps the new figures). Needs `npm run build` first.
 *
 * `node bench/formats.mjs [records]`
 */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readThrough } from './exporter.mjs';
import { compare } from './kept.mjs';
import { writeWorkload } from './workload.mjs';

const rounds = 2;
const few = { connectors: 10, destinations: 20 };
/** `part` of the records, for all of them as hits take long. */
const mixes = {
  '1 % hits, 10,000 pairs, four servers': { share: 0.01, part: 1 },
  '1 % hits, 200 pairs, one server': { share: 0.01, part: 1, servers: 1, ...few },
  'all hits, 10,000 pairs, four servers': { share: 1, part: 0.3 },
  'all hits, 10,000 pairs, one server': { share: 1, part: 0.3, servers: 1 },
  'all hits, 200 pairs, four servers': { share: 1, part: 0.3, ...few },
};

export async function run(records = 1_000_000) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'formats-bench-'));
  const figures = {};
  try {
    for (const carrier of ['winlogbeat', 'event-xml']) {
      for (const [mix, { part, ...of }] of Object.entries(mixes)) {
        const file = path.join(folder, carrier);
        const count = Math.round(records * part);
        const { errors, bytes } = await writeWorkload(file, { carrier, records: count, ...of });
        const [alone, whole] = [[], []];
        for (let round = 0; round < rounds; round++) {
          alone.push(await measure(file));
          whole.push(await readThrough(file, folder, errors));
        }
        const name = `${carrier}, ${mix}`;
        figures[`${name}: end to end, times the reader alone`] = report(
          name,
          { records: count, errors, bytes },
          alone,
          whole,
        );
        await rm(file);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await compare(fileURLToPath(new URL('formats/kept.json', import.meta.url)), figures);
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

/** @returns what the exporter takes, times what the reader alone takes */
function report(name, { records, errors, bytes }, alone, whole) {
  const best = least(alone);
  const all = least(whole);
  // Other providers have an event 2002, too: those are decoded, and no errors.
  if (best.decoded < errors || best.decoded + best.ignored !== records)
    throw new Error(`${name}: read ${best.decoded} and ignored ${best.ignored} of ${records} records`);
  const perMillion = (cpu) => ((cpu / records) * 1e6).toFixed(2);
  console.log(
    `${name}: ${(bytes / 1e6).toFixed(0)} MB, ${records} records, ${errors} errors\n` +
      `  reader alone ${perMillion(best.cpu)} CPU s per million, ${(bytes / 1e6 / best.cpu).toFixed(0)} MB/s per CPU second, ` +
      `longest pass ${best.longestPass.toFixed(0)} ms, peak RSS ${(best.rss / 2 ** 20).toFixed(0)} MiB\n` +
      `  end to end ${perMillion(all.cpu)} CPU s per million, peak RSS ${Math.max(...whole.map(({ peak }) => peak)).toFixed(0)} MiB`,
  );
  return all.cpu / best.cpu;
}

function least(results) {
  return results.reduce((a, b) => (b.cpu < a.cpu ? b : a));
}

const [, script, first, second] = process.argv;
if (first === 'read') console.log(JSON.stringify(await read(second)));
else if (script === fileURLToPath(import.meta.url)) await run(first === undefined ? undefined : Number(first));

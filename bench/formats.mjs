/**
 * How fast logs are read, of the workload of all benchmarks of reading: through the built reader alone, in a process of
 * its own, and end to end, by the built exporter from its start until `/metrics` shows the last error. Prints CPU seconds, MB/s and
 * peak memory. What it keeps in `bench/formats/kept.json` and compares are ratios to Node's own floor in the same run: end to end for
 * each mix, which ends with 1 when it has become worse by more than a fifth.
 *
 * `npm run bench -- formats [records]`; `KEEP=1` keeps the new figures. Less than five minutes on a quiet machine.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writerModule } from './evtx-writer.mjs';
import { readThrough, table } from './exporter.mjs';
import { compare } from './kept.mjs';
import { writeBinaryWorkload, writeWorkload } from './workload.mjs';

const rounds = 2;
const floorTurns = 6;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const few = { servers: 1, connectors: 10, destinations: 20 };
/** `part` of the records, for all of them as hits take long. */
const mixes = {
  '1 % hits, 10,000 pairs, four servers': { share: 0.01, part: 1 },
  '1 % hits, 200 pairs, one server': { share: 0.01, part: 1, ...few },
  'all hits, 10,000 pairs, four servers': { share: 1, part: 0.5 },
  'all hits, 200 pairs, one server': { share: 1, part: 0.5, ...few },
};
const carriers = { winlogbeat: 'Winlogbeat', 'event-xml': 'event XML', evtx: '.evtx' };

export async function run(records = 200_000) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'formats-bench-'));
  const rows = [
    ['Log', 'records', 'MB', 'reader, CPU s per million', 'reader, MB/s', 'longest pass, ms'].concat(
      ...['end to end, CPU s per million', 'end to end, MB/s', "times Node's floor", 'peak RSS, MiB (reader)'],
    ),
  ];
  const figures = {};
  try {
    const writer = await writerModule(folder);
    for (const carrier of Object.keys(carriers)) {
      for (const [mix, { part, ...of }] of Object.entries(mixes)) {
        const name = `${carriers[carrier]}, ${mix}`;
        const count = Math.round(records * part);
        const log = await written(path.join(folder, carrier), writer, { carrier, records: count, ...of });
        const measured = await measure(log, folder);
        verify(name, count, log, measured.alone);
        rows.push([name, count, ...reported(count, log, measured)]);
        figures[`${name}: end to end, times Node's floor`] = measured.whole.cpu / measured.floor.cpu;
        await rm(path.join(folder, carrier), { recursive: true });
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  table(rows);
  await compare(here('formats/kept.json'), figures);
}

async function written(folder, writer, of) {
  await mkdir(folder);
  if (of.carrier === 'evtx') return writeBinaryWorkload(folder, writer, of);
  const file = path.join(folder, 'log');
  return { files: [file], ...(await writeWorkload(file, of)) };
}

/** The least of a few rounds, in turn: the machine may be busy with other things. */
async function measure({ files, errors }, folder) {
  const [alone, whole, floor] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    floor.push(await outputOf(here('peers/floor.mjs'), String(floorTurns), ...files));
    alone.push(await outputOf(here('formats.mjs'), 'read', ...files));
    whole.push(await readThrough(files, folder, errors));
  }
  return { alone: least(alone), whole: least(whole), floor: least(floor) };
}

/** Runs in a process of its own, so that CPU and memory are of that alone. */
async function outputOf(...args) {
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

function least(results) {
  return results.reduce((a, b) => (b.cpu < a.cpu ? b : a));
}

/** Other providers have an event 2002, too: those are decoded, and no errors. */
function verify(name, records, { errors }, { decoded, ignored, unreadable }) {
  if (decoded < errors || decoded + ignored !== records || unreadable > 0)
    throw new Error(`${name}: read ${decoded} and ignored ${ignored} of ${records} records, ${unreadable} unreadable`);
}

function reported(records, { bytes }, { alone, whole, floor }) {
  const perMillion = ({ cpu }) => ((cpu / records) * 1e6).toFixed(2);
  const speed = ({ cpu }) => (bytes / 1e6 / cpu).toFixed(0);
  return [
    ...[Math.round(bytes / 1e6), perMillion(alone), speed(alone), alone.longestPass.toFixed(0)],
    ...[perMillion(whole), speed(whole), (whole.cpu / floor.cpu).toFixed(1)],
    `${whole.peak.toFixed(0)} (${(alone.rss / 2 ** 20).toFixed(0)})`,
  ];
}

async function read(names) {
  const result = { decoded: 0, ignored: 0, unreadable: 0, longestPass: 0, rss: 0, cpu: 0 };
  const cpu = process.cpuUsage();
  for (const name of names) {
    const file = await open(name, 'r');
    const passOn = await passesOver(file);
    for (let more = true; more;) {
      const begun = performance.now();
      const pass = await passOn();
      result.longestPass = Math.max(result.longestPass, performance.now() - begun);
      // Not ru_maxrss: that begins with the size of the parent process.
      result.rss = Math.max(result.rss, process.memoryUsage.rss());
      result.decoded += pass.decoded.length;
      result.ignored += pass.ignored;
      result.unreadable += Object.values(pass.unreadable).reduce((sum, count) => sum + count, 0);
      ({ more } = pass);
    }
    await file.close();
  }
  const used = process.cpuUsage(cpu);
  result.cpu = (used.user + used.system) / 1e6;
  return result;
}

/** @returns what makes the next pass over an open file */
async function passesOver(file) {
  const { formats } = await import('../dist/events/formats/formats.js');
  const { isWanted } = await import('../dist/events/classify.js');
  const head = Buffer.alloc(65_536);
  await file.read(head, 0, head.length, 0);
  const format = formats.find(({ kind, recognises }) => recognises(kind === 'binary' ? head : head.toString()));
  let position = { offset: 0 };
  if (format.kind === 'binary')
    return async () => {
      const pass = await format.pass(file, position, isWanted);
      ({ position } = pass);
      return pass;
    };
  const { createReader, fingerprintOf } = await import('../dist/events/read/pass.js');
  const reader = createReader();
  let tail = fingerprintOf(Buffer.alloc(0));
  return async () => {
    const pass = await reader(file, position, { format, encoding: 'utf-8', tail, wanted: isWanted });
    ({ position, tail } = pass);
    return pass;
  };
}

const [, script, first, ...rest] = process.argv;
if (script === fileURLToPath(import.meta.url) && first === 'read') console.log(JSON.stringify(await read(rest)));

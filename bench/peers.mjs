/**
 * The built exporter beside what one would take instead, in one run: mtail over the same exports, Node's own floor, and
 * blackbox_exporter over the same servers. Prints CPU seconds (medians of three, in turn), ratios and peak memory, says which aim is
 * missed, compares the ratios with those kept in `bench/peers/ratios.json`, and fails when one has become worse by more than a fifth.
 *
 * `npm run bench -- peers [records]`; `KEEP=1` keeps the new ratios. Needs Debian's mtail and prometheus-blackbox-exporter. About
 * eight minutes on a quiet machine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../dist/commands/demo/free-port.js';
import { cpuOf, quantile, readThrough, table } from './exporter.mjs';
import { compare, tellMissed } from './kept.mjs';
import { besideBlackbox } from './probes.mjs';
import { writeWorkload } from './workload.mjs';

const here = (name) => fileURLToPath(new URL(`peers/${name}`, import.meta.url));
const rounds = 3;
const few = { servers: 1, connectors: 10, destinations: 20 };

/** One file to catch up with; `part` of the records, for all of them as hits take long. */
const cases = [
  { name: 'Winlogbeat, 1 % hits', carrier: 'winlogbeat', share: 0.01, part: 1 },
  { name: 'Winlogbeat, all hits, 10,000 pairs', carrier: 'winlogbeat', share: 1, part: 0.3 },
  { name: 'Winlogbeat, all hits, 200 pairs, one server', carrier: 'winlogbeat', share: 1, part: 0.2, ...few },
  { name: 'event XML, 1 % hits', carrier: 'event-xml', share: 0.01, part: 0.5 },
  { name: 'event XML, all hits, 10,000 pairs', carrier: 'event-xml', share: 1, part: 0.3 },
];
const aims = {
  'Winlogbeat, 1 % hits: floor': 2.2,
  'Winlogbeat, 1 % hits: mtail': 0.1,
  'Winlogbeat, 1 % hits: peak RSS, MiB': 110,
  'Winlogbeat, all hits, 10,000 pairs: mtail': 0.3,
  'Winlogbeat, all hits, 10,000 pairs: peak RSS, MiB': 150,
  'event XML, 1 % hits: mtail': 0.15,
  'event XML, all hits, 10,000 pairs: mtail': 0.4,
};

export async function run(records = 1_000_000) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'peers-bench-'));
  const rows = [
    ['A file to catch up with', 'Records', 'Exporter', 'mtail', 'Ratio', 'Aim'].concat(
      ...["Node's floor", 'Ratio', 'Aim', 'Peak RSS, MiB (mtail)', 'Aim'],
    ),
  ];
  const [figures, ratios] = [{}, {}];
  try {
    for (const each of cases) {
      const file = path.join(folder, 'log.json');
      const of = { ...each, records: Math.round(records * each.part) };
      const { errors } = await writeWorkload(file, of);
      const { exporter, mtail, floor } = await inTurn({
        exporter: () => readThrough([file], folder, errors),
        mtail: () => mtailOver(file, each.carrier, errors),
        floor: () => commandOver(process.execPath, [here('floor.mjs'), '1', file]),
      });
      ratios[`${each.name}: mtail`] = exporter.cpu / mtail.cpu;
      figures[`${each.name}: floor`] = exporter.cpu / floor.cpu;
      figures[`${each.name}: peak RSS, MiB`] = exporter.peak;
      rows.push([
        ...[each.name, of.records, exporter.cpu.toFixed(1), mtail.cpu.toFixed(1)],
        ...[(exporter.cpu / mtail.cpu).toFixed(2), aimOf(`${each.name}: mtail`)],
        ...[floor.cpu.toFixed(2), (exporter.cpu / floor.cpu).toFixed(1), aimOf(`${each.name}: floor`)],
        ...[`${exporter.peak.toFixed(0)} (${mtail.peak.toFixed(0)})`, aimOf(`${each.name}: peak RSS, MiB`)],
      ]);
      await rm(file);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  table(rows);
  const probes = await besideBlackbox({ atATimes: [1, 64], part: 0.5 });
  table(probes.rows);
  tellMissed({ ...figures, ...ratios }, aims);
  await compare(here('ratios.json'), { ...ratios, ...probes.ratios });
}

function aimOf(name) {
  return aims[name] ?? '';
}

/** @returns the medians of each, measured one after the other in every round */
async function inTurn(measures) {
  const results = Object.fromEntries(Object.keys(measures).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, measure] of Object.entries(measures)) results[name].push(await measure());
  const medians = Object.entries(results).map(([name, all]) => [
    name,
    {
      cpu: quantile(
        all.map(({ cpu }) => cpu),
        0.5,
      ),
      peak: quantile(
        all.map(({ peak }) => peak),
        0.5,
      ),
    },
  ]);
  return Object.fromEntries(medians);
}

async function mtailOver(file, carrier, errors) {
  const port = await freePort(0);
  const flags = ['--one_shot', '--one_shot_format=prometheus', '--address=127.0.0.1', `--port=${port}`];
  const result = await commandOver('mtail', [...flags, `--progs=${here(`${carrier}.mtail`)}`, `--logs=${file}`]);
  const shown = [...result.output.matchAll(/^send_connector_errors\{.*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
  if (shown !== errors) throw new Error(`mtail counted ${shown} of ${errors} errors:\n${result.output.slice(0, 500)}`);
  return result;
}

/** Runs a command to its end. @returns its CPU seconds, its peak memory in MiB, and what it printed */
async function commandOver(command, args) {
  const before = await cpuOf(process.pid);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let [output, peak] = ['', 0];
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const closed = once(child, 'close');
  let isOver = false;
  void closed.finally(() => (isOver = true));
  while (!isOver) {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    await Promise.race([closed, pause(50)]);
  }
  const [code] = await closed;
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
  const { childrenMs } = await cpuOf(process.pid);
  return { cpu: (childrenMs - before.childrenMs) / 1000, peak, output };
}

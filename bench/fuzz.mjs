/**
 * `npm run bench -- fuzz [minutes] [seed]`: spoilt logs of every format, spoilt inventories and files that turn into
 * something else go into the built exporter, with a growing healthy file beside them. Its count is exact at every look,
 * `/-/healthy` answers within half a second, memory stays bounded, no counter falls and the page is one that Prometheus
 * reads. A thread beside it gives many more inputs straight to the decoders (see fuzz/direct.mjs). An input that breaks any of
 * this is saved, with its seed and number, and the exit code is 1. Further seeds: SAMPLES=folder:folder.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startExporter } from './exporter.mjs';
import { fallenCounters, parseExposition } from './exposition.mjs';
import { startAsker } from './fuzz/asker.mjs';
import { loadCorpus } from './fuzz/corpus.mjs';
import { madeOf, partOf } from './fuzz/direct.mjs';
import { runDirect } from './fuzz/direct-run.mjs';
import { createFaults } from './fuzz/faults.mjs';
import { deleteOld, turnOneFile } from './fuzz/file-turns.mjs';
import { healthyCount, startHealthyFile } from './fuzz/healthy-file.mjs';
import { createRandom } from './fuzz/random.mjs';

const batch = 16;
const mostAnswerMs = 500;
const mostMiB = 500;
/** The ordinary delay of counting on a busy machine; later is a fault. */
const countWithinMs = 60_000;
/** Inputs of the whole exporter are others than those of the thread. */
const firstOfWhole = 1_000_000_000;

export async function run(minutes = 30, seed = Date.now() % 1_000_000) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'fuzz-bench-'));
  console.log(`fuzz: ${minutes} minutes, seed ${seed}`);
  const corpus = await loadCorpus(folder);
  const faults = createFaults(seed, (n) => madeOf(corpus, seed, n));
  const direct = runDirect({ seed, ms: minutes * 60_000, onFault: faults.ofThread });
  const whole = await runWhole({ corpus, seed, folder, faults, until: performance.now() + minutes * 60_000 });
  report(seed, whole, await direct);
  await rm(folder, { recursive: true, force: true });
  process.exitCode = (await faults.told()) ? 1 : 0;
}

async function runWhole(given) {
  const world = await startWorld(given);
  const figures = { inputs: 0, bytes: 0, looks: 0, peakMiB: 0, slowestCountMs: 0 };
  let before = new Map();
  try {
    while (performance.now() < given.until) {
      await writeBatch(world, given, figures);
      before = await look(world, given, figures, before);
      if (world.exporter.endedWith()) break;
    }
    figures.health = world.asker.figures();
    return figures;
  } finally {
    await endWorld(world, given);
  }
}

async function startWorld({ folder, seed, corpus }) {
  const [inputs, healthy, inventory] = ['inputs', 'healthy.ndjson', 'inventory.json'].map((name) =>
    path.join(folder, name),
  );
  await mkdir(inputs);
  await writeFile(healthy, '');
  await writeFile(inventory, corpus.inventories[0].text);
  const config = path.join(folder, 'config.yml');
  const source = (file) => ({ type: 'file', paths: [file] });
  await writeFile(
    config,
    JSON.stringify({ sources: [source(healthy), source(inputs)], inventory: { file: inventory } }),
  );
  const exporter = await startExporter([], path.join(folder, 'state'), ['--no-probe', `--config.file=${config}`]);
  const asker = startAsker({ url: `${exporter.url}/-/healthy`, pid: exporter.pid });
  const random = createRandom(seed);
  return { inputs, inventory, exporter, asker, random, batch: [], healthyFile: await startHealthyFile(healthy) };
}

async function endWorld({ healthyFile, asker, exporter }, { faults }) {
  await healthyFile.stop();
  await asker.stop();
  const isClean = await exporter.stop(10_000);
  if (!isClean) await faults.ofWhole('no end', 'SIGTERM did not end the exporter within 10 s', []);
}

async function writeBatch(world, { corpus, seed }, figures) {
  world.batch = [];
  for (let each = 0; each < batch; each++) {
    const n = firstOfWhole + figures.inputs;
    const { bytes, name } = madeOf(corpus, seed, n);
    world.batch.push({ n, name, bytes });
    figures.inputs++;
    figures.bytes += bytes.length;
    if (partOf(n) === 'inventory') await writeFile(world.inventory, bytes);
    else if (partOf(n) === 'log') await writeFile(path.join(world.inputs, `${n}.log`), bytes);
    if (world.random.chance(0.3)) world.batch.at(-1).turn = await turnOneFile(world.random, world.inputs, bytes);
  }
  await deleteOld(world.inputs);
}

/** @returns the values of the page */
async function look(world, { faults }, figures, before) {
  const tell = (what, detail) => faults.ofWhole(what, detail, world.batch, world.exporter.log());
  const ended = world.exporter.endedWith();
  if (ended) {
    await tell('died', `the exporter ended with ${ended}`);
    return before;
  }
  figures.looks++;
  const page = await exactPage(world, figures, tell);
  if (page.mistakes.length > 0) await tell('page', `${page.mistakes.length} mistakes, the first: ${page.mistakes[0]}`);
  for (const fallen of fallenCounters(before, page)) await tell('fallen', fallen);
  const health = world.asker.figures();
  if (health.ownMs > mostAnswerMs) await tell('slow', `/-/healthy took ${health.ownMs.toFixed(0)} ms`);
  if (health.failures > 0) await tell('no answer', `${health.failures} questions to /-/healthy had no answer`);
  const { peak } = await world.exporter.memory().catch(() => ({ peak: 0 }));
  figures.peakMiB = Math.max(figures.peakMiB, peak);
  if (peak > mostMiB) await tell('memory', `${peak.toFixed(0)} MiB`);
  return page.values;
}

/** Waits until the healthy file is counted to its last event, and not beyond. */
async function exactPage({ exporter, healthyFile }, figures, tell) {
  const wanted = await healthyFile.rest();
  const begun = performance.now();
  let page = await pageOf(exporter);
  while (
    healthyCount(page.values) < wanted &&
    performance.now() - begun < countWithinMs &&
    exporter.endedWith() === undefined
  ) {
    await pause(100);
    page = await pageOf(exporter);
  }
  const count = healthyCount(page.values);
  figures.slowestCountMs = Math.max(figures.slowestCountMs, performance.now() - begun);
  if (count !== wanted) await tell('count', `the healthy file has ${wanted} events, ${count} are shown`);
  healthyFile.go();
  return page;
}

function pageOf(exporter) {
  return exporter.scrape().then(
    (scrape) => parseExposition(scrape.text()),
    (error) => ({ values: new Map(), counters: new Set(), mistakes: [`no answer to a scrape: ${error.message}`] }),
  );
}

function report(seed, whole, direct) {
  const { answers, slowestMs, ownMs } = whole.health;
  console.log(
    `seed ${seed}: through the exporter ${whole.inputs} inputs, ${mb(whole.bytes)} MB, ${whole.looks} looks, all exact unless told; ` +
      `/-/healthy ${answers} answers, slowest ${slowestMs.toFixed(0)} ms (${ownMs.toFixed(0)} ms without waiting for a processor); ` +
      `slowest count ${whole.slowestCountMs.toFixed(0)} ms, RSS ${whole.peakMiB.toFixed(0)} MiB at most`,
  );
  const { rate, name, n } = direct.slowest;
  console.log(
    `straight to the decoders ${direct.inputs} inputs, ${mb(direct.bytes)} MB; slowest ${rate.toFixed(1)} MB/s (${name}, number ${n})`,
  );
}

function mb(bytes) {
  return (bytes / 1e6).toFixed(0);
}

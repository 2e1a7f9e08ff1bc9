/**
 * Fuzzing within one thread: inputs go straight to the reader, the inventory and the configuration, many in a second. It
 * holds that nothing throws, every pass comes to an end in time that grows with the bytes, and the honest record behind
 * the spoilt ones is read as if it stood alone.
 */
import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { loadConfig } from '../../dist/config/config.js';
import { decodeExport } from '../../dist/inventory/export-file.js';
import { loadCorpus } from './corpus.mjs';
import { measured } from './cpu-wait.mjs';
import { firstIdOfLastChunk } from './evtx.mjs';
import { configOf, inputOf, inventoryOf } from './inputs.mjs';
import { createRandom, seedOf } from './random.mjs';
import { readAll } from './reading.mjs';

/** An event loop held longer than this is a fault, whatever the size. */
const mostHoldMs = 250;
/** Slower than this is a fault; beside it some milliseconds for what does not grow with the bytes. */
const leastBytesPerMs = 2_000;
const freeMs = 150;
/** A file that grows is looked at from here on: a mark of its encoding stands whole at its beginning. */
const leastStep = 16;
/** Inputs below this size say nothing about speed. */
const tellingBytes = 100_000;

/** Which input the n-th is: everything that takes bytes of others. */
export function partOf(n) {
  if (n % 16 === 14) return 'inventory';
  return n % 16 === 15 ? 'configuration' : 'log';
}

export function madeOf(corpus, seed, n) {
  return { inventory: inventoryOf, configuration: configOf, log: inputOf }[partOf(n)](corpus, seed, n);
}

/** A configuration is written by whoever runs the exporter: it may be slow, but it must not throw. */
async function tryOne(corpus, folder, seed, n) {
  const input = madeOf(corpus, seed, n);
  const timed = await bestOfFew(() => take(folder, seed, n, input), input.bytes.length);
  const fault = timed.result ?? (partOf(n) === 'configuration' ? undefined : slowness(timed, input.bytes.length));
  return { input, ms: timed.ms, fault };
}

function slowness({ ms }, bytes) {
  if (ms <= freeMs + bytes / leastBytesPerMs) return undefined;
  return { what: 'slow', detail: `${ms.toFixed(0)} ms for ${bytes} bytes` };
}

/** Only what is slow three times is slow. */
async function bestOfFew(work, bytes) {
  let best = await measured(work);
  for (let again = 0; again < 2 && !isFast(best, bytes); again++) {
    const next = await measured(work);
    if (next.ms < best.ms || best.result) best = next;
  }
  return best;
}

function isFast({ ms, result }, bytes) {
  return result?.what !== 'held' && ms <= freeMs / 3 + bytes / (5 * leastBytesPerMs);
}

/** @returns the fault, if there is one */
async function take(folder, seed, n, input) {
  try {
    if (partOf(n) === 'inventory') return void decodeExport(input.bytes);
    if (partOf(n) === 'configuration') return await takeConfig(folder, input.bytes);
    return await takeLog(seed, n, input);
  } catch (error) {
    return { what: 'threw', detail: String(error.stack ?? error).slice(0, 600) };
  }
}

async function takeConfig(folder, bytes) {
  const file = path.join(folder, 'config.yml');
  await writeFile(file, bytes);
  await loadConfig({ file });
}

async function takeLog(seed, n, { bytes, honest, cleanLog }) {
  const random = createRandom(seedOf(seed, -n));
  const size = () => Math.max(leastStep, random.int(bytes.length + 1));
  const steps = random.chance(0.4) ? [size(), size()].sort((a, b) => a - b) : [];
  const told = await readAll(bytes, [...steps, bytes.length]);
  if (told.stuck) return { what: 'no end', detail: `${told.passes} passes over ${bytes.length} bytes` };
  if (told.longestMs > mostHoldMs) return { what: 'held', detail: `${told.longestMs.toFixed(0)} ms in one pass` };
  if (honest) return lostRecords(told, await readAll(honest));
  return cleanLog && lostChunk(told, await readAll(cleanLog), cleanLog);
}

function lostRecords(told, alone) {
  // The first record may have made another format of it; then the last one is not of that format.
  if (told.format !== alone.format || alone.decoded.length === 0) return undefined;
  const end = told.decoded.slice(-alone.decoded.length);
  if (JSON.stringify(end) === JSON.stringify(alone.decoded)) return undefined;
  return { what: 'lost', detail: `${told.format}: the honest record at the end was not read` };
}

/** The last chunk was not touched, so all of its records are read. */
function lostChunk(told, clean, image) {
  if (told.format === undefined) return undefined;
  const first = firstIdOfLastChunk(image);
  const read = new Set(told.decoded.map(({ recordId }) => recordId));
  const last = clean.decoded.filter(({ recordId }) => recordId >= first);
  const lost = last.filter(({ recordId }) => !read.has(recordId));
  if (lost.length === 0) return undefined;
  return { what: 'lost', detail: `evtx: ${lost.length} of the ${last.length} records of the last chunk` };
}

async function work({ seed, from, progress }) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'fuzz-direct-'));
  const counts = new Float64Array(progress);
  try {
    const corpus = await loadCorpus(folder);
    parentPort.postMessage({ ready: true });
    for (let n = from; counts[3] === 0; n++) {
      counts[0] = n;
      const { input, ms, fault } = await tryOne(corpus, folder, seed, n);
      counts[1] += 1;
      counts[2] += input.bytes.length;
      if (fault) parentPort.postMessage({ n, name: input.name, fault });
      if (input.bytes.length > tellingBytes)
        parentPort.postMessage({ n, name: input.name, rate: input.bytes.length / ms / 1000 });
      // Messages leave between two inputs.
      if (n % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (workerData) await work(workerData);

/**
 * What a start takes, from the start of the process to the first 200 of `/metrics`, and what the exporter then holds in memory at
 * rest: beside the bare stack of Express, prom-client and chokidar, in turn with it, medians. Says which aim is missed; fails when
 * a figure has become worse by more than a fifth than the one that is kept in `bench/start/kept.json`.
 *
 * `npm run bench -- start [starts]`; `KEEP=1` keeps the new figures.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuOf, quantile, table } from './exporter.mjs';
import { compare } from './kept.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** By then everything is loaded, and the first collections have been made. */
const restMs = 5_000;
const aims = { 'start, times the bare stack': 1.5, 'RSS at rest, MiB': 75 };

export async function run(starts = 15) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'start-bench-'));
  try {
    const log = path.join(folder, 'events.ndjson');
    await writeFile(log, '');
    const programs = {
      'bare stack': [here('start/bare.mjs'), log],
      exporter: [
        here('../dist/main.js'),
        '--no-probe',
        '--web.listen-address=127.0.0.1:0',
        `--state.directory=${folder}`,
        log,
      ],
    };
    const results = { 'bare stack': [], exporter: [] };
    for (let start = 0; start < starts; start++)
      for (const [name, args] of Object.entries(programs)) results[name].push(await startOf(args));
    const { 'bare stack': bare, exporter } = await restOf(programs, medians(results));
    table([
      ['', 'ms to the first 200', 'CPU ms', 'RSS at rest, MiB'],
      ...Object.entries({ 'bare stack': bare, exporter }).map(([name, { ms, cpuMs, mib }]) => [
        ...[name, ms.toFixed(0), cpuMs.toFixed(0), mib.toFixed(1)],
      ]),
      [
        'times',
        (exporter.ms / bare.ms).toFixed(2),
        (exporter.cpuMs / bare.cpuMs).toFixed(2),
        (exporter.mib / bare.mib).toFixed(2),
      ],
    ]);
    const figures = { 'start, times the bare stack': exporter.ms / bare.ms, 'RSS at rest, MiB': exporter.mib };
    await compare(here('start/kept.json'), figures, aims);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function medians(results) {
  return Object.fromEntries(
    Object.entries(results).map(([name, all]) => [
      name,
      Object.fromEntries(
        ['ms', 'cpuMs'].map((key) => [
          key,
          quantile(
            all.map((each) => each[key]),
            0.5,
          ),
        ]),
      ),
    ]),
  );
}

async function restOf(programs, figures) {
  for (const [name, args] of Object.entries(programs)) {
    const process = await startOf(args, restMs);
    figures[name].mib = process.mib;
  }
  return figures;
}

/** @param rest milliseconds to wait before its memory is looked at */
async function startOf(args, rest = 0) {
  const began = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const closed = once(child, 'close');
  try {
    const status = await statusOf(`${await addressOf(child)}/metrics`);
    const ms = performance.now() - began;
    if (status !== 200) throw new Error(`/metrics answered ${status}`);
    const cpuMs = (await cpuOf(child.pid)).ownMs;
    await pause(rest);
    const memory = await readFile(`/proc/${child.pid}/status`, 'utf8');
    return { ms, cpuMs, mib: Number(/VmRSS:\s+(\d+)/.exec(memory)[1]) / 1024 };
  } finally {
    child.kill('SIGTERM');
    await closed;
  }
}

function addressOf(child) {
  return new Promise((found, failed) => {
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      const match = /msg=listening url=(\S+)\n/.exec((log += text));
      if (match) found(match[1]);
    });
    child.once('exit', () => failed(new Error(`it ended before it listened:\n${log}`)));
  });
}

function statusOf(url) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    request.on('error', reject);
  });
}

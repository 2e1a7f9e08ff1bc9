/** The built exporter as a process of its own, and what it costs: CPU, memory, how long its event loop is held. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const holdMeter = new URL('hold-meter.mjs', import.meta.url).href;
const loopbackGuard = new URL('../test/support/loopback-guard.mjs', import.meta.url).href;
/** For the exporter alone, as in `EXPORTER_NODE_FLAGS=--cpu-prof npm run bench -- follow`. */
const nodeFlags = process.env.EXPORTER_NODE_FLAGS?.split(' ') ?? [];
/** Clock ticks of /proc, in milliseconds. */
const tickMs = 10;

/** @returns where an exporter that has been started listens, and what asks for the end of what it wrote; throws when it ends before */
export async function whenListening(child) {
  let log = '';
  const url = await new Promise((found, failed) => {
    child.stderr.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-100_000);
      const match = /msg=listening url=(\S+)\n/.exec(log);
      if (match) found(match[1]);
    });
    child.once('exit', () => failed(new Error(`the exporter ended:\n${log}`)));
  });
  return { url, log: () => log };
}

/**
 * Starts on a free port of loopback; without other flags with probing off.
 * @param files none when the flags name a configuration file that has sources
 */
export async function startExporter(files, stateDirectory, more = ['--no-probe']) {
  const flags = ['--web.listen-address=127.0.0.1:0', `--state.directory=${stateDirectory}`, ...more];
  const modules = ['--import', loopbackGuard, '--import', holdMeter];
  const child = spawn(process.execPath, [...nodeFlags, ...modules, program, ...flags, '--', ...files], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  // A benchmark that fails leaves no exporter behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  const { url, log } = await whenListening(child);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  return {
    url,
    pid: child.pid,
    /** The end of what it wrote. */
    log,
    /** `code 1` or `signal SIGABRT` when it is no longer there. */
    endedWith: () => {
      if (child.signalCode !== null) return `signal ${child.signalCode}`;
      return child.exitCode === null ? undefined : `code ${child.exitCode}`;
    },
    /** Milliseconds of CPU until now. */
    cpuMs: async () => (await cpuOf(child.pid)).ownMs,
    /** MiB now and at most until now. */
    memory: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      const mib = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024;
      return { now: mib('VmRSS'), peak: mib('VmHWM') };
    },
    /** The longest hold of the event loop since the last call, in milliseconds. */
    longestHoldMs: () => ask(child, 'hold'),
    /** The same less the waiting for a processor. */
    longestOwnHoldMs: () => ask(child, 'own hold'),
    /** MiB of the heap, without the newest objects, and of buffers, as the last full collection has left them. */
    heapMiB: () => ask(child, 'heap'),
    scrape: (headers = {}) => scrape(url, agent, headers),
    /** On a connection of its own. What comes is counted and let go. */
    scrapeAlone: (headers = {}) => scrape(url, false, headers, false),
    /** @returns false when it did not end in time and had to be killed */
    stop: async (patienceMs = 60_000) => {
      agent.destroy();
      if (child.exitCode !== null || child.signalCode !== null) return true;
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      const [, signal] = await closed;
      clearTimeout(timer);
      return signal !== 'SIGKILL';
    },
  };
}

/** Milliseconds of CPU of a process, and of those of its children that have ended. */
export async function cpuOf(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const ticks = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
  return { ownMs: (ticks[0] + ticks[1]) * tickMs, childrenMs: (ticks[2] + ticks[3]) * tickMs };
}

async function ask(child, question) {
  child.send(question);
  const [ms] = await once(child, 'message');
  return ms;
}

/** An exporter that has counted these rows before, and the empty file that it follows. */
export async function startWithRows(rows) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'exporter-bench-'));
  const file = path.join(folder, 'events.ndjson');
  const book = { version: 1, savedAt: new Date().toISOString(), rows, checkpoints: [], seen: [], scrapers: [] };
  await writeFile(path.join(folder, 'ledger.json'), JSON.stringify(book));
  await writeFile(file, '');
  const exporter = await startExporter([file], folder);
  const end = async () => {
    await exporter.stop();
    await rm(folder, { recursive: true });
  };
  return { exporter, file, end };
}

/** @returns milliseconds from asking to the last byte, bytes on the wire, what came, and its text when it is not compressed */
function scrape(url, agent, headers, keep = true) {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.get(`${url}/metrics`, { agent, headers }, (response) => {
      const parts = [];
      let bytes = 0;
      response.on('data', (part) => {
        bytes += part.length;
        if (keep) parts.push(part);
      });
      response.on('error', reject);
      response.on('end', () => {
        const ms = performance.now() - started;
        const body = () => Buffer.concat(parts);
        resolve({ ms, bytes, body, text: () => body().toString() });
      });
    });
    request.on('error', reject);
  });
}

const errorsTotal = 'exchange_send_connector_connection_errors_total';

/** The sum of all values of a metric on a page. */
export function total(text, name = errorsTotal) {
  let sum = 0;
  for (const [, value] of text.matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'gm'))) sum += Number(value);
  return sum;
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/**
 * The exporter over files, from the start of the process until its page shows all of them; scraped five times a second.
 * @param errors how many it is to show, or by metric
 * @param flags in place of `--no-probe`
 * @returns CPU seconds and peak memory in MiB
 */
export async function readThrough(files, folder, errors, flags = undefined) {
  const wanted = Object.entries(typeof errors === 'number' ? { [errorsTotal]: errors } : errors);
  const state = await mkdtemp(path.join(folder, 'state-'));
  const exporter = await startExporter(files, state, flags);
  try {
    for (let isWhole = false; !isWhole;) {
      await pause(200);
      const text = (await exporter.scrape()).text();
      const shown = wanted.map(([metric, count]) => ({ metric, count, is: total(text, metric) }));
      for (const { metric, count, is } of shown)
        if (is > count) throw new Error(`expected ${metric} to be ${count}, got ${is}`);
      isWhole = shown.every(({ count, is }) => is === count);
    }
    return { cpu: (await exporter.cpuMs()) / 1000, peak: (await exporter.memory()).peak };
  } finally {
    await exporter.stop();
    await rm(state, { recursive: true });
  }
}

/** A table in Markdown, as it stands in `docs/`: the first row names the columns. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((row) => String(row[column]).length)));
  const line = (row) => `| ${row.map((cell, column) => String(cell).padEnd(widths[column])).join(' | ')} |`;
  const [head, ...others] = rows;
  for (const row of [head, widths.map((width) => '-'.repeat(width)), ...others]) console.log(line(row));
}

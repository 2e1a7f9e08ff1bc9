/**
 * CPU of one probe against blackbox_exporter, in turn, against the same SMTP servers on loopback. Each asks in its own
 * way: blackbox_exporter is asked over HTTP, a visit of ours is asked for. `tcp` connects, `ehlo` is greeted, says EHLO and
 * QUIT, `starttls` does the same with TLS between and fails unless the certificate is trusted and has the right name;
 * `unchecked` is `starttls` with blackbox_exporter told not to check, as ours does for opportunistic TLS, which checks and
 * warns. Both are warm, as they are on the second day and not in the first second. Then the schedule alone: an hour of
 * 2,000 destinations with 200 black holes on a clock of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort } from '../dist/commands/demo/free-port.js';
import { table } from './exporter.mjs';

const blackbox = 'prometheus-blackbox-exporter';
const here = fileURLToPath(new URL('.', import.meta.url));
/** Clock ticks of /proc, in milliseconds. */
const tickMs = 10;
const probes = { tcp: 2000, ehlo: 2000, starttls: 1000, unchecked: 1000 };
/** Probes of each kind before the first is measured: a just-in-time compiler has little to do after that. */
const warmUp = 5000;
const rounds = 3;

export async function run() {
  const { rows } = await besideBlackbox({ atATimes: [1, 16, 64] });
  table(rows);
  const children = [];
  try {
    const schedule = await startChild(children, ['--expose-gc', `${here}probes-schedule.mjs`]);
    console.log(schedule.first);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

/**
 * @param part of the probes, for less time
 * @returns a table, and the ratios by what is asked
 */
export async function besideBlackbox({ atATimes, part = 1 }) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'probes-bench-'));
  const children = [];
  const rows = [['Probe', 'at a time', 'CPU ms', 'blackbox_exporter, CPU ms', 'ratio']];
  const ratios = {};
  try {
    const server = await startChild(children, [`${here}probes-server.mjs`, Math.max(...atATimes)]);
    const { ca, destinations } = JSON.parse(server.first);
    const ours = await startChild(children, [`${here}probes-prober.mjs`, server.first]);
    const peer = await startBlackbox(children, folder, ca);
    for (const [what, all] of Object.entries(probes)) {
      const most = Math.max(...atATimes);
      await ours.ask({ what, atATime: most, count: warmUp * part });
      await askBlackbox(peer, destinations, { what, atATime: most, count: warmUp * part });
      for (const atATime of atATimes) {
        const { mine, theirs } = await measure({ what, atATime, count: all * part, ours, peer, destinations });
        rows.push([what, atATime, mine.toFixed(3), theirs.toFixed(3), (mine / theirs).toFixed(2)]);
        ratios[`${what}, ${atATime} at a time: blackbox_exporter`] = mine / theirs;
      }
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  }
  return { rows, ratios };
}

/** @returns milliseconds of CPU of a probe, the medians of a few rounds in turn */
async function measure({ what, atATime, count, ours, peer, destinations }) {
  const costs = { ours: [], peer: [] };
  for (let round = 0; round < rounds; round++) {
    const before = await cpuMs(ours.pid);
    await ours.ask({ what, atATime, count });
    costs.ours.push(((await cpuMs(ours.pid)) - before) / count);
    const peerBefore = await cpuMs(peer.pid);
    await askBlackbox(peer, destinations, { what, atATime, count });
    costs.peer.push(((await cpuMs(peer.pid)) - peerBefore) / count);
  }
  return { mine: median(costs.ours), theirs: median(costs.peer) };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function cpuMs(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** A Node process that says one line when it is ready, and answers each request of `ask` with one line. */
async function startChild(children, words) {
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = [];
  let wake = () => undefined;
  child.stdout.setEncoding('utf8').on('data', (text) => {
    lines.push(...text.split('\n').filter((line) => line !== ''));
    wake();
  });
  const next = async () => {
    while (lines.length === 0) await new Promise((resolve) => (wake = resolve));
    return lines.shift();
  };
  const ask = (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return next();
  };
  return { pid: child.pid, first: await next(), ask };
}

async function startBlackbox(children, folder, ca) {
  const file = path.join(folder, 'blackbox.yml');
  const caFile = path.join(folder, 'ca.pem');
  await writeFile(caFile, ca);
  await writeFile(file, stringify({ modules: modulesOf(caFile) }));
  const port = await freePort(0);
  const child = spawn(blackbox, [`--config.file=${file}`, `--web.listen-address=127.0.0.1:${port}`], {
    stdio: 'ignore',
  });
  children.push(child);
  child.once('error', () => console.error(`${blackbox} is not installed: apt-get install ${blackbox}`));
  const agent = new http.Agent({ keepAlive: true });
  for (let round = 0; round < 100; round++) {
    const up = await get({ port, agent }, '/-/healthy').catch(() => '');
    if (up !== '') return { pid: child.pid, port, agent };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('blackbox_exporter does not answer');
}

async function askBlackbox(peer, destinations, { what, atATime, count }) {
  let left = count;
  const worker = async (destination) => {
    while (left-- > 0) {
      const page = await get(peer, `/probe?module=${what}&target=${destination}`);
      if (!page.includes('\nprobe_success 1')) throw new Error(`blackbox_exporter failed ${what}`);
    }
  };
  await Promise.all(destinations.slice(0, atATime).map(worker));
}

async function get({ port, agent }, target) {
  const [response] = await once(http.get({ host: '127.0.0.1', port, agent, path: target }), 'response');
  let text = '';
  response.setEncoding('utf8').on('data', (part) => (text += part));
  await once(response, 'end');
  return text;
}

/** The configuration of blackbox_exporter, with the same talk as a visit of ours. */
function modulesOf(caFile) {
  const hello = [{ expect: '^220 ' }, { send: 'EHLO bench.contoso.example\r' }];
  const goodbye = [{ send: 'QUIT\r' }, { expect: '^221 ' }];
  const upgrade = [
    { expect: '^250-STARTTLS' },
    { expect: '^250 ' },
    { send: 'STARTTLS\r' },
    { expect: '^220 ' },
    { starttls: true },
  ];
  const withTls = (tls_config) => tcpModule({ query_response: [...hello, ...upgrade, ...goodbye], tls_config });
  return {
    tcp: tcpModule(),
    ehlo: tcpModule({ query_response: [...hello, { expect: '^250 ' }, ...goodbye] }),
    starttls: withTls({ ca_file: caFile, server_name: 'mail.contoso.example' }),
    unchecked: withTls({ insecure_skip_verify: true }),
  };
}

function tcpModule(tcp = {}) {
  return { prober: 'tcp', timeout: '10s', tcp };
}

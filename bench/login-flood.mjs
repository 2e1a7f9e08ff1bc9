/**
 * npm run bench -- login-flood [SECONDS]: scrapes with a password that was let in, alone and while others guess passwords from
 * thousands of addresses of loopback, at cost 12.
 */
import { fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import bcrypt from 'bcryptjs';
import { startExporter } from './exporter.mjs';

const guessers = 64;
const pauseOfGuesserMs = 200;

export async function run(seconds = 30) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'login-flood-'));
  const file = (name) => path.join(folder, name);
  await writeFile(file('events.ndjson'), '');
  await writeFile(file('web.yml'), `basic_auth_users: { prometheus: "${bcrypt.hashSync('open sesame', 12)}" }\n`);
  const flags = ['--no-probe', `--web.config.file=${file('web.yml')}`];
  const exporter = await startExporter([file('events.ndjson')], folder, flags);
  await ask(exporter.url, 'open sesame', '127.0.0.1');
  await exporter.longestOwnHoldMs();
  console.log('alone ', await scrapeFor(5, exporter));
  // A program of its own, so that the times of the scrapes are not those of a busy client.
  const flood = fork(fileURLToPath(import.meta.url), [exporter.url]);
  await pause(2_000);
  console.log('flood ', await scrapeFor(seconds, exporter));
  const { memory } = exporter;
  console.log(`memory ${Math.round((await memory()).peak)} MiB at most; guesses by answer`, await answersOf(flood));
  await exporter.stop();
  await rm(folder, { recursive: true });
}

async function scrapeFor(seconds, exporter) {
  const times = [];
  const cpu = await exporter.cpuMs();
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await pause(100)) {
    const { status, took } = await ask(exporter.url, 'open sesame', '127.0.0.1');
    if (status !== 200) throw new Error(`a scrape was answered ${status}`);
    times.push(took);
  }
  times.sort((a, b) => a - b);
  const [half, most, all] = [0.5, 0.95, 1].map((share) => Math.round(times[Math.ceil(times.length * share) - 1]));
  const hold = await exporter.longestOwnHoldMs();
  const used = Math.round(((await exporter.cpuMs()) - cpu) / seconds / 10);
  return `${times.length} scrapes: half within ${half} ms, 95 % ${most} ms, all ${all} ms; event loop held by itself ${Math.round(hold)} ms at most; ${used} % of a core`;
}

/** @returns the status and the milliseconds that it took */
function ask(url, password, localAddress) {
  const begun = performance.now();
  const told = (status) => ({ status, took: performance.now() - begun });
  return new Promise((resolve) => {
    const options = { auth: `prometheus:${password}`, localAddress, agent: false };
    request(new URL('/metrics', url), options, (response) =>
      response.resume().on('end', () => resolve(told(response.statusCode))),
    )
      .on('error', (error) => resolve(told(error.code)))
      .end();
  });
}

function answersOf(flood) {
  return new Promise((resolve) => {
    flood.once('message', resolve).send('end');
  });
}

async function guess(url) {
  const answers = {};
  let isOver = false;
  process.once('message', () => (isOver = true));
  const all = Array.from({ length: guessers }, async (_, each) => {
    for (let turn = 0; !isOver; turn++) {
      const { status } = await ask(url, `guess ${each} ${turn}`, `127.0.${1 + (turn % 200)}.${1 + each}`);
      answers[status] = (answers[status] ?? 0) + 1;
      await pause(pauseOfGuesserMs);
    }
  });
  await Promise.all(all);
  process.send(answers, () => process.exit());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await guess(process.argv[2]);

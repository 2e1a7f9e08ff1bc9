/**
 * Senders that mean harm, each kind against an exporter of its own: the memory that it takes above what it has when idle (at most 60
 * MiB are allowed), how long scrapes take meanwhile (250 ms), and how long the event loop is held.
 */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { quantile, startExporter, table } from '../exporter.mjs';

const program = fileURLToPath(new URL('attack.mjs', import.meta.url));
const most = { MiB: 60, scrapeMs: 250 };

/** @param seconds of each attack */
export async function run(seconds = 8) {
  const only = process.env.ATTACK;
  const names = JSON.parse(execFileSync(process.execPath, [program, 'list'], { encoding: 'utf8' }));
  const lines = [['attack', 'idle MiB', 'above', 'scrapes', 'ms p50', 'max', 'own hold ms', 'after', 'answers']];
  const isWanted = (each) => only === undefined || only.split(',').some((part) => each.includes(part));
  for (const name of names.filter(isWanted)) {
    const found = await attack(name, seconds);
    if (found.above > most.MiB || found.max > most.scrapeMs) process.exitCode = 1;
    lines.push([name, ...Object.values(found)]);
    console.error(lines.at(-1).join('  '));
  }
  table(lines);
}

async function attack(name, seconds) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'push-hostile-'));
  const config = path.join(folder, 'config.yml');
  const [httpPort, lumberjackPort] = await freePorts(2);
  await writeFile(
    config,
    `sources:
  - { type: http, listenAddress: "127.0.0.1:${httpPort}" }
  - { type: lumberjack, listenAddress: "127.0.0.1:${lumberjackPort}" }
`,
  );
  const exporter = await startExporter([], folder, ['--no-probe', `--config.file=${config}`]);
  const attacker = fork(program, [name, httpPort, lumberjackPort, seconds]);
  try {
    await once(attacker, 'message');
    for (let scrapes = 0; scrapes < 20; scrapes++) await exporter.scrape().then(() => pause(50));
    const idle = (await exporter.memory()).now;
    await exporter.longestOwnHoldMs();
    const over = Promise.race([
      once(attacker, 'message'),
      once(attacker, 'exit').then(() => [{ 'the attacker fell': 1 }]),
    ]);
    attacker.send('go');
    const times = [];
    let answers;
    void over.then(([told]) => (answers = told));
    while (answers === undefined) {
      times.push((await exporter.scrape()).ms);
      await pause(50);
    }
    const { peak } = await exporter.memory();
    const hold = await exporter.longestOwnHoldMs();
    await pause(1_000);
    const [p50, max] = [quantile(times, 0.5), Math.max(...times)].map(Math.round);
    const { now } = await exporter.memory();
    const told = Object.entries(answers).map(([what, times]) => `${what}: ${times}`);
    const ended = exporter.endedWith();
    if (ended !== undefined) process.exitCode = 1;
    return {
      idle: Math.round(idle),
      above: Math.round(peak - idle),
      scrapes: times.length,
      p50,
      max,
      hold: Math.round(hold),
      after: Math.round(now - idle),
      answers: ended ?? told.join(', '),
    };
  } finally {
    attacker.kill();
    await exporter.stop(10_000);
    await rm(folder, { recursive: true });
  }
}

async function freePorts(wanted) {
  const servers = Array.from({ length: wanted }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

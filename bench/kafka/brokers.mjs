/**
 * Three brokers of a real Kafka, each time the one that leads a partition killed (kill -9) and started again while records come: every error counts once, no
 * counter falls, and strace sees the exporter connect to nothing but the brokers.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Admin, Producer } from '@platformatic/kafka';
import { startKafka } from '../../test/support/kafka-broker.mjs';
import { total, whenListening } from '../exporter.mjs';
import { line } from '../push/killed.mjs';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const [topic, partitions, batch] = ['events', 6, 200];

export async function run(records = 6_000, kills = 6) {
  const properties = { 'replica.lag.time.max.ms': 3_000, 'broker.session.timeout.ms': 3_000 };
  const kafka = await startKafka({ brokers: 3, properties });
  const folder = mkdtempSync(path.join(tmpdir(), 'kafka-brokers-'));
  const connects = path.join(folder, 'connects');
  let exporter;
  try {
    await createTopic(kafka.brokers);
    exporter = await startTraced(folder, connects, kafka.brokers);
    const wanted = records / 100;
    const outcome = await killBrokers(kafka, exporter, { records, kills, wanted });
    const reached = addressesIn(readFileSync(connects, 'utf8'));
    const foreign = reached.filter((address) => !kafka.brokers.includes(address));
    const brokersReached = kafka.brokers.filter((address) => reached.includes(address)).length;
    console.log({ wanted, ...outcome, brokersReached, foreign });
    const isRight = outcome.errors === wanted && outcome.falls === 0 && brokersReached === 3 && foreign.length === 0;
    if (!isRight) process.exitCode = 1;
  } finally {
    await exporter?.stop();
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** While a broker is away, and after it has come back, the same number of records is written. */
async function killBrokers(kafka, exporter, { records, kills, wanted }) {
  const begun = performance.now();
  let written = 0;
  let sendsAgain = 0;
  const killed = new Set();
  const write = async (upTo) => {
    while (written < upTo) {
      // Made once: what is sent again is the same, down to its time.
      const messages = messagesFrom(written);
      sendsAgain += await persist(() => produce(kafka.brokers, messages));
      written += batch;
    }
  };
  for (let kill = 0; kill < kills; kill++) {
    const id = await leaderOf(kafka.brokers, kill % partitions);
    killed.add(id);
    await kafka.stopNode(id);
    await write(Math.floor((records * (kill + 0.5)) / kills));
    await kafka.startNode(id);
    await write(Math.floor((records * (kill + 1)) / kills));
  }
  await write(records);
  await exporter.until(wanted);
  // What came twice must not count later.
  await pause(3_000);
  const { errors, falls, scrapes } = await exporter.counted();
  return {
    kills,
    leadersKilled: killed.size,
    written,
    sendsAgain,
    seconds: Math.round((performance.now() - begun) / 1000),
    scrapes,
    errors,
    falls,
  };
}

/** The broker that leads a partition now. */
async function leaderOf(brokers, partition) {
  let leader = -1;
  await persist(async () => {
    const admin = new Admin({ clientId: 'bench', bootstrapBrokers: brokers });
    const { topics } = await admin.metadata({ topics: [topic] }).finally(() => admin.close());
    leader = topics.get(topic).partitions[partition].leader;
    if (leader < 1) throw new Error(`partition ${partition} has no leader`);
  });
  return leader;
}

function messagesFrom(from) {
  return Array.from({ length: batch }, (_, n) => {
    return { topic, partition: n % partitions, value: Buffer.from(line(from + n + 1)) };
  });
}

async function produce(brokers, messages) {
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: brokers, retries: 3, timeout: 5_000 });
  try {
    await producer.send({ messages, acks: -1 });
  } finally {
    await producer.close().catch(() => undefined);
  }
}

/**
 * A producer that is not answered sends again: record IDs tell what came twice.
 * @returns how often it had to
 */
async function persist(work) {
  for (let failures = 0; ; failures++) {
    try {
      await work();
      return failures;
    } catch (error) {
      if (failures > 200) throw error;
      await pause(200);
    }
  }
}

async function createTopic(brokers) {
  const configs = [{ name: 'min.insync.replicas', value: '2' }];
  await persist(async () => {
    const admin = new Admin({ clientId: 'bench', bootstrapBrokers: brokers });
    await admin.createTopics({ topics: [topic], partitions, replicas: 3, configs }).finally(() => admin.close());
  });
}

/** Under strace, which notes every address that is connected or sent to. */
async function startTraced(folder, connects, brokers) {
  const config = path.join(folder, 'config.yml');
  writeFileSync(config, `sources: [{ type: kafka, brokers: ${JSON.stringify(brokers)}, topics: [${topic}] }]\n`);
  const flags = ['--web.listen-address=127.0.0.1:0', `--state.directory=${folder}/state`, `--config.file=${config}`];
  const node = [process.execPath, program, ...flags, '--no-probe'];
  const strace = ['-f', '-qq', '--seccomp-bpf', '-e', 'trace=connect,sendto,sendmsg', '-o', connects, ...node];
  const child = spawn('strace', strace, { stdio: ['ignore', 'ignore', 'pipe'] });
  const { url } = await whenListening(child);
  const watch = watchErrors(url);
  return {
    counted: watch.counted,
    until: async (wanted) => {
      const end = performance.now() + 60_000;
      while ((await watch.counted()).errors < wanted && performance.now() < end) await pause(200);
    },
    stop: async () => {
      await watch.stop();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      const pid = execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' });
      process.kill(Number(pid), 'SIGKILL');
      await ended;
    },
  };
}

/** Scrapes all along. */
function watchErrors(url) {
  const seen = { errors: 0, falls: 0, scrapes: 0 };
  let isOver = false;
  const scrape = async () => {
    const errors = total(await (await fetch(`${url}/metrics`)).text());
    if (errors < seen.errors) seen.falls++;
    seen.errors = errors;
    seen.scrapes++;
  };
  const running = (async () => {
    for (; !isOver; await pause(250)) await scrape();
  })();
  // A scrape that fails is told by whoever asks next.
  running.catch(() => undefined);
  return {
    counted: async () => {
      if (!isOver) await Promise.race([running, pause(500)]);
      return { ...seen };
    },
    stop: async () => {
      isOver = true;
      await running.catch(() => undefined);
    },
  };
}

function addressesIn(trace) {
  const calls = trace.matchAll(/sin6?_port=htons\((\d+)\), .*?"([^"]+)"/g);
  return [...new Set([...calls].map(([, port, host]) => `${host}:${port}`))];
}

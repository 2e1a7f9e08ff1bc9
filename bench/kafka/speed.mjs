/**
 * A topic of a real Kafka with 1 % events 2002, read from its beginning: records a second, CPU, memory and disk, by compression. What it
 * prints last are the rows of the table in docs/fleet.md.
 */
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Admin, Producer } from '@platformatic/kafka';
import { startKafka } from '../../test/support/kafka-broker.mjs';
import { startExporter, table, total } from '../exporter.mjs';
import { createWorkload } from '../workload.mjs';

const partitions = 16;

export async function run(records = 500_000) {
  const kafka = await startKafka();
  const names = [
    'compression',
    'records',
    'MiB',
    'errors',
    's',
    'records/s',
    'CPU s per million',
    'RSS MiB peak',
    'ledger KiB',
  ];
  const lines = [names];
  try {
    for (const compression of ['none', 'gzip', 'lz4']) lines.push(await measure(kafka.brokers, compression, records));
  } finally {
    await kafka.stop();
  }
  table(lines);
  for (const [compression, , , , , speed, cost, peak, disk] of lines.slice(1))
    console.log(
      `| Kafka, ${compression === 'none' ? 'not packed' : compression} | ${speed} | ${cost} | ${peak} MiB | ${disk} KiB |`,
    );
}

async function measure(brokers, compression, records) {
  const topic = `events-${compression}`;
  const { errors, bytes } = await fill(brokers, topic, compression, records);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'kafka-speed-'));
  const config = path.join(folder, 'config.yml');
  await writeFile(config, `sources: [{ type: kafka, brokers: ${JSON.stringify(brokers)}, topics: [${topic}] }]\n`);
  const exporter = await startExporter([], folder, ['--no-probe', `--config.file=${config}`]);
  try {
    const begun = performance.now();
    const cpu = await exporter.cpuMs();
    // Pages of thousands of series would cost more than reading: it is asked whether it is ready, which it is when all is read.
    while (!(await fetch(`${exporter.url}/-/ready`)).ok) await pause(50);
    const seconds = (performance.now() - begun) / 1000;
    const used = (await exporter.cpuMs()) - cpu;
    let counted = -1;
    // What is new is shown at zero first.
    for (const end = performance.now() + 30_000; counted !== errors && performance.now() < end; await pause(500))
      counted = total((await exporter.scrape()).text());
    const { peak } = await exporter.memory();
    if (counted !== errors) process.exitCode = 1;
    const cost = (used / 1000 / records) * 1e6;
    const disk = (await sizeOf(folder)) / 1024;
    const figures = [
      seconds.toFixed(1),
      (records / seconds).toFixed(0),
      cost.toFixed(1),
      peak.toFixed(0),
      disk.toFixed(0),
    ];
    return [compression, records, (bytes / 2 ** 20).toFixed(0), counted, ...figures];
  } finally {
    await exporter.stop();
    await rm(folder, { recursive: true });
  }
}

/** Bytes of the ledger and its journal. */
async function sizeOf(folder) {
  const names = (await readdir(folder)).filter((name) => name.startsWith('ledger'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function fill(brokers, topic, compression, records) {
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: brokers });
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  await admin.close();
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: brokers });
  const next = createWorkload({ carrier: 'winlogbeat', share: 0.01 });
  const first = Date.now() - records * 10;
  let [errors, bytes] = [0, 0];
  for (let from = 0; from < records; from += 500) {
    // A producer fills one partition for a while, and then the next.
    const partition = (from / 500) % partitions;
    const messages = Array.from({ length: Math.min(500, records - from) }, (_, n) => {
      const { line, isError } = next(first + (from + n) * 10);
      if (isError) errors++;
      bytes += line.length;
      return { topic, partition, value: Buffer.from(line.trim()) };
    });
    await producer.send({ messages, acks: 1, compression });
  }
  await producer.close();
  return { errors, bytes };
}

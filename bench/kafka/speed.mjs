/** A topic of a real Kafka with 1 % events 2002, read from its beginning: records a second, CPU and memory, by compression. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
  const lines = [['compression', 'records', 'MiB', 'errors', 's', 'records/s', 'CPU s per million', 'RSS MiB peak']];
  try {
    for (const compression of ['none', 'gzip', 'lz4']) lines.push(await measure(kafka.brokers, compression, records));
  } finally {
    await kafka.stop();
  }
  table(lines);
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
    let counted = 0;
    while (counted < errors) {
      // A scrape of thousands of series costs more than reading meanwhile.
      await pause(1_000);
      counted = total((await exporter.scrape()).text());
    }
    const seconds = (performance.now() - begun) / 1000;
    const used = (await exporter.cpuMs()) - cpu;
    const { peak } = await exporter.memory();
    if (counted !== errors) process.exitCode = 1;
    const cost = (used / 1000 / records) * 1e6;
    const figures = [seconds.toFixed(1), (records / seconds).toFixed(0), cost.toFixed(1), peak.toFixed(0)];
    return [compression, records, (bytes / 2 ** 20).toFixed(0), counted, ...figures];
  } finally {
    await exporter.stop();
    await rm(folder, { recursive: true });
  }
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

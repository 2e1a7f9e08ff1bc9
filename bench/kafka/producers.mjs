/** Debian's rsyslog (omkafka) and kcat as producers: what they write into a real Kafka counts once each, and goes on counting once. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { startKafka } from '../../test/support/kafka-broker.mjs';
import { startExporter, total } from '../exporter.mjs';
import { lines } from '../push/killed.mjs';

export async function run() {
  const kafka = await startKafka();
  const folder = mkdtempSync(path.join(tmpdir(), 'rsyslog-'));
  const file = (name) => path.join(folder, name);
  const [broker] = kafka.brokers;
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: kafka.brokers });
  await admin.createTopics({ topics: ['syslog', 'kcat'], partitions: 4, replicas: 1 });
  await admin.close();
  writeFileSync(file('events.ndjson'), lines(1, 6_000));
  writeFileSync(
    file('rsyslog.conf'),
    `global(workDirectory="${folder}" maxMessageSize="64k")
module(load="imfile")
module(load="omkafka")
template(name="raw" type="string" string="%msg%")
input(type="imfile" File="${file('events.ndjson')}" Tag="events" ruleset="out")
ruleset(name="out") { action(type="omkafka" broker=["${broker}"] topic="syslog" template="raw" partitions.auto="on") }
`,
  );
  const rsyslog = spawn('rsyslogd', ['-n', '-i', file('pid'), '-f', file('rsyslog.conf')], { stdio: 'ignore' });
  execFileSync('kcat', ['-b', broker, '-P', '-t', 'kcat', '-z', 'snappy'], { input: lines(6_001, 12_000) });
  const sources = `[{ type: kafka, brokers: ["${broker}"], topics: [syslog, kcat] }]`;
  writeFileSync(file('config.yml'), `sources: ${sources}\n`);
  const exporter = await startExporter([], file('state'), ['--no-probe', `--config.file=${file('config.yml')}`]);
  try {
    let errors = 0;
    for (const end = performance.now() + 60_000; errors < 120 && performance.now() < end; await pause(200))
      errors = total((await exporter.scrape()).text());
    // What comes twice must not count later.
    await pause(3_000);
    errors = total((await exporter.scrape()).text());
    console.log('rsyslog and kcat', { errors });
    if (errors !== 120) process.exitCode = 1;
  } finally {
    await exporter.stop();
    const ended = once(rsyslog, 'exit');
    rsyslog.kill();
    await ended;
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

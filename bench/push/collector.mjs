/**
 * A real OpenTelemetry Collector follows a log of 60,000 lines with 600 events 2002 and sends them over OTLP/HTTP, and over a real
 * Kafka as `otlp_proto` and `otlp_json`, while the exporter is killed ten times and its disk is full for 20 seconds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { startKafka } from '../../test/support/kafka-broker.mjs';
import { collector } from './build-collector.mjs';
import { hits, killWhileDelivering, lines, records, wantedKills } from './killed.mjs';

const [httpPort, webPort] = [15_318, 15_203];

export async function run() {
  const program = collector();
  for (const way of [overHttp, overKafka]) {
    const folder = mkdtempSync(join(tmpdir(), 'collector-'));
    try {
      for (const [name, found] of await way(folder, program)) {
        console.log(name, found);
        if (found.errors !== hits || found.kills !== wantedKills) process.exitCode = 1;
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

async function overHttp(folder, program) {
  const sender = startCollector(folder, program, {
    otlphttp: { logs_endpoint: `http://127.0.0.1:${httpPort}/v1/logs`, compression: 'gzip' },
  });
  try {
    const sources = `[{ type: http, listenAddress: "127.0.0.1:${httpPort}" }]`;
    const isDelivered = (errors) => sender.isWritten() && errors >= hits;
    return [['OTLP/HTTP', await killWhileDelivering({ folder, sources, webPort, isDelivered: within(isDelivered) })]];
  } finally {
    await sender.stop();
  }
}

async function overKafka(folder, program) {
  const kafka = await startKafka();
  try {
    const topics = ['otlp_proto', 'otlp_json'];
    const admin = new Admin({ clientId: 'bench', bootstrapBrokers: kafka.brokers });
    await admin.createTopics({ topics, partitions: 4, replicas: 1 });
    await admin.close();
    const exporters = topics.map((topic) => [
      `kafka/${topic}`,
      { brokers: kafka.brokers, logs: { topic, encoding: topic }, partition_logs_by_resource_attributes: false },
    ]);
    const sender = startCollector(folder, program, Object.fromEntries(exporters));
    try {
      return await Promise.all(
        topics.map(async (topic, at) => {
          const sources = `[{ type: kafka, brokers: ${JSON.stringify(kafka.brokers)}, topics: [${topic}] }]`;
          const isDelivered = (errors) => sender.isWritten() && errors >= hits;
          const options = {
            folder,
            sources,
            webPort: webPort + 1 + at,
            isDelivered: within(isDelivered),
            aliveMs: 4_000,
          };
          return [topic, await killWhileDelivering(options)];
        }),
      );
    } finally {
      await sender.stop();
    }
  } finally {
    await kafka.stop();
  }
}

/** What is lost shows as too few after a while. */
function within(isDelivered, ms = 240_000) {
  const end = performance.now() + ms;
  return (errors) => isDelivered(errors) || performance.now() > end;
}

/** Follows a log that grows for a minute. JSON is YAML. */
function startCollector(folder, program, exporters) {
  const log = join(folder, 'events.ndjson');
  writeFileSync(log, '');
  mkdirSync(join(folder, 'queue'));
  const patience = {
    sending_queue: { enabled: true, storage: 'file_storage', queue_size: 10_000, block_on_overflow: true },
    retry_on_failure: { enabled: true, initial_interval: '200ms', max_interval: '1s', max_elapsed_time: '0s' },
  };
  const config = {
    extensions: { file_storage: { directory: join(folder, 'queue') } },
    receivers: { filelog: { include: [log], start_at: 'beginning', storage: 'file_storage' } },
    exporters: Object.fromEntries(Object.entries(exporters).map(([name, own]) => [name, { ...own, ...patience }])),
    service: {
      extensions: ['file_storage'],
      telemetry: { metrics: { level: 'none' } },
      pipelines: { logs: { receivers: ['filelog'], exporters: Object.keys(exporters) } },
    },
  };
  const file = join(folder, 'collector.yaml');
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(program, ['--config', `file:${file}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  let [said, isWritten] = ['', false];
  child.stderr.on('data', (text) => (said = (said + text).slice(-20_000)));
  child.on('exit', (code) => {
    if (code) throw new Error(`the Collector ended with code ${code}:\n${said}`);
  });
  const write = async () => {
    const portion = 600;
    for (let from = 1; from <= records; from += portion) {
      appendFileSync(log, lines(from, from + portion - 1));
      await pause(500);
    }
    isWritten = true;
  };
  void write();
  return {
    isWritten: () => isWritten,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

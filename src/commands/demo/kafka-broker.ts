/** One broker of a real Apache Kafka in KRaft mode, from jars that are on this machine: of the demo, the tests and the benchmarks. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { onPath } from './on-path.js';

const version = '4.1.1';

/** Where `.ci/run` puts the jars, unless told another place. */
const jars =
  process.env.EXPORTER_KAFKA_JARS ?? path.join(homedir(), '.cache', 'send-connector-exporter', `kafka-${version}`);

/** What is missing to start a broker, each with the remedy. */
export function missingForKafka(): string[] {
  const missing: string[] = [];
  if (onPath(['java']) === undefined)
    missing.push('Java 17 or later is not on PATH (Debian: apt install openjdk-17-jre-headless)');
  if (!existsSync(path.join(jars, `kafka_2.13-${version}.jar`)))
    missing.push(
      `the jars of Apache Kafka are not in ${jars}; unpack Kafka ${version} (https://kafka.apache.org/downloads) and set EXPORTER_KAFKA_JARS to its folder libs`,
    );
  return missing;
}

export type BrokerNode = {
  readonly id: number;
  /** Of its own; holds all that it writes. */
  readonly home: string;
  /** Port of loopback that it answers on. */
  readonly port: number;
  readonly properties: Readonly<Record<string, string | number | boolean>>;
};

export type Broker = {
  /** The end of what it wrote. */
  readonly log: () => string;
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>;
};

/** Properties of brokers that are the whole cluster: both voters and controllers. @param nodes all of them */
export function clusterProperties(
  nodes: readonly { readonly id: number; readonly controller: number }[],
): BrokerNode['properties'] {
  return {
    'process.roles': 'broker,controller',
    'controller.quorum.voters': nodes.map(({ id, controller }) => `${id}@127.0.0.1:${controller}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAIN',
    'offsets.topic.replication.factor': nodes.length,
    'transaction.state.log.replication.factor': nodes.length,
    'transaction.state.log.min.isr': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    'log.retention.check.interval.ms': 1000,
  };
}

const clusterId = 'MkU3OEVBNTcwNTJENDM2Qk';

const quietLog =
  'rootLogger.level=WARN\nrootLogger.appenderRefs=console\nrootLogger.appenderRef.console.ref=console\nappender.console.type=Console\nappender.console.name=console\nappender.console.layout.type=PatternLayout\nappender.console.layout.pattern=%d %p %m%n\n';

/** Writes what a broker needs before its first start. */
export async function prepareBroker({ id, home, properties }: BrokerNode): Promise<void> {
  const data = path.join(home, 'data');
  await mkdir(data, { recursive: true });
  const text = Object.entries({ 'node.id': id, 'log.dirs': data, ...properties }).map(
    ([key, value]) => `${key}=${value}`,
  );
  await writeFile(path.join(home, 'server.properties'), `${text.join('\n')}\n`);
  await writeFile(path.join(home, 'log4j2.properties'), quietLog);
  // What the storage tool writes, without the seconds that its start takes.
  const directory = randomBytes(16).toString('base64url');
  const meta = ['version=1', `cluster.id=${clusterId}`, `node.id=${id}`, `directory.id=${directory}`];
  await writeFile(path.join(data, 'meta.properties'), `${meta.join('\n')}\n`);
}

const javaOptions = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${jars}/*`];

/** Resolves when it answers. @throws with the end of its log when it does not, within a minute */
export async function startBroker({ home, port }: Pick<BrokerNode, 'home' | 'port'>): Promise<Broker> {
  const log4j = `-Dlog4j2.configurationFile=${path.join(home, 'log4j2.properties')}`;
  const args = [...javaOptions, log4j, 'kafka.Kafka', path.join(home, 'server.properties')];
  const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: home });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-200_000);
    });
  const ended = once(child, 'close');
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const broker: Broker = {
    log: () => log,
    stop: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await ended;
    },
  };
  const deadline = Date.now() + 60_000;
  while (!(await answers(port))) {
    if (isOver() || Date.now() > deadline) {
      await broker.stop();
      throw new Error(`Kafka did not start:\n${log}`);
    }
    await pause(50);
  }
  return broker;
}

function answers(port: number): Promise<boolean> {
  return new Promise((told) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      told(true);
    });
    socket.once('error', () => {
      told(false);
    });
  });
}

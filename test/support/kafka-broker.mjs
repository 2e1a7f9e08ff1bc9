/**
 * A real Apache Kafka on loopback: one to three brokers in KRaft mode, on free ports, in a folder of their own. Its jars come from
 * Maven Central by Debian's mvn (.ci/run fetches them) and are kept outside of the repository.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const version = '4.1.1';

/** Where `.ci/run` puts the jars. */
const jars =
  process.env.EXPORTER_KAFKA_JARS ?? path.join(homedir(), '.cache', 'send-connector-exporter', `kafka-${version}`);

export function hasKafka() {
  if (existsSync(path.join(jars, `kafka_2.13-${version}.jar`))) return true;
  const why = `the jars of Kafka are not in ${jars} (see .ci/run)`;
  if (process.env.CI === 'true') throw new Error(why);
  console.warn(`SKIPPED: ${why}`);
  return false;
}

/** Ports that nobody has at this moment. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

/**
 * Starts a cluster and waits until every broker answers.
 * @param options how many `brokers`; further `properties` of each; `listeners` besides the plain one, by their name: the protocol
 * and what else belongs to the listener
 */
export async function startKafka({ brokers = 1, properties = {}, listeners = {} } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'kafka-'));
  const names = Object.keys(listeners);
  const each = names.length + 2;
  const ports = await freePorts(brokers * each);
  const nodes = Array.from({ length: brokers }, (_, index) => {
    const [plain, controller, ...others] = ports.slice(index * each, (index + 1) * each);
    return {
      id: index + 1,
      plain,
      controller,
      others: Object.fromEntries(names.map((name, at) => [name, others[at]])),
    };
  });
  const cluster = { folder, nodes, properties, listeners, processes: new Map() };
  await Promise.all(nodes.map((node) => format(cluster, node)));
  await Promise.all(nodes.map((node) => startNode(cluster, node)));
  return {
    /** `host:port` of the plain listener of every broker. */
    brokers: nodes.map(({ plain }) => `127.0.0.1:${plain}`),
    /** `host:port` of another listener. */
    listener: (name) => nodes.map(({ others }) => `${listeners[name].host ?? '127.0.0.1'}:${others[name]}`),
    /** Ends a broker: as `kill -9`, or in order. */
    stopNode: (id, signal = 'SIGKILL') => stopNode(cluster, id, signal),
    startNode: (id) =>
      startNode(
        cluster,
        nodes.find((node) => node.id === id),
      ),
    stop: async () => {
      await Promise.all([...cluster.processes.keys()].map((id) => stopNode(cluster, id, 'SIGKILL')));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
    log: (id = 1) => cluster.processes.get(id)?.log() ?? '',
  };
}

const clusterId = 'MkU3OEVBNTcwNTJENDM2Qk';
const java = (...args) => ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${jars}/*`, ...args];

async function format({ folder, nodes, properties, listeners }, node) {
  const home = path.join(folder, String(node.id));
  await mkdir(home);
  const all = {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': nodes.map(({ id, controller }) => `${id}@127.0.0.1:${controller}`).join(','),
    listeners: addresses(node, listeners, true),
    'advertised.listeners': addresses(node, listeners, false),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAIN',
    'listener.security.protocol.map': [
      'CONTROLLER:PLAINTEXT',
      'PLAIN:PLAINTEXT',
      ...Object.entries(listeners).map(([name, { protocol }]) => `${name}:${protocol}`),
    ].join(','),
    'log.dirs': path.join(home, 'data'),
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
    ...properties,
  };
  for (const [name, { settings = {} }] of Object.entries(listeners))
    for (const [key, value] of Object.entries(settings)) all[`listener.name.${name.toLowerCase()}.${key}`] = value;
  const text = Object.entries(all).map(([key, value]) => `${key}=${value}`);
  await writeFile(path.join(home, 'server.properties'), `${text.join('\n')}\n`);
  await writeFile(path.join(home, 'log4j2.properties'), quietLog);
  // What the storage tool writes, without the seconds that its start takes.
  await mkdir(path.join(home, 'data'));
  const directory = randomBytes(16).toString('base64url');
  const meta = ['version=1', `cluster.id=${clusterId}`, `node.id=${node.id}`, `directory.id=${directory}`];
  await writeFile(path.join(home, 'data', 'meta.properties'), `${meta.join('\n')}\n`);
}

const quietLog =
  'rootLogger.level=WARN\nrootLogger.appenderRefs=console\nrootLogger.appenderRef.console.ref=console\nappender.console.type=Console\nappender.console.name=console\nappender.console.layout.type=PatternLayout\nappender.console.layout.pattern=%d %p %m%n\n';

function addresses({ plain, controller, others }, listeners, isBound) {
  const named = Object.keys(listeners).map(
    (name) => `${name}://${listeners[name].host ?? '127.0.0.1'}:${others[name]}`,
  );
  return [`PLAIN://127.0.0.1:${plain}`, ...named, ...(isBound ? [`CONTROLLER://127.0.0.1:${controller}`] : [])].join(
    ',',
  );
}

async function startNode(cluster, node) {
  const home = path.join(cluster.folder, String(node.id));
  const options = java(
    `-Dlog4j2.configurationFile=${path.join(home, 'log4j2.properties')}`,
    'kafka.Kafka',
    path.join(home, 'server.properties'),
  );
  const child = spawn('java', options, { stdio: ['ignore', 'pipe', 'pipe'], cwd: home });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (log = (log + text).slice(-200_000)));
  const ended = once(child, 'close');
  cluster.processes.set(node.id, { child, ended, log: () => log });
  const deadline = Date.now() + 60_000;
  while (!(await answers(node.plain))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Kafka did not start:\n${log}`);
    await pause(50);
  }
}

async function stopNode({ processes }, id, signal) {
  const running = processes.get(id);
  processes.delete(id);
  running?.child.kill(signal);
  await running?.ended;
}

function answers(port) {
  return new Promise((told) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), told(true)));
    socket.once('error', () => told(false));
  });
}

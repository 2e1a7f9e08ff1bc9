/**
 * A real Apache Kafka on loopback: one to three brokers in KRaft mode, on free ports, in a folder of their own. What a broker needs is
 * known to the demo (src/commands/demo/kafka-broker.ts); its jars come from Maven Central by Debian's mvn (.ci/run fetches them).
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  clusterProperties,
  missingForKafka,
  prepareBroker,
  startBroker,
} from '../../dist/commands/demo/kafka-broker.js';

export function hasKafka() {
  const missing = missingForKafka();
  if (missing.length === 0) return true;
  const why = missing.join('; ');
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
      home: path.join(folder, String(index + 1)),
      port: plain,
      controller,
      others: Object.fromEntries(names.map((name, at) => [name, others[at]])),
    };
  });
  const running = new Map();
  const start = async (node) => running.set(node.id, await startBroker(node));
  const stopNode = async (id, signal) => {
    const broker = running.get(id);
    running.delete(id);
    await broker?.stop(signal);
  };
  const shared = { ...clusterProperties(nodes), ...properties, ...securityOf(listeners) };
  await Promise.all(
    nodes.map((node) => prepareBroker({ ...node, properties: { ...shared, ...addressesOf(node, listeners) } })),
  );
  await Promise.all(nodes.map(start));
  return {
    /** `host:port` of the plain listener of every broker. */
    brokers: nodes.map(({ port }) => `127.0.0.1:${port}`),
    /** `host:port` of another listener. */
    listener: (name) => nodes.map(({ others }) => `${listeners[name].host ?? '127.0.0.1'}:${others[name]}`),
    /** Ends a broker: as `kill -9`, or in order. */
    stopNode,
    startNode: (id) => start(nodes.find((node) => node.id === id)),
    stop: async () => {
      await Promise.all([...running.keys()].map((id) => stopNode(id)));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
    log: (id = 1) => running.get(id)?.log() ?? '',
  };
}

function securityOf(listeners) {
  const protocols = Object.entries(listeners).map(([name, { protocol }]) => `${name}:${protocol}`);
  const all = {
    'listener.security.protocol.map': ['CONTROLLER:PLAINTEXT', 'PLAIN:PLAINTEXT', ...protocols].join(','),
  };
  for (const [name, { settings = {} }] of Object.entries(listeners))
    for (const [key, value] of Object.entries(settings)) all[`listener.name.${name.toLowerCase()}.${key}`] = value;
  return all;
}

function addressesOf({ port, controller, others }, listeners) {
  const named = Object.entries(others).map(([name, own]) => `${name}://${listeners[name].host ?? '127.0.0.1'}:${own}`);
  const advertised = [`PLAIN://127.0.0.1:${port}`, ...named].join(',');
  return {
    listeners: `${advertised},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': advertised,
  };
}

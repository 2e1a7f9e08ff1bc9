import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { reasons, type Reason } from '../../src/model/words.js';
import { reasonWords } from '../../src/model/reason-words.js';
import { builtProgram, loopbackOnly } from '../support/exporter.js';
import { hasKafka } from '../support/kafka-broker.mjs';
import { hasProgram } from '../support/programs.js';

const limit = 90_000;

type Demo = {
  readonly pid: number;
  readonly output: () => string;
  /** Waits until the output has what is looked for. */
  readonly says: (what: RegExp) => Promise<RegExpExecArray>;
  readonly ended: Promise<number | null>;
};

const running = new Set<Demo>();
afterEach(() => {
  // Only after a failure is one still running: it gets no chance to end what it started.
  for (const { pid } of running) for (const each of [...childrenOf(pid), pid]) process.kill(each, 'SIGKILL');
  running.clear();
});

describe('the demo', () => {
  it(
    'shows every kind of server with its own reason, and leaves nothing behind after Ctrl-C',
    async () => {
      const demo = startDemo(['--demo.port=0']);
      const url = (await demo.says(/Status page +(\S+)\//))[1]!;
      const page = await eventually(() => textOf(`${url}/`), /To Partner Fabrikam/);
      expect(page).toMatch(/<html/i);
      for (const [destination, reason] of await reasonsPromised(demo)) {
        await eventually(() => linesOf(`${url}/metrics`, destination), new RegExp(`reason="${reason}"`));
      }
      const known = await eventually(() => textOf(`${url}/metrics`), /exchange_send_connector_info/);
      expect(known).toContain(
        'exchange_send_connector_info{connector="Outbound to Internet",enabled="true",dns_routing="true",require_tls="false",protocol_logging="verbose"} 1',
      );
      await demo.says(/Ctrl-C ends everything/);
      // 3.5: nothing in the greeting looks like trouble.
      expect(demo.output()).not.toMatch(/level=(?:warn|error)/);
      const folder = (await demo.says(/(\S+send-connector-demo-\w+)/))[1]!;
      const children = childrenOf(demo.pid);
      process.kill(demo.pid, 'SIGINT');
      expect(await demo.ended).toBe(0);
      expect(existsSync(folder)).toBe(false);
      expect(children.filter(isAlive)).toEqual([]);
      await expect(fetch(`${url}/metrics`)).rejects.toThrow();
    },
    limit,
  );

  it.skipIf(!hasProgram('prometheus') || !hasProgram('alertmanager', 'prometheus-alertmanager'))(
    'fires its alerts in the Prometheus and the Alertmanager that it starts',
    async () => {
      const demo = startDemo(['--demo.port=0']);
      const url = (await demo.says(/Status page +(\S+)\//))[1]!;
      const prometheus = (await demo.says(/Prometheus +(http\S+)/))[1]!;
      const alertmanager = (await demo.says(/Alertmanager +(http\S+)/))[1]!;
      await eventually(
        () => textOf(`${prometheus}/api/v1/alerts`),
        /"alertname":"SendConnectorError"[^]*"state":"firing"/,
      );
      const alerts = await eventually(
        () => textOf(`${alertmanager}/api/v2/alerts`),
        /"alertname":"SendConnectorError"/,
      );
      const runbook = /"runbook_url":"([^"]+)"/.exec(alerts)?.[1]?.replaceAll('\\u0026', '&');
      expect(runbook).toMatch(new RegExp(`^${url}/runbooks/`));
      expect((await fetch(runbook!)).status).toBe(200);
      process.kill(demo.pid, 'SIGTERM');
      expect(await demo.ended).toBe(0);
      await expect(fetch(prometheus)).rejects.toThrow();
      await expect(fetch(alertmanager)).rejects.toThrow();
    },
    limit,
  );

  it.skipIf(!hasProgram('prometheus') || !hasProgram('alertmanager', 'prometheus-alertmanager'))(
    '16.1.1: tells of four outages at destinations, and not that a server gets no connection, for each reaches something',
    async () => {
      const demo = startDemo(['--demo.port=0', '--demo.prometheus-port=0', '--demo.alertmanager-port=0']);
      const prometheus = (await demo.says(/Prometheus +(http\S+)/))[1]!;
      const destinationsDown = async (): Promise<string> => {
        const found = await alertsIn(prometheus);
        const down = found.filter(({ state, labels }) => state === 'firing' && labels.alertname === 'DestinationDown');
        return [...new Set(down.map(({ labels }) => labels.destination))].length >= 4 ? 'told' : JSON.stringify(found);
      };
      await eventually(destinationsDown, /^told$/, 1000);
      const promised = new Map(await reasonsPromised(demo));
      const found = await alertsIn(prometheus);
      for (const { labels, annotations } of found) {
        expect(['ServerEgressDown', 'SendConnectorDown', 'SendConnectorExporterDown']).not.toContain(labels.alertname);
        if (labels.alertname !== 'DestinationDown') continue;
        const reason = promised.get(labels.destination!) as Reason | undefined;
        expect(reason, JSON.stringify(labels)).toBeDefined();
        expect(annotations.summary).toContain(reasonWords[reason!].what);
        // Only where nothing accepts the connection is it not reached.
        expect(annotations.summary?.includes('cannot reach'), annotations.summary).toBe(reason === 'refused');
      }
      process.kill(demo.pid, 'SIGTERM');
      expect(await demo.ended).toBe(0);
    },
    300_000,
  );

  it.skipIf(!hasProgram('java') || !hasKafka())(
    '19.4: with --kafka the events come through a Kafka that it starts and ends',
    async () => {
      const demo = startDemo(['--kafka', '--demo.port=0']);
      const url = (await demo.says(/Status page +(\S+)\//))[1]!;
      await demo.says(/Winlogbeat sends them to Kafka\n {2}127\.0\.0\.1:\d+, topic windows-events/);
      await eventually(() => textOf(`${url}/metrics`), /connection_errors_total\{[^\n]*\} [1-9]/);
      expect(await textOf(`${url}/metrics`)).toContain('source="kafka:windows-events",partition="2"');
      await demo.says(/Ctrl-C ends everything/);
      const children = childrenOf(demo.pid);
      process.kill(demo.pid, 'SIGINT');
      expect(await demo.ended).toBe(0);
      expect(children.length).toBeGreaterThan(0);
      expect(children.filter(isAlive)).toEqual([]);
      expect(demo.output()).not.toMatch(/level=(?:warn|error)/);
    },
    limit,
  );

  it('19.4: where no Kafka is to be had it says what is missing, with the remedy', async () => {
    const demo = startDemo(['--kafka', '--demo.port=0'], { PATH: '', EXPORTER_KAFKA_JARS: '/nowhere' });
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toMatch(/Java 17 or later is not on PATH \(.*\)\n.*Kafka are not in \/nowhere; unpack Kafka/);
  });

  it(
    '3.5: every port can be chosen; a free one is taken, and said, when another program has it; ends when told how long',
    async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const flags = ['port', 'prometheus-port', 'alertmanager-port'].map((flag) => `--demo.${flag}`);
      const demo = startDemo([...flags.map((flag) => `${flag}=${port}`), '--demo.duration=1'], { PATH: '' });
      for (const flag of flags) {
        const words = `Port ${port} is taken; the demo uses (\\d+) instead for [^(\\n]+ \\(${flag} chooses another`;
        const [, used] = await demo.says(new RegExp(words));
        expect(Number(used)).not.toBe(port);
      }
      await demo.says(/Prometheus +not on PATH[^\n]*\n *Alertmanager +not on PATH/);
      expect(await demo.ended).toBe(0);
      other.close();
    },
    limit,
  );
});

function startDemo(args: readonly string[], env: NodeJS.ProcessEnv = {}): Demo {
  const child = spawn(process.execPath, [...loopbackOnly, builtProgram, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += String(text)));
  }
  const demo: Demo = {
    pid: child.pid!,
    output: () => output,
    ended: once(child, 'close').then(([code]) => {
      running.delete(demo);
      return code as number | null;
    }),
    says: (what) =>
      new Promise((found, failed) => {
        const look = (): void => {
          const match = what.exec(output);
          if (match) found(match);
        };
        look();
        child.stdout.on('data', look);
        void demo.ended.then(() => {
          failed(new Error(`the demo ended without saying ${what.source}:\n${output}`));
        });
      }),
  };
  running.add(demo);
  return demo;
}

/** Destination and reason of every row of the demo's table that names a reason. */
async function reasonsPromised(demo: Demo): Promise<readonly [string, string][]> {
  const [table] = await demo.says(/ {2}Destination +What is there[^]*?\n\n/);
  const rows = table.split('\n').map((line) => line.trim().split(/ {2,}/));
  const promised = rows.flatMap(([destination = '', , shows = '']): [string, string][] =>
    (reasons as readonly string[]).includes(shows) ? [[destination, shows]] : [],
  );
  expect(promised.length).toBeGreaterThanOrEqual(5);
  return promised;
}

type FoundAlert = {
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

async function alertsIn(prometheus: string): Promise<readonly FoundAlert[]> {
  const answer = JSON.parse(await textOf(`${prometheus}/api/v1/alerts`)) as { data: { alerts: FoundAlert[] } };
  return answer.data.alerts;
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

async function linesOf(url: string, part: string): Promise<string> {
  return (await textOf(url))
    .split('\n')
    .filter((line) => line.includes(`"${part}"`))
    .join('\n');
}

/** Asks again until the answer matches; the time limit of the test ends it, with the last answer in the log. */
async function eventually(ask: () => Promise<string>, expected: RegExp, most = 300): Promise<string> {
  for (let tries = 0; ; tries++) {
    const answer = await ask();
    if (expected.test(answer)) return answer;
    if (tries === most) throw new Error(`expected ${expected.source}, got last:\n${answer.slice(0, 4000)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Process ids of the children; empty where there is no /proc. */
function childrenOf(pid: number): number[] {
  if (!existsSync('/proc')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

/** The fourth field of /proc/PID/stat; the second is the name in brackets and may hold anything. */
function parentOf(pid: string): number | undefined {
  try {
    return Number(/\) \S (\d+) [^)]*$/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

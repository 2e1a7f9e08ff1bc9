/** The command `demo`: a small mail world on loopback, the exporter on it, and Prometheus and Alertmanager if installed. */
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config/config.js';
import { createLog } from '../runtime/log.js';
import { keepWriting } from './demo/event-writer.js';
import { freePort } from './demo/free-port.js';
import { openMailWorld, type MailWorld } from './demo/mail-world.js';
import { startMonitoring, type Program } from './demo/monitoring.js';
import { openTransportLogs, type TransportLogs } from './demo/transport-log-writer.js';

export type DemoFlags = {
  readonly 'demo.port': number;
  readonly 'demo.prometheusPort': number;
  readonly 'demo.alertmanagerPort': number;
  readonly 'demo.duration'?: number;
  readonly kafka?: boolean;
};

/** Runs until Ctrl-C or the end of `--demo.duration`. @returns the exit code */
export async function demoCommand(flags: DemoFlags): Promise<number> {
  const end = endOf(flags['demo.duration']);
  // What was opened, closed in reverse order: also when the start fails half way.
  const closers: (() => unknown)[] = [];
  try {
    const folder = await mkdtemp(join(tmpdir(), 'send-connector-demo-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    await start(folder, flags, closers);
    await end;
    print('\nStopping ...');
    return 0;
  } catch (error) {
    process.stderr.write(`The demo could not start: ${(error as Error).message}\n`);
    return 1;
  } finally {
    for (const close of closers.reverse()) await close();
    print('Stopped; the temporary folder is removed.');
  }
}

async function start(folder: string, flags: DemoFlags, closers: (() => unknown)[]): Promise<void> {
  const world = await openMailWorld();
  closers.push(() => world.close());
  const carrier = flags.kafka === true ? await openKafka(folder, closers) : await openFile(folder);
  await writeFile(join(folder, 'authority.pem'), world.authority);
  await writeFile(join(folder, 'connectors.json'), JSON.stringify(inventory(world)));
  const port = await portFor('the status page', flags['demo.port'], '--demo.port');
  const logs = openTransportLogs(join(folder, 'transport-logs'), world);
  const url = await startExporter(folder, settings(folder, carrier.source, port, world, logs), port, closers);
  print(introduction(url, carrier.words, join(folder, 'transport-logs'), world));
  closers.push(keepWriting(carrier.deliver, world.outages, logs.write));
  const monitoring = await startMonitoring(folder, url, {
    prometheusPort: await portFor('Prometheus', flags['demo.prometheusPort'], '--demo.prometheus-port'),
    alertmanagerPort: await portFor('Alertmanager', flags['demo.alertmanagerPort'], '--demo.alertmanager-port'),
  });
  closers.push(monitoring.stop);
  print(aboutMonitoring(monitoring.programs));
  print('Ctrl-C ends everything and removes what was written.');
}

/** What takes the events from the servers to the exporter. */
type Carrier = {
  /** As in the configuration. */
  readonly source: object;
  /** Ends the sentence "Winlogbeat ...". */
  readonly words: string;
  readonly deliver: (line: string) => void;
};

async function openFile(folder: string): Promise<Carrier> {
  const events = join(folder, 'winlogbeat.ndjson');
  await writeFile(events, '');
  return {
    source: { type: 'file', paths: [events] },
    words: `appends them to\n  ${events}`,
    deliver: (line) => {
      appendFileSync(events, line);
    },
  };
}

async function openKafka(folder: string, closers: (() => unknown)[]): Promise<Carrier> {
  print('Starting Kafka ...');
  const { openTopic } = await import('./demo/kafka-topic.js');
  const { broker, topic, send, close } = await openTopic(folder);
  closers.push(close);
  return {
    source: { type: 'kafka', brokers: [broker], topics: [topic] },
    words: `sends them to Kafka\n  ${broker}, topic ${topic}`,
    deliver: send,
  };
}

/** @returns the wanted port, or a free one when another program has it, which is said with the flag that chooses */
async function portFor(what: string, wanted: number, flag: string): Promise<number> {
  const port = await freePort(wanted);
  if (wanted !== 0 && port !== wanted)
    print(`Port ${wanted} is taken; the demo uses ${port} instead for ${what} (${flag} chooses another).`);
  return port;
}

/** The real exporter in this process, confined to loopback and with short intervals. @returns its address */
async function startExporter(
  folder: string,
  configuration: object,
  port: number,
  closers: (() => unknown)[],
): Promise<string> {
  const file = join(folder, 'config.yml');
  await writeFile(file, JSON.stringify(configuration));
  const loaded = await loadConfig({ file });
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  const { serve } = await import('../serve.js');
  const exporter = await serve(loaded.config, createLog({ level: 'warn', format: 'logfmt' }));
  closers.push(() => exporter.stop());
  return exporter.addresses[0] ?? `http://127.0.0.1:${port}`;
}

/** A configuration file like any other (JSON is YAML), so that the demo shows nothing that a person could not have. */
function settings(folder: string, source: object, port: number, world: MailWorld, logs: TransportLogs): object {
  const url = `http://127.0.0.1:${port}`;
  return {
    sources: [
      source,
      ...logs.servers.map(({ computer, folders }) => ({
        type: 'file',
        server: computer,
        paths: folders,
        mayBeEmpty: true,
      })),
    ],
    inventory: { file: 'connectors.json' },
    destinations: { static: world.configured },
    probe: {
      interval: '5s',
      observedInterval: '5s',
      timeout: '4s',
      allow: ['127.0.0.0/8'],
      ports: ['1-65535'],
      caFile: 'authority.pem',
      ehloName: 'exch01.contoso.example',
    },
    state: { directory: join(folder, 'state') },
    web: { listenAddresses: [`127.0.0.1:${port}`], externalUrl: url },
  };
}

/** As examples/windows/Export-SendConnectors.ps1 writes it. */
function inventory({ connectors, outages }: MailWorld): object {
  const names = [...new Set(outages.map(({ computer }) => computer))];
  const servers = names.map((name) => ({ Name: name.split('.')[0], Fqdn: name, SmtpSendEventLevel: 'High' }));
  return { Connectors: connectors, Servers: servers };
}

/** Resolves when a signal comes or the time is over. Asked for first, so that no signal during the start is lost. */
function endOf(seconds: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = seconds === undefined ? undefined : setTimeout(resolve, seconds * 1000);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      // Further signals change nothing: npm passes on a second time what the terminal has delivered already.
      process.on(signal, () => {
        clearTimeout(timer);
        resolve();
      });
    }
  });
}

function introduction(url: string, carrier: string, logs: string, world: MailWorld): string {
  const rows = world.servers.map(
    ({ destination, is, shows }) => `  ${destination.padEnd(17)} ${is.padEnd(42)} ${shows}`,
  );
  return `
A small mail world runs on this machine. Nothing leaves it: every address is loopback.

  Status page       ${url}/
  Metrics           ${url}/metrics

  Destination       What is there                              What the exporter finds
${rows.join('\n')}

EXCH01 and EXCH02 write an event 2002 whenever a Send connector fails; Winlogbeat ${carrier}
Their Send protocol logs and connectivity logs tell the attempts and the reasons:
  ${logs}
Look at the status page: each destination shows its errors, its own reason and the steps to resolve it.
`;
}

function aboutMonitoring(programs: readonly Program[]): string {
  const rows = programs.map(({ name, url, note }) => `  ${name.padEnd(17)} ${url ?? note ?? ''}`);
  const running = programs.some(({ url }) => url !== undefined);
  const advice = running
    ? 'A single error alerts within seconds, a destination that is down after a minute: see Alerts in Prometheus.\n' +
      'The runbook_url of an alert opens its resolution steps with the live state on top.\n'
    : 'Install them (Debian: apt install prometheus prometheus-alertmanager) to see the alerts fire.\n';
  return `${rows.join('\n')}\n${advice}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The command `doctor` on a healthy set-up and on broken ones: every text as a person reads it is in a golden file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createAuthority } from '../../src/commands/demo/certificates.js';
import { freePort } from '../../src/commands/demo/free-port.js';
import { healthy, refusing } from '../../src/commands/demo/smtp-servers.js';
import { loadConfig } from '../../src/config/config.js';
import { checkEhloNames } from '../../src/health/ehlo-names.js';
import { sourceFindings, type Finding } from '../../src/health/findings.js';
import { eventLevelFinding } from '../../src/health/machine-checks.js';
import { checkPrograms } from '../../src/health/program-checks.js';
import type { SendConnector } from '../../src/model/connectors.js';
import type { SourceStatus } from '../../src/model/status.js';
import { builtProgram, loopbackOnly, startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

type SetUp = {
  readonly folder: string;
  readonly port: number;
  /** Lines of the configuration beside the source and the port. */
  readonly config: string[];
  readonly write: (name: string, text: string | Buffer) => Promise<void>;
};

/** An export as our script writes it: one connector with a smart host, and one server that writes event 2002. */
function inventoryOf(port: number): string {
  const relay = { Name: 'Relay', SmartHosts: ['[127.0.0.1]'], Port: port, ProtocolLoggingLevel: 'Verbose' };
  return JSON.stringify({ Connectors: [relay], Servers: [{ Name: 'EXCH01', SmtpSendEventLevel: 'High' }] });
}

const portOf = (destination: string): number => Number(destination.split(':')[1]);

async function setUp(): Promise<SetUp> {
  const folder = await temporaryFolder();
  const write = (name: string, text: string | Buffer): Promise<void> => writeFile(path.join(folder, name), text);
  const port = await freePort(0);
  const server = await healthy();
  onTestFinished(() => server.close());
  await write('events.ndjson', winlogbeatLine());
  await write('connectors.json', inventoryOf(portOf(server.destination)));
  const config = [
    'sources: [{ type: file, paths: [events.ndjson] }]',
    'inventory: { file: connectors.json }',
    'probe: { allow: [127.0.0.0/8], ports: ["1-65535"], ehloName: "[127.0.0.1]" }',
    'state: { directory: state }',
  ];
  return { folder, port, config, write };
}

async function doctor(
  { folder, port, config, write }: SetUp,
  ...args: string[]
): Promise<{ code: number; text: string }> {
  await write(
    'config.yml',
    `${config.join('\n')}\nweb: { listenAddresses: ["127.0.0.1:${port}"], configFile: web.yml }\n`,
  );
  if (!config.some((line) => line.startsWith('# web'))) await write('web.yml', '# open\n');
  const child = spawn(
    process.execPath,
    [...loopbackOnly, builtProgram, 'doctor', '--config.file=config.yml', ...args],
    { cwd: folder, env: { ...process.env, PATH: await programsOf(folder) } },
  );
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const [code] = (await once(child, 'close')) as [number];
  return { code, text };
}

/** Programs of the network that are there on every machine: doctor says which it finds, and starts none of them. */
async function programsOf(folder: string): Promise<string> {
  const programs = path.join(folder, 'programs');
  await mkdir(programs, { recursive: true });
  for (const name of ['ping', 'mtr']) await writeFile(path.join(programs, name), '#!/bin/sh\n', { mode: 0o755 });
  return [programs, process.env.PATH].join(path.delimiter);
}

/** What differs from run to run, or from machine to machine, under a name. */
function stable(text: string, { folder, port }: SetUp): string {
  return text
    .replaceAll(folder, 'FOLDER')
    .replaceAll(String(port), 'PORT')
    .replace(/127\.0\.0\.1:(?!PORT)\d+/g, '127.0.0.1:SMTP')
    .replace(/[\d.]+ [GM]iB free/g, 'SIZE free')
    .replace(/answers, \d+ ms/g, 'answers, N ms')
    .replace(/exported \d+ s ago/g, 'exported N s ago')
    .replace(/127\.0\.0\.1 \d+ s ago/g, '127.0.0.1 N s ago')
    .replace(/process id \d+/g, 'process id PID')
    .replace(/(ok +(ping|path) +)\S.*/g, '$1PROGRAM');
}

const golden = (name: string) => path.resolve(import.meta.dirname, `../golden/doctor/${name}.txt`);

const broken: Readonly<Record<string, (world: SetUp) => Promise<unknown>>> = {
  'configuration-wrong': ({ config }) => Promise.resolve(config.push('probe: { interval: soon }')),
  'source-missing': ({ config }) =>
    Promise.resolve(config.splice(0, 1, 'sources: [{ type: file, paths: [none.ndjson] }]')),
  'source-binary': ({ write }) =>
    write('events.ndjson', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])),
  'source-empty-folder': async ({ folder, config }) => {
    await mkdir(path.join(folder, 'logs'));
    config.splice(0, 1, 'sources: [{ type: file, paths: [logs] }]');
  },
  'source-empty-folder-that-may-be': async ({ folder, config }) => {
    await mkdir(path.join(folder, 'logs'));
    config.splice(0, 1, 'sources: [{ type: file, paths: [logs], mayBeEmpty: true }]');
  },
  'source-of-another-system': ({ config }) =>
    Promise.resolve(
      config.splice(0, 1, 'sources: [{ type: file, paths: [events.ndjson] }, { type: windows-event-log }]'),
    ),
  'source-not-named': ({ config }) => Promise.resolve(config.splice(0, 1)),
  'state-folder-is-a-file': ({ write }) => write('state', 'not a folder'),
  'ledger-damaged': async ({ folder, write }) => {
    await mkdir(path.join(folder, 'state'));
    await write('state/ledger.json', '{"version": 1, "rows": [');
  },
  'ledger-newer': async ({ folder, write }) => {
    await mkdir(path.join(folder, 'state'));
    await write('state/ledger.json', '{"version": 99}');
  },
  'port-taken': async ({ port }) => {
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
  },
  'inventory-missing': ({ config }) => Promise.resolve(config.splice(1, 1, 'inventory: { file: none.json }')),
  'inventory-old-without-protocol-logging': async ({ folder, write }) => {
    await write('connectors.json', '[{"Name": "Outbound", "DNSRoutingEnabled": true, "ProtocolLoggingLevel": 0}]');
    const before = new Date(Date.now() - 5 * 86_400_000);
    await utimes(path.join(folder, 'connectors.json'), before, before);
  },
  'web-key-of-another-certificate': async ({ folder, config, write }) => {
    const authority = createAuthority('CA');
    await write('web.yml', 'tls_server_config: { cert_file: s.crt, key_file: s.key }\n');
    await write('s.crt', authority.issue(['a.example']).cert);
    await write('s.key', authority.issue(['a.example']).key);
    await chmod(path.join(folder, 's.key'), 0o644);
    config.push('# web.yml is there');
  },
  'clock-behind': ({ write }) => write('events.ndjson', winlogbeatLine({ at: new Date(Date.now() + 86_400_000 * 3) })),
  'smart-host-refuses': async ({ write }) => {
    const { destination } = await refusing();
    await write('connectors.json', inventoryOf(portOf(destination)));
  },
};

test.each(Object.keys(broken))('%s', async (name) => {
  const world = await setUp();
  await broken[name]!(world);
  const { text } = await doctor(world);
  await expect(stable(text, world)).toMatchFileSnapshot(golden(name));
});

test('17.3: doctor says of each source what the exporter says that was started with the same', async () => {
  const world = await setUp();
  const at = (name: string): string => path.join(world.folder, name);
  for (const name of ['empty', 'off', 'full', 'foreign']) await mkdir(at(name));
  await world.write('full/events.ndjson', winlogbeatLine());
  await world.write('foreign/cat.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]));
  const named = ['empty', 'full', 'foreign', 'full/*.json', 'none/events.ndjson'].map(at);
  const sources = `sources: ${JSON.stringify([
    { type: 'file', paths: named },
    { type: 'file', paths: [at('off')], mayBeEmpty: true },
  ])}`;
  world.config.splice(0, 1, sources);
  const { text } = await doctor(world, '--json', '--no-probe');
  const findings = (JSON.parse(text) as Finding[]).filter(({ check }) => check === 'source');
  await world.write('serve.yml', sources);
  const exporter = await startExporter({ args: ['--no-probe', `--config.file=${at('serve.yml')}`] });
  onTestFinished(() => exporter.kill9());
  await vi.waitFor(async () => {
    const answer = JSON.parse((await exporter.page('/api/v1/status')).body) as { sources: SourceStatus[] };
    expect(answer.sources.map(({ source, up }) => [source, up])).toEqual(
      [...named, at('off')].map((name) => [name, ['full', 'off'].includes(path.basename(name))]),
    );
    expect(findings).toEqual(sourceFindings(answer.sources));
  }, 25_000);
}, 60_000);

test('healthy, while the exporter runs and is scraped; as JSON too', async () => {
  const world = await setUp();
  await world.write('web.yml', '');
  const exporter = await startExporter({
    files: [path.join(world.folder, 'events.ndjson')],
    stateDirectory: path.join(world.folder, 'state'),
    args: ['--no-probe', `--web.listen-address=127.0.0.1:${world.port}`],
  });
  onTestFinished(() => exporter.kill9());
  await vi.waitFor(async () => {
    // The scraper is known to the ledger once something is saved after it has asked.
    await exporter.scrape();
    const { code, text } = await doctor(world);
    expect(text).toContain('All is well.');
    expect(code).toBe(0);
    await expect(stable(text, world)).toMatchFileSnapshot(golden('healthy'));
  }, 25_000);
  const { text } = await doctor(world, '--json');
  expect(JSON.parse(text)).toContainEqual({
    check: 'port',
    state: 'ok',
    text: `127.0.0.1:${world.port}: the exporter listens`,
  });
});

test('the event level is read from the registry, in any language of Windows', () => {
  const output = (level: string): string =>
    `\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeTransport\\Diagnostics\r\n    1 SmtpReceive    REG_DWORD    0x0\r\n    2 SmtpSend    REG_DWORD    ${level}\r\n`;
  expect(eventLevelFinding(output('0x5'))).toMatchObject({ state: 'ok' });
  expect(eventLevelFinding(output('0x7'))).toMatchObject({ state: 'ok' });
  expect(eventLevelFinding(output('0x0'))).toMatchObject({
    state: 'failed',
    text: expect.stringContaining('level 0') as string,
  });
  expect(eventLevelFinding('FEHLER: Der angegebene Registrierungsschlüssel wurde nicht gefunden.')).toBeUndefined();
});

test('a machine without ping and path programs is told which to install', async () => {
  expect(await checkPrograms(() => Promise.resolve(undefined))).toEqual([
    expect.objectContaining({ check: 'ping', state: 'warning', remedy: 'apt install iputils-ping' }),
    expect.objectContaining({
      check: 'path',
      state: 'warning',
      remedy: 'apt install mtr-tiny, iputils-tracepath or traceroute',
    }),
  ]);
  const onWindows = await checkPrograms(() => Promise.resolve(undefined), true);
  expect(onWindows.map(({ remedy }) => remedy)).toEqual([
    'restore ping.exe in System32, which is on every PATH of Windows',
    'restore tracert.exe in System32, which is on every PATH of Windows',
  ]);
});

test('1.2: doctor says which name is given in EHLO, and whether it resolves', async () => {
  const loaded = await loadConfig({});
  if (!loaded.ok) throw new Error(loaded.mistakes.join());
  const { config } = loaded;
  const lookup = (name: string) =>
    name === 'ex01.contoso.example'
      ? Promise.resolve([{ address: '192.0.2.7', family: 4 }])
      : Promise.reject(new Error('not found'));
  const system = { hostName: () => Promise.resolve('ex01.contoso.example'), lookup };
  const connector = { enabled: true, settings: { ehloName: 'mail.corp.example' } } as SendConnector;
  expect(await checkEhloNames(config, [connector, connector], system)).toEqual([
    expect.objectContaining({
      state: 'warning',
      text: 'mail.corp.example (Fqdn of a connector): does not resolve here',
    }),
    { check: 'EHLO name', state: 'ok', text: 'ex01.contoso.example (this host): resolves to 192.0.2.7' },
  ]);
  expect(await checkEhloNames(config, [], { hostName: () => Promise.resolve(undefined), lookup })).toEqual([
    expect.objectContaining({ state: 'warning', text: expect.stringContaining('has no full name') as unknown }),
  ]);
});

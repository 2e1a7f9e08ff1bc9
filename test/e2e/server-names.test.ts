/** The built exporter where a server stands under two names: the transport log's setting, the events, the inventory. */
import { writeFile, appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startExporter, type ExporterOptions, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { series } from '../support/scraped.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

const full = 'exch01.contoso.local';
const connector = 'Outbound to Internet';
const destination = '203.0.113.25:25';

/** A Send protocol log with one failed connect for each session. */
function sendLog(sessions: number): string {
  const head = [
    '#Software: Microsoft Exchange Server',
    '#Version: 15.0.0.0',
    '#Log-type: SMTP Send Protocol Log',
    `#Date: ${new Date().toISOString()}`,
    '#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context',
  ];
  const rows = Array.from({ length: sessions }, (_, index) => {
    const begins = `${new Date().toISOString()},${connector},08DE52C2C6A1F${(0x100 + index).toString(16).toUpperCase()}`;
    return [
      `${begins},0,,${destination},*,,attempting to connect`,
      `${begins},1,,${destination},*,,"Failed to connect. Winsock error code: 10061, Win32 error code: 10061, Error Message: No connection could be made because the target machine actively refused it"`,
    ];
  });
  return [...head, ...rows.flat(), ''].join('\r\n');
}

async function exporterOn(
  folder: string,
  config: readonly string[],
  more: ExporterOptions = {},
): Promise<RunningExporter> {
  const file = path.join(folder, 'config.yml');
  await writeFile(file, config.join('\n'));
  const args = [`--config.file=${file}`, '--no-probe'];
  const exporter = await startExporter({ ...more, args });
  onTestFinished(() => exporter.kill9());
  return exporter;
}

function serversIn(page: string): string[] {
  return [...new Set([...page.matchAll(/^[^#\n]*[{,]server="([^"]*)"/gm)].map(([, server = '']) => server))].sort();
}

function valuesOf(page: string, counter: string): number[] {
  return [...series(page, `exchange_send_connector_connection_${counter}_total`).values()];
}

test('2.1: a transport log set to EXCH01 and events of EXCH01.contoso.local are one server, learnt while it runs', async () => {
  const folder = await temporaryFolder();
  const stateDirectory = path.join(folder, 'state');
  const [logs, events] = [path.join(folder, 'SmtpSend'), path.join(folder, 'events.ndjson')];
  await mkdir(logs);
  await writeFile(path.join(logs, 'SEND20260115-1.LOG'), sendLog(3));
  await writeFile(events, '');
  const config = [
    'sources:',
    `  - { type: file, server: EXCH01, paths: ["${logs}"] }`,
    `  - { type: file, paths: ["${events}"] }`,
  ];
  const exporter = await exporterOn(folder, config, { stateDirectory });
  await vi.waitFor(async () => {
    expect(valuesOf(await exporter.scrape(), 'attempts')).toEqual([3]);
  }, 20_000);
  expect(serversIn(await exporter.scrape())).toEqual(['exch01']);
  await appendFile(events, winlogbeatLine({ recordId: 1 }) + winlogbeatLine({ recordId: 2 }));
  const expectFull = (page: string): void => {
    expect(serversIn(page)).toEqual([full]);
    expect([valuesOf(page, 'attempts'), valuesOf(page, 'failures'), valuesOf(page, 'errors')]).toEqual([[3], [3], [2]]);
  };
  const seen: number[] = [];
  await vi.waitFor(async () => {
    const page = await exporter.scrape();
    seen.push(valuesOf(page, 'attempts').reduce((sum, each) => sum + each, 0));
    expectFull(page);
  }, 20_000);
  // Under one name or the other, and never under both.
  expect(new Set(seen)).toEqual(new Set([3]));
  expect(exporter.log()).toMatch(/its full name.* name=exch01 full_name=exch01\.contoso\.local/);
  // A link in an alert that was sent before still leads to the pair.
  const { body } = await exporter.page(`/runbooks/SendConnectorError?server=exch01&destination=${destination}`);
  expect(body).toContain(full);
  expect(await exporter.stop()).toBe(0);
  const again = await exporterOn(folder, config, { stateDirectory });
  await appendFile(path.join(logs, 'SEND20260115-1.LOG'), sendLog(4).split('\r\n').slice(-3).join('\r\n'));
  await vi.waitFor(async () => {
    const page = await again.scrape();
    expect(serversIn(page)).toEqual([full]);
    expect(valuesOf(page, 'attempts')).toEqual([4]);
  }, 20_000);
});

test('2.1: the inventory names the server with Name and Fqdn before any event does', async () => {
  const folder = await temporaryFolder();
  const inventory = {
    Connectors: [
      { Name: connector, Enabled: true, DNSRoutingEnabled: true, SourceTransportServers: ['EXCH01', 'EXCH02'] },
    ],
    Servers: [
      { Name: 'EXCH01', Fqdn: 'EXCH01.contoso.local', SmtpSendEventLevel: 'High' },
      { Name: 'EXCH02', Fqdn: 'EXCH02.contoso.local', SmtpSendEventLevel: 'High' },
    ],
  };
  const [log, exported] = [path.join(folder, 'SEND20260115-1.LOG'), path.join(folder, 'connectors.json')];
  await writeFile(log, sendLog(2));
  await writeFile(exported, JSON.stringify(inventory));
  const exporter = await exporterOn(folder, [
    'sources:',
    `  - { type: file, server: EXCH01, paths: ["${log}"] }`,
    `  - { type: file, paths: ["${path.join(folder, '*.ndjson')}"] }`,
    `inventory: { file: "${exported}" }`,
  ]);
  await vi.waitFor(async () => {
    const page = await exporter.scrape();
    expect(valuesOf(page, 'attempts')).toEqual([2]);
    expect(serversIn(page)).toEqual([full, 'exch02.contoso.local']);
  }, 20_000);
});

test('2.1: two servers with one short name in two domains stay two, and the short name is not guessed', async () => {
  const folder = await temporaryFolder();
  const [log, events] = [path.join(folder, 'SEND20260115-1.LOG'), path.join(folder, 'events.ndjson')];
  const lines = [full, 'EXCH01.fabrikam.local'].map((server) => winlogbeatLine({ server, recordId: 7 }));
  await writeFile(events, lines.join(''));
  const config = (more = ''): string[] => ['sources:', `  - { type: file, paths: ["${events}"] }`, more];
  const exporter = await exporterOn(folder, config());
  await vi.waitFor(async () => {
    expect(valuesOf(await exporter.scrape(), 'errors')).toEqual([1, 1]);
  }, 20_000);
  await writeFile(log, sendLog(1));
  await writeFile(
    path.join(folder, 'config.yml'),
    config(`  - { type: file, server: EXCH01, paths: ["${log}"] }`).join('\n'),
  );
  expect((await fetch(new URL('/-/reload', exporter.url), { method: 'POST' })).status).toBe(200);
  await vi.waitFor(async () => {
    const page = await exporter.scrape();
    expect(valuesOf(page, 'attempts')).toEqual([1]);
    expect(serversIn(page)).toEqual(['exch01', full, 'exch01.fabrikam.local']);
  }, 20_000);
});

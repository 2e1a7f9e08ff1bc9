/** The inventory in a running exporter: connectors at zero, their smart hosts probed their own way, what is not seen told. */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { healthy } from '../../src/commands/demo/smtp-servers.js';
import { startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { errorCounter, series } from '../support/scraped.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

const patience = { timeout: 25_000, interval: 50 };

test('smart hosts stand at zero and are probed before the first error; a missing file is told, a new one taken over', async () => {
  const folder = await temporaryFolder();
  const server = await healthy();
  onTestFinished(() => server.close());
  const port = Number(server.destination.split(':').at(-1));
  const file = path.join(folder, 'connectors.json');
  const events = path.join(folder, 'events.ndjson');
  const config = path.join(folder, 'config.yml');
  await writeFile(events, '');
  await writeFile(
    config,
    'sources: [{ type: file, paths: [events.ndjson] }]\ninventory: { file: connectors.json }\nprobe: { interval: 1s, allow: [127.0.0.0/8], ports: ["1-65535"] }\n',
  );
  const exporter = await startExporter({ args: [`--config.file=${config}`] });
  onTestFinished(() => exporter.kill9());
  expect((await exporter.page('/')).body).toContain('connectors.json: expected a readable file');

  const relay = { Name: 'Relay', SmartHosts: '[127.0.0.1]', Port: port, SourceTransportServers: 'EXCH01' };
  await writeFile(file, JSON.stringify([{ ...relay, Fqdn: 'mail.contoso.example', ProtocolLoggingLevel: 'None' }]));
  const labels = (host: string) => `{server="${host}",connector="Relay",destination="127.0.0.1:${port}"}`;
  await vi.waitFor(async () => {
    const page = await exporter.scrape();
    expect([...series(page, errorCounter)]).toEqual([[labels('exch01'), 0]]);
    expect(page).toContain(
      'exchange_send_connector_info{connector="Relay",enabled="true",dns_routing="false",require_tls="false",protocol_logging="none"} 1',
    );
    expect(series(page, 'exchange_exporter_inventory_age_seconds').get('')).toBeLessThan(60);
    expect(page).toContain(`exchange_destination_probe_success{destination="127.0.0.1:${port}"} 1`);
    expect(page).toMatch(new RegExp(`exchange_destination_info\\{destination="127.0.0.1:${port}".*origin="inventory"`));
  }, patience);
  expect(exporter.log()).toContain('Set-SendConnector -ProtocolLoggingLevel Verbose');
  expect((await exporter.page(`/destinations/127.0.0.1:${port}`)).body).toContain('EHLO mail.contoso.example');

  const server1 = 'EXCH01.contoso.local';
  await appendFile(events, winlogbeatLine({ connector: 'Relay', destination: `127.0.0.1:${port}`, server: server1 }));
  await vi.waitFor(async () => {
    expect([...series(await exporter.scrape(), errorCounter)]).toEqual([[labels('exch01.contoso.local'), 1]]);
  }, patience);
});

/** What NXLog and others keep of an event of a German server: no insertion strings, only the message. */
function germanLine(connector: string, recordId: number): string {
  const line = JSON.parse(winlogbeatLine({ recordId })) as { message: string; winlog: { event_data?: object } };
  line.message = `Sendeconnector "${connector}": Fehler beim Verbinden mit 203.0.113.25:25.`;
  delete line.winlog.event_data;
  return `${JSON.stringify(line)}\n`;
}

test('a message in another language names connectors of the inventory and those that Exchange makes itself', async () => {
  const folder = await temporaryFolder();
  const implicit = 'Intra-Organization SMTP Send Connector';
  const connectors = [
    { Name: 'Büro → Außen', SourceTransportServers: ['EXCH01'] },
    { Name: 'Relay', SmartHosts: '10.0.0.9', SourceTransportServers: ['EXCH02'] },
  ];
  const servers = [{ Name: 'EXCH02', Fqdn: 'EXCH02.contoso.local', SmtpSendEventLevel: 'Low' }];
  await writeFile(path.join(folder, 'connectors.json'), JSON.stringify({ Connectors: connectors, Servers: servers }));
  await writeFile(path.join(folder, 'events.ndjson'), germanLine('Büro → Außen', 1) + germanLine(implicit, 2));
  await writeFile(
    path.join(folder, 'config.yml'),
    'sources: [{ type: file, paths: [events.ndjson] }]\ninventory: { file: connectors.json }\nprobe: { enabled: false }\n',
  );
  const exporter = await startExporter({ args: [`--config.file=${path.join(folder, 'config.yml')}`] });
  onTestFinished(() => exporter.kill9());
  await vi.waitFor(async () => {
    const counted = series(await exporter.scrape(), errorCounter);
    const of = (connector: string, destination: string) =>
      counted.get(`{server="exch01.contoso.local",connector="${connector}",destination="${destination}"}`);
    expect([of('Büro → Außen', '203.0.113.25:25'), of(implicit, '203.0.113.25:25')]).toEqual([1, 1]);
    // It delivers by DNS, anywhere: its series to count from has no name for a destination, and no row on the page.
    expect(of('Büro → Außen', 'other')).toBe(0);
    // No record has named this server yet; the inventory has its full name.
    expect(counted.get('{server="exch02.contoso.local",connector="Relay",destination="10.0.0.9:25"}')).toBe(0);
  }, patience);
  const { body } = await exporter.page('/');
  expect(body).not.toContain('>other<');
  expect(body).toContain('exch02.contoso.local: event 2002 of this server is not written');
});

test('on an Exchange server the transport logs are found without a setting, and the start tells which', async () => {
  const installPath = path.join(await temporaryFolder(), 'V15');
  const folders = ['Hub/Connectivity', 'FrontEnd/ProtocolLog/SmtpSend', 'Mailbox/Connectivity/Delivery'];
  for (const each of folders) await mkdir(path.join(installPath, 'TransportRoles/Logs', each), { recursive: true });
  const exporter = await startExporter({ args: ['--no-probe'], env: { ExchangeInstallPath: installPath } });
  onTestFinished(() => exporter.kill9());
  await vi.waitFor(async () => {
    const up = series(await exporter.scrape(), 'exchange_exporter_source_up');
    const found = folders.map((each) => [`{source="${installPath}/TransportRoles/Logs/${each}"}`, 1]);
    expect([...up].sort()).toEqual(found.sort());
  }, patience);
  for (const each of folders)
    expect(exporter.log()).toMatch(new RegExp(`msg=reading source="?\\S*/Logs/${each}"? server=`));
});

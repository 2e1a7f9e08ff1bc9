/**
 * The MSI under Wine with properties that nobody should give it, and with some that look odd and are right: what is refused
 * leaves nothing behind but install.log, which says why; what is taken works, and an upgrade keeps it.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildMsi } from '../packaging/msi.mjs';
import { eventLines } from './windows/events.mjs';
import { countsOf, expect, freePort, installed, onMachine, programIn, seen, step, until } from './windows/machine.mjs';

/** Refused by the MSI itself, which says so in its own log. */
const refusedByMsi = [
  ...['0', '70000', 'abc', '', '-5', '1.5'].map((port) => `LISTEN_PORT=${port}`),
  ...['ADD_FIREWALL_RULE=yes', 'START_SERVICE=2'],
];

/** Refused by the program, with what install.log has to name. */
const refusedByProgram = [
  ['REMOTE_ADDRESSES=prometheus.example', 'prometheus.example'],
  ['REMOTE_ADDRESSES=10.1.2.3 & calc', '"&"'],
  ['REMOTE_ADDRESSES=10.1.2.3,any', '"any"'],
  ['STATE_DIR=Q:\\state', 'the folder Q:\\state cannot be made'],
  ['STATE_DIR=state', 'expected a full path'],
  ['CONFIG_FILE=Q:\\x\\config.yml', 'the folder Q:\\x cannot be made'],
  ['CONFIG_FILE=config.yml', 'expected a full path'],
  ['CONFIG_FILE=C:\\ProgramData\\', 'C:\\ProgramData is a folder'],
];

export async function run() {
  await onMachine(async (machine) => {
    const program = await programIn(machine.folder);
    const [first, second] = [
      await buildMsi({ program, folder: machine.folder }),
      await buildMsi({ program, folder: machine.folder, version: '0.9.9' }),
    ];
    const install = (msi, ...properties) => machine.wine('msiexec', '/i', seen(msi), '/qn', ...properties);
    const service = (...args) => machine.wine(installed, 'service', ...args);
    const world = { ...machine, first, second, install, service, data: path.join(machine.drive, dataFolder) };
    await refuses(world);
    await takesOddNames(world);
    await keepsAnExistingConfiguration(world);
    await givesWayToAnother(world);
  });
}

const dataFolder = 'ProgramData/send-connector-exporter';

async function refuses({ install, first, data, drive, wine }) {
  for (const property of refusedByMsi)
    await step(`refused by the MSI: ${property}`, async () => {
      const { code } = await install(first, property);
      expect(code !== 0 && !existsSync(data), `exit code ${code}`);
    });
  for (const [property, why] of refusedByProgram)
    await step(`refused by the program, in install.log: ${property}`, async () => {
      const { code } = await install(first, property);
      expect(code !== 0, 'msiexec ended with 0');
      const text = readFileSync(path.join(data, 'logs/install.log'), 'utf8');
      expect(/^FAILED /m.test(text) && text.includes(why), text);
      expect(readdirSync(data).join() === 'logs', readdirSync(data).join());
      expect(!existsSync(path.join(drive, 'Program Files/send-connector-exporter')), 'the program was left there');
      expect((await wine('sc', 'query', 'SendConnectorExporter')).code !== 0, 'a service was left there');
      rmSync(data, { recursive: true });
    });
}

async function takesOddNames({ install, first, second, service, drive }) {
  const place = "C:\\Überwachung für Müller\\O'Neil & Söhne (100%)\\meine conf.yml";
  const file = path.join(drive, place.slice(3).replaceAll('\\', '/'));
  const port = await freePort();
  const right = [
    `web: { listenAddresses: ['127.0.0.1:${port}'] }`,
    'probe: { enabled: false }',
    "state: { directory: 'C:\\Zähler & Stände' }",
    "sources: [{ type: file, paths: ['C:\\exported'] }]",
  ].join('\n');
  const counts = countsOf(port);
  await step(
    'places with spaces, umlauts, an apostrophe, an ampersand, a per cent sign and a backslash at the end',
    async () => {
      const { code } = await install(
        first,
        `CONFIG_FILE=${place}`,
        'STATE_DIR=C:\\Zähler & Stände\\',
        'START_SERVICE=0',
      );
      expect(code === 0 && existsSync(path.join(drive, 'Zähler & Stände')), `exit code ${code}`);
      expect(readFileSync(file, 'utf8').includes("directory: 'C:\\Zähler & Stände'"), readFileSync(file, 'utf8'));
      mkdirSync(path.join(drive, 'exported'));
      writeFileSync(path.join(drive, 'exported/a.ndjson'), eventLines(1, 20));
      writeFileSync(file, right);
      expect((await service('start')).code === 0, 'no start');
      await counts.until(20);
    },
  );
  await step('an upgrade to which nothing is said keeps the place, the configuration and the counts', async () => {
    const { code } = await install(second);
    expect(code === 0, `exit code ${code}`);
    await until('it runs', async () => /state +running/.test((await service('status')).text));
    const { text } = await service('status');
    expect(text.includes(place) && readFileSync(file, 'utf8') === right, text);
    await counts.until(20);
  });
  await step('an older version is refused, and what is there goes on', async () => {
    const { code } = await install(first);
    expect(code !== 0 && /state +running/.test((await service('status')).text), `exit code ${code}`);
  });
}

async function keepsAnExistingConfiguration({ wine, install, first, second, service, data }) {
  await step('an existing configuration with another port is kept, and install.log names its port', async () => {
    await wine('msiexec', '/x', seen(second), '/qn');
    const [config, port] = [path.join(data, 'config.yml'), await freePort()];
    const text = `web: { listenAddresses: ['127.0.0.1:${port}'] }\nprobe: { enabled: false }\nsources: [{ type: file, paths: ['C:\\exported'] }]\nstate: { directory: 'Q:\\gone' }\n`;
    writeFileSync(config, text);
    const { code } = await install(first, 'LISTEN_PORT=10299');
    expect(code === 0 && readFileSync(config, 'utf8') === text, `exit code ${code}`);
    const log = readFileSync(path.join(data, 'logs/install.log'), 'utf8');
    expect(log.includes(`kept as it is, for port ${port}`), log);
    expect(/warning +state +the folder Q:\\gone cannot be made/.test(log), log);
  });
  await step('its state on a drive that is not there: no start, and the status says why', async () => {
    await until('the service has ended', async () => /exit code +1/.test((await service('status')).text));
    const { text } = await service('status');
    expect(/last error .*gone: the state folder cannot be made/.test(text), text);
  });
}

async function givesWayToAnother({ wine, drive, first, data }) {
  const other = 'C:\\other\\send-connector-exporter.exe';
  await step('service install from another folder takes the running service over and says what it was', async () => {
    const port = await freePort();
    const config = path.join(data, 'config.yml');
    writeFileSync(
      config,
      `web: { listenAddresses: ['127.0.0.1:${port}'] }\nprobe: { enabled: false }\nsources: [{ type: file, paths: ['C:\\exported'] }]\n`,
    );
    expect((await wine(installed, 'service', 'start')).code === 0, 'no start');
    cpSync(path.join(drive, 'Program Files/send-connector-exporter'), path.join(drive, 'other'), { recursive: true });
    const { code, text } = await wine(other, 'service', 'install');
    expect(code === 0 && text.includes('it was "C:\\Program Files') && /state +running/.test(text), text);
    expect((await wine(other, 'service', 'status')).text.includes(`program       "${other}"`), text);
    await countsOf(port).until(20);
  });
  await step('the MSI goes while the service of the other runs: it is stopped and removed with it', async () => {
    const { code } = await wine('msiexec', '/x', seen(first), '/qn');
    expect(code === 0 && (await wine(other, 'service', 'status')).code === 3, `exit code ${code}`);
  });
}

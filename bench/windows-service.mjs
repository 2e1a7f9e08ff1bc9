/**
 * The MSI under Wine, with its installer and its service manager, in a prefix of its own: install, first configuration, start,
 * /metrics, stop, upgrade, repair, kill, a start that fails, remove. Ends with 1 when a step fails.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { buildMsi } from '../packaging/msi.mjs';
import { eventLines } from './windows/events.mjs';
import { countsOf, expect, freePort, installed, onMachine, programIn, seen, step, until } from './windows/machine.mjs';

export async function run() {
  await onMachine(async (machine) => {
    const program = await step('the exe is built', () => programIn(machine.folder));
    const [first, second] = await step('two MSIs are built', async () => [
      await buildMsi({ program, folder: machine.folder }),
      await buildMsi({ program, folder: machine.folder, version: '0.9.9' }),
    ]);
    const world = await worldOf(machine, { first, second });
    await isNew(world);
    await installs(world);
    await startsAndStops(world);
    await upgrades(world);
    await repairs(world);
    await isKilled(world);
    await failsToStart(world);
    await isRemoved(world);
    console.log(`errors counted in the end: ${world.counts.highest()}; no value ever fell`);
  });
}

/** The machine with what all steps need: places, verbs, and a file that the exporter reads. */
async function worldOf({ folder, drive, wine: run, compile }, msis) {
  const data = path.join(drive, 'ProgramData/send-connector-exporter');
  const exported = path.join(drive, 'exported/a.ndjson');
  const port = await freePort();
  mkdirSync(path.dirname(exported));
  const service = (...args) => run(installed, 'service', ...args);
  let records = 0;
  return {
    ...msis,
    folder,
    drive,
    run,
    compile,
    data,
    port,
    service,
    config: path.join(data, 'config.yml'),
    /** Only on the loopback, and without probing. */
    right: [
      `web: { listenAddresses: ['127.0.0.1:${port}'] }`,
      'probe: { enabled: false }',
      "state: { directory: 'C:\\ProgramData\\send-connector-exporter\\counts' }",
      "sources: [{ type: file, paths: ['C:\\exported'] }]",
    ].join('\n'),
    counts: countsOf(port),
    install: (msi, ...properties) => run('msiexec', '/i', seen(msi), '/qn', ...properties),
    status: async () => (await service('status')).text,
    write: (count) => {
      appendFileSync(exported, eventLines(records + 1, count));
      records += count;
    },
  };
}

/** What a person types who has downloaded the MSI. The configuration is there before only to stay on the loopback. */
async function isNew({ install, run, first, port, data, config, right }) {
  mkdirSync(data, { recursive: true });
  writeFileSync(config, right);
  await step('a new user: one command, msiexec /i ... /qn, to the first page', async () => {
    const { code } = await install(first);
    expect(code === 0, `msiexec ended with ${code}`);
    await until('the first page', async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 200);
  });
  expect((await run('msiexec', '/x', seen(first), '/qn')).code === 0, 'no removal');
  rmSync(data, { recursive: true });
}

function installs({ install, first, config, status }) {
  return step('the MSI installs and writes the first configuration from its properties', async () => {
    const state = 'STATE_DIR=C:\\ProgramData\\send-connector-exporter\\counts';
    const { code } = await install(
      first,
      'LISTEN_PORT=12345',
      state,
      'REMOTE_ADDRESSES=10.1.2.3,10.1.0.0/16',
      'START_SERVICE=0',
    );
    expect(code === 0, `msiexec ended with ${code}`);
    const text = readFileSync(config, 'utf8');
    expect(text.includes("listenAddresses: [':12345']") && text.includes('counts'), text);
    // The installer of Wine may end before the last program that it runs.
    await until('the service is made', async () => /state +stopped/.test(await status()));
  });
}

async function startsAndStops({ config, right, write, service, counts, data }) {
  writeFileSync(config, right);
  write(30);
  await step('the service starts, answers and counts', async () => {
    const { code, text } = await service('start');
    expect(code === 0, `service start ended with ${code}: ${text}`);
    await counts.until(30);
  });
  await step('stop saves the ledger and ends with 0', async () => {
    const { code, text } = await service('stop');
    expect(code === 0 && text.includes('exit code 0'), text);
    expect(JSON.parse(readFileSync(path.join(data, 'counts/ledger.json'), 'utf8')).version >= 1, 'no ledger');
  });
}

function upgrades({ write, install, second, config, right, counts, run }) {
  return step('an upgrade keeps configuration, state and counts, and starts the service', async () => {
    write(5);
    const { code, text } = await install(second);
    expect(code === 0, `msiexec ended with ${code}: ${text}`);
    expect(readFileSync(config, 'utf8') === right, 'the configuration was changed');
    await counts.until(35);
    const products = await run('reg', 'query', 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall', '/s');
    expect(
      (products.text.match(/DisplayVersion/g) ?? []).length === 1 && products.text.includes('0.9.9'),
      products.text,
    );
  });
}

async function repairs({ drive, run, install, second, config, right, counts, compile, status }) {
  const repair = compile('repair.exe', 'repair.c', ['-lmsi', '-municode']);
  const program = path.join(drive, 'Program Files/send-connector-exporter/send-connector-exporter.exe');
  const lose = {
    'a lost program and a lost service': async () => {
      await run(installed, 'service', 'uninstall');
      rmSync(program);
    },
    'a lost service': () => run('sc', 'delete', 'SendConnectorExporter'),
    'a lost program': async () => {
      await run(installed, 'service', 'stop');
      rmSync(program);
    },
  };
  const ways = {
    // What msiexec /fa of Windows does. The msiexec of Wine has no way to it.
    MsiReinstallProductW: () => run(seen(repair), seen(second)),
    'msiexec /i with REINSTALL': () => install(second, 'REINSTALL=ALL', 'REINSTALLMODE=amus'),
  };
  for (const [way, act] of Object.entries(ways))
    for (const [what, happens] of Object.entries(lose))
      await step(`${way} brings ${what} back, with configuration and counts`, async () => {
        await happens();
        const { code, text } = await act();
        expect(code === 0, `it ended with ${code}: ${text}`);
        await until('the service is running', async () => /state +running/.test(await status()));
        expect(readFileSync(config, 'utf8') === right, 'the configuration was changed');
        await counts.until(35);
      });
}

function isKilled({ status, run, write, service, counts }) {
  return step('a kill loses nothing', async () => {
    const pid = Number(/^process +(\d+)/m.exec(await status())?.[1]);
    await run('taskkill', '/f', '/pid', String(pid));
    write(3);
    const isBack = await until(
      'the service is running again',
      async () => /state +running/.test(await status()) && (await counts.now()) >= 0,
      20_000,
    ).then(
      () => true,
      () => false,
    );
    console.log(
      isBack
        ? '   started again by the service manager'
        : '   NOT started again: the service manager of Wine has no failure actions',
    );
    if (!isBack) {
      console.log(`   it says: ${(await status()).split('\n').slice(0, 3).join('; ')}`);
      await service('stop');
      await service('start');
    }
    await counts.until(38);
  });
}

async function failsToStart({ run, install, first, second, config, right, service, status, counts, port, data }) {
  await step('an installation whose start fails leaves the service, which says why', async () => {
    await run('msiexec', '/x', seen(second), '/qn');
    writeFileSync(config, 'web: { listenAdresses: [] }\n');
    const { code } = await install(first);
    await until('the service has ended', async () => /exit code +2/.test(await status()));
    const text = await status();
    expect(code === 0 && /exit code +2: its configuration is wrong/.test(text) && text.includes('did you mean'), text);
    const log = readFileSync(path.join(data, 'logs/send-connector-exporter.log'), 'utf8');
    expect(/level=error msg="cannot start".*listenAdresses/.test(log), log.slice(-1000));
  });
  await step('a port that is taken is named in the log and by the status, with exit code 1', async () => {
    writeFileSync(config, right);
    const taken = createServer();
    await new Promise((resolve) => taken.listen(port, '127.0.0.1', resolve));
    const { code, text } = await service('start');
    await new Promise((resolve) => taken.close(resolve));
    expect(code === 1 && /exit code +1: .*\nlast error .*another program listens/.test(text), text);
    const log = readFileSync(path.join(data, 'logs/send-connector-exporter.log'), 'utf8');
    expect(/level=error .*another program listens there already/.test(log), log.slice(-1000));
    expect((await service('start')).code === 0, await status());
    await counts.until(38);
  });
}

function isRemoved({ run, first, drive, data }) {
  return step('uninstall, while it runs, removes the program and keeps the data', async () => {
    const { code, text } = await run('msiexec', '/x', seen(first), '/qn');
    expect(code === 0 && text.includes('are kept in'), text);
    expect(
      !existsSync(path.join(drive, 'Program Files/send-connector-exporter')),
      'the folder of the program is still there',
    );
    expect((await run('sc', 'query', 'SendConnectorExporter')).code !== 0, 'the service is still there');
    const sources = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\SendConnectorExporter';
    expect((await run('reg', 'query', sources)).code !== 0, 'the source of events is still there');
    const products = await run('reg', 'query', 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall', '/s');
    expect(!products.text.includes('Send connector exporter'), products.text);
    expect(
      ['config.yml', 'counts', 'logs'].every((name) => readdirSync(data).includes(name)),
      readdirSync(data).join(),
    );
  });
}

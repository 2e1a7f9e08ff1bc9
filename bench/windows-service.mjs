/**
 * The MSI under Wine, with its installer and its service manager, in a prefix of its own: install, first configuration, start,
 * /metrics, stop, upgrade, kill, a start that fails, remove. Ends with 1 when a step fails.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  appendFileSync,
  closeSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildExe } from '../packaging/exe.mjs';
import { buildMsi } from '../packaging/msi.mjs';

const installed = 'C:\\Program Files\\send-connector-exporter\\send-connector-exporter.exe';
const counter = 'exchange_send_connector_connection_errors_total{';

export async function run() {
  const folder = mkdtempSync(path.join(tmpdir(), 'windows-service-'));
  const machine = openMachine(folder);
  try {
    await prove(machine);
  } finally {
    machine.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A Windows of our own, with a file that the exporter reads. */
function openMachine(folder) {
  const env = {
    ...process.env,
    WINEPREFIX: path.join(folder, 'prefix'),
    WINEARCH: 'win64',
    WINEDEBUG: '-all',
    DISPLAY: '',
    WINEDLLOVERRIDES: 'winedbg.exe=d;mscoree=d;mshtml=d',
  };
  const tests = path.join(import.meta.dirname, '../test/windows');
  const gcc = (output, ...args) =>
    execFileSync('x86_64-w64-mingw32-gcc', ['-O1', '-o', path.join(folder, output), ...args]);
  gcc('hold.exe', path.join(tests, 'hold.c'));
  execFileSync('wine', ['wineboot', '-i'], { env, stdio: 'ignore' });
  execFileSync('wine', ['winecfg', '-v', 'win10'], { env, stdio: 'ignore' });
  // Until the first session has ended: two service managers would answer by turns.
  execFileSync('wineserver', ['-w'], { env, timeout: 60_000 });
  // The services of Wine end when no program of a person is left.
  writeFileSync(path.join(folder, 'session'), '');
  spawn('wine', [path.join(folder, 'hold.exe'), seen(path.join(folder, 'session')), 'rwd'], { env, stdio: 'ignore' });
  const exported = path.join(folder, 'prefix/drive_c/exported/a.ndjson');
  mkdirSync(path.dirname(exported));
  let records = 0;
  return {
    folder,
    drive: path.join(folder, 'prefix/drive_c'),
    wine: (...args) => wine(folder, env, args),
    /** Adds events 2002 to the file that the exporter reads. */
    write: (count) => {
      for (const end = records + count; records < end;) appendFileSync(exported, eventLine(++records));
    },
    close: () => {
      // Ends all that runs in this prefix, and only that.
      execFileSync('wineserver', ['-k'], { env });
      execFileSync('wineserver', ['-w'], { env, timeout: 20_000 });
    },
  };
}

function eventLine(recordId) {
  const event_data = { param1: 'Outbound', param2: '203.0.113.25:25' };
  const of = {
    channel: 'Application',
    provider_name: 'MSExchangeTransport',
    event_id: '2002',
    computer_name: 'exch01',
  };
  return `${JSON.stringify({ '@timestamp': new Date().toISOString(), winlog: { ...of, record_id: recordId, event_data } })}\n`;
}

const seen = (file) => `Z:${file.replaceAll('/', '\\')}`;

let started = 0;

/** Programs of Wine cannot write to a pipe of Linux: a file takes what they say. */
function wine(folder, env, args) {
  const file = path.join(folder, `output-${++started}.txt`);
  const output = openSync(file, 'w');
  const child = spawn('wine', args, { env, stdio: ['ignore', output, output] });
  closeSync(output);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      resolve({ code, text: readFileSync(file, 'utf8').replaceAll('\r', '') });
    });
  });
}

async function prove({ folder, drive, wine: run, write }) {
  const program = await step('the exe is built', async () => buildExe(folder));
  const [first, second] = await step('two MSIs are built', async () => [
    await buildMsi({ program, folder }),
    await buildMsi({ program, folder, version: '0.9.9' }),
  ]);
  const service = (...args) => run(installed, 'service', ...args);
  const install = (msi, ...properties) => run('msiexec', '/i', seen(msi), '/qn', ...properties);
  const data = path.join(drive, 'ProgramData/send-connector-exporter');
  const config = path.join(data, 'config.yml');
  const port = await freePort();
  const page = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const count = async () => {
    const line = (await page()).split('\n').find((each) => each.startsWith(counter));
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
  };
  /** No value that was seen may ever fall. */
  let highest = 0;
  const untilCounted = (wanted) =>
    until(`${wanted} errors are counted`, async () => {
      const now = await count();
      expect(now >= highest, `the counter fell from ${highest} to ${now}`);
      highest = now;
      return now === wanted;
    });
  const status = async () => (await service('status')).text;

  await step('the MSI installs and writes the first configuration from its properties', async () => {
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
  // From here on only on the loopback, and without probing.
  const right = [
    `web: { listenAddresses: ['127.0.0.1:${port}'] }`,
    'probe: { enabled: false }',
    "state: { directory: 'C:\\ProgramData\\send-connector-exporter\\counts' }",
    "sources: [{ type: file, paths: ['C:\\exported'] }]",
  ].join('\n');
  writeFileSync(config, right);
  write(30);
  await step('the service starts, answers and counts', async () => {
    const { code, text } = await service('start');
    expect(code === 0, `service start ended with ${code}: ${text}`);
    await untilCounted(30);
  });
  await step('stop saves the ledger and ends with 0', async () => {
    const { code, text } = await service('stop');
    expect(code === 0 && text.includes('exit code 0'), text);
    expect(JSON.parse(readFileSync(path.join(data, 'counts/ledger.json'), 'utf8')).version >= 1, 'no ledger');
  });
  await step('an upgrade keeps configuration, state and counts, and starts the service', async () => {
    write(5);
    const { code, text } = await install(second);
    expect(code === 0, `msiexec ended with ${code}: ${text}`);
    expect(readFileSync(config, 'utf8') === right, 'the configuration was changed');
    await untilCounted(35);
    const products = await run('reg', 'query', 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall', '/s');
    expect(
      (products.text.match(/DisplayVersion/g) ?? []).length === 1 && products.text.includes('0.9.9'),
      products.text,
    );
  });
  await step('a kill loses nothing', async () => {
    const pid = Number(/^process +(\d+)/m.exec(await status())?.[1]);
    await run('taskkill', '/f', '/pid', String(pid));
    write(3);
    const isBack = await until(
      'the service is running again',
      async () => /state +running/.test(await status()) && (await count()) >= 0,
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
    await untilCounted(38);
  });
  await step('an upgrade whose start fails leaves the service, which says why', async () => {
    await run('msiexec', '/x', seen(second), '/qn');
    writeFileSync(config, 'web: { listenAdresses: [] }\n');
    const { code } = await install(first);
    await until('the service has ended', async () => /exit code +2/.test(await status()));
    const text = await status();
    expect(code === 0 && /exit code +2: its configuration is wrong/.test(text) && text.includes('did you mean'), text);
    writeFileSync(config, right);
    expect((await service('start')).code === 0, await status());
    await untilCounted(38);
  });
  await step('uninstall removes the program and keeps the data', async () => {
    const { code, text } = await run('msiexec', '/x', seen(first), '/qn');
    expect(code === 0 && text.includes('are kept in'), text);
    expect(
      !existsSync(path.join(drive, 'Program Files/send-connector-exporter')),
      'the folder of the program is still there',
    );
    expect((await run('sc', 'query', 'SendConnectorExporter')).code !== 0, 'the service is still there');
    expect(
      ['config.yml', 'counts', 'logs'].every((name) => readdirSync(data).includes(name)),
      readdirSync(data).join(),
    );
  });
  console.log(`errors counted in the end: ${highest}; no value ever fell`);
}

async function step(what, act) {
  const start = performance.now();
  const result = await act().catch((error) => {
    console.log(`FAILED ${what}: ${error.message}`);
    throw error;
  });
  console.log(`ok ${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${what}`);
  return result;
}

function expect(holds, why) {
  if (!holds) throw new Error(why);
}

async function until(what, reached, patience = 60_000) {
  const end = performance.now() + patience;
  for (;;) {
    const is = await reached().catch((error) => {
      if (String(error.message).includes('fell')) throw error;
      return false;
    });
    if (is) return;
    if (performance.now() > end) throw new Error(`expected within ${patience / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

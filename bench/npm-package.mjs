/**
 * The npm package as a new user has it: packed, linted by publint where it can be had, installed into an empty folder, and
 * there `--version`, `doctor`, `serve`, `generate` and `demo`. Says what each took. Nothing but loopback is talked to.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventLines } from './windows/events.mjs';
import { countsOf, expect, step, until } from './windows/machine.mjs';

const root = path.dirname(import.meta.dirname);
const publint = 'publint@0.3.25';

export async function run() {
  const folder = mkdtempSync(path.join(tmpdir(), 'npm-package-'));
  const home = path.join(folder, 'new');
  mkdirSync(home);
  const npm = (...args) =>
    execFileSync('npm', args, { cwd: home, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    const packed = await step('npm pack', async () => pack(folder));
    await step(`${publint} finds nothing`, async () => lint());
    await step('npm install of the package into an empty folder', async () => npm('install', packed.file));
    console.log(`   ${packed.files} files, ${packed.size} bytes packed, ${packed.unpacked} unpacked; ${sizesIn(home)}`);
    await runs(home);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function pack(folder) {
  const out = execFileSync('npm', ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  });
  const [{ filename, size, unpackedSize, entryCount }] = JSON.parse(out);
  return { file: path.join(folder, filename), size, unpacked: unpackedSize, files: entryCount };
}

function lint() {
  const said = execFileSync('npx', ['--yes', publint, '--strict'], { cwd: root, encoding: 'utf8' });
  expect(said.includes('All good!'), said);
}

function sizesIn(home) {
  const count = readdirSync(path.join(home, 'node_modules')).filter((name) => !name.startsWith('.')).length;
  const size = execFileSync('du', ['-sm', 'node_modules'], { cwd: home, encoding: 'utf8' }).split('\t')[0];
  return `${count} packages and scopes, ${size} MB with all that it needs`;
}

async function runs(home) {
  const file = path.join(home, 'node_modules/.bin/send-connector-exporter');
  const start = (...args) => startIn(home, file, args);
  await step('--version', async () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    const { code, said } = await start('--version').ended;
    expect(code === 0 && said.trim() === version, said);
  });
  writeFileSync(path.join(home, 'application.ndjson'), eventLines(1, 25));
  const port = 20_000 + (process.pid % 20_000);
  const flags = [
    '--no-probe',
    `--web.listen-address=127.0.0.1:${port}`,
    '--state.directory=state',
    'application.ndjson',
  ];
  await step('doctor says what it reads', async () => {
    const { code, said } = await start('doctor', ...flags).ended;
    expect(code === 0 && /^ok +source +.*application\.ndjson/m.test(said), `exit code ${code}: ${said}`);
  });
  await step('serve --no-probe counts, and ends with 0', async () => {
    const running = start('serve', ...flags);
    await countsOf(port).until(25, 30_000);
    const { text, status } = await pageOf(`http://127.0.0.1:${port}/`);
    expect(status === 200 && text.includes('<style') | text.includes('stylesheet'), text.slice(0, 500));
    running.child.kill('SIGTERM');
    const { code, said } = await running.ended;
    expect(code === 0, said);
  });
  await step('generate writes rules and dashboards', async () => {
    const { code, said } = await start('generate', '--output', 'generated').ended;
    expect(code === 0 && readdirSync(path.join(home, 'generated')).length > 0, said);
  });
  await step('demo shows its first page, and ends', async () => {
    const running = start(
      'demo',
      `--demo.port=${port}`,
      '--demo.prometheus-port=0',
      '--demo.alertmanager-port=0',
      '--demo.duration=20',
    );
    await until('the page of the demo', async () => (await pageOf(`http://127.0.0.1:${port}/`)).status === 200, 30_000);
    const { code, said } = await running.ended;
    expect(code === 0, said);
  });
}

const pageOf = async (url) => {
  const answer = await fetch(url);
  return { status: answer.status, text: await answer.text() };
};

function startIn(home, file, args) {
  const child = spawn(file, args, { cwd: home, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, said }))) };
}

/** A Windows of our own under Wine, with its installer and its service manager, for the scripts of `npm run bench -- windows-service`. */
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildExe } from '../../packaging/exe.mjs';

const tests = path.join(import.meta.dirname, '../../test/windows');

export const installed = 'C:\\Program Files\\send-connector-exporter\\send-connector-exporter.exe';
const counter = 'exchange_send_connector_connection_errors_total{';

/** A path of this machine as programs of Wine see it. */
export const seen = (file) => `Z:${file.replaceAll('/', '\\')}`;

/** Runs a proof in a new Windows, which is ended and removed after it. */
export async function onMachine(prove) {
  const folder = mkdtempSync(path.join(tmpdir(), 'windows-service-'));
  const env = {
    ...process.env,
    WINEPREFIX: path.join(folder, 'prefix'),
    WINEARCH: 'win64',
    WINEDEBUG: process.env.WINEDEBUG ?? '-all',
    DISPLAY: '',
    WINEDLLOVERRIDES: 'winedbg.exe=d;mscoree=d;mshtml=d',
  };
  try {
    makePrefix(folder, env);
    await prove({
      folder,
      drive: path.join(folder, 'prefix/drive_c'),
      wine: (...args) => wine(folder, env, args),
      /** With a program of mingw in it, from a source beside the tests. @returns its place */
      compile: (output, source, options) => compile(path.join(folder, output), source, options),
    });
  } finally {
    // Ends all that runs in this prefix, and only that.
    execFileSync('wineserver', ['-k'], { env });
    execFileSync('wineserver', ['-w'], { env, timeout: 20_000 });
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function makePrefix(folder, env) {
  const hold = compile(path.join(folder, 'hold.exe'), 'hold.c', []);
  execFileSync('wine', ['wineboot', '-i'], { env, stdio: 'ignore' });
  execFileSync('wine', ['winecfg', '-v', 'win10'], { env, stdio: 'ignore' });
  // Until the first session has ended: two service managers would answer by turns.
  execFileSync('wineserver', ['-w'], { env, timeout: 60_000 });
  // The services of Wine end when no program of a person is left.
  writeFileSync(path.join(folder, 'session'), '');
  spawn('wine', [hold, seen(path.join(folder, 'session')), 'rwd'], { env, stdio: 'ignore' });
}

function compile(output, source, options) {
  execFileSync('x86_64-w64-mingw32-gcc', ['-O1', '-o', output, path.join(tests, source), ...options]);
  return output;
}

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

let program;

/** The program, built once for all proofs of one run. @returns its place in the folder */
export async function programIn(folder) {
  program ??= readFileSync(await buildExe(folder));
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'send-connector-exporter.exe');
  writeFileSync(file, program);
  return file;
}

/** Lays the program where the MSI lays it, without the MSI. */
export async function layProgram({ folder, drive }) {
  const place = path.join(drive, 'Program Files/send-connector-exporter');
  mkdirSync(place, { recursive: true });
  copyFileSync(await programIn(folder), path.join(place, 'send-connector-exporter.exe'));
}

/** The errors that an exporter shows. No value that was seen may ever fall. */
export function countsOf(port) {
  let highest = 0;
  const now = async () => {
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const lines = page.split('\n').filter((each) => each.startsWith(counter));
    const sum = lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    if (sum < highest) throw new Fallen(`the counter fell from ${highest} to ${sum}`);
    highest = sum;
    return sum;
  };
  return {
    now,
    highest: () => highest,
    until: (wanted, patience) => until(`${wanted} errors are counted`, async () => (await now()) === wanted, patience),
  };
}

class Fallen extends Error {}

export async function step(what, act) {
  const start = performance.now();
  const result = await act().catch((error) => {
    console.log(`FAILED ${what}: ${error.message}`);
    throw error;
  });
  console.log(`ok ${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${what}`);
  return result;
}

export function expect(holds, why) {
  if (!holds) throw new Error(why);
}

export async function until(what, reached, patience = 60_000) {
  const end = performance.now() + patience;
  for (;;) {
    const is = await reached().catch((error) => {
      if (error instanceof Fallen) throw error;
      return false;
    });
    if (is) return;
    if (performance.now() > end) throw new Error(`expected within ${patience / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

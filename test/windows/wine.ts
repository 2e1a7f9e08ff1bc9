/**
 * A Windows of our own for tests: Wine with a prefix, the real node.exe and a stand-in for wevtapi.dll. One for all tests of
 * a file. Without the programs the tests are skipped loudly; on CI they fail.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import { hasProgram } from '../support/programs.js';

const programs = ['wine', 'wineserver', 'x86_64-w64-mingw32-gcc'];
const missing = programs.filter((program) => !hasProgram(program));

/** Why the tests cannot run here; undefined when they can. Wine has no 64-bit node.exe to run on other processors. */
export const withoutWine = missing.length > 0 ? `not installed: ${missing.join(', ')}` : undefined;

export type Wine = {
  readonly folder: string;
  /** A path of this machine as programs in Wine see it. */
  readonly seen: (file: string) => string;
  readonly start: (program: string, args: readonly string[], env?: NodeJS.ProcessEnv) => WineProgram;
  readonly close: () => Promise<void>;
};

type WineProgram = {
  readonly pid: number;
  /** All that it wrote on standard output and standard error. */
  readonly output: () => string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  readonly kill: (signal: NodeJS.Signals) => void;
};

/** Makes a prefix, with the stand-in as its wevtapi.dll; a program takes it with `nativeLog` in its environment. */
export async function openWine(): Promise<Wine> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wine-'));
  const env = {
    ...process.env,
    WINEPREFIX: path.join(folder, 'prefix'),
    WINEARCH: 'win64',
    // No debugger: a crash is to be a crash.
    WINEDLLOVERRIDES: 'winedbg.exe=d;mscoree=d;mshtml=d',
    WINEDEBUG: '-all',
    DISPLAY: '',
  };
  execFileSync('wine', ['wineboot', '-i'], { env, stdio: 'ignore' });
  execFileSync('wine', ['winecfg', '-v', 'win10'], { env, stdio: 'ignore' });
  const system = path.join(folder, 'prefix/drive_c/windows/system32');
  const library = path.join(folder, 'wevtapi.dll');
  execFileSync('x86_64-w64-mingw32-gcc', [
    ...['-shared', '-O1', '-Wall', '-Werror', '-o', library],
    // An hour ago: what is of long ago is not shown.
    `-DFIRST_SECOND=${Math.floor(Date.now() / 1000) - 3_600}LL`,
    path.join(import.meta.dirname, 'fake-wevtapi.c'),
  ]);
  await copyFile(library, path.join(system, 'wevtapi.dll'));
  const running = new Set<WineProgram>();
  return {
    folder,
    seen: (file) => `Z:${path.resolve(file).replaceAll('/', '\\')}`,
    start: (program, args, more = {}) => {
      const started = startProgram(folder, [program, ...args], { ...env, ...more });
      running.add(started);
      void started.ended.then(() => running.delete(started));
      return started;
    },
    close: async () => {
      // Ends all that runs in this prefix, and only that.
      spawnSync('wineserver', ['-k'], { env });
      await Promise.all([...running].map(({ ended }) => ended));
      spawnSync('wineserver', ['-w'], { env, timeout: 20_000 });
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** With the stand-in instead of Wine's own library, and its log in a folder. */
export function nativeLog(wine: Wine, log: string): NodeJS.ProcessEnv {
  return { WINEDLLOVERRIDES: 'wevtapi=n;winedbg.exe=d;mscoree=d;mshtml=d', FAKE_LOG: wine.seen(log) };
}

let started = 0;

/** node.exe cannot write to a pipe of Linux: its output goes to a file. */
function startProgram(folder: string, args: readonly string[], env: NodeJS.ProcessEnv): WineProgram {
  const file = path.join(folder, `output-${++started}.txt`);
  const output = openSync(file, 'w');
  const child = spawn('wine', args, { stdio: ['ignore', output, output], env });
  closeSync(output);
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  return { pid: child.pid ?? 0, output: () => readFileSync(file, 'utf8'), ended, kill: (signal) => child.kill(signal) };
}

export type WineExporter = WineProgram & {
  readonly url: string;
  readonly scrape: () => Promise<string>;
  /** Ctrl-C. @returns the exit code */
  readonly stop: () => Promise<number | null>;
};

/** Starts the exporter in Wine and waits until it listens. `command` is the program and what comes before our arguments. */
export async function startInWine(
  wine: Wine,
  command: readonly string[],
  { args, env }: { readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv },
): Promise<WineExporter> {
  const [program = '', ...before] = command;
  const running = wine.start(program, [...before, '--web.listen-address=127.0.0.1:0', '--no-probe', ...args], env);
  let ended = false;
  void running.ended.then(() => (ended = true));
  const url = await vi.waitFor(
    () => {
      const found = /msg=listening url=(\S+)/.exec(running.output())?.[1];
      if (found === undefined && !ended) throw new Error(`does not listen yet:\n${running.output()}`);
      return found;
    },
    { timeout: 60_000, interval: 100 },
  );
  if (url === undefined) throw new Error(`ended before it listened:\n${running.output()}`);
  return {
    ...running,
    url,
    scrape: async () => {
      const answer = await fetch(`${url}/metrics`);
      if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}`);
      return answer.text();
    },
    stop: () => {
      running.kill('SIGINT');
      return running.ended;
    },
  };
}

/** A log for the stand-in: commands are numbered files, taken up in their order. */
export async function openFakeLog(
  folder: string,
): Promise<{ readonly tell: (...commands: string[]) => Promise<void> }> {
  await mkdir(folder, { recursive: true });
  let count = 0;
  return {
    tell: async (...commands) => {
      for (const command of commands) await writeFile(path.join(folder, `${++count}.ctl`), `${command}\n`);
    },
  };
}

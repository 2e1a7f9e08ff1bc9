/** Starts the built exporter as a process of its own, confined to loopback. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export type ExporterOptions = {
  /** Files, folders or globs to read. */
  readonly files?: readonly string[];
  /** Further arguments, after the ones that confine the exporter to loopback. */
  readonly args?: readonly string[];
  /** Kept after the end when given, else a new folder that is removed. */
  readonly stateDirectory?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Account to run as; for root, who may do everything. */
  readonly uid?: number;
  /** Another program with the same arguments. */
  readonly program?: string;
  /** A command of the shell before it, such as `ulimit -n 256`; a shell must be there. */
  readonly under?: string;
};

export type RunningExporter = {
  /** Without a slash at its end, for instance `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly pid: number;
  readonly stateDirectory: string;
  /** The text of /metrics; throws when the answer is not 200. */
  readonly scrape: () => Promise<string>;
  readonly page: (
    path: string,
  ) => Promise<{ readonly status: number; readonly body: string; readonly headers: Headers }>;
  /** SIGTERM. @returns the exit code, which is 0 after a clean stop */
  readonly stop: () => Promise<number | null>;
  readonly kill9: () => Promise<void>;
  /** Everything the process wrote so far. */
  readonly log: () => string;
};

/** The program as `npm run build` left it. */
export const builtProgram = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The address of a module of the built program, for scripts that run in a process of their own. */
export const builtModule = (path: string): string => new URL(`../../dist/${path}`, import.meta.url).href;

/** Arguments for node that make every connection and DNS query outside loopback throw. */
export const loopbackOnly = ['--import', pathToFileURL(resolve(import.meta.dirname, 'loopback-guard.mjs')).href];

/** Starts on a free port and waits until it listens. Throws with the log when it ends before. */
export async function startExporter(options: ExporterOptions = {}): Promise<RunningExporter> {
  if (!existsSync(builtProgram)) throw new Error('dist/main.js is missing: npm run build');
  const stateDirectory = options.stateDirectory ?? (await mkdtemp(join(tmpdir(), 'exporter-state-')));
  const words = [...loopbackOnly, options.program ?? builtProgram, ...argumentsOf(options, stateDirectory)];
  const [command, ...args] =
    options.under === undefined
      ? [process.execPath, ...words]
      : ['sh', '-c', `${options.under}; exec "$@"`, 'sh', process.execPath, ...words];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.uid !== undefined && { uid: options.uid }),
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (log += String(text)));
  const ended = once(child, 'close').then(async ([code]) => {
    if (options.stateDirectory === undefined) await rm(stateDirectory, { recursive: true, force: true });
    return code as number | null;
  });
  const url = await new Promise<string>((found, failed) => {
    child.stderr.on('data', () => {
      const match = /msg=listening url=(\S+)\n/.exec(log);
      if (match?.[1] !== undefined) found(match[1]);
    });
    void ended.then((code) => {
      failed(new Error(`the exporter ended with ${code} before it listened:\n${log}`));
    });
  });
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return ended;
  };
  const page = async (path: string) => {
    const answer = await fetch(new URL(path, url));
    return { status: answer.status, body: await answer.text(), headers: answer.headers };
  };
  return {
    url,
    pid: child.pid!,
    stateDirectory,
    page,
    scrape: async () => {
      const { status, body } = await page('/metrics');
      if (status !== 200) throw new Error(`/metrics answered ${status}: ${body}`);
      return body;
    },
    stop: () => end('SIGTERM'),
    kill9: async () => {
      await end('SIGKILL');
    },
    log: () => log,
  };
}

function argumentsOf({ files = [], args = [] }: ExporterOptions, stateDirectory: string): string[] {
  return [
    ...(args.some((arg) => arg.startsWith('--web.listen-address')) ? [] : ['--web.listen-address=127.0.0.1:0']),
    `--state.directory=${stateDirectory}`,
    '--probe.allow=127.0.0.0/8',
    '--probe.allow=::1',
    '--probe.ports=1-65535',
    ...args,
    '--',
    ...files,
  ];
}

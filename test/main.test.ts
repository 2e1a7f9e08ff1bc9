import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtModule, builtProgram, loopbackOnly, startExporter } from './support/exporter.js';

let folder: string;
let events: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'main-'));
  events = join(folder, 'events.ndjson');
  await writeFile(events, '');
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('what a person asks first', () => {
  it('prints a help that names every flag and ends with examples', async () => {
    const { code, stdout, stderr } = await run('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const flags = stdout.match(/^ {2}(-h, )?--[\w.-]+/gm)?.map((flag) => flag.trim());
    expect(flags).toEqual([
      '--version',
      '--config.file',
      '--state.directory',
      '--web.listen-address',
      '--web.telemetry-path',
      '--web.external-url',
      '--web.config.file',
      '--no-probe',
      '--probe.allow',
      '--probe.ports',
      '--log.level',
      '--log.format',
      '-h, --help',
    ]);
    expect(stdout).toMatch(/Examples:\n[^]*\$ send-connector-exporter --no-probe application\.ndjson/);
  });

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('names the flag that it does not know, and the one that was probably meant', async () => {
    const { code, stderr } = await run('--probe.alow', '10.0.0.0/8', events);
    expect(code).toBe(2);
    expect(stderr).toContain("unknown option '--probe.alow'\n(Did you mean --probe.allow?)");
  });
});

describe('the exit code and what becomes of the output', () => {
  it('is that of the verdict when the reader goes away before the first word', async () => {
    const config = join(folder, 'nothing.yml');
    await writeFile(config, '{}');
    for (const [args, wanted] of [
      [['probe', '--probe.allow=127.0.0.0/8', '--probe.ports=1', '--no-path', '127.0.0.1:1'], 1],
      [['check', config], 0],
    ] as const) {
      const child = spawn(process.execPath, [...loopbackOnly, builtProgram, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child.stdout.destroy();
      const [code] = (await once(child, 'close')) as [number];
      expect({ args, code }).toEqual({ args, code: wanted });
    }
  }, 30_000);

  it.skipIf(!existsSync('/dev/full'))(
    'is 2, with a word on stderr, when the output cannot be written',
    async () => {
      const config = join(folder, 'full.yml');
      await writeFile(config, '{}');
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [...loopbackOnly, builtProgram, 'check', config], {
        stdio: ['ignore', full, 'pipe'],
      });
      closeSync(full);
      let stderr = '';
      child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      const [code] = (await once(child, 'close')) as [number];
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(/^cannot write the output: ENOSPC/) as string,
      });
    },
    30_000,
  );
});

describe('a verb', () => {
  it('that is mistyped starts no exporter, and names the one that was probably meant', async () => {
    for (const [word, meant] of [
      ['docter', 'doctor'],
      ['chek', 'check'],
      ['Serv', 'serve'],
    ] as const)
      expect(await run(word)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(
          `${word} is neither a command nor a file or folder here: did you mean ${meant}?`,
        ) as string,
      });
    expect((await run('application')).stderr).toContain('--help lists the commands');
  });

  it('serve is the same as none, help and version say what they promise', async () => {
    expect((await run('serve', '--web.listen-address=nonsense', events)).stderr).toContain('got "nonsense"');
    expect((await run('help')).stdout).toBe((await run('--help')).stdout);
    expect((await run('help', 'doctor')).stdout).toContain('Usage: send-connector-exporter doctor');
    expect((await run('version')).stdout).toBe((await run('--version')).stdout);
  });
});

describe('check', () => {
  it('is content with the example', async () => {
    expect(await run('check', 'examples/config.yml')).toEqual({
      code: 0,
      stdout: 'examples/config.yml: valid (3 sources, 2 configured destinations, probing on)\n',
      stderr: '',
    });
  });

  it('prints all five of five mistakes with line and path, and exits with 1', async () => {
    const { code, stdout, stderr } = await run('check', 'test/fixtures/config/five-mistakes.yml');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringContaining('five-mistakes.yml:4: sources[0].paths: '),
      expect.stringContaining('five-mistakes.yml:6: destinations.static[2]: expected host:port, got "relay:70000"'),
      expect.stringContaining('five-mistakes.yml:8: probe.intervall: '),
      expect.stringContaining('five-mistakes.yml:9: probe.timeout: '),
      expect.stringContaining('five-mistakes.yml:10: probe.allow[1]: '),
    ]);
  });
});

describe('a start that cannot go on', () => {
  it('prints the same mistakes as check', async () => {
    const file = 'test/fixtures/config/five-mistakes.yml';
    const [served, checked] = await Promise.all([run(`--config.file=${file}`), run('check', file)]);
    expect(served).toEqual(checked);
  });

  it.skipIf(process.platform === 'win32')('says what to pass when there is nothing to read', async () => {
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Nothing to read\. Expected files, folders or globs[^]*--config\.file/);
  });

  it('ends with 2 for a wrong listen address, as for every wrong flag', async () => {
    expect(await run('--web.listen-address=nonsense', '--no-probe', events)).toMatchObject({
      code: 2,
      stderr: '--web.listen-address: expected host:port or :port, got "nonsense"\n',
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'says at once that the state folder cannot be where none can be',
    async () => {
      const { code, stdout, stderr } = await run('--state.directory=/proc/nope/deeper', '--no-probe', events);
      expect(code).toBe(1);
      expect(stdout + stderr).toMatch(
        /cannot go on.*\/proc\/nope\/deeper: the state folder cannot be made: ENOENT.*--state\.directory/,
      );
    },
  );

  it('names the address that another program has, and the way out', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const started = startExporter({ files: [events], args: ['--no-probe', `--web.listen-address=127.0.0.1:${port}`] });
    await expect(started).rejects.toThrow(
      new RegExp(
        `ended with 1 [^]*msg="cannot go on" error="[^"]*127.0.0.1:${port}[^"]*--web\\.listen-address[^"]*"\n$`,
      ),
    );
    other.close();
  });
});

describe('a running exporter', () => {
  it('needs no configuration file, says where it listens, and stops cleanly on SIGTERM', async () => {
    const exporter = await startExporter({ files: [events], args: ['--no-probe'] });
    expect((await exporter.page('/')).status).toBe(200);
    expect(await exporter.stop()).toBe(0);
    expect(exporter.log()).toMatch(/msg=stopping signal=SIGTERM\n[^]*msg=stopped\n$/);
  });

  it.each(['commands/serve', 'config/config', 'runtime/log', 'serve', 'web/http/server'])(
    '16.5: ends cleanly when SIGTERM comes in the first moments of the start, while %s is loaded',
    async (module) => {
      const hooks = ['--import', pathToFileURL(join(import.meta.dirname, 'support/stopped-at-load.mjs')).href];
      const args = ['--no-probe', '--state.directory', join(folder, 'stopped'), '--web.listen-address=127.0.0.1:0'];
      const env = { ...process.env, STOPPED_AT: builtModule(`${module}.js`) };
      const child = spawn(process.execPath, [...hooks, ...loopbackOnly, builtProgram, ...args, events], { env });
      let log = '';
      child.stderr.on('data', (text) => (log += String(text)));
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
      expect({ code, signal }, log).toEqual({ code: 0, signal: null });
      expect(log).toMatch(/msg=stopping signal=SIGTERM\n[^]*msg=stopped\n$/);
    },
  );

  it('18.4: loads few files at a start, none of them of a package, and source maps lead from them to the sources', async () => {
    const noted = join(folder, 'loads');
    const NODE_OPTIONS = `--import ${pathToFileURL(join(import.meta.dirname, 'support/loads-noted.mjs')).href}`;
    const env = { NODE_OPTIONS, LOADS_NOTED: noted };
    const exporter = await startExporter({ files: [events], args: ['--no-probe'], env });
    await exporter.scrape();
    expect(await exporter.stop()).toBe(0);
    const loaded = (await readFile(noted, 'utf8')).trim().split('\n');
    const ours = loaded.filter((url) => !url.includes('/test/support/'));
    expect(ours.filter((url) => url.includes('node_modules'))).toEqual([]);
    expect(ours).toContain(builtModule('web/http/server.js'));
    expect(ours.length).toBeLessThan(80);
    const map = new URL(`${builtModule('web/http/server.js')}.map`);
    const { sources } = JSON.parse(await readFile(map, 'utf8')) as { readonly sources: readonly string[] };
    const ownSources = sources
      .filter((source) => !source.includes('node_modules'))
      .map((source) => new URL(source, map));
    expect(ownSources.map(({ pathname }) => pathname)).toContain(resolve('src/web/http/server.ts'));
    expect(ownSources.filter(({ protocol, pathname }) => protocol === 'file:' && !existsSync(pathname))).toEqual([]);
  });

  it('takes a Ctrl-C that npm passes on a second time for one', async () => {
    const exporter = await startExporter({ files: [events], args: ['--no-probe'] });
    process.kill(exporter.pid, 'SIGINT');
    expect(await exporter.stop()).toBe(0);
    expect(exporter.log()).not.toContain('second signal');
  });

  it('writes its log as JSON when asked', async () => {
    const args = ['--no-probe', '--log.format=json', `--state.directory=${folder}`, '--web.listen-address=127.0.0.1:0'];
    const child = spawn(process.execPath, [...loopbackOnly, builtProgram, ...args, events]);
    let log = '';
    for await (const text of child.stderr) {
      log += String(text);
      if (log.includes('"msg":"listening"')) child.kill('SIGINT');
    }
    const lines = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string });
    expect(lines.at(-1)).toMatchObject({ level: 'info', msg: 'stopped' });
  });
});

/** Runs the built program to its end. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...loopbackOnly, builtProgram, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => (output[name] += String(text)));
  }
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...output };
}

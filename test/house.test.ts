/** The rules of the house that no linter knows, and that those which one knows would be broken in vain. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startExporter } from './support/exporter.js';
import { temporaryFolder } from './support/folder.js';

const root = path.resolve(import.meta.dirname, '..');
const run = promisify(execFile);

test('every file opens with a sentence of purpose', async () => {
  const files = await readdir(path.join(root, 'src'), { recursive: true });
  const code = files.filter((name) => /\.(tsx?|js)$/.test(name));
  const texts = await Promise.all(code.map((name) => readFile(path.join(root, 'src', name), 'utf8')));
  expect(code.filter((_, index) => !/^(#!.*\n)?\/\*\*\s/.test(texts[index] ?? ''))).toEqual([]);
  expect(code.length).toBeGreaterThan(200);
});

test('the source has few rooms', async () => {
  expect((await readdir(path.join(root, 'src'))).length).toBeLessThanOrEqual(16);
});

test('imports run in one direction and in no circle; one that does not is found', async () => {
  const copy = await copyOfTree(await temporaryFolder());
  await cruise(copy);
  const model = path.join(copy, 'src/model/words.ts');
  await writeFile(model, `import '../ledger/ledger.js';\n${await readFile(model, 'utf8')}`);
  await expect(cruise(copy)).rejects.toMatchObject({
    stdout: expect.stringContaining('model-imports: src/model/words.ts → src/ledger/ledger.ts') as string,
  });
}, 120_000);

describe('what docs/design.md shows', () => {
  let copy = '';
  let program = '';
  beforeAll(async () => {
    copy = await copyOfTree(await mkdtemp(path.join(os.tmpdir(), 'worked-examples-')));
    await addFormat(copy);
    await addSource(copy);
    program = await build(copy);
  }, 120_000);
  afterAll(() => rm(copy, { recursive: true, force: true }));

  test('a format is one new file and one line of a list', async () => {
    const log = await toyLog(copy, 'toy.log');
    const exporter = await startExporter({ files: [log], args: ['--no-probe'], program });
    onTestFinished(async () => {
      await exporter.stop();
    });
    await vi.waitFor(async () => {
      expect(await exporter.scrape()).toMatch(oneError);
    });
  }, 60_000);

  test('a kind of source is one folder and one line of a list: configuration, start, doctor and metrics know it', async () => {
    const log = await toyLog(copy, 'toy.queue');
    const config = path.join(copy, 'toy.yml');
    await writeFile(config, `sources: [{ type: toy-queue, queue: ${log} }]\n`);
    const exporter = await startExporter({ files: [], args: ['--no-probe', `--config.file=${config}`], program });
    onTestFinished(async () => {
      await exporter.stop();
    });
    await vi.waitFor(async () => {
      const text = await exporter.scrape();
      expect(text).toMatch(oneError);
      expect(text).toContain(`source_up{source="queue ${log}"} 1`);
    });
    const doctor = [program, 'doctor', '--no-probe', `--config.file=${config}`, `--state.directory=${copy}/state`];
    const { stdout } = (await run(process.execPath, doctor).catch((error: unknown) => error)) as { stdout: string };
    expect(stdout).toContain(`ok       source         queue ${log}: reading 1 file`);
    await writeFile(config, 'sources: [{ type: toy-queue, path: x }, { type: none }]\n');
    await expect(run(process.execPath, [program, 'check', config])).rejects.toMatchObject({
      stderr: expect.stringMatching(
        /path: expected one of type, queue, got the unknown key[^]*"file" or [^]*"toy-queue", got "none"/,
      ) as string,
    });
  }, 60_000);
});

const oneError = /connection_errors_total\{server="exch01",connector="Outbound",destination="203\.0\.113\.7:25"\} 1/;

async function toyLog(folder: string, name: string): Promise<string> {
  const log = path.join(folder, name);
  const at = new Date().toISOString();
  await writeFile(log, `TOY|${at}|EXCH01|7|MSExchangeTransport|2002|Outbound|203.0.113.7:25\n`);
  return log;
}

async function addFormat(copy: string): Promise<void> {
  const { file, text, list, before, line, importLine } = await workedExample();
  await writeFile(path.join(copy, file), text);
  const listed = await readFile(path.join(copy, list), 'utf8');
  expect(listed).toContain(before);
  await writeFile(path.join(copy, list), `${importLine}\n${listed.replace(before, `${before}\n  ${line}`)}`);
}

async function addSource(copy: string): Promise<void> {
  const design = await readFile(path.join(root, 'docs/design.md'), 'utf8');
  const [, file = '', text = ''] =
    /^`(src\/events\/sources\/toy-queue\/source\.ts)`:\n\n```ts\n([\s\S]*?)```/m.exec(design) ?? [];
  const [, list = '', importLine = '', line = ''] =
    /^`(src\/events\/sources\/sources\.ts)`:\n\n```ts\n(import .*)\n\n(.*)\n```/m.exec(design) ?? [];
  await mkdir(path.dirname(path.join(copy, file)));
  await writeFile(path.join(copy, file), text);
  const listed = await readFile(path.join(copy, list), 'utf8');
  const before = line.replace(', toyQueue', '');
  expect(listed).toContain(`\n${before}\n`);
  await writeFile(path.join(copy, list), `${importLine}\n${listed.replace(before, line)}`);
}

/** @returns the program */
async function build(copy: string): Promise<string> {
  // Without the look for a newer npm, which would ask another host.
  await run('npm', ['run', 'build'], { cwd: copy, env: { ...process.env, npm_config_update_notifier: 'false' } });
  return path.join(copy, 'dist/main.js');
}

/** What the compiler and the dependency checker read, without what was built. */
async function copyOfTree(copy: string): Promise<string> {
  await cp(path.join(root, 'src'), path.join(copy, 'src'), { recursive: true });
  for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', '.dependency-cruiser.js'])
    await cp(path.join(root, name), path.join(copy, name));
  await mkdir(path.join(copy, 'test'));
  await symlink(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'junction');
  return copy;
}

function cruise(folder: string) {
  const program = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  return run(process.execPath, [program, 'src'], { cwd: folder });
}

/** The example as it stands in docs/design.md, so that what is shown is what is tried. */
async function workedExample() {
  const design = await readFile(path.join(root, 'docs/design.md'), 'utf8');
  const [, file = '', text = ''] = /^`(src\/events\/formats\/toy\.ts)`:\n\n```ts\n([\s\S]*?)```/m.exec(design) ?? [];
  const [, list = '', importLine = '', line = ''] =
    /^`(src\/events\/formats\/formats\.ts)`:\n\n```ts\n(import .*)\n\n {2}(.*)\n```/m.exec(design) ?? [];
  expect([file, list, line]).toEqual(['src/events/formats/toy.ts', 'src/events/formats/formats.ts', 'toy,']);
  return { file, text, list, importLine, line, before: 'export const formats: readonly Format[] = [' };
}

/** The rules of the house that no linter knows, and that those which one knows would be broken in vain. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
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
  const copy = await copyOfTree();
  await cruise(copy);
  const model = path.join(copy, 'src/model/words.ts');
  await writeFile(model, `import '../ledger/ledger.js';\n${await readFile(model, 'utf8')}`);
  await expect(cruise(copy)).rejects.toMatchObject({
    stdout: expect.stringContaining('model-imports: src/model/words.ts → src/ledger/ledger.ts') as string,
  });
}, 120_000);

test('a format is one new file and one line of a list, as docs/design.md shows', async () => {
  const copy = await copyOfTree();
  const { file, text, list, before, line, importLine } = await workedExample();
  await writeFile(path.join(copy, file), text);
  const listed = await readFile(path.join(copy, list), 'utf8');
  expect(listed).toContain(before);
  await writeFile(path.join(copy, list), `${importLine}\n${listed.replace(before, `${before}\n  ${line}`)}`);
  // Without the look for a newer npm, which would ask another host.
  await run('npm', ['run', 'build'], { cwd: copy, env: { ...process.env, npm_config_update_notifier: 'false' } });
  const log = path.join(copy, 'toy.log');
  const at = new Date().toISOString();
  await writeFile(log, `TOY|${at}|EXCH01|7|MSExchangeTransport|2002|Outbound|203.0.113.7:25\n`);
  const program = path.join(copy, 'dist/main.js');
  const exporter = await startExporter({ files: [log], args: ['--no-probe'], program });
  onTestFinished(async () => {
    await exporter.stop();
  });
  await vi.waitFor(async () => {
    expect(await exporter.scrape()).toMatch(
      /connection_errors_total\{server="exch01",connector="Outbound",destination="203\.0\.113\.7:25"\} 1/,
    );
  });
}, 120_000);

/** What the compiler and the dependency checker read, without what was built. */
async function copyOfTree(): Promise<string> {
  const copy = await temporaryFolder();
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

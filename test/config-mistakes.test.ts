/** What a configuration file may hold that its reader was not made for: a plain sentence each, in good time. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../src/config.js';
import { temporaryFolder } from './folder.js';

const tooDeep = (line: number | string): RegExp =>
  new RegExp(`^config\\.yml:${line}:\\d+: expected values nested at most 100 levels deep, got more: take out `);

describe('what a configuration file may throw at the reader (issue 14, section 1.10)', () => {
  async function mistakesIn(content: string | Buffer): Promise<readonly string[]> {
    const file = path.join(await temporaryFolder(), 'config.yml');
    await writeFile(file, content);
    const loaded = await loadConfig({ file }, { platform: 'linux', env: {} });
    return loaded.ok ? [] : loaded.mistakes.map((mistake) => mistake.replace(file, 'config.yml'));
  }

  test('20,000 unknown keys are told in a second or two: the first hundred, and how many more there are', async () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `unknown${index}: 1\n`);
    const started = performance.now();
    const mistakes = await mistakesIn(keys.join(''));
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(mistakes).toHaveLength(101);
    expect(mistakes[0]).toMatch(/^config\.yml:1: unknown0: expected one of .*, got the unknown key "unknown0"$/);
    expect(mistakes.at(-1)).toBe('config.yml: and 19900 more mistakes, not shown');
  });

  test.for([
    [
      'two documents',
      'probe:\n  enabled: true\n---\nprobe: {}\n',
      /^config\.yml:3:1: .*expected one document, got a second/,
    ],
    ['a tab', 'probe:\n\tenabled: true\n', /^config\.yml:2:1: .*expected blanks before a key, got a tab/],
    ['a key twice', 'probe: {}\nprobe: {}\n', /^config\.yml:2:1: .*Map keys must be unique/],
    ['a list', '- a\n', /^config\.yml:1: expected a mapping with the keys .*, got a list$/],
    ['a word', 'hello\n', /^config\.yml:1: expected a mapping with the keys .*, got "hello"$/],
    [
      'bytes that are no text',
      Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0xff]),
      /^config\.yml: expected a YAML file in UTF-8/,
    ],
    ['UTF-16', Buffer.from('probe: {}\n', 'utf16le'), /^config\.yml: expected a YAML file in UTF-8/],
    [
      'aliases that unfold into millions',
      `a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n${Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(10)}]\n`).join('')}`,
      /^config\.yml: not readable as YAML: Excessive alias count.*write the values out$/,
    ],
    ['5,800 brackets', `probe:\n  allow: ${'['.repeat(5_800)}`, tooDeep(2)],
    ['5,800 brackets that end', `probe:\n  allow: ${'['.repeat(5_800)}${']'.repeat(5_800)}`, tooDeep(2)],
    ['200 brackets that end', `probe:\n\n  allow: ${'['.repeat(200)}${']'.repeat(200)}`, tooDeep(3)],
    ['3,000 braces', `probe: ${'{a: '.repeat(3_000)}`, tooDeep(1)],
    ['5,800 dashes', `probe:\n${'- '.repeat(5_800)}x`, tooDeep(2)],
    ['600 indents', Array.from({ length: 600 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), tooDeep('\\d+')],
    ['a key of 100 KB', `${'k'.repeat(100_000)}: 1\n`, /^.{1,1000}$/],
  ] as const)('%s: one plain sentence', async ([, content, sentence]) => {
    const [first, ...others] = await mistakesIn(content);
    expect(first).toMatch(sentence);
    expect(others).toEqual([]);
  });

  test.for(['', '# nothing\n', '\ufeffprobe:\n  enabled: true\n'])(
    'a file that is empty or has a byte order mark is as good as any: %j',
    async (content) => {
      expect(await mistakesIn(content)).toEqual([]);
    },
  );

  test.for([
    '/-/healthy',
    '/-/metrics',
    '/probe',
    '/Probe',
    '/sd',
    '/api/v1/status',
    '/runbooks/x',
    '/events',
    '/a/../b',
  ])('the path of the metrics may not be %s', async (telemetryPath) => {
    expect(await mistakesIn(`web:\n  telemetryPath: ${telemetryPath}\n`)).toMatchObject([
      expect.stringContaining('web.telemetryPath: expected a path like /metrics that the exporter does not use itself'),
    ]);
  });

  test.for([
    ['https://user:secret@exporter.contoso.example', 'without a user'],
    ['https://user@exporter.contoso.example/x', 'without a user'],
    ['https://exporter.contoso.example//x', 'without // in its path'],
    ['https://exporter.contoso.example/x//y/', 'without // in its path'],
    ['https://exporter.contoso.example/?', 'an address like'],
  ])('the external URL %s is refused', async ([externalUrl, why]) => {
    const [mistake, ...others] = await mistakesIn(`web:\n  externalUrl: ${externalUrl}\n`);
    expect(mistake).toContain(`config.yml:2: web.externalUrl: expected an address`);
    expect(mistake).toContain(why);
    expect(others).toEqual([]);
  });

  test('every route of the web server is among the paths that the metrics may not have', async () => {
    const folder = path.resolve(import.meta.dirname, '../src/web');
    const texts = await Promise.all((await readdir(folder)).map((name) => readFile(path.join(folder, name), 'utf8')));
    const routes = texts.join('\n').matchAll(/(?:path: |router\.\w+\()['`](\/[\w-]+(?:\/[\w-]+)*)/g);
    const paths = [...new Set([...routes].map(([, route]) => route ?? ''))];
    expect(paths.length).toBeGreaterThan(10);
    for (const route of paths) expect(await mistakesIn(`web:\n  telemetryPath: ${route}\n`), route).toHaveLength(1);
  });
});

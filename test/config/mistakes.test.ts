/** What a configuration file may hold that its reader was not made for: a plain sentence each, in good time. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { temporaryFolder } from '../support/folder.js';
import { sourceKinds } from '../../src/events/sources/sources.js';

const kinds = sourceKinds.map(({ type }) => `"${type}"`).join(' or ');

const tooDeep = (line: number | string): RegExp =>
  new RegExp(`^config\\.yml:${line}:\\d+: expected values nested at most 100 levels deep, got more: take out `);

async function mistakesIn(content: string | Buffer): Promise<readonly string[]> {
  const file = path.join(await temporaryFolder(), 'config.yml');
  await writeFile(file, content);
  const loaded = await loadConfig({ file }, { platform: 'linux', env: {} });
  return loaded.ok ? [] : loaded.mistakes.map((mistake) => mistake.replace(file, 'config.yml'));
}

describe('what a configuration file may throw at the reader (issue 14, section 1.10)', () => {
  test('20,000 unknown keys are told in a second or two: the first hundred, and how many more there are', async () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `unknown${index}: 1\n`);
    const started = performance.now();
    const mistakes = await mistakesIn(keys.join(''));
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(mistakes).toHaveLength(101);
    expect(mistakes[0]).toMatch(/^config\.yml:1: unknown0: expected one of .*, got the unknown key "unknown0"$/);
    expect(mistakes.at(-1)).toBe('config.yml: and 19900 more mistakes, not shown');
  });

  test('one bad path among 20,000 unknown keys costs no more than they do', async () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `unknown${index}: 1\n`).join('');
    const costOf = async (text: string): Promise<number> => {
      const before = process.cpuUsage();
      expect((await mistakesIn(text)).at(-1)).toMatch(/more mistakes, not shown$/);
      return process.cpuUsage(before).user / 1000;
    };
    const plain = await costOf(keys);
    expect(await costOf(`${keys}inventory:\n  file: "C:\\Quota"\n`)).toBeLessThan(2 * plain + 500);
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
    const folder = path.resolve(import.meta.dirname, '../../src/web');
    const texts = await Promise.all(
      (await readdir(folder, { recursive: true }))
        .filter((name) => /\.tsx?$/.test(name))
        .map((name) => readFile(path.join(folder, name), 'utf8')),
    );
    const routes = texts.join('\n').matchAll(/(?:path: |router\.\w+\()['`](\/[\w-]+(?:\/[\w-]+)*)/g);
    const paths = [...new Set([...routes].map(([, route]) => route ?? ''))];
    expect(paths.length).toBeGreaterThan(10);
    for (const route of paths) expect(await mistakesIn(`web:\n  telemetryPath: ${route}\n`), route).toHaveLength(1);
  });
});

describe('3.4: all that is wrong with a source, and paths in double quotes', () => {
  test('of a source whose type is wrong or missing the rest is told as well, of the kind that it looks like', async () => {
    const mistakes = await mistakesIn(`sources:
  - type: fil
    pathss: [a]
    server: "a:b"
    unfiltered: maybe
  - paths: []
    server: "a:b"
  - channels: [""]
  - type: file
    path: [x]
    server: "a:b"
    unfiltered: maybe
`);
    expect(mistakes).toEqual([
      `config.yml:2: sources[0].type: expected ${kinds}, got "fil"`,
      'config.yml:2: sources[0].paths: expected a list of files, folders or globs, got nothing',
      'config.yml:3: sources[0].pathss: expected one of type, paths, server, unfiltered, mayBeEmpty, got the unknown key "pathss" (did you mean paths?)',
      'config.yml:4: sources[0].server: expected a host name, got "a:b"',
      'config.yml:5: sources[0].unfiltered: expected true or false, got "maybe"',
      `config.yml:6: sources[1].type: expected ${kinds}, got nothing`,
      'config.yml:6: sources[1].paths: expected a list of files, folders or globs with at least one entry, got an empty list',
      'config.yml:7: sources[1].server: expected a host name, got "a:b"',
      `config.yml:8: sources[2].type: expected ${kinds}, got nothing`,
      'config.yml:8: sources[2].channels[0]: expected the name of a channel, got ""',
      'config.yml:9: sources[3].paths: expected a list of files, folders or globs, got nothing',
      'config.yml:10: sources[3].path: expected one of type, paths, server, unfiltered, mayBeEmpty, got the unknown key "path" (did you mean paths?)',
      'config.yml:11: sources[3].server: expected a host name, got "a:b"',
      'config.yml:12: sources[3].unfiltered: expected true or false, got "maybe"',
    ]);
  });

  test('a path of Windows in double quotes is refused, also where YAML would take it for something else', async () => {
    const mistakes = await mistakesIn(String.raw`sources:
  - type: file
    paths: ["C:\Program Files\Exchange\Logs", "\\server\new"]
inventory:
  file: "D:\new\table.json"
state:
  directory: "C:\\right\\this way"
web:
  configFile: "a\qb"
`);
    const words = 'not readable as YAML: in double quotes a backslash is an escape: write the path in single quotes';
    expect(mistakes).toEqual([
      String.raw`config.yml:3:13: ${words}, 'C:\Program Files\Exchange\Logs'`,
      String.raw`config.yml:3:47: ${words}, '\\server\new'`,
      String.raw`config.yml:5:9: ${words}, 'D:\new\table.json'`,
      String.raw`config.yml:9:17: not readable as YAML: Invalid escape sequence \q: in double quotes a backslash begins one; write the text in single quotes, as it is`,
    ]);
    expect(await mistakesIn(String.raw`state: { directory: 'C:\Program Files\new' }`)).toEqual([]);
    expect(await mistakesIn(String.raw`state: { directory: "C:\\Program Files\\new" }`)).toEqual([]);
  });

  test('16.4: after such a path all else that is wrong is told as well, in the order of the file, and of the path only that', async () => {
    const mistakes = await mistakesIn(String.raw`sources:
  - type: file
    pathss: ["C:\Exchange\Logs"]
    paths: ["C:\Program Files\new"]
    server: "a:b"
  - type: fil
    server: "a\qb"
probe:
  timeout: soon
destinations:
  static: ["relay:70000"]
`);
    expect(mistakes.map((line) => line.replace(/^(config\.yml:\d+)(?::\d+)?: (.{0,60}).*$/, '$1 $2'))).toEqual([
      'config.yml:3 not readable as YAML: in double quotes a backslash is an esc',
      'config.yml:3 sources[0].pathss: expected one of type, paths, server, unfi',
      'config.yml:4 not readable as YAML: in double quotes a backslash is an esc',
      'config.yml:5 sources[0].server: expected a host name, got "a:b"',
      `config.yml:6 ${`sources[1].type: expected ${kinds}`.slice(0, 60)}`,
      'config.yml:6 sources[1].paths: expected a list of files, folders or globs',
      'config.yml:7 not readable as YAML: Invalid escape sequence \\q: in double ',
      'config.yml:9 probe.timeout: expected a duration of a second or more, like',
      'config.yml:11 destinations.static[0]: expected host:port, got "relay:70000',
    ]);
  });
});

/** Every default that an example, a page or a help text names is the one of the schema. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configJsonSchema } from '../../src/config/json-schema.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(`${root}/${file}`, 'utf8');

type Schema = { default?: unknown; type?: string; properties?: Record<string, Schema> };

/** Settings outside of lists by their path, for instance `probe.concurrency`, with their default as a person writes it. */
function settingsOf({ properties = {} }: Schema, path: readonly string[] = []): [path: string, value: unknown][] {
  return Object.entries(properties).flatMap(([key, schema]): [string, unknown][] =>
    schema.properties === undefined ? [[[...path, key].join('.'), schema.default]] : settingsOf(schema, [...path, key]),
  );
}

const settings = new Map(settingsOf(configJsonSchema()));
/** `--web.listen-address` is `web.listenAddresses`: a flag that can be repeated is in the singular. */
const ofFlag = (flag: string): string | undefined => {
  const path = flag.replace(/-(\w)/g, (_all, letter: string) => letter.toUpperCase());
  return [path, `${path}es`, `${path}s`].find((one) => settings.has(one));
};

/** What a text says of a default, or undefined when it describes one that only the machine knows. */
function named(words: string): unknown {
  if (words === 'empty') return [];
  const literal = /^(?:\[.*\]|"[^"]*"|\d+[smhd]?|\/\S+|:\d+|true|false)$/.exec(words)?.[0];
  return literal === undefined ? undefined : (parse(literal) as unknown);
}

/** Every key of the example with the comment above it and the value it has there. */
function commented(text: string): { path: string; comment: string; value: unknown }[] {
  const values = parse(text) as Record<string, Record<string, unknown> | undefined>;
  const found: { path: string; comment: string; value: unknown }[] = [];
  let [section, comment] = ['', ''];
  for (const line of text.split('\n')) {
    const [, indent = '', key = ''] = /^( *)([A-Za-z]+):/.exec(line) ?? [];
    if (/^ *# /.test(line)) comment += ` ${line.replace(/^ *# /, '')}`;
    else if (key !== '' && indent === '') section = key;
    else if (key !== '' && settings.has(`${section}.${key}`))
      found.push({ path: `${section}.${key}`, comment, value: values[section]?.[key] });
    if (!/^ *# /.test(line)) comment = '';
  }
  return found;
}

describe('3.6 examples/config.yml', () => {
  const keys = commented(read('examples/config.yml'));
  const withDefault = keys.filter(({ comment }) => comment.includes(' Default: '));

  it('names a default for every setting that the schema gives one, save switches', () => {
    const given = [...settings].filter(([path, value]) => value !== undefined && !['probe.enabled'].includes(path));
    const own = ['sources', 'destinations.static'];
    expect(withDefault.map(({ path }) => path)).toEqual(
      expect.arrayContaining(given.map(([path]) => path).filter((path) => !own.includes(path))),
    );
  });

  it.each(withDefault)('says the default of $path that the schema has', ({ path, comment, value }) => {
    const words = / Default: (.*?)\.(?: |$)/.exec(comment)?.[1] ?? '';
    const expected = settings.get(path);
    // What only the machine knows (its name, its folders) has no default in the schema.
    if (expected === undefined) expect(named(words), words).toBeUndefined();
    else expect(words === 'these' ? value : named(words), comment).toEqual(expected);
  });
});

describe('pages and help texts', () => {
  const pages = globSync(['README.md', 'SECURITY.md', 'docs/**/*.md', 'examples/**/*.md', 'alerts/runbooks/*.md'], {
    cwd: root,
  });
  /** A setting by its name, and soon after it "default" and a value; whatever is no literal is described, not named. */
  const claim =
    /`?(?:--)?((?:probe|destinations|web|state|inventory)\.[A-Za-z.-]+)`?[^\n]{0,160}?\bdefaults?:? `?([^\s`),;]+)/gi;

  function wrong(text: string): string[] {
    return [...text.matchAll(claim)].flatMap(([all, name = '', word = '']) => {
      const path = settings.has(name) ? name : ofFlag(name);
      const value = named(word.replace(/[.]$/, ''));
      if (path === undefined || value === undefined) return [];
      const expected = settings.get(path);
      const [first] = Array.isArray(expected) && expected.length === 1 ? (expected as unknown[]) : [expected];
      return JSON.stringify(value) === JSON.stringify(first) || JSON.stringify(value) === JSON.stringify(expected)
        ? []
        : [all];
    });
  }

  it.each([...pages, 'src/main.ts'])('%s names no default that the schema does not have', (file) => {
    expect(wrong(read(file))).toEqual([]);
  });

  it('would be found out', () => {
    expect(wrong('`probe.concurrency`: probes at once, default 32.')).toHaveLength(1);
    expect(wrong("option('--web.listen-address <address>', 'Where to answer. (default: \":9999\")'")).toHaveLength(1);
    expect(wrong('`probe.concurrency`: probes at once, default 128.')).toEqual([]);
  });
});

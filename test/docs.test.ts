/** Documents: links lead somewhere, and what they say of metrics and of figures is what the code and the benchmarks say. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, it } from 'vitest';
import { referenceFiles } from '../docs/generate.js';
import { defaultPorts } from '../src/probes/policy.js';
import { paceOf, targetOf } from '../src/probes/targets.js';
import { anchorsOf, deadLinks } from './support/markdown-links.js';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const filesOfGit = (pattern: string): string[] =>
  execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', pattern], { cwd: root })
    .toString()
    .split('\0')
    .filter((file) => file !== '' && existsSync(path.join(root, file)));
const repository = { files: new Set(filesOfGit('.')), read };
const pages = filesOfGit('*.md');

describe('17.10: links in Markdown', () => {
  it('every Markdown file that git knows is looked at', () => {
    for (const file of ['README.md', 'docs/limits.md', 'examples/shippers/README.md', 'alerts/runbooks/reasons.md'])
      expect(pages).toContain(file);
  });

  it.each(pages)('%s', (file) => {
    expect(deadLinks(file, read(file), repository)).toEqual([]);
  });

  it('a dead one would be found', () => {
    const text =
      '[a](docs/nothing.md) [b](README.md#no-such-heading) [c](LICENSE) [d](README.md#run-it) [e](#x) [f][g] ' +
      '![h](no.png) [i](docs) [j](docs/) [k](/docs/limits.md#files) [l](https://mail.contoso.example) <img src="m.png">\n' +
      '`[n](no.md)` [o]\n\n[o]: no.md\n\n```\n[p](no.md)\n```\n# x y';
    expect(deadLinks('HERE.md', text, repository)).toEqual(
      ['docs/nothing.md', 'README.md#no-such-heading', '#x', '[f][g]', 'no.png', 'm.png', 'no.md'].map(
        (link) => `HERE.md: ${link}`,
      ),
    );
  });

  it('a file that exists but is not in git is a dead link', () => {
    expect(deadLinks('README.md', '[a](node_modules/marked/README.md)', repository)).toHaveLength(1);
  });

  it.each([
    ['## `/probe` and `/sd`', ['probe-and-sd']],
    ['# Beside blackbox_exporter', ['beside-blackbox_exporter']],
    ['# 421 4.4.0: R&D &amp; *more*, [as ever](x.md)', ['421-440-rd--more-as-ever']],
    ['# Über Größe – 日本', ['über-größe--日本']],
    ['# Next\n# Next\n# Next-1\n# next', ['next', 'next-1', 'next-1-1', 'next-2']],
    ['Setext\n======\n\n```\n# code\n```\n\n<a id="own"></a>', ['setext', 'own']],
  ])('%j has the anchors that GitHub gives', (markdown, anchors) => {
    expect([...anchorsOf(markdown)]).toEqual(anchors);
  });

  it('every document in docs/ is linked from the README', () => {
    for (const file of pages.filter((page) => page.startsWith('docs/')))
      expect(read('README.md'), file).toContain(`](${file})`);
  });

  it('17.10: the README has at most 150 lines, and turns event 2002 on before anything that needs it', () => {
    const readme = read('README.md');
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
    expect([...readme.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual([
      'Run it',
      'Point it at your own log',
      'Turn event 2002 on',
      'Get the events into a file',
      'Prometheus, Alertmanager, Grafana',
      'Install it as a service',
      'When something is wrong',
      'Documentation',
    ]);
    expect(readme.match(/^!\[/gm)).toHaveLength(1);
  });
});

describe('1.7: what one log line makes the exporter do stands in one plain sentence', () => {
  const sentenceOf = (file: string): string =>
    /\*\*(One log line is enough to make the exporter connect, [^*]+)\*\*/
      .exec(read(file))?.[1]
      ?.replace(/\s+/g, ' ') ?? '';

  it.each(['README.md', 'SECURITY.md'])('%s: whom, how often, and how to forbid it, as the code has it', (file) => {
    const sentence = sentenceOf(file);
    expect(sentence).toMatch(/to the mail ports .*of the host that it names, even a private one/);
    const seenInLog = targetOf('mail.contoso.example:25', 'observed')!;
    const minutesAfter = (failures: number): number => paceOf()(seenInLog, failures) / 60_000;
    const [, every, failing] = /every (\d+) minutes \(every (\d+) while it fails\)/.exec(sentence) ?? [];
    expect([Number(every), Number(failing)]).toEqual([minutesAfter(0), minutesAfter(20)]);
    expect(sentence).toContain('`--no-probe` prevents this');
    expect(sentence).toContain('`probe.allow`');
    expect(sentence.slice(0, -1)).not.toMatch(/\. /);
  });

  it('SECURITY.md names the ports', () => {
    expect(sentenceOf('SECURITY.md')).toContain(`(${defaultPorts.join(', ')})`);
  });
});

describe('docs/metrics.md', () => {
  it('is what `npm run generate` writes', () => {
    expect(Object.entries(referenceFiles())).toEqual([['docs/metrics.md', read('docs/metrics.md')]]);
  });

  const golden = read('test/golden/metrics.txt');
  const types = new Map([...golden.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => [name, type]));
  const baseOf = (name: string): string => (types.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, ''));
  const labels = new Map<string, Set<string>>([...types.keys()].map((name) => [name, new Set<string>()]));
  for (const [, name = '', text = ''] of golden.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm))
    for (const [, label = ''] of text.matchAll(/(?:^|,)(\w+)="/g))
      if (label !== 'le') labels.get(baseOf(name))!.add(label);

  const sections = read('docs/metrics.md')
    .split(/^## /m)
    .slice(1)
    .map((text) => {
      const [, name = '', type = '', said = '', query = ''] =
        /^`(\w+)`\n\n(\w+)\. Labels: ([^.]*)\. [\s\S]*```promql\n(.+)\n```/.exec(text) ?? [];
      return { name, type, said: said === 'none' ? [] : said.replaceAll('`', '').split(', '), query };
    });

  it('has every metric of the golden page, with its type and its labels', () => {
    const documented = sections.map(({ name, type, said }) => [name, type.toLowerCase(), said.sort()]);
    const published = [...types].map(([name, type]) => [name, type, [...labels.get(name)!].sort()]);
    expect(documented.sort()).toEqual(published.sort());
  });

  it.each(sections)('the query of $name asks for it, and only for labels that it has', ({ name, query }) => {
    const asked: string[] = [];
    const wrong: string[] = [];
    parser.parse(query).iterate({
      enter({ name: kind, type, from, to }) {
        const text = query.slice(from, to);
        if (type.isError) wrong.push(`at ${from}`);
        if (kind === 'Identifier' && text.startsWith('exchange_')) asked.push(baseOf(text));
        if (kind === 'LabelName' && !['instance', 'replica', 'le', ...labels.get(name)!].includes(text))
          wrong.push(text);
      },
    });
    expect(asked).toEqual([name]);
    expect(wrong).toEqual([]);
  });
});

describe('figures in docs/', () => {
  it.each(['docs/sizing.md', 'docs/comparison.md'])(
    'every measured figure of %s is one of docs/benchmarks.md',
    (file) => {
      const speed = read('docs/benchmarks.md');
      const rows = read(file)
        .split('\n')
        .filter((line) => line.startsWith('|') && /`|\[4\]/.test(line));
      const figures = rows.flatMap(
        (row) => row.match(/\d[\d.,]*(?: to [\d.]+)?(?= (?:CPU s|ms|MiB|% of a core))/g) ?? [],
      );
      expect(figures.length).toBeGreaterThan(3);
      for (const figure of figures) expect(speed, figure).toContain(figure);
    },
  );
});

/** Documents: links lead somewhere, and what they say of metrics and of figures is what the code and the README say. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { defaultPorts } from '../src/probes/policy.js';
import { paceOf, targetOf } from '../src/probes/targets.js';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const pages = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'alerts/runbooks/*.md'], { cwd: root });

/** The addresses of GitHub and of Markdown viewers: words in lower case, joined by dashes. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!);
  const written = [...markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)].map((match) => match[1]!);
  const slug = (text: string): string =>
    text
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
  return new Set([...headings.map(slug), ...written]);
}

function deadLinks(file: string, markdown: string): string[] {
  const text = markdown.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^(?:https?:|mailto:|\/)/.test(link)) return [];
    const [name = '', anchor] = link.split('#');
    const target = name === '' ? file : path.join(path.dirname(file), name);
    if (!existsSync(path.join(root, target))) return [`${file}: ${link}`];
    if (anchor === undefined || !target.endsWith('.md')) return [];
    return anchorsOf(read(target)).has(anchor) ? [] : [`${file}: ${link}`];
  });
}

describe('links in Markdown', () => {
  it.each(pages)('%s', (file) => {
    expect(deadLinks(file, read(file))).toEqual([]);
  });

  it('a dead one would be found', () => {
    const text = '[a](docs/nothing.md) [b](README.md#no-such-heading) [c](LICENSE) [d](README.md#metrics) [e](#x)\n# x';
    expect(deadLinks('README.md', text)).toEqual([
      'README.md: docs/nothing.md',
      'README.md: README.md#no-such-heading',
      'README.md: #x',
    ]);
  });

  it('every document in docs/ is linked from the README', () => {
    for (const file of pages.filter((page) => page.startsWith('docs/')))
      expect(read('README.md'), file).toContain(`](${file})`);
  });
});

describe('1.7: what one log line makes the exporter do stands in one plain sentence', () => {
  const sentenceOf = (file: string): string =>
    /\*\*(One log line makes the exporter connect to [^*]+)\*\*/.exec(read(file))?.[1]?.replace(/\s+/g, ' ') ?? '';

  it.each(['README.md', 'SECURITY.md'])('%s: whom, how often, and how to forbid it, as the code has it', (file) => {
    const sentence = sentenceOf(file);
    expect(sentence).toMatch(/private ones included, on mail ports/);
    const seenInLog = targetOf('mail.contoso.example:25', 'observed')!;
    const minutesAfter = (failures: number): number => paceOf()(seenInLog, failures) / 60_000;
    const [, every, failing] = /every (\d+) minutes \(every (\d+) while it fails\)/.exec(sentence) ?? [];
    expect([Number(every), Number(failing)]).toEqual([minutesAfter(0), minutesAfter(20)]);
    expect(sentence).toContain('`--no-probe` forbids it all');
    expect(sentence).toContain('`probe.allow`');
    expect(sentence.slice(0, -1)).not.toMatch(/\. /);
  });

  it('SECURITY.md names the ports', () => {
    expect(sentenceOf('SECURITY.md')).toContain(`(${defaultPorts.join(', ')})`);
  });
});

describe('docs/metrics.md', () => {
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
  it.each(['docs/sizing.md', 'docs/comparison.md'])('every measured figure of %s is one of the README', (file) => {
    const speed = /^## Speed\n[\s\S]*?(?=^## )/m.exec(read('README.md'))![0];
    const rows = read(file)
      .split('\n')
      .filter((line) => line.startsWith('|') && /`|\[4\]/.test(line));
    const figures = rows.flatMap(
      (row) => row.match(/\d[\d.,]*(?: to [\d.]+)?(?= (?:CPU s|ms|MiB|% of a core))/g) ?? [],
    );
    expect(figures.length).toBeGreaterThan(3);
    for (const figure of figures) expect(speed, figure).toContain(figure);
  });
});

/** Tests of rules as promtool reads them: their form, and a run of promtool over some that are made here. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';

export type Labels = Readonly<Record<string, string>>;
export type ExpectedAlert = { readonly exp_labels: Labels; readonly exp_annotations: Labels };
export type AlertTest = {
  readonly eval_time: string;
  readonly alertname: string;
  readonly exp_alerts: readonly ExpectedAlert[];
};
export type QueryTest = {
  readonly eval_time: string;
  readonly expr: string;
  readonly exp_samples: readonly { readonly labels?: string; readonly value: number }[];
};
export type RuleTest = {
  readonly name?: string;
  readonly interval: string;
  readonly input_series: readonly { readonly series: string; readonly values: string }[];
  readonly alert_rule_test?: readonly AlertTest[] | undefined;
  readonly promql_expr_test?: readonly QueryTest[] | undefined;
};

const root = fileURLToPath(new URL('../..', import.meta.url));

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** @param duration as promtool writes it, `1h30m` */
export function secondsOf(duration: string): number {
  return [...duration.matchAll(/(\d+)([smhd])/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * units[unit]!,
    0,
  );
}

/** Samples in promtool's notation, one by one: `1+2x3` is 1, 3, 5, 7. */
export function samplesOf(values: string): string[] {
  return values
    .trim()
    .split(/\s+/)
    .flatMap((text) => {
      const [, first = '', step = '0', count] = /^(-?[\d.e]+|_|stale)([+-][\d.e]+)?(?:x(\d+))?$/.exec(text) ?? [];
      if (first === '_') return Array<string>(Number(count ?? 1)).fill('_');
      if (first === 'stale') return [first];
      return Array.from({ length: Number(count ?? 0) + 1 }, (_, each) => String(Number(first) + each * Number(step)));
    });
}

/** The committed rule tests. */
export function committedTests(): readonly RuleTest[] {
  const files = readdirSync(join(root, 'alerts')).filter((name) => name.endsWith('.rules.test.yml'));
  return files.flatMap(
    (name) => (parse(readFileSync(join(root, 'alerts', name), 'utf8')) as { tests: RuleTest[] }).tests,
  );
}

type Rule = { alert?: string; record?: string; expr: string; annotations?: Labels };
type RuleFile = { groups: { name: string; rules: Rule[] }[] };

/** The rules without their texts: most of the time of a test goes into filling these in at every evaluation. */
export function rulesWithoutTexts(rules: string): string {
  const { groups } = parse(rules) as RuleFile;
  for (const rule of groups.flatMap((group) => group.rules)) delete rule.annotations;
  return stringify({ groups }, { lineWidth: 0 });
}

/** Only the rules of these alerts, with their texts. */
export function rulesNamed(rules: string, names: ReadonlySet<string>): string {
  const { groups } = parse(rules) as RuleFile;
  const chosen = groups.map((group) => ({ ...group, rules: group.rules.filter(({ alert = '' }) => names.has(alert)) }));
  return stringify({ groups: chosen.filter((group) => group.rules.length > 0) }, { lineWidth: 0 });
}

const overRange = /\b(?:(?:max|min|last)_over_time|changes|resets)\(\w+(?:\{[^}]*\})?\[\w+\]\)/g;
const aggregation = /\b(?:max|min|sum|count) without \([^)]*\) \(/g;

/**
 * The same rules, in which what several need is evaluated once, as a rule of its own ahead of them: functions over a range,
 * and aggregations. What is recorded at a time is what would stand there, and nothing where there would be nothing.
 */
export function rulesWithSharedParts(rules: string): string {
  const { groups } = parse(rules) as RuleFile;
  for (const group of groups) {
    const records: Rule[] = [];
    const share = (part: string): void => {
      const record = `${group.name.replace(/\W/g, '_')}_part_${records.length}`;
      records.push({ record, expr: part });
      for (const rule of group.rules) rule.expr = rule.expr.replaceAll(part, record);
    };
    for (const rule of group.rules) rule.expr = rule.expr.replace(/\s+/g, ' ').replace(/([([]) | (?=[)\]])/g, '$1');
    const all = (): string => group.rules.map(({ expr }) => expr).join('\n');
    for (const range of new Set(all().match(overRange))) share(range);
    for (let part = repeatedIn(all()); part !== undefined; part = repeatedIn(all())) share(part);
    group.rules.unshift(...records);
  }
  return stringify({ groups }, { lineWidth: 0 });
}

/** The shortest aggregation that stands there twice or more, so that those within others are recorded before them. */
function repeatedIn(text: string): string | undefined {
  const parts = [...text.matchAll(aggregation)].map(({ index, 0: head }) =>
    text.slice(index, endOf(text, index + head.length)),
  );
  return [...new Set(parts)]
    .filter((part) => text.split(part).length > 2)
    .sort((one, other) => one.length - other.length)[0];
}

/** @param from after an open parenthesis @returns after the one that closes it */
function endOf(text: string, from: number): number {
  let open = 1;
  let at = from;
  for (; open > 0 && at < text.length; at++) open += text[at] === '(' ? 1 : text[at] === ')' ? -1 : 0;
  return at;
}

/** @returns what promtool says, which holds SUCCESS or every difference */
export async function promtoolSays(tests: readonly RuleTest[], rules: string, evaluation = '1m'): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'rule-tests-'));
  try {
    writeFileSync(join(folder, 'rules.yml'), rules);
    const file = join(folder, 'made.test.yml');
    // JSON is YAML too, and quicker to write.
    writeFileSync(file, JSON.stringify({ rule_files: ['rules.yml'], evaluation_interval: evaluation, tests }));
    return await new Promise((resolve) => {
      // Memory is there; collecting garbage less often saves a fifth of the time.
      const options = { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, GOGC: '400' } };
      execFile('promtool', ['test', 'rules', file], options, (_error, stdout, stderr) => {
        resolve(stdout + stderr);
      });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Tests by the alerts that they ask for; nothing else is evaluated beside them. One that asks for any is about all. */
export function byAlerts(
  all: readonly RuleTest[],
  names: readonly string[],
): readonly [ReadonlySet<string>, RuleTest[]][] {
  const groups = new Map<string, [ReadonlySet<string>, RuleTest[]]>();
  for (const test of all) {
    const { alert_rule_test = [], promql_expr_test = [] } = test;
    if (alert_rule_test.length + promql_expr_test.length === 0) continue;
    const wanted = promql_expr_test.map(
      ({ expr }) => new RegExp(`^(?:${/alertname=~?"([^"]*)"/.exec(expr)?.[1] ?? '.*'})$`),
    );
    const told = new Set(alert_rule_test.map(({ alertname }) => alertname));
    const asked = names.filter((name) => told.has(name) || wanted.some((pattern) => pattern.test(name)));
    const group = groups.get(asked.join());
    groups.set(asked.join(), [new Set(asked), [...(group?.[1] ?? []), test]]);
  }
  return [...groups.values()];
}

export function labelsIn(series: string): Labels {
  const braces = series.slice(series.indexOf('{'));
  const found = [...braces.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value]));
}

/** @param labels values as they stand between quotes, escaped */
export function withLabels(series: string, labels: Labels): string {
  const name = series.slice(0, series.indexOf('{'));
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${pairs.join(', ')}}`;
}

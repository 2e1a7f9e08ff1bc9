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

/** The committed rule tests. */
export function committedTests(): readonly RuleTest[] {
  const files = readdirSync(join(root, 'alerts')).filter((name) => name.endsWith('.rules.test.yml'));
  return files.flatMap(
    (name) => (parse(readFileSync(join(root, 'alerts', name), 'utf8')) as { tests: RuleTest[] }).tests,
  );
}

type Rule = { alert: string; annotations?: Labels };
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
  const chosen = groups.map((group) => ({ ...group, rules: group.rules.filter(({ alert }) => names.has(alert)) }));
  return stringify({ groups: chosen.filter((group) => group.rules.length > 0) }, { lineWidth: 0 });
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
      execFile('promtool', ['test', 'rules', file], { maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) => {
        resolve(stdout + stderr);
      });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
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

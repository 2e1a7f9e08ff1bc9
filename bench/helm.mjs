/**
 * The Helm chart by the real `helm`: lint, the manifests of every case of the tests, what it must refuse, and the alert rules by
 * promtool. Ends with 1 when a step fails. UPDATE=1 writes what helm made to test/golden/helm, where the tests read it.
 *
 * Helm is built from source in ten minutes on two cores, too long for CI: go install helm.sh/helm/v3/cmd/helm@v3.18.6
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { buildChart, layOutChart } from '../packaging/chart.mjs';
import { fitting, fixed, refused, sumOfChart, unfit } from '../test/support/chart-cases.mjs';
import { expect, step } from './steps.mjs';

const golden = path.join(import.meta.dirname, '../test/golden/helm');
const source = path.join(import.meta.dirname, '../packaging/helm');

export async function run() {
  const folder = mkdtempSync(path.join(tmpdir(), 'helm-'));
  try {
    await prove(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prove(folder) {
  const helm = (verb, chart, values, ...more) => {
    const file = path.join(folder, 'values.json');
    // JSON: Helm reads on and no without quotes as true and false.
    writeFileSync(file, JSON.stringify(values));
    const { status, stdout, stderr } = spawnSync('helm', [verb, ...more, chart, '--values', file], {
      encoding: 'utf8',
    });
    return { ok: status === 0, text: stdout, said: stdout + stderr };
  };
  const template = (chart, { release, values }) =>
    helm('template', chart, values, '--namespace=mail', '--kube-version=1.31.0', release);
  const packed = await buildChart({ folder });
  const chart = path.join(folder, 'fixed/send-connector-exporter');
  await layOutChart(chart, fixed);
  for (const [name, each] of Object.entries(fitting)) {
    await step(`${name}: lint has no warning`, () => {
      const { ok, said } = helm('lint', packed, each.values, '--strict');
      expect(ok && !/\[(?:WARNING|ERROR)\]/.test(said), said);
    });
    await step(`${name}: the manifests are those that the tests look at`, () => {
      const { ok, text, said } = template(chart, each);
      expect(ok, said);
      const file = path.join(golden, `${name}.yaml`);
      if (process.env.UPDATE === '1') writeFileSync(file, text);
      expect(
        readFileSync(file, 'utf8') === text,
        `${file} differs: UPDATE=1 npm run bench -- helm, and look at the difference`,
      );
    });
  }
  if (process.env.UPDATE === '1') writeFileSync(path.join(golden, 'chart.sha256'), `${sumOfChart(source)}\n`);
  for (const [name, [values, why]] of [...Object.entries(unfit), ...Object.entries(refused)])
    await step(`refused: ${name}`, () => {
      const { ok, said } = template(packed, { release: 'exporter', values });
      expect(!ok && said.includes(why), said);
    });
  await step('promtool accepts the alert rules that the chart brings', () => {
    const { text } = template(packed, { ...fitting.pair, values: { ...fitting.pair.values } });
    const manifests = parseAllDocuments(text).map((each) => each.toJS());
    const rule = manifests.find(({ kind }) => kind === 'PrometheusRule');
    const file = path.join(folder, 'rules.yml');
    writeFileSync(file, stringify(rule.spec));
    execFileSync('promtool', ['check', 'rules', file], { stdio: ['ignore', 'ignore', 'inherit'] });
    expect(!stringify(rule).includes('http://localhost'), 'a link leads to localhost');
  });
}

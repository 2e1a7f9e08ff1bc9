/** The bundled rules and dashboards for other addresses: from the command, from a running exporter, as from the sources. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { defaultRuleOptions, ruleFiles } from '../../alerts/generate.js';
import { dashboardFiles } from '../../dashboards/generate.js';
import { addressProblem, monitoringFile, monitoringFileNames } from '../../src/web/generated/monitoring-files.js';
import { builtProgram, startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { hasProgram } from '../support/programs.js';
import { committedTests, promtoolSays, rulesNamed, type ExpectedAlert } from '../alerts/rule-tests.js';

const addresses = { exporterUrl: 'https://mail-monitor.example/prefix', grafanaUrl: 'https://grafana.example:8443' };

function generate(...words: readonly string[]) {
  return spawnSync(process.execPath, [builtProgram, 'generate', ...words], { encoding: 'utf8' });
}

test('what generate writes is what the sources give for these addresses, byte for byte', async () => {
  const folder = await temporaryFolder();
  const { status, stdout } = generate(
    `--exporter-url=${addresses.exporterUrl}/`,
    `--grafana-url=${addresses.grafanaUrl}`,
    '--datasource-uid=mimir',
    `--output=${folder}/new/folder`,
  );
  expect({ status, files: stdout.trim().split('\n').length }).toEqual({ status: 0, files: monitoringFileNames.length });
  const wanted = {
    ...ruleFiles({ ...defaultRuleOptions, ...addresses, datasourceUid: 'mimir' }),
    ...dashboardFiles(addresses),
  };
  for (const [name, text] of Object.entries(wanted))
    expect(readFileSync(path.join(folder, 'new/folder', name), 'utf8'), name).toBe(text);
});

test('without addresses the files are those of the package', async () => {
  for (const name of monitoringFileNames) expect(await monitoringFile(name, {})).toBe(readFileSync(name, 'utf8'));
});

const template = { exporterUrl: 'http://{{ $labels.instance }}' };

test('a template of Prometheus may stand for the exporter of each server, and dashboards keep an address', async () => {
  const rules = await monitoringFile('alerts/send-connector.rules.yml', template);
  expect(rules).toContain('runbook_url: http://{{ with $labels.instance }}{{ . }}');
  expect(rules).not.toContain('localhost:10202');
  expect(await monitoringFile('dashboards/overview.json', template)).toBe(
    readFileSync('dashboards/overview.json', 'utf8'),
  );
  const ofGrafana = await monitoringFile('alerts/send-connector.grafana.yml', template);
  expect(ofGrafana).toContain('runbook_url: http://{{ or $$labels.instance $$labels.server }}/runbooks/');
  expect(ofGrafana.replaceAll('$$', '')).not.toContain('$');
});

test.skipIf(!hasProgram('promtool'))(
  'with such a template every alert links to an exporter that knows it, though an alert about mail names none',
  { timeout: 120_000 },
  async () => {
    const rules = await monitoringFile('alerts/send-connector.rules.yml', template);
    const linked = committedTests().flatMap((one) => {
      const alert_rule_test = (one.alert_rule_test ?? [])
        .filter(({ alertname }) =>
          ['DestinationDown', 'SendConnectorErrorsRepeated', 'StateNotSaved'].includes(alertname),
        )
        .map((expected) => ({ ...expected, exp_alerts: expected.exp_alerts.map(withLink) }));
      return alert_rule_test.length === 0 ? [] : [{ ...one, alert_rule_test, promql_expr_test: [] }];
    });
    expect(linked.length).toBeGreaterThan(2);
    const asked = new Set(['DestinationDown', 'SendConnectorErrorsRepeated', 'StateNotSaved']);
    const said = await promtoolSays(linked, rulesNamed(rules, asked));
    expect(said, said.slice(0, 3000)).toContain('SUCCESS');
  },
);

/** The alert as it is with a template: its link leads to the only exporter of its test. */
function withLink({ exp_labels, exp_annotations }: ExpectedAlert): ExpectedAlert {
  const exporter = exp_labels.instance ?? 'exch01:10202';
  const runbook_url = exp_annotations.runbook_url!.replace('localhost:10202', exporter);
  return { exp_labels, exp_annotations: { ...exp_annotations, runbook_url } };
}

test('an address that would spoil the files is refused, with what was expected', async () => {
  const folder = await temporaryFolder();
  for (const url of [
    'grafana.example',
    'ftp://a',
    'https://a b',
    'https://u:p@a.example',
    'http://a.example/?x=1',
    'http://{{ evil }}',
    'http://a"b',
    "http://a/'",
  ])
    expect(addressProblem(url), url).toMatch(/^expected /);
  const { status, stderr } = generate('--exporter-url=nonsense', `--output=${folder}`);
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: '--exporter-url: expected an http or https URL, got "nonsense"\n',
  });
  expect(existsSync(path.join(folder, 'alerts'))).toBe(false);
  const blocked = path.join(folder, 'file');
  await writeFile(blocked, '');
  expect(generate(`--output=${blocked}`)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('cannot be written') as string,
  });
});

test('a running exporter serves them with its own address, and links to them', async () => {
  const folder = await temporaryFolder();
  const events = path.join(folder, 'events.ndjson');
  await writeFile(events, '');
  const exporter = await startExporter({
    files: [events],
    args: ['--no-probe', `--web.external-url=${addresses.exporterUrl}`],
  });
  onTestFinished(() => exporter.kill9());
  const list = (await exporter.page('/generated')).body.trim().split('\n');
  expect(list).toEqual(monitoringFileNames.map((name) => `/generated/${name}`));
  expect((await exporter.page('/generated/alerts/send-connector.rules.yml')).body).toBe(
    await monitoringFile('alerts/send-connector.rules.yml', { exporterUrl: addresses.exporterUrl }),
  );
  expect((await exporter.page('/')).body).toContain('href="/prefix/generated"');
  expect((await exporter.page('/generated/../package.json')).status).toBe(404);
}, 60_000);

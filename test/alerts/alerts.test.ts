/** Alerts: the committed rules are the generated ones, they do what they say, and each leads to a runbook. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { defaultRuleOptions, ruleFiles, rulesFile } from '../../alerts/generate.js';
import { alertsOf, scopes, severities } from '../../alerts/rules.js';
import { duration, scaled, thresholds } from '../../alerts/thresholds.js';
import { diagnoses, reasons } from '../../src/model/words.js';
import { metricsIn, publishedMetrics } from '../support/published-metrics.js';
import { hasProgram } from '../support/programs.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const alerts = alertsOf(thresholds);
const rules = 'alerts/send-connector.rules.yml';
const ruleTests = readdirSync(join(root, 'alerts'))
  .filter((name) => name.endsWith('.rules.test.yml'))
  .map((name) => `alerts/${name}`);

type Texts = { labels: Record<string, string>; annotations: Record<string, string> };
type Delays = { for?: string; keep_firing_for?: string };
type Rule = Texts & Delays & { alert: string; expr: string };
type GrafanaRule = Texts &
  Delays & {
    uid: string;
    title: string;
    condition: string;
    noDataState: string;
    data: { refId: string; model: { expr?: string } }[];
  };
const rulesIn = (text: string): Rule[] =>
  (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);

function run(program: string, ...parameters: string[]): string {
  const result = spawnSync(program, parameters, { cwd: root, encoding: 'utf8' });
  const output = result.stdout + result.stderr;
  if (result.status !== 0) throw new Error(`${program} ${parameters.join(' ')}\n${output}`);
  return output;
}

describe('the files for Prometheus, its operator and Grafana', () => {
  it.each(Object.entries(ruleFiles()))('%s is what `npm run generate` writes', (name, text) => {
    expect(readFileSync(join(root, name), 'utf8')).toBe(text);
  });

  it('the manifest is one that the operator accepts, with the same groups', () => {
    const manifest = parse(ruleFiles()['alerts/send-connector.prometheusrule.yml']!) as { spec: { groups: object[] } };
    expect(() => {
      new PrometheusRule(manifest as ConstructorParameters<typeof PrometheusRule>[0]).validate();
    }).not.toThrow();
    expect(manifest.spec.groups).toEqual((parse(rulesFile()) as { groups: object[] }).groups);
  });

  it('Grafana gets the same expressions, delays and labels, and no dollar that it would take for its environment', () => {
    const text = ruleFiles()['alerts/send-connector.grafana.yml']!;
    const written = (parse(text) as { groups: { rules: GrafanaRule[] }[] }).groups.flatMap((group) => group.rules);
    const prometheus = rulesIn(rulesFile());
    expect(written.map((rule) => rule.title)).toEqual(prometheus.map((rule) => rule.alert));
    expect(new Set(written.map((rule) => rule.uid)).size).toBe(written.length);
    for (const [place, rule] of written.entries()) {
      const twin = prometheus[place]!;
      expect(rule.data[0]!.model.expr).toBe(twin.expr);
      expect(rule.data.map(({ refId }) => refId)).toContain(rule.condition);
      expect(rule.for).toBe(twin.for ?? '0s');
      expect(rule.keep_firing_for).toBe(twin.keep_firing_for);
      expect(rule.labels).toEqual(twin.labels);
      expect(Object.keys(rule.annotations)).toEqual(Object.keys(twin.annotations));
      expect(rule.uid).toMatch(/^[\w-]{1,40}$/);
      expect(rule.noDataState).toBe('OK');
    }
    expect(text.replaceAll('$$', '')).not.toContain('$');
    // What only Prometheus can answer in a template is not asked of Grafana.
    expect(text).not.toMatch(/\| query|\[\[|\(first /);
  });
});

describe('the rules file', () => {
  it('has one rule per alert, with labels, annotations and links', () => {
    const written = rulesIn(rulesFile());
    expect(written.map((rule) => rule.alert).sort()).toEqual(alerts.map((alert) => alert.name).sort());
    for (const rule of written) {
      expect(severities).toContain(rule.labels.severity);
      expect(scopes).toContain(rule.labels.scope);
      expect(rule.annotations.summary).toMatch(/\S/);
      expect(rule.annotations.description).toMatch(/\.$/);
      expect(rule.annotations.runbook_url).toContain(`http://localhost:10202/runbooks/${rule.alert}`);
      expect(rule.annotations.dashboard_url).toMatch(
        /^http:\/\/localhost:3000\/d\/send-connector-(overview|exporter)\/send-connector/,
      );
    }
  });

  it('asks only for metrics that the exporter publishes', () => {
    const published = publishedMetrics();
    for (const rule of rulesIn(rulesFile())) {
      const texts = [rule.expr, ...Object.values(rule.annotations)];
      for (const name of texts.flatMap(metricsIn)) expect(published, rule.alert).toContain(name);
    }
  });

  it('takes other addresses and a time scale', () => {
    const text = rulesFile({
      exporterUrl: 'https://e.example',
      grafanaUrl: 'https://g.example/g',
      timeScale: 1 / 60,
      datasourceUid: 'p',
    });
    expect(text).not.toContain('localhost:');
    expect(text).toContain('https://e.example/runbooks/DestinationDown?');
    expect(text).toContain('https://g.example/g/d/send-connector-overview/');
    const single = rulesIn(text).find((rule) => rule.alert === 'SendConnectorError');
    expect(single?.expr).toContain('_seconds[2m]');
    expect(single?.expr).toContain('< 60\n');
  });
});

describe('thresholds', () => {
  /** Time between two errors of one outage, as the slowest scraping shows them over the longest gap that is forgiven. */
  const apart =
    thresholds.longestRetrySeconds +
    thresholds.longestConnectSeconds +
    thresholds.slowestScrapeSeconds +
    thresholds.longestGapSeconds;

  it('look back for one error until the slowest retry must have been seen, and no longer than an hour', () => {
    expect(thresholds.longestRetrySeconds).toBe(30 * 60);
    expect(thresholds.longestConnectSeconds).toBe(60);
    expect(thresholds.errorSeconds).toBeGreaterThanOrEqual(apart);
    expect(thresholds.errorSeconds).toBeLessThanOrEqual(60 * 60);
  });

  it('hold as many of the slowest retries as they ask for, also with a gap of scraping in them', () => {
    const retry = thresholds.longestRetrySeconds + thresholds.longestConnectSeconds;
    const rest = thresholds.slowestScrapeSeconds + thresholds.longestGapSeconds;
    expect(thresholds.repeatedWindowSeconds).toBeGreaterThanOrEqual(thresholds.repeatedErrors * retry + rest);
    expect(thresholds.healthyProbesWindowSeconds).toBeGreaterThanOrEqual(thresholds.healthyProbesErrors * retry + rest);
    expect(thresholds.probeMemorySeconds).toBeGreaterThan(rest);
  });

  it('scale durations and leave counts alone', () => {
    const fast = scaled(0.1);
    expect(fast.errorSeconds).toBe(thresholds.errorSeconds / 10);
    expect(fast.repeatedErrors).toBe(thresholds.repeatedErrors);
  });

  it('are written as Prometheus writes durations', () => {
    expect([3600, 90, 0.5, 1209600, 600, 0].map(duration)).toEqual(['1h', '90s', '500ms', '14d', '10m', '1ms']);
  });
});

describe('checked by Prometheus and Alertmanager', () => {
  it.skipIf(!hasProgram('promtool'))('promtool accepts the rules, also in fast motion', { timeout: 120_000 }, () => {
    expect(run('promtool', 'check', 'rules', rules)).toContain(`SUCCESS: ${alerts.length} rules found`);
    const folder = mkdtempSync(join(tmpdir(), 'rules-'));
    try {
      run(process.execPath, 'generate.mjs', '--output', folder, '--time-scale', '0.01');
      const fast = join(folder, rules);
      expect(run('promtool', 'check', 'rules', fast)).toContain('SUCCESS');
      const options = { ...defaultRuleOptions, timeScale: 0.01 };
      expect(readFileSync(fast, 'utf8')).toBe(rulesFile(options));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.skipIf(!hasProgram('promtool'))(
    'every alert fires, stays quiet, clears, and survives births, restarts and gaps',
    { timeout: 240_000 },
    () => {
      for (const file of ruleTests) expect(run('promtool', 'test', 'rules', file), file).toContain('SUCCESS');
    },
  );

  it('every alert has a rule test in which it fires with its exact labels and annotations', () => {
    type RuleTest = { alert_rule_test?: { alertname: string; exp_alerts: { exp_annotations: object }[] }[] };
    const files = ruleTests.map((file) => parse(readFileSync(join(root, file), 'utf8')) as { tests: RuleTest[] });
    const expectations = files.flatMap(({ tests }) => tests.flatMap((test) => test.alert_rule_test ?? []));
    for (const alert of alerts) {
      const own = expectations.filter((expectation) => expectation.alertname === alert.name);
      expect(
        own.some((one) => one.exp_alerts.length > 0),
        `${alert.name} fires`,
      ).toBe(true);
      expect(
        own.some((one) => one.exp_alerts.length === 0),
        `${alert.name} stays quiet or clears`,
      ).toBe(true);
    }
  });

  it.skipIf(!hasProgram('promtool'))('promtool accepts the example for Prometheus', () => {
    expect(run('promtool', 'check', 'config', 'examples/prometheus.yml')).toContain('SUCCESS');
  });

  it.skipIf(!hasProgram('amtool'))('amtool accepts the example for Alertmanager and routes by severity', () => {
    const file = 'alerts/alertmanager.yml';
    expect(run('amtool', 'check-config', file)).toContain('SUCCESS');
    const route = (...labels: string[]): string =>
      run('amtool', 'config', 'routes', 'test', '--config.file', file, 'product=send-connector', ...labels);
    expect(route('scope=error', 'severity=info', 'connector=c')).toMatch(/^mail-log\n/);
    expect(route('scope=destination', 'severity=critical', 'connector=c', 'destination=d')).toMatch(/^mail-team\n/);
    expect(route('scope=exporter', 'severity=critical', 'instance=i')).toMatch(/^mail-team\n/);
    // Only what is critical wakes somebody, whatever it is about.
    for (const { scope, severity } of alerts) {
      const receiver = { critical: 'mail-team', warning: 'mail-warnings', info: 'mail-log' }[severity];
      expect(route(`scope=${scope}`, `severity=${severity}`).split('\n')[0]).toBe(receiver);
    }
  });
});

describe('inhibition in the example for Alertmanager', () => {
  type Inhibition = { source_matchers: string[]; target_matchers: string[]; equal?: string[] };
  const config = parse(readFileSync(join(root, 'alerts/alertmanager.yml'), 'utf8')) as {
    inhibit_rules: Inhibition[];
  };
  type Labels = Readonly<Record<string, string>>;
  const at = { product: 'send-connector', job: 'send-connector' };
  const destinationLabels = { server: 's', connector: 'c', destination: 'd' };
  /** An alert with the labels of its subjects; one about mail names no exporter. */
  const named = (name: string, more: Labels = {}): Labels => {
    const { severity, scope, subjects } = alerts.find((one) => one.name === name)!;
    const instance = subjects.includes('instance') ? { instance: 'i' } : {};
    return { alertname: name, severity, scope, ...at, ...instance, ...more };
  };

  /** Alertmanager's rule: an alert that matches a source silences one that matches the target with equal labels. */
  function silences(source: Labels, target: Labels): boolean {
    return config.inhibit_rules.some(
      (rule) =>
        rule.source_matchers.every((matcher) => matches(matcher, source)) &&
        rule.target_matchers.every((matcher) => matches(matcher, target)) &&
        (rule.equal ?? []).every((label) => (source[label] ?? '') === (target[label] ?? '')),
    );
  }

  function matches(matcher: string, labels: Labels): boolean {
    const [, label = '', operator, value = ''] = /^(\w+)(=~|!=|=)"?(.*?)"?$/.exec(matcher) ?? [];
    const actual = labels[label] ?? '';
    if (operator === '=') return actual === value;
    if (operator === '!=') return actual !== value;
    if (operator === '=~') return new RegExp(`^(?:${value})$`).test(actual);
    throw new Error(`${matcher}: expected label, operator and value`);
  }

  const error = named('SendConnectorError', destinationLabels);
  const down = named('DestinationDown', destinationLabels);
  const connector = named('SendConnectorDown', { server: 's', connector: 'c' });
  const server = named('ServerEgressDown', { server: 's' });
  const exporter = named('SendConnectorExporterDown');
  const unwatched = named('SendConnectorServerUnwatched', { server: 's' });
  const everywhere = named('SendConnectorErrorsEverywhere', { server: 's', connector: 'c' });
  const persist = named('SendConnectorErrorsPersist', destinationLabels);

  it.each([
    ['probed', [unwatched, server, connector, down, error]],
    ['not probed', [unwatched, server, everywhere, persist, error]],
  ])(
    'goes server that nobody watches > server > connector > destination > error, and never back: %s',
    (_what, tree) => {
      for (const [place, wide] of tree.entries()) {
        for (const narrow of tree.slice(place + 1)) {
          expect(silences(wide, narrow), `${wide.alertname} > ${narrow.alertname}`).toBe(true);
          expect(silences(narrow, wide), `${narrow.alertname} > ${wide.alertname}`).toBe(false);
        }
      }
    },
  );

  it('silences what an exporter that is down said last: of itself, and of servers that no other exporter watches', () => {
    expect(silences(exporter, named('StateNotSaved'))).toBe(true);
    expect(silences(exporter, unwatched)).toBe(true);
    expect(silences(exporter, down)).toBe(false);
    expect(silences(unwatched, down)).toBe(true);
    expect(silences({ ...exporter, instance: 'other' }, named('StateNotSaved'))).toBe(false);
    expect(silences(unwatched, { ...down, server: 'other' })).toBe(false);
    expect(silences({ ...unwatched, cluster: 'east' }, { ...down, cluster: 'west' })).toBe(false);
  });

  it('leaves other destinations, connectors and servers alone, and what is not ours', () => {
    for (const one of [down, persist]) expect(silences(one, { ...error, destination: 'other' })).toBe(false);
    for (const one of [connector, everywhere]) expect(silences(one, { ...down, connector: 'other' })).toBe(false);
    expect(silences(server, { ...connector, server: 'other' })).toBe(false);
    expect(silences(exporter, { alertname: 'NodeDown', job: at.job, instance: 'i' })).toBe(false);
    // Servers and connectors of another cluster may have the same names.
    for (const [wide, narrow] of [
      [server, connector],
      [connector, down],
      [down, error],
      [persist, error],
      [{ alertname: 'SendConnectorExporterDown', severity: 'critical', scope: 'exporter', ...at }, down],
    ] as const) {
      expect(silences({ ...wide, cluster: 'east' }, { ...narrow, cluster: 'east' })).toBe(true);
      expect(silences({ ...wide, cluster: 'east' }, { ...narrow, cluster: 'west' })).toBe(false);
    }
  });

  it('lets no alert silence itself', () => {
    for (const alert of alerts) {
      const labels = named(alert.name, destinationLabels);
      expect(silences(labels, labels), alert.name).toBe(false);
    }
  });

  it('silences everything when no exporter is scraped at all', () => {
    const nothingScraped = { alertname: 'SendConnectorExporterDown', severity: 'critical', scope: 'exporter' };
    expect(silences({ ...nothingScraped, product: 'send-connector' }, down)).toBe(true);
  });
});

describe('runbooks', () => {
  const folder = join(root, 'alerts/runbooks');
  const files = readdirSync(folder).filter((name) => name.endsWith('.md'));
  const text = (name: string): string => readFileSync(join(folder, name), 'utf8');

  /** Anchors as Git hosts make them from headings. */
  const anchorsOf = (markdown: string): string[] =>
    [...withoutCode(markdown).matchAll(/^#{1,6} (.+)$/gm)].map((match) =>
      match[1]!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    );
  const withoutCode = (markdown: string): string => markdown.replace(/^ *```[\s\S]*?^ *```$/gm, '');

  it.each(alerts.map((alert) => alert.name))(
    '%s has Meaning, Impact, Diagnosis and Mitigation, in this order',
    (name) => {
      const markdown = text(`${name}.md`);
      expect(markdown.startsWith(`# ${name}\n`)).toBe(true);
      const headings = [...withoutCode(markdown).matchAll(/^## (.+)$/gm)].map((match) => match[1]);
      expect(headings).toEqual(['Meaning', 'Impact', 'Diagnosis', 'Mitigation']);
    },
  );

  it('16.1.1: the index names every alert once with its severity, and who is told of each', () => {
    const rows = [...text('README.md').matchAll(/^\| \[(\w+)\]\((\w+)\.md\) +\| (\w+) +\| (\S.*?) +\|$/gm)];
    expect(rows.map(([, name, file, severity]) => [name, file, severity]).sort()).toEqual(
      alerts.map(({ name, severity }) => [name, name, severity]).sort(),
    );
    const receivers = readFileSync(join(root, 'alerts/alertmanager.yml'), 'utf8').matchAll(
      /^ {2}- name: (mail-\w+)$/gm,
    );
    for (const [, receiver = ''] of receivers)
      if (receiver !== 'mail-team') expect(text('README.md')).toContain(`\`${receiver}\``);
  });

  it('has no runbook without an alert', () => {
    const shared = ['reasons.md', 'diagnoses.md', 'checks.md', 'README.md'];
    const expected = [...alerts.map((alert) => `${alert.name}.md`), ...shared];
    expect(files.filter((name) => !expected.includes(name))).toEqual([]);
  });

  it('explains every reason and every diagnosis under an anchor of its name', () => {
    expect(anchorsOf(text('reasons.md'))).toEqual(expect.arrayContaining([...reasons]));
    expect(anchorsOf(text('diagnoses.md'))).toEqual(expect.arrayContaining([...diagnoses]));
  });

  it('says for every reason what it means, what to suspect, what to type and what comes next', () => {
    const sections = text('reasons.md').split(/^## /m).slice(1);
    for (const reason of reasons) {
      const section = sections.find((one) => one.startsWith(`${reason}\n`)) ?? '';
      expect(section, reason).toMatch(/\*\*Means:\*\* /);
      expect(section, reason).toMatch(/\*\*Suspect first:\*\* /);
      expect(section, reason).toMatch(/^```/m);
      expect(section, reason).toMatch(/\*\*Next:\*\* /);
    }
  });

  it('has only links that resolve, to files and to headings', () => {
    for (const name of files) {
      for (const [, target = ''] of withoutCode(text(name)).matchAll(/\]\(([^)]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [file = '', anchor] = target.split('#');
        const markdown = file === '' ? text(name) : files.includes(file) ? text(file) : undefined;
        expect(markdown, `${name} links to ${target}`).toBeDefined();
        if (anchor !== undefined) expect(anchorsOf(markdown ?? ''), `${name} links to ${target}`).toContain(anchor);
      }
    }
  });

  it('uses only placeholders that a page can fill in, and only inside code', () => {
    const known = ['connector', 'destination', 'server', 'host', 'port', 'address', 'domain', 'source', 'instance'];
    for (const name of files) {
      const markdown = text(name);
      const prose = withoutCode(markdown).replace(/`[^`]*`/g, '');
      expect(prose.match(/<[a-z]+>/g) ?? [], `${name}, outside code`).toEqual([]);
      for (const [, placeholder] of markdown.matchAll(/<([a-z]+)>/g)) expect(known, name).toContain(placeholder);
    }
  });
});

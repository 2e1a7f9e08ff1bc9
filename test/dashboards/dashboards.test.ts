/** Dashboards: the committed JSON is the generated one and keeps the rules of good dashboards. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { overviewPath } from '../../alerts/generate.js';
import { dashboardFiles } from '../../dashboards/generate.js';
import { overviewUid } from '../../dashboards/overview.js';
import { metricsIn, publishedMetrics } from '../support/published-metrics.js';
import { hasProgram } from '../support/programs.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = dashboardFiles({ exporterUrl: 'http://localhost:10202' });

type Target = { expr: string; refId: string; datasource: { type: string; uid: string } };
type Panel = {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { uid: string };
  targets?: Target[];
  links?: { url: string }[];
  panels?: Panel[];
  fieldConfig?: { defaults: { unit?: string; noValue?: string } };
};
type Variable = { name: string; type: string; query?: string | { query: string }; current?: { value: unknown } };
type Dashboard = {
  uid: string;
  title: string;
  panels: Panel[];
  templating: { list: Variable[] };
  annotations: { list: { expr: string }[] };
};

const dashboards = Object.entries(files).map(([name, text]) => ({ name, text, board: JSON.parse(text) as Dashboard }));
const panelsOf = (board: Dashboard): Panel[] =>
  board.panels.flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]));
const expressionsOf = (board: Dashboard): string[] => [
  ...panelsOf(board).flatMap((panel) => (panel.targets ?? []).map((target) => target.expr)),
  ...board.templating.list.flatMap((one) => (typeof one.query === 'object' ? [one.query.query] : [])),
];

/** Grafana's variables as Prometheus would get them. */
const filledIn = (expression: string): string =>
  expression
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__interval', '15s')
    .replaceAll('$__range', '6h')
    .replace(/\$\{\w+:regex\}/g, '.*');

/** Labels of each metric on the golden page; what Prometheus itself adds to a process is known too. */
const goldenLabels = new Map<string, Set<string>>([
  ['up', new Set()],
  ['process_resident_memory_bytes', new Set()],
  // https://github.com/prometheus-community/windows_exporter/blob/master/docs/collector.exchange.md
  ['windows_exchange_transport_queues_external_active_remote_delivery', new Set(['name'])],
  ['windows_exchange_transport_queues_internal_active_remote_delivery', new Set(['name'])],
  ['windows_exchange_transport_queues_unreachable', new Set(['name'])],
]);
for (const [, metric = '', labels = ''] of readFileSync(join(root, 'test/golden/metrics.txt'), 'utf8').matchAll(
  /^(\w+)(?:\{(.*)\})? \S+$/gm,
)) {
  const known = goldenLabels.get(metric) ?? new Set<string>();
  for (const [, label = ''] of labels.matchAll(/(?:^|,)(\w+)="/g)) known.add(label);
  goldenLabels.set(metric, known);
}

function errorsOf(expression: string): string[] {
  const errors: string[] = [];
  parser.parse(expression).iterate({
    enter(node) {
      if (node.type.isError) errors.push(`at ${node.from}`);
    },
  });
  return errors;
}

/** Every metric of an expression with the labels that it is selected by. */
function selectorsOf(expression: string): { metric: string; labels: string[] }[] {
  const found: { metric: string; labels: string[] }[] = [];
  parser.parse(expression).iterate({
    enter({ name, node }) {
      if (name !== 'VectorSelector') return;
      const text = expression.slice(node.from, node.to);
      const metric = /^\w+/.exec(text)?.[0] ?? '';
      found.push({ metric, labels: [...text.matchAll(/[{,]\s*(\w+)\s*(?:=~|!~|!=|=)/g)].map((match) => match[1]!) });
    },
  });
  return found;
}

describe.each(dashboards)('$name', ({ name, text, board }) => {
  const panels = panelsOf(board);

  it('is what `npm run generate` writes', () => {
    expect(readFileSync(join(root, name), 'utf8')).toBe(text);
  });

  it('has one data source, the variable, in every panel and query', () => {
    expect(board.templating.list.filter((one) => one.type === 'datasource').map((one) => one.name)).toEqual([
      'datasource',
    ]);
    for (const panel of panels) {
      if (panel.type === 'alertlist') continue;
      expect(panel.datasource?.uid, panel.title).toBe('${datasource}');
      for (const target of panel.targets ?? []) expect(target.datasource.uid, panel.title).toBe('${datasource}');
    }
  });

  it('numbers its panels and the queries of each, none twice', () => {
    const numbers = board.panels.flatMap((panel) => [panel.id, ...(panel.panels ?? []).map(({ id }) => id)]);
    expect(numbers).toEqual(expect.arrayContaining([expect.any(Number)]));
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const { title, targets = [] } of panels) {
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
      for (const { refId } of targets) expect(refId, title).toMatch(/^\w+$/);
    }
  });

  it('has the variables that alerts fill in', () => {
    const names = board.templating.list.map((one) => one.name);
    const about = name.endsWith('exporter.json') ? ['job', 'instance'] : ['server', 'connector', 'destination'];
    expect(names).toEqual(expect.arrayContaining([...about, 'exporter']));
  });

  it('has a title, a description, a unit and a text for no data on every panel, and a query', () => {
    expect(panels.length).toBeGreaterThan(0);
    for (const panel of panels) {
      expect(panel.description, panel.title).toMatch(/\.$/);
      if (panel.type === 'alertlist') continue; // Grafana's list of alerts: it asks for no series.
      expect(panel.fieldConfig?.defaults.unit, panel.title).toMatch(/\S/);
      expect(panel.fieldConfig?.defaults.noValue, panel.title).toMatch(/\S/);
      expect(panel.targets?.length, panel.title).toBeGreaterThan(0);
    }
    expect(new Set(panels.map((panel) => panel.title)).size).toBe(panels.length);
  });

  it('leads from every panel, so from every row, to a page of the exporter and to a runbook', () => {
    for (const panel of panels) {
      const urls = (panel.links ?? []).map(({ url }) => url);
      expect(
        urls.filter((url) => url.startsWith('${exporter}/runbooks/')),
        panel.title,
      ).toHaveLength(1);
      expect(
        urls.filter((url) => /^\$\{exporter\}\/(?!runbooks)/.test(url)),
        panel.title,
      ).toHaveLength(1);
    }
  });

  it('draws the alerts into every graph', () => {
    expect(board.annotations.list.map((one) => one.expr)).toEqual([expect.stringContaining('ALERTS{')]);
  });

  it('has no error in its PromQL, and selects only series that the golden page has', () => {
    for (const { expr } of panels.flatMap((panel) => panel.targets ?? [])) {
      const text = filledIn(expr);
      expect(errorsOf(text), text).toEqual([]);
      for (const { metric, labels } of selectorsOf(text)) {
        const known = goldenLabels.get(metric);
        expect(known, metric).toBeDefined();
        const fromPrometheus = ['job', 'instance'];
        for (const label of labels)
          expect([...(known ?? []), ...fromPrometheus], `${metric}: ${text}`).toContain(label);
      }
    }
  });

  it('takes $__rate_interval wherever a rate is taken', () => {
    for (const expression of expressionsOf(board)) {
      for (const [call, range] of expression.matchAll(/\b(?:rate|increase|irate)\([^[]*\[([^\]]+)\]/g)) {
        expect(range, call).toBe('$__rate_interval');
      }
    }
  });

  it('asks only for metrics that the exporter publishes', () => {
    const published = publishedMetrics();
    const names = expressionsOf(board).flatMap((expression) => metricsIn(expression));
    expect(names.length).toBeGreaterThan(0);
    for (const metric of names) expect(published).toContain(metric);
  });

  it('has no panel on top of another, and none wider than the grid', () => {
    const all = board.panels;
    for (const [place, one] of all.entries()) {
      expect(one.gridPos.x + one.gridPos.w, one.title).toBeLessThanOrEqual(24);
      for (const other of all.slice(place + 1)) {
        const apart =
          one.gridPos.x + one.gridPos.w <= other.gridPos.x ||
          other.gridPos.x + other.gridPos.w <= one.gridPos.x ||
          one.gridPos.y + one.gridPos.h <= other.gridPos.y ||
          other.gridPos.y + other.gridPos.h <= one.gridPos.y;
        expect(apart, `${one.title} and ${other.title}`).toBe(true);
      }
    }
  });

  it('links to runbooks that exist', () => {
    const runbooks = [...text.matchAll(/\$\{exporter\}\/runbooks\/(\w+)/g)].map((match) => match[1] ?? '');
    expect(runbooks.length).toBeGreaterThan(5);
    const anchored = [...text.matchAll(/\$\{exporter\}\/runbooks\/\w+[^"]*#([^"]*)"/g)].map((match) => match[1]);
    // Anchors are filled in with a reason or a diagnosis, and each of those has its place: see the alerts' tests.
    for (const anchor of anchored) expect(anchor).toMatch(/^\$\{__(value\.raw|field\.labels\.reason)\}$/);
    for (const runbook of runbooks) expect(existsSync(join(root, `alerts/runbooks/${runbook}.md`)), runbook).toBe(true);
  });

  it('encodes every value that it puts into a query string', () => {
    for (const [value] of text.matchAll(/=\$\{__(?:data|field)[^}]*\}/g)) expect(value).toMatch(/:percentencode\}$/);
  });

  it.skipIf(!hasProgram('promtool'))('has only PromQL that Prometheus can parse', () => {
    const expressions = panels.flatMap((panel) => (panel.targets ?? []).map((target) => filledIn(target.expr)));
    const rules = expressions.map((expr, place) => ({ record: `panel:query:${place}`, expr }));
    const folder = mkdtempSync(join(tmpdir(), 'panels-'));
    try {
      const file = join(folder, 'panels.yml');
      writeFileSync(file, stringify({ groups: [{ name: 'panels', rules }] }));
      const result = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
      expect(result.stdout + result.stderr).toContain(`SUCCESS: ${rules.length} rules found`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('panel queries on the data of an outage', () => {
  const pair = 'job="send-connector", instance="a", server="exch01", connector="c", destination="203.0.113.25:25"';
  const board = 'job="send-connector", instance="a", destination="203.0.113.25:25"';
  const self = 'job="send-connector", instance="a"';
  /** Ten quiet minutes, then four errors and a probe that fails; samples a minute apart. */
  const outage = [
    [`exchange_send_connector_connection_errors_total{${pair}}`, '0x9 1 2 3 4x20'],
    [`exchange_send_connector_last_error_timestamp_seconds{${pair}}`, '_x10 600 660 720 780x20'],
    [`exchange_destination_probe_success{${board}}`, '1x9 0x30'],
    [`exchange_destination_probe_failing{${board}, step="tcp", reason="refused"}`, '_x10 1x30'],
    [`exchange_destination_probe_failures_total{${board}, step="tcp", reason="refused"}`, '0x9 1+1x30'],
    [`exchange_destination_probe_step_duration_seconds_bucket{${board}, step="tcp", le="0.5"}`, '0+1x40'],
    [`exchange_destination_probe_step_duration_seconds_bucket{${board}, step="tcp", le="+Inf"}`, '0+1x40'],
    [`exchange_destination_certificate_expiry_timestamp_seconds{${board}}`, '5000000x40'],
    [`exchange_destination_probe_last_success_timestamp_seconds{${board}}`, '0+60x9 540x31'],
    [`exchange_destination_ping_loss_ratio{${board}}`, '0x40'],
    [`exchange_destination_ping_rtt_seconds{${board}}`, '0.02x40'],
    [`exchange_send_connector_diagnosis{${pair}, diagnosis="destination_down"}`, '0x9 1x30'],
    [`exchange_send_connector_connection_attempts_total{${pair}}`, '0x9 1 2 3 4x20'],
    [`exchange_send_connector_connection_failures_total{${pair}, reason="refused"}`, '0x9 1 2 3 4x20'],
    [
      `exchange_send_connector_related_events_total{${self}, server="exch01", provider="Schannel", event_id="36874"}`,
      '0x9 1 2 3 4x20',
    ],
    ['windows_exchange_transport_queues_external_active_remote_delivery{instance="exch01:9182", name="x"}', '7x40'],
    ['windows_exchange_transport_queues_internal_active_remote_delivery{instance="exch01:9182", name="x"}', '0x40'],
    ['windows_exchange_transport_queues_unreachable{instance="exch01:9182", name="x"}', '0x40'],
    [`up{${self}}`, '1x40'],
    [`exchange_exporter_config_last_reload_successful{${self}}`, '1x40'],
    [`exchange_exporter_inventory_age_seconds{${self}}`, '60+60x40'],
    [`exchange_exporter_probe_queue_length{${self}}`, '0x40'],
    [`exchange_exporter_source_unreadable_records_total{${self}, source="x", reason="not_json"}`, '0x40'],
    [`exchange_exporter_source_records_missed_total{${self}, source="x"}`, '0x40'],
    [`exchange_exporter_destinations_folded_total{${self}}`, '0x40'],
    [`exchange_exporter_source_up{${self}, source="x"}`, '1x40'],
    [`exchange_exporter_source_lag_seconds{${self}, source="x"}`, '0x40'],
    [`exchange_exporter_source_records_total{${self}, source="x", outcome="counted"}`, '0+1x40'],
    [`exchange_exporter_state_saves_total{${self}, outcome="ok"}`, '0+1x40'],
    [`exchange_exporter_state_last_save_timestamp_seconds{${self}}`, '0+60x40'],
    [`process_resident_memory_bytes{${self}}`, '90000000x40'],
  ] as const;

  function evaluated(expressions: readonly { expr: string; exp_samples: unknown[] }[]): string {
    const folder = mkdtempSync(join(tmpdir(), 'panels-'));
    try {
      const file = join(folder, 'panels.test.yml');
      const promql_expr_test = expressions.map((one) => ({ eval_time: '13m', ...one }));
      const input_series = outage.map(([series, values]) => ({ series, values }));
      writeFileSync(file, stringify({ tests: [{ interval: '1m', input_series, promql_expr_test }] }));
      const result = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
      return result.stdout + result.stderr;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** With a step of a minute, and rates over the four steps that Grafana takes at least. */
  const inMinutes = (expression: string): string =>
    filledIn(expression.replaceAll('$__rate_interval', '4m').replaceAll('$__interval', '1m'));

  it.skipIf(!hasProgram('promtool'))('all give data', () => {
    const expressions = dashboards.flatMap((one) => panelsOf(one.board)).flatMap((panel) => panel.targets ?? []);
    const tests = expressions.map(({ expr }) => ({
      expr: `count(${inMinutes(expr)}) > bool 0`,
      exp_samples: [{ value: 1 }],
    }));
    expect(evaluated(tests)).toContain('SUCCESS');
  });

  it.skipIf(!hasProgram('promtool'))('say what happened: who, how often, since when, at which step and why', () => {
    const target = (refId: string): string =>
      inMinutes(
        panelsOf(dashboards[0]!.board)
          .flatMap((panel) => panel.targets ?? [])
          .find((one) => one.refId === refId)!.expr,
      );
    const who = 'server="exch01", connector="c", destination="203.0.113.25:25"';
    const tests = [
      { expr: target('errors'), exp_samples: [{ labels: `{${who}}`, value: 4 }] },
      { expr: target('age'), exp_samples: [{ labels: `{${who}}`, value: 0 }] },
      { expr: target('probe'), exp_samples: [{ labels: `{${who}}`, value: 0 }] },
      { expr: target('failing'), exp_samples: [{ labels: `{${who}, step="tcp", reason="refused"}`, value: 1 }] },
    ];
    expect(evaluated(tests)).toContain('SUCCESS');
  });

  const panelTitled = (title: string): string => {
    const panel = panelsOf(dashboards[0]!.board).find((one) => one.title === title);
    return inMinutes(panel!.targets!.at(-1)!.expr);
  };

  it.skipIf(!hasProgram('promtool'))(
    'draw every error exactly once, in the heat map and beside the queues, too',
    () => {
      const drawn = (title: string): string => `sum_over_time((${panelTitled(title)})[13m:1m])`;
      const tests = [
        { expr: drawn('Errors by Send connector'), exp_samples: [{ labels: '{connector="c"}', value: 4 }] },
        { expr: drawn('Errors by hour'), exp_samples: [{ labels: '{connector="c"}', value: 4 }] },
        { expr: drawn('Queues beside errors'), exp_samples: [{ labels: '{server="exch01"}', value: 4 }] },
      ];
      expect(evaluated(tests)).toContain('SUCCESS');
    },
  );

  it.skipIf(!hasProgram('promtool'))('tell how much of the time a destination could be reached', () => {
    // Ten good minutes of fourteen samples.
    const exp_samples = [{ labels: '{destination="203.0.113.25:25"}', value: 10 / 14 }];
    expect(evaluated([{ expr: panelTitled('Availability by destination'), exp_samples }])).toContain('SUCCESS');
  });
});

describe('the dashboards together', () => {
  it('are all committed, and nothing else is', () => {
    const committed = readdirSync(join(root, 'dashboards')).filter((name) => name.endsWith('.json'));
    expect(committed.map((name) => `dashboards/${name}`).sort()).toEqual(Object.keys(files).sort());
  });

  it('have different, stable names, the one that alerts link to among them', () => {
    const uids = dashboards.map((one) => one.board.uid);
    expect(new Set(uids).size).toBe(uids.length);
    expect(uids).toContain(overviewUid);
    expect(overviewPath).toContain(`/d/${overviewUid}/`);
  });

  it('take the address of the exporter', () => {
    const [other = ''] = Object.values(dashboardFiles({ exporterUrl: 'https://e.example' }));
    expect(other).toContain('https://e.example');
    expect(other).not.toContain('localhost');
  });

  it('come with provisioning files for Grafana', () => {
    const file = (name: string): Record<string, unknown> =>
      parse(readFileSync(join(root, 'dashboards/provisioning', name), 'utf8')) as Record<string, unknown>;
    expect(file('datasources.yml')).toMatchObject({ apiVersion: 1, datasources: [{ type: 'prometheus' }] });
    expect(file('dashboards.yml')).toMatchObject({ apiVersion: 1, providers: [{ type: 'file' }] });
  });
});

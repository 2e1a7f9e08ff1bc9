/** Rules and dashboards with a pair of exporters: nothing is counted twice, whichever of the two was restarted, lags or is gone. */
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { rulesFile } from '../../alerts/generate.js';
import { replicaLabels } from '../../alerts/replicas.js';
import { dashboardFiles } from '../../dashboards/generate.js';
import { fleetWorlds, seriesIn } from './fleet-worlds.js';
import { promtoolSays, type QueryTest } from './rule-tests.js';
import { hasProgram } from '../support/programs.js';

type Panel = { title: string; targets?: { expr: string }[]; panels?: Panel[] };
type Node = ReturnType<typeof parser.parse>['topNode'];

const boards = Object.entries(dashboardFiles({ exporterUrl: 'http://localhost:10202' }));
/** Every query of a dashboard with its panel, with Grafana's variables filled in. */
const queries = boards.flatMap(([file, text]) =>
  (JSON.parse(text) as { panels: Panel[] }).panels
    .flatMap((panel) => [panel, ...(panel.panels ?? [])])
    .flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ what: `${file}: ${title}`, expr: filledIn(expr) })),
    ),
);
const rules = (parse(rulesFile()) as { groups: { rules: { alert: string; expr: string }[] }[] }).groups.flatMap(
  (group) => group.rules.map(({ alert, expr }) => ({ what: alert, expr })),
);

function filledIn(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '4m')
    .replaceAll('$__interval', '1m')
    .replaceAll('$__range', '6h')
    .replace(/\$\{\w+:regex\}/g, '.*');
}

/** Metrics of ours that an expression adds up or counts over exporters without taking those of a pair together first. */
function summedOverExporters(expression: string): string[] {
  const found: string[] = [];
  const text = ({ from, to }: Node): string => expression.slice(from, to);
  const visit = (node: Node, summing: boolean): void => {
    let below = summing;
    if (node.name === 'AggregateExpr') {
      const operation = /^\w+/.exec(text(node))![0];
      const modifier = node.getChild('AggregateModifier');
      const keeps = (modifier ? text(modifier) : '').startsWith('by');
      const labels = (modifier ? text(modifier) : 'without (instance)').match(/\w+/g)!;
      const dropsExporter = keeps === !labels.includes('instance');
      const together = !keeps && replicaLabels.every((label) => labels.includes(label));
      if (['max', 'min'].includes(operation) && together) below = false;
      else if (!['max', 'min', 'topk', 'group'].includes(operation) && dropsExporter) below = true;
    }
    if (node.name === 'VectorSelector' && below && text(node).startsWith('exchange_')) found.push(text(node));
    for (let child = node.firstChild; child; child = child.nextSibling) visit(child, below);
  };
  visit(parser.parse(expression).topNode, false);
  return found;
}

describe('3.4 no query sums a metric over instances without the max first', () => {
  it.each([...queries, ...rules])('$what', ({ expr }) => {
    expect(summedOverExporters(expr)).toEqual([]);
  });

  it('would be found out', () => {
    const metric = 'exchange_send_connector_connection_errors_total';
    const together = `max without (${replicaLabels.join(', ')})`;
    expect(summedOverExporters(`sum(${metric})`)).toEqual([metric]);
    expect(summedOverExporters(`sum by (connector) (increase(${metric}[5m]))`)).toEqual([metric]);
    expect(summedOverExporters(`count without (instance) (${metric} > 0)`)).toEqual([metric]);
    expect(summedOverExporters(`sum by (connector) (max without (instance) (${metric}))`)).toEqual([metric]);
    expect(summedOverExporters(`sum by (connector) (${together} (${metric}))`)).toEqual([]);
    expect(summedOverExporters(`sum without (reason) (${metric})`)).toEqual([]);
    expect(summedOverExporters(`sum by (instance, outcome) (${metric})`)).toEqual([]);
  });

  it.each([...queries, ...rules])('$what joins by what the labels have besides, not by a list of all', ({ expr }) => {
    expect(expr).not.toMatch(/\bon\s*\([^)]*\b(job|instance)\b/);
  });
});

/** Ten quiet minutes, then four errors of `c` and one of `e`, and a probe that fails. Samples are a minute apart. */
const told: readonly (readonly [series: string, values: string])[] = [
  ['exchange_send_connector_connection_errors_total{server="s", connector="c", destination="d"}', '3x9 4 5 6 7x20'],
  ['exchange_send_connector_connection_errors_total{server="s", connector="e", destination="f"}', '9x12 10x20'],
  [
    'exchange_send_connector_last_error_timestamp_seconds{server="s", connector="c", destination="d"}',
    '-900x9 600 660 720 780x20',
  ],
  ['exchange_send_connector_connection_attempts_total{server="s", connector="c", destination="d"}', '0x9 1 2 3 5x20'],
  [
    'exchange_send_connector_connection_failures_total{server="s", connector="c", destination="d", reason="refused"}',
    '0x9 1 2 3 4x20',
  ],
  [
    'exchange_send_connector_diagnosis{server="s", connector="c", destination="d", diagnosis="destination_down"}',
    '0x9 1x23',
  ],
  ['exchange_send_connector_related_events_total{server="s", provider="Schannel", event_id="36874"}', '2x9 3 4 6x21'],
];
const probed: typeof told = [
  ['exchange_destination_probe_success{destination="d"}', '1x9 0x23'],
  ['exchange_destination_probe_failing{destination="d", step="tcp", reason="refused"}', '_x10 1x23'],
  ['exchange_destination_probe_failures_total{destination="d", step="tcp", reason="refused"}', '0x9 1+1x23'],
  ['exchange_destination_probe_step_duration_seconds_bucket{destination="d", step="tcp", le="0.5"}', '0+1x33'],
  ['exchange_destination_probe_step_duration_seconds_bucket{destination="d", step="tcp", le="+Inf"}', '0+1x33'],
  ['exchange_destination_certificate_expiry_timestamp_seconds{destination="d"}', '5000000x33'],
  ['exchange_destination_probe_last_success_timestamp_seconds{destination="d"}', '0+60x9 540x23'],
  ['exchange_destination_ping_loss_ratio{destination="d"}', '0.5x33'],
  ['exchange_destination_ping_rtt_seconds{destination="d"}', '0.02x33'],
];
/** What the second exporter tells: it does not probe. `values` are those of the first. */
const seconds = {
  'tells the same': (values: string) => values,
  'was restarted': (values: string) => spread(values).fill('_', 7, 12).join(' '),
  'lags by an hour': (values: string) => `${spread(values)[0]}x33`,
  'is gone': (values: string) => spread(values).fill('_', 11).join(' '),
  'lost its state': (values: string) => spread(values).fill('_', 11, 13).fill('1', 13).join(' '),
};

function spread(values: string): string[] {
  return values.split(' ').flatMap((one) => {
    const [, value = one, count = '0'] = /^(.*)x(\d+)$/.exec(one) ?? [];
    return new Array<string>(value === '_' ? Number(count) : Number(count) + 1).fill(value);
  });
}

const notProbed =
  'exchange_send_connector_diagnosis{server="s", connector="c", destination="d", diagnosis="not_probed"}';

function inputSeries(second: (values: string) => string): { series: string; values: string }[] {
  const of = (labels: string, rows: typeof told): { series: string; values: string }[] =>
    rows.map(([series, values]) => ({ series: series.replace('{', `{${labels}, `), values }));
  const withoutProbes = told.map(([series, values]) =>
    series.includes('diagnosis=') ? ([notProbed, '0x9 1x23'] as const) : ([series, values] as const),
  );
  return [
    ...of('job="one", instance="a"', [...told, ...probed]),
    ...of('job="pair", instance="a"', [...told, ...probed]),
    ...of('job="pair", instance="b", replica="b"', withoutProbes).map(({ series, values }) => ({
      series,
      values: second(values),
    })),
  ];
}

/** The query with a matcher in each selector of ours. */
function ofJob(job: string, expression: string): string {
  return expression.replace(/\b(exchange_\w+)(\{)?/g, (_all, metric: string, brace?: string) =>
    brace ? `${metric}{job="${job}", ` : `${metric}{job="${job}"}`,
  );
}

describe.skipIf(!hasProgram('promtool'))('every panel shows with a pair what it shows with one exporter', () => {
  const shown = queries.filter(({ what }) => !what.startsWith('dashboards/exporter.json'));

  it.each(Object.entries(seconds))('when the second %s', { timeout: 120_000 }, async (_what, second) => {
    const tests = shown.flatMap(({ expr }): QueryTest[] => {
      const one = `(sum without (job) (${ofJob('one', expr)}))`;
      const pair = `(sum without (job) (${ofJob('pair', expr)}))`;
      return ['10m', '12m', '14m', '25m'].map((eval_time) => ({
        eval_time,
        expr: `${one} != ${pair} or ${one} unless ${pair} or ${pair} unless ${one}`,
        exp_samples: [],
      }));
    });
    expect(tests.length).toBeGreaterThan(60);
    const said = await promtoolSays(
      [{ interval: '1m', input_series: inputSeries(second), promql_expr_test: tests }],
      'groups: []',
    );
    expect(said, said.slice(0, 3000)).toContain('SUCCESS');
  });

  it.each(Object.entries(seconds))(
    'errors and top destinations are those of Exchange when the second %s',
    async (_what, second) => {
      const panel = (title: string): string =>
        ofJob('pair', queries.find(({ what }) => what.endsWith(`json: ${title}`))!.expr);
      const drawn = (title: string): string => `sum_over_time((sum(${panel(title)}))[25m:1m])`;
      const promql_expr_test: QueryTest[] = [
        {
          eval_time: '25m',
          expr: panel('Top destinations by errors'),
          exp_samples: [
            { labels: '{destination="d"}', value: 4 },
            { labels: '{destination="f"}', value: 1 },
          ],
        },
        { eval_time: '25m', expr: panel('Errors'), exp_samples: [{ labels: '{}', value: 5 }] },
        { eval_time: '25m', expr: drawn('Errors by destination'), exp_samples: [{ labels: '{}', value: 5 }] },
      ];
      const said = await promtoolSays(
        [{ interval: '1m', input_series: inputSeries(second), promql_expr_test }],
        'groups: []',
      );
      expect(said, said.slice(0, 3000)).toContain('SUCCESS');
    },
  );
});

/** The query of the last half hour, in a world of its own. */
function ofWorld(world: string, expression: string): string {
  const lately = expression.replaceAll('6h', '30m');
  const matched = lately.replace(/\b(exchange_\w+)(\{)?/g, (_all, metric: string, brace?: string) =>
    brace ? `${metric}{cluster="${world}", ` : `${metric}{cluster="${world}"}`,
  );
  return `(sum without (cluster) (${matched}))`;
}

describe.skipIf(!hasProgram('promtool'))('19.3 every panel shows in a fleet what it shows with one exporter', () => {
  const shown = [...new Set(queries.filter(({ what }) => !what.includes('exporter.json')).map(({ expr }) => expr))];
  const alone = 'one exporter';
  // Long enough for what lags by an hour to come.
  const input_series = [...told, ...probed].map(([series, values]) => ({
    series: series.replace('{', '{job="j", instance="a", '),
    values: values.replace(/x(\d+)$/, 'x130'),
  }));

  it('also while one of a pair lags, was restarted or is gone, and with shards', { timeout: 120_000 }, async () => {
    const others = fleetWorlds.map(({ name }) => name).filter((name) => name !== alone);
    const promql_expr_test = shown.flatMap((expr) =>
      others.flatMap((world) => {
        const [one, other] = [ofWorld(alone, expr), ofWorld(world, expr)];
        const differ = `${one} != ${other} or ${one} unless ${other} or ${other} unless ${one}`;
        return ['14m', '75m'].map((eval_time): QueryTest => ({ eval_time, expr: differ, exp_samples: [] }));
      }),
    );
    const top = queries.find(({ what }) => what.endsWith('json: Top destinations by errors'))!.expr;
    const counted = others.map((world): QueryTest => {
      const exp_samples = [
        { labels: '{destination="d"}', value: 4 },
        { labels: '{destination="f"}', value: 1 },
      ];
      return { eval_time: '25m', expr: ofWorld(world, top), exp_samples };
    });
    promql_expr_test.push(...counted);
    const all = fleetWorlds.flatMap((world) => seriesIn(world, { interval: '1m', input_series }));
    const said = await promtoolSays([{ interval: '1m', input_series: all, promql_expr_test }], 'groups: []');
    expect(said, said.slice(0, 6000)).toContain('SUCCESS');
  });
});

/** The first has an error and fails its probe; the second passes its own. */
function disagreeing(second: readonly (readonly [series: string, values: string])[]) {
  const pair = 'server="s", connector="c", destination="d"';
  const first = [
    [`exchange_send_connector_connection_errors_total{${pair}}`, '0x4 1x30'],
    [`exchange_send_connector_last_error_observed_timestamp_seconds{${pair}}`, '_x5 300x30'],
    ['exchange_destination_probe_success{destination="d"}', '1x4 0x30'],
  ] as const;
  const of = (instance: string, rows: readonly (readonly [string, string])[]) =>
    rows.map(([series, values]) => ({ series: series.replace('{', `{job="j", instance="${instance}", `), values }));
  return [...of('a', first), ...of('b', [...second, ['exchange_destination_probe_success{destination="d"}', '1x34']])];
}

describe.skipIf(!hasProgram('promtool'))('16.8: DestinationDown where the probes of two exporters disagree', () => {
  const counter = 'exchange_send_connector_connection_errors_total';
  it.each([
    ['is quiet: the second knows the pair and has not read its error yet', 'connector="c", destination="d"', 0],
    [
      'fires: the second tells of other pairs only, and may look from another place',
      'connector="e", destination="f"',
      1,
    ],
  ])('%s', async (_what, names, firing) => {
    const input_series = disagreeing([[`${counter}{server="s", ${names}}`, '0x34']]);
    const expr = 'count(ALERTS{alertname="DestinationDown", alertstate="firing"}) or vector(0)';
    const promql_expr_test: QueryTest[] = [{ eval_time: '15m', expr, exp_samples: [{ labels: '{}', value: firing }] }];
    const said = await promtoolSays([{ interval: '1m', input_series, promql_expr_test }], rulesFile());
    expect(said, said.slice(0, 2000)).toContain('SUCCESS');
  });
});

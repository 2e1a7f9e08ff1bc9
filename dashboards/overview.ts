/** The overview: which Send connector cannot reach which destination, since when, why, and where to read on. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
  type Panel,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { TableCellDisplayMode, TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import type { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { barGauge, bars, datasource, lines, link, overTime, rowsNow, stat, stateTimeline } from './panels.js';
import { table, thresholds, valueNow, zeroOne } from './panels.js';
import { besideEachPair, chosenDestinations, errorsPerStep, errorsWithin, lastErrorAge } from './queries.js';

/** The address of this dashboard; alerts link to it. */
export const overviewUid = 'send-connector-overview';

/** Query string that tells a runbook whom the row is about. */
const rowSubjects =
  'connector=${__data.fields.connector:percentencode}&destination=${__data.fields.destination:percentencode}' +
  '&server=${__data.fields.server:percentencode}';

/** @param exporterUrl address of the exporter as people reach it, the default of the variable `$exporter` */
export function overview(exporterUrl: string): object {
  // The builder of the classic schema, which every Grafana since 9 can load and provision from a file.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const dashboard = new DashboardBuilder('Send connectors')
    .uid(overviewUid)
    .description('Which Exchange Send connector cannot reach which destination, since when, and why.')
    .tags(['exchange', 'send-connector'])
    .time({ from: 'now-6h', to: 'now' })
    .timezone('browser')
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .variables(variables(exporterUrl))
    .link(
      new DashboardLinkBuilder('Status page of the exporter')
        .type(DashboardLinkType.Link)
        .url('${exporter}/')
        .targetBlank(true),
    );
  for (const row of [now(), errorsOverTime(), probes(), exporter()]) {
    dashboard.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) dashboard.withPanel(panel);
  }
  return dashboard.build();
}

type Row = { readonly title: string; readonly panels: readonly Builder<Panel>[] };

function variables(exporterUrl: string): Builder<VariableModel>[] {
  const errors = 'exchange_send_connector_connection_errors_total';
  const destinations = `{__name__=~"${errors}|exchange_destination_info"}`;
  return [
    new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    labelVariable('server', 'Server', `label_values(${errors}, server)`),
    labelVariable('connector', 'Send connector', `label_values(${errors}{server=~"$server"}, connector)`),
    labelVariable('destination', 'Destination', `label_values(${destinations}, destination)`),
    new TextBoxVariableBuilder('exporter')
      .label('Exporter')
      .description('Address of the exporter for the links to its pages, without a slash at the end.')
      .defaultValue(exporterUrl)
      .current({ text: exporterUrl, value: exporterUrl, selected: true }),
  ];
}

function labelVariable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query, refId: name, qryType: 5 })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalCaseInsensitiveAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all', selected: true });
}

function now(): Row {
  const redFromOne = thresholds([null, 'green'], [1, 'red']);
  const small = { unit: 'none', span: 6, height: 4 };
  return {
    title: 'Now',
    panels: [
      stat({
        ...small,
        title: 'Pairs with errors in the last hour',
        description: 'Pairs of Send connector and destination with at least one connection error in the last hour.',
        empty: '0',
      })
        .thresholds(thresholds([null, 'green'], [1, 'orange']))
        .withTarget(valueNow(`count(${lastErrorAge} < 3600) or vector(0)`, '')),
      stat({
        ...small,
        title: 'Destinations that fail now',
        description: 'Destinations whose latest probe failed.',
        empty: 'nothing is probed',
      })
        .thresholds(redFromOne)
        .withTarget(
          valueNow(
            `count(exchange_destination_probe_success${chosenDestinations}) - sum(exchange_destination_probe_success${chosenDestinations})`,
            '',
          ),
        ),
      stat({
        ...small,
        title: 'Destinations probed',
        description: 'Destinations that the exporter visits. None: probing is off or policy forbids all of them.',
        empty: 'nothing is probed',
      })
        .thresholds(thresholds([null, 'blue']))
        .withTarget(valueNow(`count(exchange_destination_probe_success${chosenDestinations})`, '')),
      stat({
        ...small,
        title: 'Last error',
        description: 'Time since the latest connection error of any chosen Send connector.',
        unit: 's',
        empty: 'no errors',
      })
        .thresholds(thresholds([null, 'red'], [3600, 'green']))
        .withTarget(valueNow(`min(${lastErrorAge})`, '')),
      pairs(),
    ],
  };
}

/** One line per Send connector and destination; the columns come from four queries that share their labels. */
function pairs(): TablePanel {
  const perPair = (expression: string, ...more: string[]): string =>
    `max by (${['server', 'connector', 'destination', ...more].join(', ')}) (${expression})`;
  return columnsOfPairs(
    table({
      title: 'Which Send connector cannot reach which destination',
      description:
        'Latest error on top. Errors are those of the chosen time range. Click a destination for its runbook with live ' +
        'state, a reason for what it means and what to type.',
      unit: 'none',
      empty: 'no errors: no Send connector has reported a connection error',
      span: 24,
      height: 10,
    })
      .withTarget(rowsNow('errors', perPair(errorsWithin('$__range'))))
      .withTarget(rowsNow('age', perPair(lastErrorAge)))
      .withTarget(rowsNow('probe', perPair(besideEachPair('exchange_destination_probe_success'))))
      .withTarget(
        rowsNow(
          'failing',
          perPair(besideEachPair('exchange_destination_probe_failing', 'step', 'reason'), 'step', 'reason'),
        ),
      ),
  );
}

/** Each column has its own text for an empty cell: the panel's own speaks for the whole table. */
function columnsOfPairs(panel: TablePanel): TablePanel {
  const columns = ['connector', 'destination', 'errors', 'last error', 'probe', 'step', 'reason', 'server'];
  return panel
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true, 'Value #failing': true },
        renameByName: { 'Value #errors': 'errors', 'Value #age': 'last error', 'Value #probe': 'probe' },
      },
    })
    .withTransformation({
      id: 'organize',
      options: { indexByName: Object.fromEntries(columns.map((column, place) => [column, place])) },
    })
    .sortBy([new TableSortByFieldStateBuilder().displayName('last error').desc(false)])
    .overrideByName('last error', [
      { id: 'unit', value: 's' },
      { id: 'decimals', value: 0 },
      { id: 'noValue', value: 'never' },
    ])
    .overrideByName('errors', [
      { id: 'unit', value: 'short' },
      { id: 'decimals', value: 0 },
      { id: 'noValue', value: '0' },
    ])
    .overrideByName('probe', [
      { id: 'mappings', value: zeroOne('fails', 'passes') },
      { id: 'noValue', value: 'not probed' },
      { id: 'custom.cellOptions', value: { type: TableCellDisplayMode.ColorBackground } },
    ])
    .overrideByName('connector', [cellLinks(['Runbook of repeated errors', runbook('SendConnectorErrorsRepeated')])])
    .overrideByName('destination', [cellLinks(['Runbook with live state', runbook('DestinationDown')])])
    .overrideByName('step', [{ id: 'noValue', value: '-' }])
    .overrideByName('reason', [
      { id: 'noValue', value: '-' },
      cellLinks(['What this reason means', '${exporter}/runbooks/reasons#${__value.raw}']),
    ]);
}

function runbook(alert: string): string {
  return `\${exporter}/runbooks/${alert}?${rowSubjects}`;
}

function cellLinks(...links: [title: string, url: string][]): { id: string; value: unknown } {
  return { id: 'links', value: links.map(([title, url]) => ({ title, url, targetBlank: true })) };
}

function errorsOverTime(): Row {
  const empty = 'no errors';
  return {
    title: 'Errors over time',
    panels: [
      bars({
        title: 'Errors by Send connector',
        description:
          'Connection errors (event 2002) in each step of the graph, exact counts, drawn when they were read.',
        unit: 'short',
        empty,
        span: 12,
        height: 8,
      })
        .withTarget(overTime(`sum by (connector) (${errorsPerStep})`, '{{connector}}'))
        .dataLinks([
          link(
            'Runbook',
            '${exporter}/runbooks/SendConnectorErrorsRepeated?connector=${__field.labels.connector:percentencode}',
          ),
        ]),
      bars({
        title: 'Errors by destination',
        description:
          'The same by destination: one colour is one destination, many colours are a connector or its server.',
        unit: 'short',
        empty,
        span: 12,
        height: 8,
      })
        .withTarget(overTime(`sum by (destination) (${errorsPerStep}) > 0`, '{{destination}}'))
        .dataLinks([
          link(
            'Runbook',
            '${exporter}/runbooks/DestinationDown?destination=${__field.labels.destination:percentencode}',
          ),
        ]),
    ],
  };
}

function probes(): Row {
  const half = { span: 12, height: 8 };
  return {
    title: 'Probes',
    panels: [
      stateTimeline({
        title: 'Probes over time',
        description: 'Latest result of the probe of each destination: green passes, red fails, empty was not probed.',
        unit: 'none',
        empty: 'nothing is probed',
        ...half,
      })
        .mappings(zeroOne('fails', 'passes'))
        .withTarget(
          overTime(`min by (destination) (exchange_destination_probe_success${chosenDestinations})`, '{{destination}}'),
        )
        .dataLinks([
          link(
            'Runbook',
            '${exporter}/runbooks/DestinationDown?destination=${__field.labels.destination:percentencode}',
          ),
        ]),
      bars({
        title: 'Failed visits by step and reason',
        description:
          'How far visits came, and why they ended. About as many as the probes made in each step of the graph.',
        unit: 'short',
        empty: 'no failures',
        ...half,
      })
        .withTarget(
          overTime(
            `sum by (step, reason) (increase(exchange_destination_probe_failures_total${chosenDestinations}[$__rate_interval])) > 0`,
            '{{step}}: {{reason}}',
          ),
        )
        .dataLinks([link('What this reason means', '${exporter}/runbooks/reasons#${__field.labels.reason}')]),
      lines({
        title: 'Duration of steps, 95th percentile',
        description: 'Nineteen of twenty visits were faster. A slow banner is greeting delay, a slow tcp is the path.',
        unit: 's',
        empty: 'nothing is probed',
        ...half,
      }).withTarget(
        overTime(
          `histogram_quantile(0.95, sum by (le, step) (rate(exchange_destination_probe_step_duration_seconds_bucket${chosenDestinations}[$__rate_interval])))`,
          '{{step}}',
        ),
      ),
      certificates(half),
    ],
  };
}

function certificates(size: { readonly span: number; readonly height: number }): ReturnType<typeof barGauge> {
  return barGauge({
    title: 'Certificates: time left',
    description: 'Time until the first certificate in the chain ends that a destination shows after STARTTLS.',
    unit: 's',
    empty: 'no certificate seen',
    ...size,
  })
    .min(0)
    .max(90 * 24 * 3600)
    .thresholds(thresholds([null, 'red'], [7 * 24 * 3600, 'orange'], [14 * 24 * 3600, 'green']))
    .withTarget(
      valueNow(
        `sort(min by (destination) (exchange_destination_certificate_expiry_timestamp_seconds${chosenDestinations}) - time())`,
        '{{destination}}',
      ),
    )
    .dataLinks([
      link(
        'Runbook',
        '${exporter}/runbooks/CertificateExpiring?destination=${__field.labels.destination:percentencode}',
      ),
    ]);
}

function exporter(): Row {
  return { title: 'The exporter itself', panels: [...reading(), ...saving()] };
}

const third = { span: 8, height: 7 };

function reading(): Builder<Panel>[] {
  return [
    stateTimeline({
      title: 'Sources',
      description: 'Whether each source can be read. A source that is down hides errors.',
      unit: 'none',
      empty: 'no source: is the exporter scraped?',
      ...third,
    })
      .mappings(zeroOne('down', 'up'))
      .withTarget(overTime('min by (instance, source) (exchange_exporter_source_up)', '{{source}} ({{instance}})'))
      .dataLinks([
        link(
          'Runbook',
          '${exporter}/runbooks/SendConnectorSourceStalled?source=${__field.labels.source:percentencode}' +
            '&instance=${__field.labels.instance:percentencode}',
        ),
      ]),
    lines({
      title: 'Lag of sources',
      description: 'How long unread records have been waiting. Zero: all is read.',
      unit: 's',
      empty: 'no source',
      ...third,
    }).withTarget(
      overTime('max by (instance, source) (exchange_exporter_source_lag_seconds)', '{{source}} ({{instance}})'),
    ),
    lines({
      title: 'Records by outcome',
      description: 'What became of the records read, per second. Unreadable ones raise an alert.',
      unit: 'rps',
      empty: 'no record read',
      ...third,
    }).withTarget(
      overTime('sum by (outcome) (rate(exchange_exporter_source_records_total[$__rate_interval]))', '{{outcome}}'),
    ),
  ];
}

function saving(): Builder<Panel>[] {
  const saves = 'rate(exchange_exporter_state_saves_total[$__rate_interval])';
  return [
    lines({
      title: 'Saves of the state',
      description: 'Saves per second by outcome. While saves fail, reading stops.',
      unit: 'ops',
      empty: 'nothing saved yet',
      ...third,
    }).withTarget(overTime(`sum by (instance, outcome) (${saves})`, '{{outcome}} ({{instance}})')),
    lines({
      title: 'Time since the last save',
      description: 'Grows while there is nothing to save. A worry only when a source lags as well.',
      unit: 's',
      empty: 'nothing saved yet',
      ...third,
    }).withTarget(
      overTime('time() - max by (instance) (exchange_exporter_state_last_save_timestamp_seconds)', '{{instance}}'),
    ),
    lines({
      title: 'Memory',
      description: 'Resident memory of the exporter.',
      unit: 'bytes',
      empty: 'the exporter is not scraped',
      ...third,
    }).withTarget(overTime('process_resident_memory_bytes{job=~".*send-connector.*"}', '{{instance}}')),
  ];
}

/** The overview: which Send connector cannot reach which destination, since when, why, and where to read on. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { TableCellDisplayMode, TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import type { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { failedVisits } from './failed-visits.js';
import { activeAlerts, availability, errorsByHour, queues, relatedEvents } from './surroundings.js';
import { boardOf, connectorVariable, destinationQuery, labelVariable, serverVariable, type Row } from './board.js';
import { barGauge, bars, lines, link, overTime, rowsNow, stat, stateTimeline } from './panels.js';
import { table, thresholds, valueNow, zeroOne } from './panels.js';
import {
  attemptsPerStep,
  besideEachPair,
  chosenDestinations,
  diagnoses,
  errorsPerStep,
  errorsWithin,
  failuresPerStep,
  lastErrorAge,
  latestVisits,
  once,
} from './queries.js';

/** The address of this dashboard; alerts link to it. */
export const overviewUid = 'send-connector-overview';

/** Query string that tells a runbook whom the row is about. */
const rowSubjects =
  'connector=${__data.fields.connector:percentencode}&destination=${__data.fields.destination:percentencode}' +
  '&server=${__data.fields.server:percentencode}';

/** The other dashboard about the destination of the row, for the same exporters. */
const drillDown =
  '/d/send-connector-destination/destination?var-destination=${__value.raw:percentencode}' +
  '&${datasource:queryparam}&${job:queryparam}&${instance:queryparam}';

export function overview(exporterUrl: string): object {
  return boardOf(
    {
      title: 'Send connectors',
      uid: overviewUid,
      description: 'Which Exchange Send connector cannot reach which destination, since when, and why.',
      variables: [serverVariable(), connectorVariable(), labelVariable('destination', 'Destination', destinationQuery)],
      alerts: ', scope=~"server|connector|destination"',
      rows: [now(), errorsOverTime(), probes(), around()],
    },
    exporterUrl,
  );
}

function now(): Row {
  const redFromOne = thresholds([null, 'green'], [1, 'red']);
  const small = { unit: 'none', page: '/?state=trouble', runbook: 'SendConnectorErrorsRepeated', span: 6, height: 4 };
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
        .withTarget(
          valueNow(`count(min by (server, connector, destination) (${lastErrorAge}) < 3600) or vector(0)`, ''),
        ),
      stat({
        ...small,
        title: 'Destinations that fail now',
        description: 'Destinations whose latest probe failed.',
        empty: 'nothing is probed',
      })
        .thresholds(redFromOne)
        .withTarget(valueNow(`sum(1 - ${latestVisits})`, '')),
      stat({
        ...small,
        title: 'Destinations probed',
        description: 'Destinations that the exporter visits. None: probing is off or policy forbids all of them.',
        empty: 'nothing is probed',
      })
        .thresholds(thresholds([null, 'blue']))
        .withTarget(valueNow(`count(${latestVisits})`, '')),
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
      activeAlerts({ page: '/', runbook: 'checks', span: 12, height: 8 }),
      availability({ page: '/', runbook: 'DestinationDown', span: 12, height: 8 }),
    ],
  };
}

/** One line per Send connector and destination; the columns come from four queries that share their labels. */
function pairs(): TablePanel {
  const perPair = (aggregation: string, expression: string, ...more: string[]): string =>
    `${aggregation} by (${['server', 'connector', 'destination', ...more].join(', ')}) (${expression})`;
  return withLinks(
    columnsOfPairs(
      table({
        title: 'Which Send connector cannot reach which destination',
        description:
          'Latest error on top. Errors are those of the chosen time range. Click a destination for its runbook with live ' +
          'state, a reason for what it means and what to type.',
        unit: 'none',
        empty: 'no errors: no Send connector has reported a connection error',
        page: '/',
        runbook: 'checks',
        span: 24,
        height: 10,
      })
        .withTarget(rowsNow('errors', perPair('sum', errorsWithin('$__range'))))
        .withTarget(rowsNow('age', perPair('min', lastErrorAge)))
        .withTarget(rowsNow('probe', perPair('max', besideEachPair('exchange_destination_probe_success'))))
        .withTarget(
          rowsNow(
            'failing',
            perPair('max', besideEachPair('exchange_destination_probe_failing', 'step', 'reason'), 'step', 'reason'),
          ),
        )
        .withTarget(rowsNow('diagnosis', perPair('max', diagnoses, 'diagnosis'))),
    ),
  );
}

/** Each column has its own text for an empty cell: the panel's own speaks for the whole table. */
function columnsOfPairs(panel: TablePanel): TablePanel {
  const columns = [
    'connector',
    'destination',
    'errors',
    'last error',
    'diagnosis',
    'probe',
    'step',
    'reason',
    'server',
  ];
  return panel
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true, 'Value #failing': true, 'Value #diagnosis': true },
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
    .overrideByName('step', [{ id: 'noValue', value: '-' }])
    .overrideByName('reason', [
      { id: 'noValue', value: '-' },
      cellLinks(['What this reason means', '${exporter}/runbooks/reasons#${__value.raw}']),
    ]);
}

/** Where each name leads: the runbook with its live state, and its page. */
function withLinks(panel: TablePanel): TablePanel {
  return panel
    .overrideByName('connector', [
      cellLinks(
        ['Runbook of repeated errors', runbook('SendConnectorErrorsRepeated')],
        ['Page of the Send connector', '${exporter}/connectors/${__value.raw:percentencode}'],
      ),
    ])
    .overrideByName('destination', [
      cellLinks(
        ['Runbook with live state', runbook('DestinationDown')],
        ['Page of the destination', '${exporter}/destinations/${__value.raw:percentencode}'],
        ['Drill-down', drillDown],
      ),
    ])
    .overrideByName('diagnosis', [
      { id: 'noValue', value: '-' },
      cellLinks(['What this diagnosis means', '${exporter}/runbooks/diagnoses#${__value.raw}']),
    ]);
}

function runbook(alert: string): string {
  return `\${exporter}/runbooks/${alert}?${rowSubjects}`;
}

function cellLinks(...links: [title: string, url: string][]): { id: string; value: unknown } {
  return { id: 'links', value: links.map(([title, url]) => ({ title, url, targetBlank: true })) };
}

const ofErrors = {
  unit: 'short',
  empty: 'no errors',
  page: '/',
  runbook: 'SendConnectorErrorsRepeated',
  span: 12,
  height: 8,
};

function errorsOverTime(): Row {
  return {
    title: 'Errors over time',
    panels: [
      bars({
        title: 'Errors by Send connector',
        description:
          'Connection errors (event 2002) in each step of the graph, exact counts, drawn when they were read.',
        ...ofErrors,
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
        ...ofErrors,
      })
        .withTarget(overTime(`sum by (destination) (${errorsPerStep}) > 0`, '{{destination}}'))
        .dataLinks([
          link(
            'Runbook',
            '${exporter}/runbooks/DestinationDown?destination=${__field.labels.destination:percentencode}',
          ),
        ]),
      ...transportLogs(),
      ...topTen(),
    ],
  };
}

function transportLogs(): Builder<Panel>[] {
  return [
    bars({
      title: 'Failed connections by reason',
      description: 'Why Exchange could not connect, as its own transport logs tell it. Without these logs it is empty.',
      ...ofErrors,
      empty: 'no failures, or no transport log is read',
    })
      .withTarget(overTime(`sum by (reason) (${failuresPerStep}) > 0`, '{{reason}}'))
      .dataLinks([link('What this reason means', '${exporter}/runbooks/reasons#${__field.labels.reason}')]),
    lines({
      title: 'Failure ratio',
      description: 'Failed connections of all attempts, as the transport logs tell them. One: nothing gets through.',
      ...ofErrors,
      unit: 'percentunit',
      empty: 'no attempts, or no transport log is read',
    })
      .max(1)
      .withTarget(
        overTime(
          `sum by (connector) (${failuresPerStep}) / (sum by (connector) (${attemptsPerStep}) > 0)`,
          '{{connector}}',
        ),
      ),
  ];
}

function topTen(): Builder<Panel>[] {
  return [
    barGauge({
      title: 'Top destinations by errors',
      description: 'Destinations with the most connection errors in the time range.',
      ...ofErrors,
    }).withTarget(valueNow(`topk(10, sum by (destination) (${errorsWithin('$__range')}) > 0)`, '{{destination}}')),
    barGauge({
      title: 'Top Send connectors by errors',
      description: 'Send connectors with the most connection errors in the time range.',
      ...ofErrors,
    }).withTarget(valueNow(`topk(10, sum by (connector) (${errorsWithin('$__range')}) > 0)`, '{{connector}}')),
  ];
}

function probes(): Row {
  const half = { page: '/', runbook: 'DestinationDown', span: 12, height: 8 };
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
        .withTarget(overTime(`min by (destination) (${latestVisits})`, '{{destination}}'))
        .dataLinks([
          link(
            'Runbook',
            '${exporter}/runbooks/DestinationDown?destination=${__field.labels.destination:percentencode}',
          ),
        ]),
      failedVisits(half),
      lines({
        title: 'Duration of steps, 95th percentile',
        description: 'Nineteen of twenty visits were faster. A slow banner is greeting delay, a slow tcp is the path.',
        unit: 's',
        empty: 'nothing is probed',
        ...half,
      }).withTarget(
        overTime(
          `histogram_quantile(0.95, sum by (le, step) (${once(`rate(exchange_destination_probe_step_duration_seconds_bucket${chosenDestinations}[$__rate_interval])`)}))`,
          '{{step}}',
        ),
      ),
      certificates(half),
    ],
  };
}

function around(): Row {
  return {
    title: 'Around the errors',
    panels: [
      errorsByHour({ ...ofErrors, span: 24, height: 7 }),
      relatedEvents({ page: '/', runbook: 'checks', span: 12, height: 8 }),
      queues(ofErrors),
    ],
  };
}

function certificates(size: {
  readonly page: string;
  readonly span: number;
  readonly height: number;
}): ReturnType<typeof barGauge> {
  return barGauge({
    title: 'Certificates: time left',
    runbook: 'CertificateExpiring',
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

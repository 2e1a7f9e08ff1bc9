/** Panels that set errors in their surroundings: availability, hours of the day, active alerts, related events, queues. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { AxisPlacement, GraphDrawStyle, StackingMode } from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder, type Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  barGauge,
  bars,
  heatmap,
  lines,
  link,
  linksOf,
  overTime,
  thresholds,
  valueNow,
  type PanelText,
} from './panels.js';
import { chosenServersByInstance, errorsPerStep, latestVisits, relatedPerStep } from './queries.js';

/** Where a panel stands and leads to. */
type Place = Omit<PanelText, 'title' | 'description' | 'unit' | 'empty'>;

/** Share of the time range in which the latest visit had passed; time that was not probed does not count. */
export function availability(place: Place): Builder<Panel> {
  return barGauge({
    title: 'Availability by destination',
    description:
      'Share of the time range in which the latest probe had passed, the worst on top. Time without a probe does not count.',
    unit: 'percentunit',
    empty: 'nothing is probed',
    ...place,
  })
    .min(0)
    .max(1)
    .decimals(2)
    .thresholds(thresholds([null, 'red'], [0.95, 'orange'], [0.99, 'green']))
    .withTarget(
      valueNow(
        `sort(avg_over_time((min by (destination) (${latestVisits}))[$__range:$__interval]))`,
        '{{destination}}',
      ),
    );
}

/** One row a Send connector, one column an hour; longer ranges have wider columns. */
export function errorsByHour(place: Place): Builder<Panel> {
  return heatmap({
    title: 'Errors by hour',
    description:
      'Connection errors (event 2002) of each Send connector in each hour. A column at the same hour every day is a job, ' +
      'a backup or a window of maintenance; choose a range of days.',
    unit: 'short',
    empty: 'no errors',
    ...place,
  })
    .interval('1h')
    .withTarget(overTime(`sum by (connector) (${errorsPerStep})`, '{{connector}}'));
}

/** Grafana's own list, of alerts of its own and of those of Prometheus; it has no builder and no query. */
export function activeAlerts({ page, runbook, span, height }: Place): Builder<Panel> {
  return new PanelBuilder()
    .type('alertlist')
    .title('Active alerts')
    .description('Alerts of this product that fire or are pending, of Prometheus and of Grafana. Empty is good.')
    .span(span)
    .height(height)
    .links(linksOf(page, runbook))
    .options({
      viewMode: 'list',
      groupMode: 'default',
      groupBy: [],
      maxItems: 30,
      sortOrder: 3,
      dashboardAlerts: false,
      alertName: '',
      alertInstanceLabelFilter: '{product="send-connector"}',
      showInstances: true,
      stateFilter: { firing: true, pending: true, error: true, noData: false, normal: false },
    });
}

/** Other events of the same servers. */
export function relatedEvents(place: Place): Builder<Panel> {
  return bars({
    title: 'Related events',
    description:
      'Events of the chosen servers that may explain errors (DNS, TCP/IP, TLS, certificates, back pressure), in each step ' +
      'of the graph. What they say is on the page of the destination.',
    unit: 'short',
    empty: 'no related events',
    ...place,
  }).withTarget(
    overTime(`sum by (server, provider, event_id) (${relatedPerStep}) > 0`, '{{event_id}} {{provider}} ({{server}})'),
  );
}

/**
 * Queue lengths of windows_exporter's collector `exchange` beside our errors. Its series have one value for each priority
 * in the label `name`, and the largest is the total.
 * Names: https://github.com/prometheus-community/windows_exporter/blob/master/docs/collector.exchange.md
 */
export function queues(place: Place): Builder<Panel> {
  const length = (queue: string): string =>
    `max by (instance) (windows_exchange_transport_queues_${queue}{${chosenServersByInstance}})`;
  return lines({
    title: 'Queues beside errors',
    description:
      'Queue lengths, where the collector exchange of windows_exporter is scraped with instances named like the servers, and ' +
      'connection errors as bars on the right. A queue that grows with the errors is mail that waits.',
    unit: 'short',
    empty: 'no errors',
    ...place,
  })
    .withTarget(overTime(length('external_active_remote_delivery'), 'external: {{instance}}', 'external'))
    .withTarget(overTime(length('internal_active_remote_delivery'), 'internal: {{instance}}', 'internal'))
    .withTarget(overTime(length('unreachable'), 'unreachable: {{instance}}', 'unreachable'))
    .withTarget(overTime(`sum by (server) (${errorsPerStep})`, 'errors: {{server}}', 'errors'))
    .overrideByQuery('errors', [
      { id: 'custom.drawStyle', value: GraphDrawStyle.Bars },
      { id: 'custom.axisPlacement', value: AxisPlacement.Right },
      { id: 'custom.fillOpacity', value: 60 },
      { id: 'custom.stacking', value: { mode: StackingMode.Normal, group: 'errors' } },
    ])
    .dataLinks([link('Status page of the exporter', '${exporter}/')]);
}

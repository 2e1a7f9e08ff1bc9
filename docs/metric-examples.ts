/** What `docs/metrics.md` says of each metric beside its type and help text, which stand where it is declared: labels and a query. */
import { exporterExamples, type MetricExample } from './exporter-metric-examples.js';

/** By name of the metric, one for each: those about mail here, those about the exporter itself beside this file. */
export const metricExamples: Readonly<Record<string, MetricExample>> = {
  exchange_send_connector_connection_errors_total: {
    labels: ['server', 'connector', 'destination'],
    shows: 'errors of each pair within a day',
    query:
      'sum by (connector, destination) (max without (instance, replica) (increase(exchange_send_connector_connection_errors_total[1d])))',
  },
  exchange_send_connector_connection_attempts_total: {
    labels: ['server', 'connector', 'destination'],
    shows: 'attempts an hour by Send connector',
    query:
      'sum by (connector) (max without (instance, replica) (increase(exchange_send_connector_connection_attempts_total[1h])))',
  },
  exchange_send_connector_connection_failures_total: {
    labels: ['server', 'connector', 'destination', 'reason'],
    shows: 'the reasons of a day, the most frequent first',
    query:
      'sort_desc(sum by (reason) (max without (instance, replica) (increase(exchange_send_connector_connection_failures_total[1d]))))',
  },
  exchange_send_connector_last_error_timestamp_seconds: {
    labels: ['server', 'connector', 'destination'],
    shows: 'seconds since the last error of each pair',
    query: 'time() - max without (instance, replica) (exchange_send_connector_last_error_timestamp_seconds > 0)',
  },
  exchange_send_connector_last_error_observed_timestamp_seconds: {
    labels: ['server', 'connector', 'destination'],
    shows: 'an error was read within the last 15 minutes: what alerts ask',
    query:
      'time() - max without (instance, replica) (exchange_send_connector_last_error_observed_timestamp_seconds) < 900',
  },
  exchange_send_connector_diagnosis: {
    labels: ['server', 'connector', 'destination', 'diagnosis'],
    note: 'Of more than 2,000 pairs, those with the latest errors.',
    shows: 'what is wrong now',
    query: 'max without (instance, replica) (exchange_send_connector_diagnosis) == 1',
  },
  exchange_send_connector_advice_info: {
    labels: ['server', 'connector', 'destination', 'diagnosis', 'says', 'command', 'where'],
    note: 'For the texts of alerts.',
    shows: 'what to do now about each pair',
    query:
      'count by (server, connector, destination, where, command) (max without (instance, replica) (exchange_send_connector_advice_info))',
  },
  exchange_destination_info: {
    labels: ['destination', 'host', 'origin'],
    note: 'Origins: observed, inventory, configured.',
    shows: 'destinations by where they are known from',
    query: 'count by (origin) (max without (instance, replica) (exchange_destination_info))',
  },
  exchange_destination_probe_success: {
    labels: ['destination'],
    shows: 'destinations that fail',
    query: 'max without (instance, replica) (exchange_destination_probe_success) == 0',
  },
  exchange_destination_probe_failing: {
    labels: ['destination', 'step', 'reason'],
    shows: 'why they fail',
    query: 'max without (instance, replica) (exchange_destination_probe_failing)',
  },
  exchange_destination_probe_failure_info: {
    labels: ['destination', 'step', 'reason', 'verb', 'at', 'what', 'suspect'],
    note: 'For the texts of alerts.',
    shows: 'how destinations fail now',
    query: 'max without (instance, replica) (exchange_destination_probe_failure_info)',
  },
  exchange_destination_probes_total: {
    labels: ['destination'],
    shows: 'probes a minute',
    query: 'sum(max without (instance, replica) (rate(exchange_destination_probes_total[5m]))) * 60',
  },
  exchange_destination_probe_failures_total: {
    labels: ['destination', 'step', 'reason'],
    shows: 'failed steps of an hour',
    query:
      'sum by (step, reason) (max without (instance, replica) (increase(exchange_destination_probe_failures_total[1h])))',
  },
  exchange_destination_probe_step_duration_seconds: {
    labels: ['destination', 'step'],
    shows: '95th percentile of each step',
    query:
      'histogram_quantile(0.95, sum by (le, step) (max without (instance, replica) (rate(exchange_destination_probe_step_duration_seconds_bucket[1h]))))',
  },
  exchange_destination_probe_last_timestamp_seconds: {
    labels: ['destination'],
    shows: 'destinations without a probe for an hour',
    query: 'time() - max without (instance, replica) (exchange_destination_probe_last_timestamp_seconds) > 3600',
  },
  exchange_destination_probe_last_success_timestamp_seconds: {
    labels: ['destination'],
    shows: 'how long a destination has been failing',
    query: 'time() - max without (instance, replica) (exchange_destination_probe_last_success_timestamp_seconds)',
  },
  exchange_destination_certificate_expiry_timestamp_seconds: {
    labels: ['destination'],
    shows: 'certificates with less than two weeks left',
    query:
      'max without (instance, replica) (exchange_destination_certificate_expiry_timestamp_seconds) - time() < 14 * 86400',
  },
  exchange_destination_tls_info: {
    labels: ['destination', 'version', 'cipher'],
    shows: 'destinations without TLS 1.3',
    query: 'max without (instance, replica) (exchange_destination_tls_info{version!="TLSv1.3"})',
  },
  exchange_destination_ping_loss_ratio: {
    labels: ['destination'],
    shows: 'packets are lost, but not all',
    query: 'max without (instance, replica) (exchange_destination_ping_loss_ratio) > 0 < 1',
  },
  exchange_destination_ping_rtt_seconds: {
    labels: ['destination'],
    shows: 'the slowest ways',
    query: 'topk(5, max without (instance, replica) (exchange_destination_ping_rtt_seconds))',
  },
  exchange_send_connector_related_events_total: {
    labels: ['server', 'provider', 'event_id'],
    shows: 'related events of an hour',
    query:
      'sum by (server, provider, event_id) (max without (instance, replica) (increase(exchange_send_connector_related_events_total[1h]))) > 0',
  },
  exchange_send_connector_info: {
    labels: ['connector', 'enabled', 'dns_routing', 'require_tls', 'protocol_logging'],
    shows: 'connectors that log no protocol',
    query: 'max without (instance, replica) (exchange_send_connector_info{protocol_logging="none"})',
  },
  exchange_smart_host_resolved: {
    labels: ['host'],
    shows: 'smart hosts that cannot be resolved',
    query: 'max without (instance, replica) (exchange_smart_host_resolved) == 0',
  },
  exchange_smart_host_addresses: {
    labels: ['host'],
    shows: 'addresses of each smart host',
    query: 'max without (instance, replica) (exchange_smart_host_addresses)',
  },
  ...exporterExamples,
};

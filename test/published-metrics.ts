/** The metrics that alerts and dashboards may use: the golden page, or design's list until that page is there. */
import { existsSync, readFileSync } from 'node:fs';

const golden = new URL('golden/metrics.txt', import.meta.url);

/** Names for a time before the golden page; histograms by their base name. */
const planned = [
  'exchange_send_connector_connection_errors_total',
  'exchange_send_connector_last_error_timestamp_seconds',
  'exchange_send_connector_last_error_observed_timestamp_seconds',
  'exchange_destination_info',
  'exchange_destination_probe_success',
  'exchange_destination_probe_failing',
  'exchange_destination_probes_total',
  'exchange_destination_probe_failures_total',
  'exchange_destination_probe_step_duration_seconds',
  'exchange_destination_probe_last_timestamp_seconds',
  'exchange_destination_probe_last_success_timestamp_seconds',
  'exchange_destination_certificate_expiry_timestamp_seconds',
  'exchange_destination_tls_info',
  'exchange_exporter_build_info',
  'exchange_exporter_source_up',
  'exchange_exporter_source_last_record_timestamp_seconds',
  'exchange_exporter_source_lag_bytes',
  'exchange_exporter_source_lag_seconds',
  'exchange_exporter_source_bytes_total',
  'exchange_exporter_source_records_total',
  'exchange_exporter_series_held',
  'exchange_exporter_state_saves_total',
  'exchange_exporter_state_last_save_timestamp_seconds',
  'exchange_exporter_probe_queue_length',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_start_time_seconds',
] as const;

/** Base names of every published metric. */
export function publishedMetrics(): ReadonlySet<string> {
  if (!existsSync(golden)) return new Set(planned);
  const page = readFileSync(golden, 'utf8');
  return new Set([...page.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1] ?? ''));
}

/** Base names of the metrics of this product in a PromQL expression; `up` and `ALERTS` are Prometheus' own. */
export function metricsIn(expression: string): string[] {
  const withoutStrings = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const names = withoutStrings.match(/\b(?:exchange|process|nodejs)_[a-z0-9_]+/g) ?? [];
  return [...new Set(names.map((name) => name.replace(/(_seconds)_(?:bucket|sum|count)$/, '$1')))];
}

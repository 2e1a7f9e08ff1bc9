/** Labels and a query of each metric that the exporter gives of itself and its sources, for `docs/metrics.md`. */
import { recordOutcomes } from '../src/model/records.js';

export type MetricExample = {
  /** Without those that Prometheus adds, and without `le`. */
  readonly labels: readonly string[];
  /** Said after the help text, where that leaves something out. */
  readonly note?: string;
  /** What the query answers, as it follows "Example, ". */
  readonly shows: string;
  readonly query: string;
};

export const exporterExamples: Readonly<Record<string, MetricExample>> = {
  exchange_exporter_build_info: {
    labels: ['version', 'nodejs'],
    shows: 'versions in use',
    query: 'count by (version) (exchange_exporter_build_info)',
  },
  exchange_exporter_source_up: {
    labels: ['source'],
    shows: 'sources that cannot be read',
    query: 'exchange_exporter_source_up == 0',
  },
  exchange_exporter_source_last_record_timestamp_seconds: {
    labels: ['source'],
    shows: 'silence of each source',
    query: 'time() - exchange_exporter_source_last_record_timestamp_seconds',
  },
  exchange_exporter_source_lag_bytes: {
    labels: ['source'],
    shows: 'bytes to catch up with',
    query: 'sum by (instance) (exchange_exporter_source_lag_bytes)',
  },
  exchange_exporter_source_lag_seconds: {
    labels: ['source'],
    shows: 'sources that lag',
    query: 'exchange_exporter_source_lag_seconds > 60',
  },
  exchange_exporter_source_stalled_seconds: {
    labels: ['source'],
    shows: 'sources that stand still',
    query: 'exchange_exporter_source_stalled_seconds > 0',
  },
  exchange_exporter_source_bytes_total: {
    labels: ['source'],
    shows: 'bytes read a second',
    query: 'rate(exchange_exporter_source_bytes_total[5m])',
  },
  exchange_exporter_source_partition_lag_records: {
    labels: ['source', 'partition'],
    shows: 'records to catch up with, by topic',
    query: 'sum by (source) (max without (instance, replica) (exchange_exporter_source_partition_lag_records))',
  },
  exchange_exporter_source_partition_lag_seconds: {
    labels: ['source', 'partition'],
    shows: 'partitions that lag',
    query: 'exchange_exporter_source_partition_lag_seconds > 60',
  },
  exchange_exporter_source_reconnects_total: {
    labels: ['source'],
    shows: 'topics whose brokers come and go',
    query: 'increase(exchange_exporter_source_reconnects_total[1h]) > 5',
  },
  exchange_exporter_source_offset_resets_total: {
    labels: ['source', 'reason'],
    shows: 'topics that did not keep what was not read',
    query: 'increase(exchange_exporter_source_offset_resets_total{reason!="recreated"}[1d]) > 0',
  },
  exchange_exporter_source_requests_total: {
    labels: ['source', 'outcome'],
    shows: 'requests that found the exporter busy',
    query: 'rate(exchange_exporter_source_requests_total{outcome="busy"}[5m])',
  },
  exchange_exporter_tls_handshake_failures_total: {
    labels: ['listener', 'reason'],
    note:
      'Only where TLS is spoken. Reasons: no_client_certificate, unknown_authority, expired and name_not_allowed (of the certificate of the client), ' +
      'not_trusted (the client does not accept ours), protocol_version, plain_text, gone, other.',
    shows: 'clients that do not get in, by why',
    query: 'increase(exchange_exporter_tls_handshake_failures_total{reason!="gone"}[1h]) > 0',
  },
  exchange_exporter_source_restarts_total: {
    labels: ['source'],
    shows: 'readers started again',
    query: 'increase(exchange_exporter_source_restarts_total[1d]) > 0',
  },
  exchange_exporter_source_reopened_total: {
    labels: ['source'],
    shows: 'logs subscribed to again',
    query: 'increase(exchange_exporter_source_reopened_total[1d]) > 0',
  },
  exchange_exporter_source_bookmarks_lost_total: {
    labels: ['source'],
    shows: 'places lost',
    query: 'increase(exchange_exporter_source_bookmarks_lost_total[1d]) > 0',
  },
  exchange_exporter_source_records_total: {
    labels: ['source', 'outcome'],
    note: `Outcomes: ${recordOutcomes.join(', ')}.`,
    shows: 'records a second by what became of them',
    query: 'sum by (instance, outcome) (rate(exchange_exporter_source_records_total[5m]))',
  },
  exchange_exporter_source_unreadable_records_total: {
    labels: ['source', 'reason'],
    shows: 'unreadable records of a day',
    query: 'sum by (instance, source, reason) (increase(exchange_exporter_source_unreadable_records_total[1d])) > 0',
  },
  exchange_exporter_source_records_missed_total: {
    labels: ['source'],
    shows: 'records missed in a day',
    query: 'increase(exchange_exporter_source_records_missed_total[1d]) > 0',
  },
  exchange_exporter_state_saves_total: {
    labels: ['outcome'],
    shows: 'saves that failed',
    query: 'increase(exchange_exporter_state_saves_total{outcome="failed"}[15m]) > 0',
  },
  exchange_exporter_state_last_save_timestamp_seconds: {
    labels: [],
    shows: 'time since the last save',
    query: 'time() - exchange_exporter_state_last_save_timestamp_seconds',
  },
  exchange_exporter_state_moved_aside: {
    labels: [],
    shows: 'something saved could not be read',
    query: 'exchange_exporter_state_moved_aside == 1',
  },
  exchange_exporter_clock_jumps_total: {
    labels: ['direction'],
    shows: 'jumps of the clock of a day',
    query: 'increase(exchange_exporter_clock_jumps_total[1d]) > 0',
  },
  exchange_exporter_unnamed_errors_total: {
    labels: [],
    shows: 'errors without a name',
    query: 'increase(exchange_exporter_unnamed_errors_total[1d]) > 0',
  },
  exchange_exporter_series_held: {
    labels: [],
    shows: 'series that some scraper has not seen yet',
    query: 'exchange_exporter_series_held',
  },
  exchange_exporter_destinations_folded_total: {
    labels: [],
    shows: 'errors under `other`',
    query: 'increase(exchange_exporter_destinations_folded_total[1d]) > 0',
  },
  exchange_exporter_destinations_limit: {
    labels: [],
    shows: 'the limit',
    query: 'exchange_exporter_destinations_limit',
  },
  exchange_exporter_inventory_age_seconds: {
    labels: [],
    shows: 'inventory older than a week',
    query: 'exchange_exporter_inventory_age_seconds > 7 * 86400',
  },
  exchange_exporter_config_last_reload_successful: {
    labels: [],
    shows: 'a configuration that is not in force',
    query: 'exchange_exporter_config_last_reload_successful == 0',
  },
  exchange_exporter_config_last_reload_success_timestamp_seconds: {
    labels: [],
    shows: 'when it was last taken',
    query: 'exchange_exporter_config_last_reload_success_timestamp_seconds',
  },
  exchange_exporter_probe_queue_length: {
    labels: [],
    shows: 'probes that wait',
    query: 'exchange_exporter_probe_queue_length > 50',
  },
};

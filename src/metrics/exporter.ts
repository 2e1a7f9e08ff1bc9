/** Families of what the exporter says of itself, of its sources and of the inventory. */
import type { LedgerRow } from '../model/batch.js';
import type { SendConnector } from '../model/connectors.js';
import { recordOutcomes } from '../model/records.js';
import type { SourceStatus } from '../model/status.js';
import { smartHostsOf } from './destinations.js';
import { type Family, secondsOf } from './exposition.js';
import { familyText, optionalSeconds, type Sample } from './families.js';
import { listenerFamilies } from './listeners.js';
import type { MetricsOptions } from './options.js';
import { topicFamilies } from './topics.js';

type ExporterFacts = MetricsOptions & { readonly held: number; readonly rows: readonly LedgerRow[] };

type ExporterFamily = Family & {
  readonly samples: (facts: ExporterFacts) => readonly Sample[];
  /** Of a kind of source that most exporters do not have: left out where there is none. */
  readonly isRare?: true;
};

export const exporterFamilies: readonly ExporterFamily[] = [
  {
    name: 'exchange_exporter_build_info',
    type: 'gauge',
    help: 'Always 1; the labels say which build this is.',
    samples: ({ version }) => [[{ version, nodejs: process.version }, 1]],
  },
  ofSources('source_up', 'gauge', 'Whether the source can be read.', (status) => Number(status.up)),
  ofSources(
    'source_last_record_timestamp_seconds',
    'gauge',
    'When the latest record of the source was read.',
    ({ lastRecordAt }) => lastRecordAt && secondsOf(lastRecordAt),
  ),
  ofSources('source_lag_bytes', 'gauge', 'Bytes of the source not yet read.', (status) => status.lagBytes),
  ofSources('source_lag_seconds', 'gauge', 'How long there have been unread bytes.', (status) => status.lagSeconds),
  ofSources(
    'source_stalled_seconds',
    'gauge',
    'How long reading has been stuck at one position of the source, because it fails or hangs; 0 while it progresses.',
    (status) => status.stalledSeconds,
  ),
  ofSources('source_bytes_total', 'counter', 'Bytes read from the source.', (status) => status.bytesRead),
  ofSources(
    'source_restarts_total',
    'counter',
    'Times that the reader of a live Windows log ended unexpectedly and was restarted.',
    ({ subscription }) => subscription?.restarts,
  ),
  ofSources(
    'source_reopened_total',
    'counter',
    'Times that the subscription to a live Windows log was renewed, after an error or a silence.',
    ({ subscription }) => subscription?.reopened,
  ),
  ofSources(
    'source_bookmarks_lost_total',
    'counter',
    'Times that the position in a live Windows log was lost, so that it was read again from its oldest record.',
    ({ subscription }) => subscription?.bookmarksLost,
  ),
  ...topicFamilies,
  ...listenerFamilies,
  {
    name: 'exchange_exporter_source_records_total',
    type: 'counter',
    help: 'Records read, by outcome.',
    samples: ({ sources, ledger }) =>
      sources().flatMap(({ source }) =>
        recordOutcomes.map((outcome): Sample => [
          { source, outcome },
          ledger.tallies().get(source)?.outcomes[outcome] ?? 0,
        ]),
      ),
  },
  {
    name: 'exchange_exporter_source_unreadable_records_total',
    type: 'counter',
    help: 'Records that could not be read, by reason.',
    samples: ({ ledger }) =>
      [...ledger.tallies()].flatMap(([source, { unreadable }]) =>
        Object.entries(unreadable).map(([reason, count]): Sample => [{ source, reason }, count]),
      ),
  },
  {
    name: 'exchange_exporter_source_records_missed_total',
    type: 'counter',
    help: 'Records missing from an unfiltered source, inferred from gaps in record IDs.',
    samples: ({ sources, ledger }) => sources().map(({ source }) => [{ source }, ledger.missed().get(source) ?? 0]),
  },
  {
    name: 'exchange_exporter_state_saves_total',
    type: 'counter',
    help: 'Attempts to save the ledger, by outcome.',
    samples: ({ ledger }) => [
      [{ outcome: 'saved' }, ledger.saving().saved],
      [{ outcome: 'failed' }, ledger.saving().failed],
    ],
  },
  {
    name: 'exchange_exporter_state_last_save_timestamp_seconds',
    type: 'gauge',
    help: 'When the ledger was last saved.',
    samples: ({ ledger }) => [[{}, optionalSeconds(ledger.saving().lastSavedAt)]],
  },
  {
    name: 'exchange_exporter_state_moved_aside',
    type: 'gauge',
    help: 'Whether the saved ledger, or its journal, could not be read at startup and was moved aside.',
    samples: ({ ledger }) => [[{}, Number(ledger.saving().movedAside !== undefined)]],
  },
  {
    name: 'exchange_exporter_clock_jumps_total',
    type: 'counter',
    help: 'Times that the system clock was set back or forward, or the machine was suspended (forward).',
    samples: ({ clockJumps }) => Object.entries(clockJumps()).map(([direction, count]) => [{ direction }, count]),
  },
  {
    name: 'exchange_exporter_unnamed_errors_total',
    type: 'counter',
    help: 'Errors counted under the connector "unknown", because the record does not name its Send connector.',
    samples: ({ rows, ledger }) => [[{}, ledger.dormantErrors('unknown') + errorsOf(rows, 'unknown')]],
  },
  {
    name: 'exchange_exporter_series_held',
    type: 'gauge',
    help: 'Series exposed at their previous value until every active scraper has read it once.',
    samples: ({ held }) => [[{}, held]],
  },
  {
    name: 'exchange_exporter_destinations_folded_total',
    type: 'counter',
    help: 'Errors counted under the destination "other", because their connector has reached its limit.',
    samples: ({ ledger }) => [[{}, ledger.folded().errors]],
  },
  {
    name: 'exchange_exporter_destinations_limit',
    type: 'gauge',
    help: 'Destinations shown by name, per Send connector.',
    samples: ({ destinationsLimit }) => [[{}, destinationsLimit]],
  },
  {
    name: 'exchange_send_connector_related_events_total',
    type: 'counter',
    help: 'Events that may explain an error: transport, DNS, TCP/IP, TLS, certificates, domain, back pressure.',
    samples: ({ ledger }) =>
      ledger
        .relatedCounts()
        .map(({ server, provider, eventId, count }) => [{ server, provider, event_id: String(eventId) }, count]),
  },
  {
    name: 'exchange_send_connector_info',
    type: 'gauge',
    help: 'Always 1; what the inventory says of each Send connector.',
    samples: ({ connectors }) => connectors().map((connector) => [infoOf(connector), 1]),
  },
  {
    name: 'exchange_exporter_inventory_age_seconds',
    type: 'gauge',
    help: 'How long ago the inventory was exported.',
    samples: ({ inventoryModifiedAt, now }) => {
      const at = inventoryModifiedAt();
      return [[{}, at === undefined ? undefined : Math.max(0, secondsOf(now() - at))]];
    },
  },
  {
    name: 'exchange_exporter_config_last_reload_successful',
    type: 'gauge',
    help: 'Whether the current configuration and web configuration files are in force.',
    samples: ({ reload }) => [[{}, Number(reload().successful)]],
  },
  {
    name: 'exchange_exporter_config_last_reload_success_timestamp_seconds',
    type: 'gauge',
    help: 'When the configuration was last applied.',
    samples: ({ reload }) => [[{}, secondsOf(reload().successAt)]],
  },
  {
    name: 'exchange_exporter_probe_queue_length',
    type: 'gauge',
    help: 'Probes that are due but waiting for a free slot.',
    samples: ({ probeQueueLength }) => [[{}, probeQueueLength()]],
  },
  {
    name: 'exchange_smart_host_resolved',
    type: 'gauge',
    help: 'Whether the name of the smart host could be resolved in the latest probe.',
    samples: ({ board }) =>
      smartHostsOf(board.entries()).map(([host, addresses]) => [{ host }, Number(addresses.length > 0)]),
  },
  {
    name: 'exchange_smart_host_addresses',
    type: 'gauge',
    help: 'Addresses that the name of the smart host resolved to in the latest probe.',
    samples: ({ board }) => smartHostsOf(board.entries()).map(([host, addresses]) => [{ host }, addresses.length]),
  },
];

function infoOf({ name, enabled, dnsRouting, requireTls, protocolLogging }: SendConnector): Record<string, string> {
  const logging = protocolLogging === undefined ? 'unknown' : protocolLogging ? 'verbose' : 'none';
  return {
    connector: name,
    enabled: String(enabled),
    dns_routing: String(dnsRouting),
    require_tls: String(requireTls),
    protocol_logging: logging,
  };
}

function ofSources(
  name: string,
  type: Family['type'],
  help: string,
  value: (status: SourceStatus) => number | undefined,
): ExporterFamily {
  const samples = ({ sources }: MetricsOptions): Sample[] =>
    sources().map((status) => [{ source: status.source }, value(status)]);
  return { name: `exchange_exporter_${name}`, type, help, samples };
}

export function exporterText(facts: ExporterFacts): string {
  return exporterFamilies
    .map((family) => {
      const samples = family.samples(facts);
      const isLeftOut = family.isRare && samples.every(([, value]) => value === undefined);
      return isLeftOut ? '' : familyText(family, samples);
    })
    .join('');
}

function errorsOf(rows: readonly LedgerRow[], connector: string): number {
  return rows.reduce((sum, row) => sum + (row.connector === connector ? row.errors : 0), 0);
}

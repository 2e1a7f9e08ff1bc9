/** Health of the exporter: whether it reads, saves, probes and is in force; when it is ill, no other silence counts. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { boardOf, type Row } from './board.js';
import { chosenBy, chosenExporters, perExporter } from './queries.js';
import { lines, link, overTime, stat, stateTimeline, thresholds, valueNow, zeroOne } from './panels.js';

/** The address of this dashboard; alerts about the exporter link to it. */
const exporterUid = 'send-connector-exporter';

export function exporterHealth(exporterUrl: string): object {
  return boardOf(
    {
      title: 'Send connector exporter',
      uid: exporterUid,
      description: 'Whether the exporter sees everything: sources, state, configuration, memory.',
      variables: [],
      alerts: ', scope="exporter"',
      rows: [
        health(),
        { title: 'Reading', panels: reading() },
        { title: 'Losses', panels: losses() },
        { title: 'State and process', panels: saving() },
      ],
    },
    exporterUrl,
  );
}

/** What Prometheus itself tells of the exporters: with "All" chosen, the job's name tells them from everything else. */
const scraped = `{job=~".*send-connector.*", ${chosenBy('job', 'instance')}}`;

function health(): Row {
  const small = { unit: 'none', page: '/', span: 6, height: 4 };
  return {
    title: 'Now',
    panels: [
      stat({
        ...small,
        title: 'Scraped',
        description: 'Exporters that answer Prometheus.',
        empty: 'none is scraped',
        runbook: 'SendConnectorExporterDown',
      })
        .thresholds(thresholds([null, 'red'], [1, 'green']))
        .withTarget(valueNow(`count(up${scraped} == 1)`, '')),
      stat({
        ...small,
        title: 'Configuration',
        description: 'Whether the configuration is in force as it stands in its file.',
        empty: 'the exporter is not scraped',
        runbook: 'ConfigReloadFailed',
      })
        .mappings(zeroOne('not in force', 'in force'))
        .thresholds(thresholds([null, 'red'], [1, 'green']))
        .withTarget(valueNow(`min(exchange_exporter_config_last_reload_successful${chosenExporters})`, '')),
      stat({
        ...small,
        title: 'Age of the inventory',
        description: 'Time since Get-SendConnector was exported.',
        unit: 's',
        empty: 'no inventory',
        runbook: 'InventoryOld',
      })
        .thresholds(thresholds([null, 'green'], [7 * 24 * 3600, 'orange']))
        .withTarget(valueNow(`max(exchange_exporter_inventory_age_seconds${chosenExporters})`, '')),
      stat({
        ...small,
        title: 'Probes that wait',
        description:
          'Probes that are due but waiting for a free slot, in the exporter with the most of them. It should be near zero.',
        empty: 'the exporter is not scraped',
        runbook: 'checks',
      })
        .thresholds(thresholds([null, 'green'], [50, 'orange']))
        .withTarget(valueNow(`max(exchange_exporter_probe_queue_length${chosenExporters})`, '')),
    ],
  };
}

function losses(): Builder<Panel>[] {
  const half = { unit: 'short', ...third };
  return [
    lines({
      title: 'Unreadable records by reason',
      description: 'Records that were stepped over, in each step of the graph. A connection error may be among them.',
      empty: 'no unreadable records',
      runbook: 'UnreadableRecords',
      ...half,
    }).withTarget(
      overTime(
        `sum by (${perExporter}, source, reason) (increase(exchange_exporter_source_unreadable_records_total${chosenExporters}[$__rate_interval]))`,
        '{{source}}: {{reason}} ({{instance}})',
      ),
    ),
    lines({
      title: 'Records missed',
      description: 'Records missing since the state began, inferred from gaps in record IDs.',
      empty: 'no source',
      runbook: 'RecordsMissed',
      ...half,
    }).withTarget(
      overTime(
        `max by (${perExporter}, source) (exchange_exporter_source_records_missed_total${chosenExporters})`,
        '{{source}} ({{instance}})',
      ),
    ),
    lines({
      title: 'Errors folded into other',
      description: 'Errors counted without their destination, because their Send connector has reached the limit.',
      empty: 'the exporter is not scraped',
      runbook: 'DestinationsFolded',
      ...half,
    }).withTarget(
      overTime(
        `max by (${perExporter}) (exchange_exporter_destinations_folded_total${chosenExporters})`,
        '{{instance}}',
      ),
    ),
  ];
}

const third = { page: '/', span: 8, height: 7 };

function reading(): Builder<Panel>[] {
  return [
    stateTimeline({
      title: 'Sources',
      runbook: 'SendConnectorSourceStalled',
      description: 'Whether each source can be read. A source that is down hides errors.',
      unit: 'none',
      empty: 'no source: is the exporter scraped?',
      ...third,
    })
      .mappings(zeroOne('down', 'up'))
      .withTarget(
        overTime(
          `min by (${perExporter}, source) (exchange_exporter_source_up${chosenExporters})`,
          '{{source}} ({{instance}})',
        ),
      )
      .dataLinks([
        link(
          'Runbook',
          '${exporter}/runbooks/SendConnectorSourceStalled?source=${__field.labels.source:percentencode}' +
            '&instance=${__field.labels.instance:percentencode}',
        ),
      ]),
    lines({
      title: 'Lag of sources',
      runbook: 'SendConnectorSourceStalled',
      description: 'How long unread records have been waiting. Zero: all is read.',
      unit: 's',
      empty: 'no source',
      ...third,
    }).withTarget(
      overTime(
        `max by (${perExporter}, source) (exchange_exporter_source_lag_seconds${chosenExporters})`,
        '{{source}} ({{instance}})',
      ),
    ),
    lines({
      title: 'Records by outcome',
      runbook: 'UnreadableRecords',
      description: 'What became of the records read, per second. Unreadable ones raise an alert.',
      unit: 'rps',
      empty: 'no record read',
      ...third,
    }).withTarget(
      overTime(
        `sum by (${perExporter}, outcome) (rate(exchange_exporter_source_records_total${chosenExporters}[$__rate_interval]))`,
        '{{outcome}} ({{instance}})',
      ),
    ),
  ];
}

function saving(): Builder<Panel>[] {
  const saves = `rate(exchange_exporter_state_saves_total${chosenExporters}[$__rate_interval])`;
  return [
    lines({
      title: 'Saves of the state',
      runbook: 'StateNotSaved',
      description: 'Saves per second by outcome. While saves fail, reading stops.',
      unit: 'ops',
      empty: 'nothing saved yet',
      ...third,
    }).withTarget(overTime(`sum by (${perExporter}, outcome) (${saves})`, '{{outcome}} ({{instance}})')),
    lines({
      title: 'Time since the last save',
      runbook: 'StateNotSaved',
      description: 'Grows while there is nothing to save. A worry only when a source lags as well.',
      unit: 's',
      empty: 'nothing saved yet',
      ...third,
    }).withTarget(
      overTime(
        `time() - max by (${perExporter}) (exchange_exporter_state_last_save_timestamp_seconds${chosenExporters})`,
        '{{instance}}',
      ),
    ),
    lines({
      title: 'Memory',
      runbook: 'SendConnectorExporterDown',
      description: 'Resident memory of the exporter.',
      unit: 'bytes',
      empty: 'the exporter is not scraped',
      ...third,
    }).withTarget(overTime(`process_resident_memory_bytes${scraped}`, '{{instance}}')),
  ];
}

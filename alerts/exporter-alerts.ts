/** The alerts about what the exporter itself suffers: when they fire, the silence of the others is no proof of health. */
import { indented, rises } from './expressions.js';
import type { Alert } from './rules.js';
import { duration, type Thresholds } from './thresholds.js';

export function exporterAlerts(limits: Thresholds): readonly Alert[] {
  return [
    exporterDown(limits),
    stateNotSaved(limits),
    sourceStalled(limits),
    sourceBlind(limits),
    recordsMissed(limits),
    unreadableRecords(limits),
    destinationsFolded(limits),
    reloadFailed(limits),
    inventoryOld(limits),
  ];
}

function exporterDown(limits: Thresholds): Alert {
  return {
    name: 'SendConnectorExporterDown',
    group: 'exporter',
    severity: 'critical',
    scope: 'exporter',
    expr: 'up{job=~".*send-connector.*"} == 0\nor absent(up{job=~".*send-connector.*"})',
    forSeconds: limits.exporterDownSeconds,
    subjects: ['instance'],
    summary:
      'The Send connector exporter ' +
      '{{ with $labels.instance }}at {{ . }} does not answer{{ else }}is not scraped at all{{ end }}',
    description:
      `Prometheus has had no answer for ${duration(limits.exporterDownSeconds)}. Connection errors of Exchange are not ` +
      'seen meanwhile; none is lost, they are read when the exporter is back.',
  };
}

function sourceStalled(limits: Thresholds): Alert {
  const memory = duration(limits.sourceMemorySeconds);
  return {
    name: 'SendConnectorSourceStalled',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    expr: [
      `last_over_time(exchange_exporter_source_stalled_seconds[${memory}]) > 0`,
      `or last_over_time(exchange_exporter_source_up[${memory}]) == 0`,
      `or last_over_time(exchange_exporter_source_lag_seconds[${memory}]) > ${limits.sourceLagSeconds}`,
    ].join('\n'),
    forSeconds: limits.sourceDownSeconds,
    subjects: ['source', 'instance'],
    summary:
      'Source {{ $labels.source }} of the Send connector exporter ' +
      '{{ if eq $value 0.0 }}cannot be read{{ else }}is {{ $value | humanizeDuration }} behind{{ end }}',
    description:
      'The exporter at {{ $labels.instance }} does not see the newest records of this source, so connection errors ' +
      'are reported late or not at all. Silence of the other alerts is no proof of health until this is solved.',
  };
}

function stateNotSaved(limits: Thresholds): Alert {
  return {
    name: 'StateNotSaved',
    group: 'exporter',
    severity: 'critical',
    scope: 'exporter',
    expr: [
      'max by (job, instance) (',
      indented(rises('exchange_exporter_state_saves_total{outcome="failed"}', limits.saveFailureSeconds)),
      ')',
      'or max by (job, instance) (',
      `  time() - exchange_exporter_state_last_save_timestamp_seconds > ${limits.saveAgeSeconds}`,
      // Records that wait the whole time: one that has just come when a scrape looks is none.
      `  and on (job, instance) max by (job, instance) (min_over_time(exchange_exporter_source_lag_bytes[${duration(limits.saveWaitSeconds)}])) > 0`,
      ')',
    ].join('\n'),
    forSeconds: 0,
    subjects: ['instance'],
    summary: 'The Send connector exporter at {{ $labels.instance }} cannot save its state',
    description:
      'Reading has stopped, because nothing is shown before it is saved: new connection errors are not counted until ' +
      'the state directory can be written again. Nothing is lost while the files stay. Usual causes: disk full, no ' +
      'write permission, a virus scanner that holds the file.',
  };
}

function unreadableRecords(limits: Thresholds): Alert {
  return {
    name: 'UnreadableRecords',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    expr: rises('exchange_exporter_source_records_total{outcome="unreadable"}', limits.unreadableSeconds),
    forSeconds: 0,
    subjects: ['source', 'instance'],
    summary: 'Source {{ $labels.source }} holds records that the Send connector exporter cannot read',
    description:
      `Records of the last ${duration(limits.unreadableSeconds)} were stepped over and counted as unreadable. A ` +
      'connection error may be among them. The log of the exporter says which file, where, and why.',
  };
}

function sourceBlind(limits: Thresholds): Alert {
  const memory = duration(limits.sourceMemorySeconds);
  const days = duration(limits.sourceSilentSeconds * 3);
  return {
    name: 'SendConnectorSourceBlind',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    // A source that only ever brought events 2002 is filtered: its silence is good news.
    expr: [
      `time() - last_over_time(exchange_exporter_source_last_record_timestamp_seconds[${memory}]) > ${limits.sourceSilentSeconds}`,
      `and on (job, instance, source) last_over_time(exchange_exporter_source_up[${memory}]) == 1`,
      `and on (job, instance, source) max_over_time(exchange_exporter_source_records_total{outcome="ignored"}[${days}]) > 0`,
    ].join('\n'),
    forSeconds: limits.sourceDownSeconds,
    subjects: ['source', 'instance'],
    summary: 'Source {{ $labels.source }} has brought no record for {{ $value | humanizeDuration }}',
    description:
      'The exporter at {{ $labels.instance }} can read this source, but nothing comes any more, where records of all kinds ' +
      'came before. A log was switched off, a shipper stopped, or its filter changed: connection errors are not seen.',
  };
}

function recordsMissed(limits: Thresholds): Alert {
  return {
    name: 'RecordsMissed',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    expr: `increase(exchange_exporter_source_records_missed_total[${duration(limits.lossShownSeconds)}]) > 0`,
    forSeconds: 0,
    subjects: ['source', 'instance'],
    summary: 'Records of source {{ $labels.source }} never came to the Send connector exporter',
    description:
      `Record IDs seen within the last ${duration(limits.lossShownSeconds)} have gaps: records were overwritten or ` +
      'dropped before they were read. Connection errors may be among them.',
  };
}

function destinationsFolded(limits: Thresholds): Alert {
  return {
    name: 'DestinationsFolded',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    expr: `increase(exchange_exporter_destinations_folded_total[${duration(limits.lossShownSeconds)}]) > 0`,
    forSeconds: 0,
    subjects: ['instance'],
    summary: 'The Send connector exporter at {{ $labels.instance }} counts errors under the destination "other"',
    description:
      'A Send connector has more destinations than destinations.limit allows. Its errors are counted, but no longer by ' +
      'destination, and new destinations are not probed.',
  };
}

function reloadFailed(limits: Thresholds): Alert {
  const memory = duration(limits.sourceMemorySeconds);
  return {
    name: 'ConfigReloadFailed',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    expr: `last_over_time(exchange_exporter_config_last_reload_successful[${memory}]) == 0`,
    forSeconds: limits.reloadFailedSeconds,
    subjects: ['instance'],
    summary: 'The Send connector exporter at {{ $labels.instance }} could not take its changed configuration into use',
    description:
      'The last good configuration is in force. Its log names every mistake with its line; a restart in this state would ' +
      'fail.',
  };
}

function inventoryOld(limits: Thresholds): Alert {
  const memory = duration(limits.sourceMemorySeconds);
  return {
    name: 'InventoryOld',
    group: 'exporter',
    severity: 'info',
    scope: 'exporter',
    expr: `last_over_time(exchange_exporter_inventory_age_seconds[${memory}]) > ${limits.inventoryAgeSeconds}`,
    forSeconds: limits.sourceDownSeconds,
    subjects: ['instance'],
    summary: 'The inventory of Send connectors at {{ $labels.instance }} is {{ $value | humanizeDuration }} old',
    description:
      'The export of Get-SendConnector that the exporter reads was not renewed. Connectors and smart hosts that were added ' +
      'since are not probed before their first error, and changed TLS rules are judged by the old ones.',
  };
}

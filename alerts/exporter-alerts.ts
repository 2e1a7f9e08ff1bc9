/** The alerts about what the exporter itself suffers: when they fire, the silence of the others proves nothing. */
import { countedIn } from './expressions.js';
import { indented } from './replicas.js';
import type { Alert } from './rules.js';
import { scrapingAlerts } from './scraping-alerts.js';
import { exporterName, inWords, valueAsAge } from './text-marks.js';
import { duration, type Thresholds } from './thresholds.js';

export function exporterAlerts(limits: Thresholds): readonly Alert[] {
  return [
    ...scrapingAlerts(limits),
    stateNotSaved(limits),
    sourceStalled(limits),
    sourceBlind(limits),
    recordsMissed(limits),
    unreadableRecords(limits),
    pushesRefused(limits),
    handshakesFail(limits),
    destinationsFolded(limits),
    reloadFailed(limits),
    inventoryOld(limits),
  ];
}

function sourceStalled(limits: Thresholds): Alert {
  const memory = duration(limits.selfMemorySeconds);
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
      `{{ if eq $value 0.0 }}cannot be read{{ else }}is ${valueAsAge} behind{{ end }}`,
    description:
      `The exporter at ${exporterName} does not see the newest records of this source, so connection errors ` +
      'are reported late or not at all. Until this is solved, the silence of other alerts proves nothing.',
  };
}

const failedSaves = 'exchange_exporter_state_saves_total{outcome="failed"}';
const lastSave = 'exchange_exporter_state_last_save_timestamp_seconds';

function savesFail(limits: Thresholds): string {
  return `max without (outcome) (\n${indented(rises(failedSaves, limits.saveFailureSeconds, limits))}\n)`;
}

/** Nothing is saved while records wait the whole time: one that has just come when a scrape looks is none. */
function savingHangs(limits: Thresholds): string {
  const waiting = `min_over_time(exchange_exporter_source_lag_bytes[${duration(limits.saveWaitSeconds)}])`;
  return `time() - ${lastSave} > ${limits.saveAgeSeconds}\nand max without (source) (${waiting}) > 0`;
}

/** True as long as no scrape has told otherwise: a gap of scraping neither ends the alert nor begins it. */
function heldOverGap(expression: string, told: string, limits: Thresholds): string {
  const memory = limits.selfMemorySeconds;
  return [
    '(',
    indented(expression),
    `  or last_over_time((\n${indented(indented(expression))}\n  )[${duration(memory)}:${duration(memory / 15)}]) unless ${told}`,
    ')',
  ].join('\n');
}

/**
 * True while a counter of this process rises, also when it was born above zero: `increase` cannot see a birth, the
 * second line can. For counters that start again with the process (not for those of the ledger).
 */
function rises(selector: string, seconds: number, limits: Thresholds): string {
  const range = duration(seconds);
  const before = `last_over_time(${selector}[${duration(limits.bornSeconds)}] offset ${range})`;
  return [
    `increase(${selector}[${range}]) > 0`,
    'or',
    `(last_over_time(${selector}[${range}]) > 0 unless ${before})`,
  ].join('\n');
}

function stateNotSaved(limits: Thresholds): Alert {
  return {
    name: 'StateNotSaved',
    group: 'exporter',
    severity: 'critical',
    scope: 'exporter',
    expr: [
      heldOverGap(savesFail(limits), `max without (outcome) (${failedSaves})`, limits),
      `or ${heldOverGap(savingHangs(limits), lastSave, limits)}`,
    ].join('\n'),
    forSeconds: 0,
    subjects: ['instance'],
    summary: `The Send connector exporter at ${exporterName} cannot save its state`,
    description:
      'Reading has stopped, because nothing is shown before it is saved: new connection errors are not counted until ' +
      'the state directory can be written again. Nothing is lost as long as the log files are kept. Usual causes: disk full, no ' +
      'write permission, a virus scanner that locks the file.',
  };
}

function unreadableRecords(limits: Thresholds): Alert {
  return {
    name: 'UnreadableRecords',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    expr: rises('exchange_exporter_source_records_total{outcome="unreadable"}', limits.unreadableSeconds, limits),
    forSeconds: 0,
    subjects: ['source', 'instance'],
    summary: 'Source {{ $labels.source }} contains records that the Send connector exporter cannot read',
    description:
      `Records of the last ${inWords(limits.unreadableSeconds)} were skipped and counted as unreadable. A ` +
      'connection error may be among them. The log of the exporter says which file, where, and why.',
  };
}

function pushesRefused(limits: Thresholds): Alert {
  // Whoever finds the source busy sends again; one request without a login may be anybody's.
  const refused = (outcomes: string): string => `exchange_exporter_source_requests_total{outcome${outcomes}}`;
  const strangers = `increase(${refused('="unauthorized"')}[${duration(limits.unreadableSeconds)}]) >= ${limits.refusedLogins}`;
  return {
    name: 'PushesRefused',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    expr: [`(${rises(refused('=~"unreadable|too_large"'), limits.unreadableSeconds, limits)})`, `or ${strangers}`].join(
      '\n',
    ),
    forSeconds: 0,
    subjects: ['source', 'instance'],
    summary: 'Source {{ $labels.source }} rejects what is pushed to it ({{ $labels.outcome }})',
    description:
      `The exporter at ${exporterName} rejected requests within the last ${inWords(limits.unreadableSeconds)}, and senders do not ` +
      'retry them: connection errors in them are not counted. The log of the exporter says what is wrong with them.',
  };
}

function handshakesFail(limits: Thresholds): Alert {
  // Whoever only looks whether somebody listens goes in the middle of the handshake.
  const failures = 'exchange_exporter_tls_handshake_failures_total{reason!="gone"}';
  return {
    name: 'TlsHandshakesFail',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    expr: `increase(${failures}[${duration(limits.unreadableSeconds)}]) >= ${limits.failedHandshakes}`,
    forSeconds: 0,
    subjects: ['listener', 'instance'],
    summary: 'TLS handshakes with listener {{ $labels.listener }} fail ({{ $labels.reason }})',
    description:
      `Clients of the exporter at ${exporterName} failed repeatedly within the last ${inWords(limits.unreadableSeconds)}. What ` +
      'they send is not counted, or they cannot read the metrics. The log of the exporter names the clients and the reasons.',
  };
}

function sourceBlind(limits: Thresholds): Alert {
  const memory = duration(limits.selfMemorySeconds);
  const days = duration(limits.sourceSilentSeconds * 3);
  return {
    name: 'SendConnectorSourceBlind',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    // A source that only ever brought events 2002 is filtered: its silence is good news.
    expr: [
      `time() - last_over_time(exchange_exporter_source_last_record_timestamp_seconds[${memory}]) > ${limits.sourceSilentSeconds}`,
      `and last_over_time(exchange_exporter_source_up[${memory}]) == 1`,
      `and max without (outcome) (max_over_time(exchange_exporter_source_records_total{outcome="ignored"}[${days}])) > 0`,
    ].join('\n'),
    forSeconds: limits.sourceDownSeconds,
    subjects: ['source', 'instance'],
    summary: `Source {{ $labels.source }} has delivered no records for ${valueAsAge}`,
    description:
      `The exporter at ${exporterName} can read this source, but it no longer delivers any records, although it ` +
      'did before. A log was turned off, a shipper stopped, or its filter changed: connection errors are not seen.',
  };
}

function recordsMissed(limits: Thresholds): Alert {
  return {
    name: 'RecordsMissed',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    expr: `${countedIn('exchange_exporter_source_records_missed_total', limits.lossShownSeconds)} > 0`,
    forSeconds: 0,
    subjects: ['source', 'instance'],
    summary: 'Records of source {{ $labels.source }} are missing',
    description:
      `Record IDs seen within the last ${inWords(limits.lossShownSeconds)} have gaps: records were overwritten or ` +
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
    summary: `The Send connector exporter at ${exporterName} counts errors under the destination "other"`,
    description:
      'A Send connector has more destinations than destinations.limit allows. Its errors are counted, but no longer by ' +
      'destination, and new destinations are not probed.',
  };
}

function reloadFailed(limits: Thresholds): Alert {
  const memory = duration(limits.selfMemorySeconds);
  return {
    name: 'ConfigReloadFailed',
    group: 'exporter',
    severity: 'warning',
    scope: 'exporter',
    expr: `last_over_time(exchange_exporter_config_last_reload_successful[${memory}]) == 0`,
    forSeconds: limits.reloadFailedSeconds,
    subjects: ['instance'],
    summary: `The Send connector exporter at ${exporterName} could not load its changed configuration`,
    description:
      'The last good configuration is in force. Its log reports every error with its line number; a restart in this state would ' +
      'fail.',
  };
}

function inventoryOld(limits: Thresholds): Alert {
  const memory = duration(limits.selfMemorySeconds);
  return {
    name: 'InventoryOld',
    group: 'exporter',
    severity: 'info',
    scope: 'exporter',
    expr: `last_over_time(exchange_exporter_inventory_age_seconds[${memory}]) > ${limits.inventoryAgeSeconds}`,
    forSeconds: limits.sourceDownSeconds,
    subjects: ['instance'],
    summary: `The inventory of Send connectors at ${exporterName} is ${valueAsAge} old`,
    description:
      'The export of Get-SendConnector that the exporter reads has not been updated. Connectors and smart hosts added ' +
      'since then are not probed before their first error, and changed TLS settings have no effect yet.',
  };
}

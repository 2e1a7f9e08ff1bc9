/** Every alert of the product as data; `generate.ts` turns the list into files for Prometheus. */
import { errorsIn, errorWithin, indented, latestFailure, probeFails, rises, sameDestination } from './expressions.js';
import { duration, type Thresholds } from './thresholds.js';

/**
 * What an alert is about, from wide to narrow; Alertmanager's inhibition is built on it: a wider outage silences the
 * narrower alerts that it explains.
 */
export const scopes = ['exporter', 'server', 'connector', 'destination', 'error'] as const;
export type Scope = (typeof scopes)[number];

/** `critical` wakes somebody, `warning` waits for the morning, `info` explains. */
export const severities = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof severities)[number];

/** Labels that say who an alert is about; they go into the links to the runbook and the dashboard. */
export type Subject = 'connector' | 'destination' | 'server' | 'source' | 'instance';

export type Alert = {
  /** Name of the alert and of its runbook. */
  readonly name: string;
  /** Rule group: `mail` for what mail suffers, `exporter` for what the exporter suffers. */
  readonly group: 'mail' | 'exporter';
  readonly severity: Severity;
  readonly scope: Scope;
  readonly expr: string;
  /** Seconds that the expression must hold; 0 for at once. */
  readonly forSeconds: number;
  readonly subjects: readonly Subject[];
  /** One line; templates of Prometheus. */
  readonly summary: string;
  /** What happened, what it means, what to do first. */
  readonly description: string;
  /** More annotations, for instance the reason on its own. */
  readonly annotations?: Readonly<Record<string, string>>;
};

const pair = ['connector', 'destination', 'server'] as const;

/** All alerts for these thresholds. A new alert is an entry here, a runbook of its name, and its rule tests. */
export function alertsOf(limits: Thresholds): readonly Alert[] {
  return [
    singleError(limits),
    repeatedErrors(limits),
    destinationDown(limits),
    errorsDespiteHealthyProbes(limits),
    failingWithoutErrors(limits),
    certificateExpiring(limits),
    exporterDown(limits),
    sourceStalled(limits),
    stateNotSaved(limits),
    unreadableRecords(limits),
  ];
}

function singleError(limits: Thresholds): Alert {
  return {
    name: 'SendConnectorError',
    group: 'mail',
    severity: 'info',
    scope: 'error',
    expr: errorWithin(limits.singleErrorSeconds),
    forSeconds: 0,
    subjects: pair,
    summary: 'Send connector {{ $labels.connector }} could not connect to {{ $labels.destination }}',
    description:
      'Server {{ $labels.server }} reported a connection error {{ $value | humanizeDuration }} ago. ' +
      'One error may be a glitch that the next retry heals; the runbook shows what the probes of this destination say.',
  };
}

function repeatedErrors(limits: Thresholds): Alert {
  const window = duration(limits.repeatedWindowSeconds);
  return {
    name: 'SendConnectorErrorsRepeated',
    group: 'mail',
    severity: 'warning',
    scope: 'error',
    expr: [
      `${errorsIn(limits.repeatedWindowSeconds)} >= ${limits.repeatedErrors}`,
      `and ${errorWithin(limits.singleErrorSeconds)}`,
    ].join('\n'),
    forSeconds: 0,
    subjects: pair,
    summary: 'Send connector {{ $labels.connector }} fails again and again to connect to {{ $labels.destination }}',
    description:
      `Server {{ $labels.server }} logged {{ $value }} connection errors within ${window}. Retries fail too: mail for ` +
      'this destination waits in a queue. The runbook leads from the reason to the next command.',
  };
}

function destinationDown(limits: Thresholds): Alert {
  const failure = (text: string): string => latestFailure(text, limits.latestProbeSeconds);
  return {
    name: 'DestinationDown',
    group: 'mail',
    severity: 'critical',
    scope: 'destination',
    expr: [
      errorWithin(limits.outageErrorSeconds),
      `and ${sameDestination} (`,
      indented(probeFails(limits.latestProbeSeconds)),
      ')',
    ].join('\n'),
    forSeconds: limits.outageForSeconds,
    subjects: pair,
    summary: `Send connector {{ $labels.connector }} cannot reach {{ $labels.destination }}: ${failure('{{ .step }} {{ .reason }}')}`,
    description:
      'Server {{ $labels.server }} reported its last connection error {{ $value | humanizeDuration }} ago, and the probe ' +
      `of this destination fails at ${failure('step {{ .step }} with reason {{ .reason }}')}. Mail for it waits in a queue; users are told ` +
      'after 4 hours, mail is returned after 2 days. The runbook has the next command for this reason.',
    annotations: { step: failure('{{ .step }}'), reason: failure('{{ .reason }}') },
  };
}

function errorsDespiteHealthyProbes(limits: Thresholds): Alert {
  const seconds = limits.healthyProbesWindowSeconds;
  return {
    name: 'ErrorsDespiteHealthyProbes',
    group: 'mail',
    severity: 'info',
    scope: 'error',
    expr: [
      `${errorsIn(seconds)} >= ${limits.healthyProbesErrors}`,
      `and ${errorWithin(seconds)}`,
      `and ${sameDestination} min_over_time(exchange_destination_probe_success[${duration(seconds)}]) == 1`,
    ].join('\n'),
    forSeconds: 0,
    subjects: pair,
    summary: 'Send connector {{ $labels.connector }} fails on {{ $labels.destination }}, but every probe succeeds',
    description:
      `{{ $value }} connection errors on server {{ $labels.server }} within ${duration(seconds)}, while every probe of ` +
      'the destination in that time succeeded. Suspect what differs between Exchange and the probe: the server it runs ' +
      'on, source address, firewall rule, a limit of the remote side, or a fault that comes and goes.',
  };
}

function failingWithoutErrors(limits: Thresholds): Alert {
  const failure = (text: string): string => latestFailure(text, limits.latestProbeSeconds);
  return {
    name: 'DestinationFailingWithoutErrors',
    group: 'mail',
    severity: 'info',
    scope: 'destination',
    expr: [
      '(',
      indented(probeFails(limits.latestProbeSeconds)),
      ')',
      `unless ${sameDestination} (${errorWithin(limits.outageErrorSeconds)})`,
    ].join('\n'),
    forSeconds: limits.quietFailureSeconds,
    subjects: ['destination'],
    summary: `Destination {{ $labels.destination }} fails its probes (${failure('{{ .step }} {{ .reason }}')}); Exchange has logged no error`,
    description:
      `Every probe of the last ${duration(limits.quietFailureSeconds)} failed at ${failure('step {{ .step }} with reason {{ .reason }}')}, ` +
      'but no Send connector reported an error. Either no mail went there, or the logging level hides the errors, or ' +
      'only the probe is refused.',
    annotations: { step: failure('{{ .step }}'), reason: failure('{{ .reason }}') },
  };
}

function certificateExpiring(limits: Thresholds): Alert {
  const expiry = 'exchange_destination_certificate_expiry_timestamp_seconds';
  return {
    name: 'CertificateExpiring',
    group: 'mail',
    severity: 'warning',
    scope: 'destination',
    expr: `last_over_time(${expiry}[${duration(limits.certificateMemorySeconds)}]) - time() < ${limits.certificateSeconds}`,
    forSeconds: limits.certificateForSeconds,
    subjects: ['destination'],
    summary:
      'The certificate of {{ $labels.destination }} ' +
      '{{ if lt $value 0.0 }}has expired{{ else }}expires in {{ $value | humanizeDuration }}{{ end }}',
    description:
      'Connectors that check certificates (TlsAuthLevel CertificateValidation or DomainValidation) stop delivering ' +
      'to {{ $labels.destination }} when the certificate it shows after STARTTLS has expired. Tell its operator, or ' +
      'renew it when it is yours.',
  };
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
      `last_over_time(exchange_exporter_source_up[${memory}]) == 0`,
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
      '  and on (job, instance) max by (job, instance) (exchange_exporter_source_lag_bytes) > 0',
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

/** The alerts about what mail suffers, from one error to a server that reaches nothing. */
import {
  destinationsDown,
  errorLately,
  errorsGoOn,
  errorsIn,
  everyVisitPasses,
  probeFails,
  recovered,
  unlessSomethingPasses,
  withoutEgress,
} from './expressions.js';
import { indented, ofAll } from './replicas.js';
import { diagnosisWords } from '../src/model/reason-words.js';
import type { Alert } from './rules.js';
import { advice, failingDestinations, inWords, lastError, latestFailure, ofPair, valueAsAge } from './text-marks.js';
import { duration, type Thresholds } from './thresholds.js';
import { unprobedAlerts } from './unprobed-alerts.js';

/** The widest first: of two alerts that begin or end together, the one that silences the other is sent first. */
export function mailAlerts(limits: Thresholds): readonly Alert[] {
  return [
    serverEgressDown(limits),
    connectorDown(limits),
    destinationDown(limits),
    ...unprobedAlerts(limits),
    repeatedErrors(limits),
    singleError(limits),
    errorsDespiteHealthyProbes(limits),
    failingWithoutErrors(limits),
    certificateExpiring(limits),
    packetLoss(limits),
  ];
}

const pair = ['connector', 'destination', 'server'] as const;

/** The verb that the failed step earns, the destination, and what is wrong there. */
const failsWith = latestFailure(
  '{{ .verb }} {{ $labels.destination }}: {{ .what }}',
  'cannot deliver to {{ $labels.destination }}',
);

function serverEgressDown(limits: Thresholds): Alert {
  return {
    name: 'ServerEgressDown',
    group: 'mail',
    severity: 'critical',
    scope: 'server',
    expr: [
      'count without (connector) (',
      '  count without (destination) (',
      indented(indented(withoutEgress(limits))),
      '  )',
      ')',
    ].join('\n'),
    forSeconds: limits.outageForSeconds,
    keepFiringSeconds: limits.outageKeepSeconds,
    subjects: ['server'],
    summary: 'Server {{ $labels.server }} cannot connect to any destination',
    description:
      'Its Send connectors reported errors ({{ $value }} of them within ' +
      `${inWords(limits.errorSeconds)}). Every destination that was tried, at least two, failed before a connection was established, or ` +
      'all of them have errors while another server has none. Look at this side first: the network of the server, its firewall, its DNS, and ' +
      'whether outgoing port 25 is blocked. All mail that leaves this server waits.',
    annotations: {
      diagnosis: diagnosisWords.server_egress,
      command: advice('command', ['server'], 'server_egress'),
      command_where: advice('where', ['server'], 'server_egress'),
      last_error: lastError(['server']),
    },
  };
}

function connectorDown(limits: Thresholds): Alert {
  return {
    name: 'SendConnectorDown',
    group: 'mail',
    severity: 'critical',
    scope: 'connector',
    expr: [
      'count without (destination) (',
      indented(destinationsDown(limits)),
      `) >= ${limits.connectorDestinations}`,
      unlessSomethingPasses('destination', limits),
    ].join('\n'),
    forSeconds: limits.outageForSeconds,
    keepFiringSeconds: limits.outageKeepSeconds,
    subjects: ['connector', 'server'],
    summary:
      'Send connector {{ $labels.connector }} of server {{ $labels.server }} cannot deliver to any of its destinations',
    description:
      '{{ $value }} destinations had errors within ' +
      `${inWords(limits.errorSeconds)}, and no destination of this connector passes its probe. ${failingDestinations}` +
      'If the reasons are the same, look at what they share: smart host list, source address, DNS, certificate, route. ' +
      'All mail of this connector waits; users are told after 4 hours, mail is returned after 2 days.',
    annotations: {
      diagnosis: advice('says', ['server', 'connector'], 'connector_wide|server_egress'),
      // Where the destinations fail for different reasons, the command looks at one of them.
      command: advice('command', ['server', 'connector'], failing),
      command_where: advice('where', ['server', 'connector'], failing),
      last_error: lastError(['server', 'connector']),
    },
  };
}

/** The diagnoses of a destination that fails now. */
const failing = 'connector_wide|server_egress|network_path|name_resolution|smtp_refuses|tls|destination_down';

function singleError(limits: Thresholds): Alert {
  return {
    name: 'SendConnectorError',
    group: 'mail',
    severity: 'info',
    scope: 'error',
    expr: `${errorLately(limits)}\nunless ${recovered(limits)}`,
    forSeconds: 0,
    subjects: pair,
    summary: 'Send connector {{ $labels.connector }} had an error with {{ $labels.destination }}',
    description:
      `Server {{ $labels.server }} reported it ${valueAsAge} ago. ` +
      'One error may be a glitch that the next retry fixes; the runbook shows what the probes of this destination say.',
    annotations: ofPair,
  };
}

function repeatedErrors(limits: Thresholds): Alert {
  return {
    name: 'SendConnectorErrorsRepeated',
    group: 'mail',
    severity: 'warning',
    scope: 'error',
    expr: `${errorsGoOn(limits)}\nunless ${recovered(limits)}`,
    forSeconds: 0,
    subjects: pair,
    summary: 'Send connector {{ $labels.connector }} had several errors with {{ $labels.destination }}',
    description:
      `Server {{ $labels.server }} logged {{ $value }} of them within ${inWords(limits.repeatedWindowSeconds)}. Unless they came at the same moment, ` +
      'retries failed too, and mail for this destination may wait in a queue. The runbook leads from the reason to the next command.',
    annotations: ofPair,
  };
}

function destinationDown(limits: Thresholds): Alert {
  return {
    name: 'DestinationDown',
    group: 'mail',
    severity: 'critical',
    scope: 'destination',
    expr: destinationsDown(limits),
    forSeconds: limits.outageForSeconds,
    keepFiringSeconds: limits.outageKeepSeconds,
    subjects: pair,
    summary: `Send connector {{ $labels.connector }} ${failsWith}`,
    description:
      `The last error on server {{ $labels.server }} was ${valueAsAge} ago, and the probe of this destination fails. ` +
      `${latestFailure('{{ .suspect }} ')}Mail for it waits in a queue; users are told after 4 hours, mail is returned after 2 days.`,
    annotations: { at: latestFailure('{{ .at }}'), reason: latestFailure('{{ .what }}'), ...ofPair },
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
      errorsIn(seconds, limits.healthyProbesErrors, limits),
      `and ${errorLately(limits)}`,
      `and ${everyVisitPasses(seconds, limits)}`,
    ].join('\n'),
    forSeconds: 0,
    subjects: pair,
    summary: 'Send connector {{ $labels.connector }} has errors with {{ $labels.destination }}, but every probe passes',
    description:
      `{{ $value }} errors on server {{ $labels.server }} within ${inWords(seconds)}, while every probe of the destination ` +
      'in that time passed. Suspect what differs between Exchange and the probe: the server it runs ' +
      'on, source address, firewall rule, a limit of the remote side, or an intermittent fault.',
    annotations: ofPair,
  };
}

function failingWithoutErrors(limits: Thresholds): Alert {
  return {
    name: 'DestinationFailingWithoutErrors',
    group: 'mail',
    severity: 'info',
    scope: 'destination',
    expr: `${probeFails(limits)}\nunless ignoring (server, connector) (${errorLately(limits)})`,
    forSeconds: limits.quietFailureSeconds,
    subjects: ['destination'],
    summary: `Destination {{ $labels.destination }} fails its probes${latestFailure(': {{ .what }}')}; Exchange has logged no error`,
    description:
      `Every probe of the last ${inWords(limits.quietFailureSeconds)} failed${latestFailure(' ({{ .at }})')}, but no Send connector reported ` +
      'an error. Either no mail went there, or the logging level hides the errors, or only the probe is refused.',
    annotations: { at: latestFailure('{{ .at }}'), reason: latestFailure('{{ .what }}') },
  };
}

function certificateExpiring(limits: Thresholds): Alert {
  const expiry = 'exchange_destination_certificate_expiry_timestamp_seconds';
  return {
    name: 'CertificateExpiring',
    group: 'mail',
    severity: 'warning',
    scope: 'destination',
    expr: `${ofAll('min', `last_over_time(${expiry}[${duration(limits.certificateMemorySeconds)}])`)} - time() < ${limits.certificateSeconds}`,
    forSeconds: limits.certificateForSeconds,
    subjects: ['destination'],
    summary:
      'The certificate of {{ $labels.destination }} ' +
      '{{ if lt $value 0.0 }}has expired{{ else }}expires in ' +
      `${valueAsAge}{{ end }}`,
    description:
      'Connectors that check certificates (TlsAuthLevel CertificateValidation or DomainValidation) stop delivering ' +
      'to {{ $labels.destination }} when the certificate it presents after STARTTLS has expired. Tell its operator, or ' +
      'renew it when it is yours.',
  };
}

function packetLoss(limits: Thresholds): Alert {
  const metric = 'exchange_destination_ping_loss_ratio';
  const loss = `${metric}[${duration(limits.packetLossWindowSeconds)}]`;
  const lately = `last_over_time(${metric}[${duration(limits.probeMemorySeconds)}])`;
  return {
    name: 'DestinationPacketLoss',
    group: 'mail',
    severity: 'info',
    scope: 'destination',
    // No echo at all says nothing: most such hosts filter ping. Nor does an exporter that is gone.
    expr: ofAll('max', `min_over_time(${loss}) >= ${limits.packetLossRatio}\nand ${lately} < 1`),
    forSeconds: limits.packetLossForSeconds,
    subjects: ['destination'],
    summary: 'The path to {{ $labels.destination }} loses {{ $value | humanizePercentage }} of all packets or more',
    description:
      `Every ping of the last ${inWords(limits.packetLossWindowSeconds)} lost echoes. Connections still succeed, but ` +
      'slowly, and some time out: intermittent errors usually have this cause. The page of the destination shows at ' +
      'which hop the loss begins.',
  };
}

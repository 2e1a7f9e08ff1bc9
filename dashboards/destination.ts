/** The drill-down: everything about one destination, from what Exchange says to how each step of the probe went. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { failedVisits } from './failed-visits.js';
import { relatedEvents } from './surroundings.js';
import { boardOf, connectorVariable, destinationQuery, queryVariable, serverVariable, type Row } from './board.js';
import {
  bars,
  buckets,
  heatmap,
  lines,
  link,
  overTime,
  stat,
  stateTimeline,
  thresholds,
  valueNow,
  zeroOne,
} from './panels.js';
import {
  chosenBy,
  chosenDestinations,
  diagnoses,
  errorsPerStep,
  errorsWithin,
  failuresPerStep,
  lastErrorAge,
  latestVisits,
  once,
} from './queries.js';

const destinationUid = 'send-connector-destination';

export function destinationBoard(exporterUrl: string): object {
  const steps = `label_values(exchange_destination_probe_step_duration_seconds_bucket${chosenDestinations}, step)`;
  return boardOf(
    {
      title: 'Destination of Send connectors',
      uid: destinationUid,
      description: 'One destination: errors of Exchange, visits of the probe, the way there, the certificate.',
      variables: [
        serverVariable(),
        connectorVariable(),
        queryVariable('destination', 'Destination', destinationQuery),
        queryVariable('step', 'Step', steps),
      ],
      alerts: `, ${chosenBy('destination')}`,
      rows: [now(), story(), probeSteps(), way()],
    },
    exporterUrl,
  );
}

const page = '/destinations/${destination:percentencode}';
const byDestination = '?destination=${destination:percentencode}';
const down = `DestinationDown${byDestination}`;

const small = { unit: 'none', page, runbook: down, span: 4, height: 4 };

function now(): Row {
  return {
    title: 'Now',
    panels: [
      stat({ ...small, title: 'Latest visit', description: 'Result of the latest probe.', empty: 'not probed' })
        .mappings(zeroOne('fails', 'passes'))
        .thresholds(thresholds([null, 'red'], [1, 'green']))
        .withTarget(valueNow(`min(${latestVisits})`, '')),
      stat({
        ...small,
        title: 'Last good visit',
        description: 'Time since the probe last succeeded.',
        unit: 's',
        empty: 'never',
      })
        .thresholds(thresholds([null, 'green'], [15 * 60, 'red']))
        .withTarget(
          valueNow(`time() - max(exchange_destination_probe_last_success_timestamp_seconds${chosenDestinations})`, ''),
        ),
      stat({
        ...small,
        title: 'Last error',
        description: 'Time since Exchange last reported an error.',
        unit: 's',
        empty: 'no errors',
      })
        .thresholds(thresholds([null, 'red'], [3600, 'green']))
        .withTarget(valueNow(`min(${lastErrorAge})`, '')),
      stat({
        ...small,
        title: 'Errors',
        description: 'Connection errors (event 2002) in the time range.',
        empty: '0',
        runbook: 'SendConnectorErrorsRepeated' + byDestination,
      })
        .thresholds(thresholds([null, 'green'], [1, 'orange']))
        .withTarget(valueNow(`sum(${errorsWithin('$__range')})`, '')),
      ...certificateAndLoss(),
    ],
  };
}

function certificateAndLoss(): Builder<Panel>[] {
  return [
    stat({
      ...small,
      title: 'Certificate',
      description: 'Time until the first certificate in the chain ends that the destination shows.',
      unit: 's',
      empty: 'no certificate seen',
      runbook: 'CertificateExpiring' + byDestination,
    })
      .thresholds(thresholds([null, 'red'], [14 * 24 * 3600, 'green']))
      .withTarget(
        valueNow(`min(exchange_destination_certificate_expiry_timestamp_seconds${chosenDestinations}) - time()`, ''),
      ),
    stat({
      ...small,
      title: 'Loss of packets',
      description: 'Echoes of the latest ping that did not come back. All of them: most such hosts filter ping.',
      unit: 'percentunit',
      empty: 'no ping yet',
      runbook: 'DestinationPacketLoss' + byDestination,
    })
      .thresholds(thresholds([null, 'green'], [0.1, 'orange'], [1, 'blue']))
      .withTarget(valueNow(`max(exchange_destination_ping_loss_ratio${chosenDestinations})`, '')),
  ];
}

function story(): Row {
  const half = { page, runbook: down, span: 12, height: 8 };
  return {
    title: 'What happened',
    panels: [
      stateTimeline({
        title: 'Visits over time',
        description: 'Green passes, red fails, empty was not probed.',
        unit: 'none',
        empty: 'not probed',
        ...half,
      })
        .mappings(zeroOne('fails', 'passes'))
        .withTarget(overTime(`min by (destination) (${latestVisits})`, 'probe')),
      stateTimeline({
        title: 'Diagnosis over time',
        description: 'What errors and probes say together, for as long as the last error is younger than an hour.',
        unit: 'none',
        empty: 'no errors',
        ...half,
        runbook: 'diagnoses' + byDestination,
      }).withTarget(overTime(`max by (diagnosis) (${diagnoses})`, '{{diagnosis}}')),
      bars({
        title: 'Errors by Send connector',
        description: 'Connection errors (event 2002) in each step of the graph, exact counts.',
        unit: 'short',
        empty: 'no errors',
        ...half,
      }).withTarget(overTime(`sum by (connector) (${errorsPerStep}) > 0`, '{{connector}}')),
      bars({
        title: 'Failed connections by reason',
        description: 'Why Exchange could not connect, as its own transport logs tell it.',
        unit: 'short',
        empty: 'no failures, or no transport log is read',
        ...half,
        runbook: 'reasons' + byDestination,
      })
        .withTarget(overTime(`sum by (reason) (${failuresPerStep}) > 0`, '{{reason}}'))
        .dataLinks([link('What this reason means', '${exporter}/runbooks/reasons#${__field.labels.reason}')]),
      relatedEvents({ ...half, runbook: 'checks', span: 24 }),
    ],
  };
}

function probeSteps(): Row {
  const half = { page, runbook: 'reasons' + byDestination, span: 12, height: 8 };
  const bucketsOf = `exchange_destination_probe_step_duration_seconds_bucket{${chosenBy('job', 'instance', 'destination', 'step')}}`;
  return {
    title: 'Steps of the probe',
    panels: [
      failedVisits(half),
      heatmap({
        title: 'Duration of the step',
        description:
          'How many visits took how long in the step chosen above. A dark band that climbs is a slow server.',
        unit: 's',
        empty: 'not probed',
        ...half,
      }).withTarget(buckets(`sum by (le) (${once(`increase(${bucketsOf}[$__rate_interval])`)})`)),
    ],
  };
}

function way(): Row {
  const half = { page, runbook: 'DestinationPacketLoss' + byDestination, span: 12, height: 8 };
  return {
    title: 'The way there',
    panels: [
      lines({
        title: 'Loss of packets over time',
        description: 'Share of the echoes of each ping that did not come back.',
        unit: 'percentunit',
        empty: 'no ping yet',
        ...half,
      })
        .max(1)
        .withTarget(
          overTime(`max by (destination) (exchange_destination_ping_loss_ratio${chosenDestinations})`, 'loss'),
        ),
      lines({
        title: 'Round trip',
        description: 'Average round trip of each ping that came back.',
        unit: 's',
        empty: 'no echo came back yet',
        ...half,
      }).withTarget(
        overTime(`max by (destination) (exchange_destination_ping_rtt_seconds${chosenDestinations})`, 'round trip'),
      ),
    ],
  };
}

/** Families with a series for each pair of Send connector and destination, from the ledger and the diagnosis. */
import type { DiagnosedPair } from '../diagnosis/diagnosis.js';
import type { LedgerRow } from '../model/batch.js';
import { diagnosisWords } from '../model/reason-words.js';
import { diagnoses } from '../model/words.js';
import { type Family, labelText, sample, secondsOf } from './exposition.js';

/** A command and the host to type it on, a server or a phrase. */
export type AdvisedCommand = { readonly command: string; readonly where: string };

type RowFamily = Family & { readonly lines: (row: LedgerRow, labels: string, name: string) => string };

export const rowFamilies: readonly RowFamily[] = [
  {
    name: 'exchange_send_connector_connection_errors_total',
    type: 'counter',
    help: 'Events 2002: the Send connector could not connect to the destination.',
    lines: (row, labels, name) => line(name, labels, row.errors),
  },
  {
    name: 'exchange_send_connector_connection_attempts_total',
    type: 'counter',
    help: 'Attempts to connect, from the transport logs.',
    lines: (row, labels, name) => line(name, labels, row.lastAttemptAt === undefined ? undefined : row.attempts),
  },
  {
    name: 'exchange_send_connector_connection_failures_total',
    type: 'counter',
    help: 'Failed connections by reason, from the transport logs.',
    lines: ({ server, connector, destination, failures }, _labels, name) =>
      Object.entries(failures)
        .map(([reason, count]) => sample(name, { server, connector, destination, reason }, count))
        .join(''),
  },
  {
    name: 'exchange_send_connector_last_error_timestamp_seconds',
    type: 'gauge',
    help: 'When the latest error or failure was logged.',
    lines: (row, labels, name) => line(name, labels, row.lastErrorAt && secondsOf(row.lastErrorAt)),
  },
  {
    name: 'exchange_send_connector_last_error_observed_timestamp_seconds',
    type: 'gauge',
    help: 'When the latest error or failure was read; alerts use this one, because records may arrive late.',
    lines: (row, labels, name) => line(name, labels, row.lastObservedAt && secondsOf(row.lastObservedAt)),
  },
];

function line(name: string, labels: string, value: number | undefined): string {
  return value === undefined ? '' : `${name}${labels} ${value}\n`;
}

/** A row is a value: it is replaced when it changes, so its lines never do. */
export function linesOfRow(row: LedgerRow): string[] {
  const { server, connector, destination } = row;
  const labels = labelText({ server, connector, destination });
  return rowFamilies.map((family) => family.lines(row, labels, family.name));
}

export const diagnosisFamily: Family = {
  name: 'exchange_send_connector_diagnosis',
  type: 'gauge',
  help: 'Which diagnosis holds (1) for a pair with an error within the last hour; the others are 0.',
};

export const adviceFamily: Family = {
  name: 'exchange_send_connector_advice_info',
  type: 'gauge',
  help: 'Always 1; the diagnosis of such a pair in words, and the next command to type.',
};

export type Advised = { readonly pair: DiagnosedPair; readonly next: AdvisedCommand | undefined };

export function linesOfDiagnosis(
  { word, server, connector, destination }: DiagnosedPair,
  next: AdvisedCommand | undefined,
): string[] {
  const lines = diagnoses.map((diagnosis) =>
    sample(diagnosisFamily.name, { server, connector, destination, diagnosis }, Number(diagnosis === word)),
  );
  const says = diagnosisWords[word];
  const advice = {
    server,
    connector,
    destination,
    diagnosis: word,
    says,
    command: next?.command ?? '',
    where: next?.where ?? '',
  };
  return [lines.join(''), sample(adviceFamily.name, advice, 1)];
}

/** The PromQL that panels share: the selectors of the variables, and counts that are exact, also with a pair of exporters. */
import { countedOnce, ofAll, ofReplicas } from '../alerts/replicas.js';

/**
 * Matchers for what the variables of these labels choose. Names hold brackets, quotes and backslashes: Grafana's format
 * `regex` makes each of them match only itself, and between backticks PromQL reads no escapes of its own. (Grafana's
 * default for Prometheus leaves double quotes as they are, and with a single value brackets, too.) A name that holds a
 * backtick is the one that cannot be chosen.
 */
export function chosenBy(...labels: readonly string[]): string {
  return labels.map((label) => `${label}=~\`\${${label}:regex}\``).join(', ');
}

/** Series of the exporters that the variables choose. */
export const chosenExporters = `{${chosenBy('job', 'instance')}}`;

/**
 * Series of an exporter beside ours on the chosen servers, whose instance begins with the server's name: `EXCH01:9182` and
 * `exch01.contoso.local` are both `exch01`. With "All" chosen it is every instance.
 */
export const chosenServersByInstance = 'instance=~`(?i:${server:regex})([.:].*)?`';

/** Series of the ledger that the variables choose. */
export const chosenErrors = `{${chosenBy('job', 'instance', 'server', 'connector', 'destination')}}`;

/** Series of the board that the variables choose; probes know no connector. */
export const chosenDestinations = `{${chosenBy('job', 'instance', 'destination')}}`;

const errors = `exchange_send_connector_connection_errors_total${chosenErrors}`;
const lastError = `exchange_send_connector_last_error_timestamp_seconds${chosenErrors}`;

/** What all exporters tell of the same, once: nothing is counted or summed before. Counts of the ledger are not of this kind. */
export function once(expression: string): string {
  return onOneLine(ofAll('max', expression));
}

function onOneLine(expression: string): string {
  return expression.replace(/\s+/g, ' ').replace(/\( | \)/g, (bracket) => bracket.trim());
}

/** The latest result of each chosen destination: it passes when an exporter of the pair says so. */
export const latestVisits = once(`exchange_destination_probe_success${chosenDestinations}`);

/** A value holds over a gap of scraping that is no longer. */
const memory = '1h';

/**
 * Errors within the last `range` (`1h`, `$__range`) by shard, exact, because the ledger's counter never falls; where a lost
 * state made it start again, those since then.
 */
export function errorsWithin(range: string): string {
  const over = (kind: string): string => `${kind}_over_time(${errors}[${range}])`;
  const startedAgain = ofReplicas('max', `${over('last')} - ${over('min')}`);
  return onOneLine(`(${countedOnce(errors, range, memory)} or ${startedAgain})`);
}

/**
 * Errors in each step of a graph. Not `increase`: it extrapolates, so that one error becomes 1.07, and its windows
 * overlap, so that one error is drawn twice. The value before is looked for up to an hour back, so that errors read after
 * a gap are drawn where they were read. A series that was born within the step begins at its first value, which is zero for
 * what is news.
 */
export const errorsPerStep = perStep(errors);

/** The same of the transport logs: connections tried, and those that failed. */
export const attemptsPerStep = perStep(`exchange_send_connector_connection_attempts_total${chosenErrors}`);
export const failuresPerStep = perStep(`exchange_send_connector_connection_failures_total${chosenErrors}`);

/** Events beside errors; they are told by server alone. */
export const relatedPerStep = perStep(
  `exchange_send_connector_related_events_total{${chosenBy('job', 'instance', 'server')}}`,
);

function perStep(counter: string): string {
  return onOneLine(countedOnce(counter, '$__interval', memory));
}

/** Seconds since the last error of each pair. A pair without error has no such series, or a zero. */
export const lastErrorAge = `time() - (${once(lastError)} > 0)`;

/** The latest probe beside each pair of the ledger, told by an exporter that knows both. */
export function besideEachPair(boardSeries: string, ...boardLabels: string[]): string {
  const other = ['server', 'connector', ...boardLabels].join(', ');
  return once(
    `0 * ${errors} + ignoring (${other}) group_left (${boardLabels.join(', ')}) ${boardSeries}${chosenDestinations}`,
  );
}

/** The diagnosis that holds for each pair; of a pair of exporters the one that probes knows more. */
export const diagnoses = [
  once(`exchange_send_connector_diagnosis{diagnosis!="not_probed", ${chosenErrors.slice(1)} == 1`),
  once(`exchange_send_connector_diagnosis{diagnosis="not_probed", ${chosenErrors.slice(1)} == 1`),
].join(' or ignoring (diagnosis) ');

/** Exporters as the panels about them tell them apart; federation without `honor_labels` has the address elsewhere. */
export const perExporter = 'instance, exported_instance';

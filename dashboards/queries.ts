/** The PromQL that panels share: the selectors of the variables, and counts that are exact. */

/** Series of the ledger that the variables choose. */
export const chosenErrors = '{server=~"$server", connector=~"$connector", destination=~"$destination"}';

/** Series of the board that the variables choose; probes know no connector. */
export const chosenDestinations = '{destination=~"$destination"}';

/** Labels that errors and probe results of one exporter have in common. */
const sameDestination = 'on (job, instance, destination)';

const errors = `exchange_send_connector_connection_errors_total${chosenErrors}`;
const lastError = `exchange_send_connector_last_error_timestamp_seconds${chosenErrors}`;

/** Errors within the last `range` (`1h`, `$__range`), exact, because the ledger's counter never falls. */
export function errorsWithin(range: string): string {
  return `(max_over_time(${errors}[${range}]) - min_over_time(${errors}[${range}]))`;
}

/**
 * Errors in each step of a graph. Not `increase`: it extrapolates, so that one error becomes 1.07, and its windows
 * overlap, so that one error is drawn twice. The value before is looked for up to an hour back, so that errors read after
 * a gap are drawn where they were read.
 */
export const errorsPerStep = perStep(errors);

/** The same of the transport logs: connections tried, and those that came to nothing. */
export const attemptsPerStep = perStep(`exchange_send_connector_connection_attempts_total${chosenErrors}`);
export const failuresPerStep = perStep(`exchange_send_connector_connection_failures_total${chosenErrors}`);

function perStep(counter: string): string {
  return `clamp_min(${counter} - last_over_time(${counter}[1h] offset $__interval), 0)`;
}

/** Seconds since the last error of each pair. A pair without error has no such series, or a zero. */
export const lastErrorAge = `time() - (${lastError} > 0)`;

/** The latest probe beside each pair of the ledger. */
export function besideEachPair(boardSeries: string, ...boardLabels: string[]): string {
  return `${errors} * 0 + ${sameDestination} group_left (${boardLabels.join(', ')}) ${boardSeries}${chosenDestinations}`;
}

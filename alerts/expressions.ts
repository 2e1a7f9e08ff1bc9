/**
 * The PromQL that several alerts share.
 *
 * Two rules hold everywhere. Series are read over a range (`last_over_time`, `max_over_time`), so that a missed scrape
 * does not end an alert. Errors and probes are joined on job, instance and destination: two exporters that see the same
 * destination each keep to their own probes, and the join can never become many-to-many.
 */
import { duration, type Thresholds } from './thresholds.js';

/** Labels that errors and probe results of one exporter have in common. */
export const sameDestination = 'on (job, instance, destination)';

/** Time of the latest error as the exporter read it; history read at installation keeps its old time. */
const lastObserved = 'exchange_send_connector_last_error_observed_timestamp_seconds';

/**
 * Pairs with an error observed in the last `seconds`; the value is the age of that error in seconds.
 * One event is enough, also for a series that is born with it. Never below zero: the exporter's clock may be ahead.
 */
export function errorWithin(seconds: number): string {
  return `clamp_min(time() - max_over_time(${lastObserved}[${duration(seconds)}]), 0) < ${seconds}`;
}

/**
 * What a counter of the ledger counted within the last `seconds`, exact: it never falls, so the difference of its ends needs
 * no extrapolation (which makes 3 of 2 on a young series). A series is seen at zero first; one that is not misses its
 * first error. Ask for `errorWithin` too: a lost state directory starts the counter again, which looks like errors.
 */
export function countedIn(selector: string, seconds: number): string {
  const range = `${selector}[${duration(seconds)}]`;
  return `(max_over_time(${range}) - min_over_time(${range}))`;
}

/** Pairs with at least this many events 2002 or failures of the transport logs, whichever tell more of this server. */
export function errorsIn(seconds: number, atLeast: number): string {
  const events = countedIn('exchange_send_connector_connection_errors_total', seconds);
  const failures = countedIn('exchange_send_connector_connection_failures_total', seconds);
  return ['(', `  ${events} >= ${atLeast}`, `  or sum without (reason) ${failures} >= ${atLeast}`, ')'].join('\n');
}

/**
 * Pairs whose destination failed a probe at or after the latest error and passes now: the outage that explains the error
 * is over. Without this a warning about its errors would begin when the outage ends.
 */
export function recovered(limits: Thresholds): string {
  const window = limits.singleErrorSeconds;
  const step = window / 30;
  return [
    '(',
    `  max_over_time(${lastObserved}[${duration(window)}])`,
    `  <= ${sameDestination} group_left () max_over_time(timestamp(exchange_destination_probe_success == 0)[${duration(window)}:${duration(step)}]) + ${step}`,
    `  and ${sameDestination} last_over_time(exchange_destination_probe_success[${duration(limits.latestProbeSeconds)}]) == 1`,
    ')',
  ].join('\n');
}

/** Pairs with an error of late whose destination fails its probe: two witnesses. The value is the age of the error. */
export function destinationsDown(limits: Thresholds): string {
  return [
    errorWithin(limits.outageErrorSeconds),
    `and ${sameDestination} (`,
    indented(probeFails(limits.latestProbeSeconds)),
    ')',
  ].join('\n');
}

/** Takes away what has a known destination that passes its probe, by these labels. */
export function unlessSomethingPasses(labels: string, limits: Thresholds): string {
  const range = duration(limits.latestProbeSeconds);
  return [
    `unless on (${labels}) (`,
    `  last_over_time(exchange_send_connector_connection_errors_total[${range}])`,
    `  and ${sameDestination} last_over_time(exchange_destination_probe_success[${range}]) == 1`,
    ')',
  ].join('\n');
}

/** Destinations whose latest visit failed, save those that policy forbids to visit. */
export function probeFails(seconds: number): string {
  const range = duration(seconds);
  return [
    `last_over_time(exchange_destination_probe_success[${range}]) == 0`,
    `unless ${sameDestination}`,
    `max_over_time(exchange_destination_probe_failing{reason="blocked_by_policy"}[${range}]) == 1`,
  ].join('\n');
}

/**
 * True while a counter of this process rises, also when it was born above zero: `increase` cannot see a birth, the
 * second line can. For counters that start again with the process (not for those of the ledger).
 */
export function rises(selector: string, seconds: number): string {
  const range = duration(seconds);
  return [
    `increase(${selector}[${range}]) > 0`,
    'or',
    `(last_over_time(${selector}[${range}]) > 0 unless last_over_time(${selector}[${range}] offset ${range}))`,
  ].join('\n');
}

/** Puts each line of an expression two spaces to the right, for readable rules. */
export function indented(expression: string): string {
  return expression.replace(/^/gm, '  ');
}

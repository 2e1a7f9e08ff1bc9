/**
 * The PromQL that the alerts about mail share.
 *
 * Three rules hold everywhere. Series are read over a range (`last_over_time`, `max_over_time`), so that missed scrapes do
 * not end an alert. The exporters of a pair, and shards, are taken together (replicas.ts) before anything is counted,
 * compared or shown. And both sides of a join have exactly the labels that it matches, whatever labels a global ruler or federation
 * adds: one side is aggregated, and `ignoring` names what the other has besides. No join can become many-to-many.
 */
import { allLabels, countedOnce, indented, ofAll, ofReplicas, ofShards } from './replicas.js';
import { duration, type Thresholds } from './thresholds.js';

const errors = 'exchange_send_connector_connection_errors_total';
const attempts = 'exchange_send_connector_connection_attempts_total';
const failures = 'exchange_send_connector_connection_failures_total';
/** Time of the latest error as the exporter read it; history read at installation keeps its old time. */
const observed = 'exchange_send_connector_last_error_observed_timestamp_seconds';
/** Time of the latest error as the server logged it. */
const logged = 'exchange_send_connector_last_error_timestamp_seconds';
const probe = 'exchange_destination_probe_success';
/** What the exporter makes of all it knows, a state set: the word that holds is 1. */
const diagnosis = 'exchange_send_connector_diagnosis';

/**
 * When the newest error of each pair became known. Of several exporters the one counts that read the newest event first:
 * what another reads an hour late is no news. Nobody reads an event before it is logged: an exporter that says so has a clock
 * that is behind, and tells the time only where no other does.
 */
function lastNews(limits: Thresholds): string {
  const range = duration(limits.repeatedWindowSeconds);
  const [read, newest] = [`max_over_time(${observed}[${range}])`, `max_over_time(${logged}[${range}])`];
  const first = `${read}\nunless ${newest} < ignoring (${allLabels}) group_left () ${ofAll('max', newest)}`;
  const inTime = `${first}\nunless ${read} < ${newest} - ${limits.clockSeconds}`;
  return ['(', indented(ofAll('min', inTime)), indented(`or ${ofAll('min', first)}`), ')'].join('\n');
}

/**
 * Pairs with an error as long ago as the next retry may take; the value is the age of that error in seconds.
 * One event is enough, also for a series that is born with it. Never below zero: the exporter's clock may be ahead.
 */
export function errorLately(limits: Thresholds): string {
  return `clamp_min(time() - ${lastNews(limits)}, 0) < ${limits.errorSeconds}`;
}

/**
 * What a counter of the ledger counted within the last `seconds`, exact: it never falls, so the difference of its ends needs
 * no extrapolation (which makes 3 of 2 on a young series). A series is seen at zero first; one that is not misses its
 * first error. Where a lost state made it start again, nothing can be said.
 */
export function countedIn(selector: string, seconds: number): string {
  const range = `${selector}[${duration(seconds)}]`;
  return `(max_over_time(${range}) - min_over_time(${range}) unless resets(${range}) > 0)`;
}

/** The same of all exporters, shard by shard. */
function countedByShard(selector: string, seconds: number, limits: Thresholds): string {
  return countedOnce(selector, duration(seconds), duration(limits.probeMemorySeconds));
}

/**
 * Pairs with at least this many events 2002 or failures of the transport logs, whichever tell more of this server. After a
 * lost state the reading of errors is counted instead, save the one that reads the latest error again.
 */
export function errorsIn(seconds: number, atLeast: number, limits: Thresholds): string {
  const range = duration(seconds);
  const told = (resets: string): string => ofReplicas('max', `changes(${observed}[${range}]) - (${resets} > 0)`);
  const ofEvents = [countedByShard(errors, seconds, limits), `or ${told(`resets(${errors}[${range}])`)}`];
  const ofLogs = [
    `sum without (reason) (${countedByShard(failures, seconds, limits)})`,
    `or ${told(`sum without (reason) (resets(${failures}[${range}]))`)}`,
  ];
  return [
    '(',
    indented(`${ofShards('sum', ofEvents.join('\n'))} >= ${atLeast}`),
    indented(`or ${ofShards('sum', ofLogs.join('\n'))} >= ${atLeast}`),
    ')',
  ].join('\n');
}

/** Pairs with errors again and again, and going on. The value is how many. */
export function errorsGoOn(limits: Thresholds): string {
  return `${errorsIn(limits.repeatedWindowSeconds, limits.repeatedErrors, limits)}\nand ${errorLately(limits)}`;
}

/**
 * When the newest error was logged, by the clock of its server: what one exporter reads late is not apart from the rest.
 * @param of a selector with the metric left open
 */
function lastLogged(of: (metric: string) => string): string {
  return ofAll('max', `${of(logged)} or ${of(observed)}`);
}

/** Pairs with two errors at least `lastingSeconds` apart, the later one as long ago as the next retry may take. */
export function errorsLast(limits: Thresholds): string {
  const step = limits.lastingSeconds / 6;
  const before = lastLogged((metric) => `${metric} offset ${duration(limits.lastingSeconds + step)}`);
  const apart = `${lastLogged(String)} - ${before} >= ${limits.lastingSeconds} <= ${limits.repeatedWindowSeconds}`;
  return `max_over_time((\n${indented(apart)}\n)[${duration(limits.errorSeconds)}:${duration(step)}])`;
}

/**
 * Pairs with two errors at least `retryApartSeconds` apart, the later one as long ago as the next retry may take: parallel
 * connections that fail at one moment are no retries. A gap of scraping may lie between the two.
 */
export function errorsOfRetries(limits: Thresholds): string {
  const apart = limits.retryApartSeconds;
  const step = apart / 2;
  const memory = duration(limits.probeMemorySeconds);
  const before = lastLogged((metric) => `last_over_time(${metric}[${memory}] offset ${duration(apart + step)})`);
  const between = `${lastLogged(String)} - ${before} >= ${apart} <= ${limits.repeatedWindowSeconds}`;
  return `max_over_time((\n${indented(between)}\n)[${duration(limits.errorSeconds)}:${duration(step)}])`;
}

/** Pairs of which the transport logs tell an attempt that came through. Without these logs nothing is known of successes. */
function somethingCameThrough(seconds: number, limits: Thresholds): string {
  const tried = countedByShard(attempts, seconds, limits);
  const failed = `sum without (reason) (${countedByShard(failures, seconds, limits)})`;
  return ofShards('max', `${tried} > (${failed} or 0 * ${tried})`);
}

/**
 * A value of destinations beside each pair of Send connector and destination, told by an exporter that knows both: two
 * exporters at two places each keep to their own probes, and a replica that does not probe takes those of its twin.
 */
function besidePairs(aggregation: 'max' | 'min', ofDestinations: string, limits: Thresholds): string {
  const range = duration(limits.probeMemorySeconds);
  return ofAll(
    aggregation,
    [
      `0 * (last_over_time(${errors}[${range}]) or last_over_time(${observed}[${range}]))`,
      `+ ignoring (server, connector) group_left () ${ofDestinations}`,
    ].join('\n'),
  );
}

/**
 * What was told last, 0 or 1. A fresh value has 2 more, and that of an exporter that is there now 4, so that it outweighs
 * what another of a pair told before it went; older ones count only over a gap of scraping. Take it modulo 2.
 */
function toldLast(selector: string, limits: Thresholds): string {
  const [fresh, known] = [duration(limits.latestProbeSeconds), duration(limits.probeMemorySeconds)];
  return `(${selector} + 4 or last_over_time(${selector}[${fresh}]) + 2 or last_over_time(${selector}[${known}]))`;
}

/**
 * Pairs of servers that reach nothing, by the decision of the exporter: rules do not decide it a second time. Not where an
 * exporter of a pair finds another word, which only fits a server that reaches something.
 */
export function withoutEgress(limits: Thresholds): string {
  const says = (words: string, narrower: string): string => {
    const told = ofAll('max', toldLast(`${diagnosis}{diagnosis${words}}`, limits));
    return `max without (diagnosis${narrower}) (\n${indented(told)}\n) % 2 == 1`;
  };
  return [
    says('="server_egress"', ''),
    `and ${errorLately(limits)}`,
    `unless ignoring (connector, destination) ${says('!~"server_egress|name_resolution|not_probed"', ', connector, destination')}`,
  ].join('\n');
}

/**
 * The latest visits as `toldLast`, save of destinations that policy forbids to visit: 1 passes, 0 fails.
 */
function visits(limits: Thresholds): string {
  const known = duration(limits.probeMemorySeconds);
  const blocked = `max_over_time(exchange_destination_probe_failing{reason="blocked_by_policy"}[${known}]) == 1`;
  return ['(', `  ${toldLast(probe, limits)}`, `  unless ignoring (step, reason) ${blocked}`, ')'].join('\n');
}

/** The latest visit beside each probed pair: 1 passes, 0 fails. A pass is one whichever exporter of a pair tells it. */
function latestVisit(limits: Thresholds): string {
  return `${besidePairs('max', visits(limits), limits)} % 2`;
}

/** Pairs whose destination passed every visit within the last `seconds`. */
export function everyVisitPasses(seconds: number, limits: Thresholds): string {
  return `${besidePairs('min', `min_over_time(${probe}[${duration(seconds)}])`, limits)} == 1`;
}

/** Destinations whose latest visit failed, save those that policy forbids to visit. */
export function probeFails(limits: Thresholds): string {
  return `${ofAll('max', visits(limits))} % 2 == 0`;
}

/**
 * Pairs whose destination failed a probe at or after the latest error and passes now: the outage that explains the error
 * is over. Without this a warning about its errors would begin when the outage ends.
 */
export function recovered(limits: Thresholds): string {
  const step = limits.errorSeconds / 30;
  const failed = `max_over_time(timestamp(${probe} == 0)[${duration(limits.errorSeconds)}:${duration(step)}])`;
  return [
    '(',
    indented(`${lastNews(limits)} <= ${besidePairs('max', failed, limits)} + ${step}`),
    indented(`and ${latestVisit(limits)} == 1`),
    ')',
  ].join('\n');
}

/** Pairs with an error of late whose destination fails its probe: two witnesses. The value is the age of the error. */
export function destinationsDown(limits: Thresholds): string {
  return `${errorLately(limits)}\nand ${latestVisit(limits)} == 0`;
}

/** Takes away what has a known destination that passes its probe; `narrower` are the labels that a pair has besides. */
export function unlessSomethingPasses(narrower: string, limits: Thresholds): string {
  return `unless ignoring (${narrower}) ${latestVisit(limits)} == 1`;
}

/**
 * Pairs with errors again and again that no probe and no transport log speaks for or against.
 * @param seconds an attempt that came through within this time speaks against
 */
export function failingUnprobed(seconds: number, limits: Thresholds): string {
  return [errorsGoOn(limits), `unless ${latestVisit(limits)}`, `unless ${somethingCameThrough(seconds, limits)}`].join(
    '\n',
  );
}

/** Pairs that were tried within the last day, as far as errors and transport logs tell. */
export function triedLately(limits: Thresholds): string {
  const erred = `time() - last_over_time(${observed}[${duration(limits.probeMemorySeconds)}]) < ${limits.triedSeconds}`;
  const tried = ofShards('max', `${countedByShard(attempts, limits.errorSeconds, limits)} > 0`);
  return ['(', indented(`${ofAll('max', erred)}\nor ${tried}`), ')'].join('\n');
}

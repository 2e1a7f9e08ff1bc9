/** One way to count what several exporters tell of: rules and dashboards take pairs of exporters, and shards, together with it. */

/**
 * Labels in which the exporters of one pair differ, and the Prometheus servers that scrape them; `exported_` is what
 * federation without `honor_labels` makes of the first two. All others (`job`, `cluster`, ...) are kept, so that
 * nothing is mixed that is not a pair.
 */
export const replicaLabels = [
  'instance',
  'replica',
  'pod',
  'exported_instance',
  'exported_pod',
  'prometheus_replica',
] as const;

/** The label that tells shards of a topic apart; the scrape configuration gives it, as the exporter cannot know its pairs. */
const shardLabel = 'shard';

/**
 * What the exporters of a pair tell, once: each of them counts every event, so the larger count is the whole one, and the
 * one that was restarted, lags or is gone changes nothing. Only then may it be summed over servers or shards.
 */
export function ofReplicas(aggregation: 'max' | 'min', expression: string): string {
  return `${aggregation} without (${replicaLabels.join(', ')}) (\n${indented(expression)}\n)`;
}

/**
 * The same where shards are taken together as well: for times and states, which are true whichever exporter tells them. What
 * is counted is not: every shard has counted a part of it.
 */
export function ofAll(aggregation: 'max' | 'min', expression: string): string {
  return `${aggregation} without (${allLabels}) (\n${indented(expression)}\n)`;
}

/** Labels in which exporters differ that tell of the same servers. */
export const allLabels = [...replicaLabels, shardLabel].join(', ');

/** What each shard has counted, a part each. */
export function ofShards(aggregation: 'sum' | 'max', expression: string): string {
  return `${aggregation} without (${shardLabel}) (\n${indented(expression)}\n)`;
}

/**
 * What a counter of the ledger counted since `before`, once. Of the exporters that were there all the time, the one that is
 * ahead tells how far it was then and how far it is now: one that lags, or catches up, adds nothing. Where none was, the one
 * counts that has counted most since it came. What lost its state since tells nothing.
 * @param counter a selector
 * @param within since when, a duration or a variable of Grafana
 * @param memory how long a value holds over a gap of scraping, a duration
 */
export function countedOnce(counter: string, within: string, memory: string): string {
  const now = `last_over_time(${counter}[${memory}])`;
  const before = `last_over_time(${counter}[${memory}] offset ${within})`;
  const lost = `resets(${counter}[${within}]) > 0`;
  // The value of before may be older than the range: what has fallen since has lost its state in between.
  const ahead = (one: string, other: string): string =>
    ofReplicas('max', `${one} and ${other} unless (${lost} or ${now} < ${before})`);
  const since = `max_over_time(${counter}[${within}]) - min_over_time(${counter}[${within}]) unless ${lost}`;
  return [
    '(',
    indented(`clamp_min(${ahead(now, before)} - ${ahead(before, now)}, 0)`),
    indented(`or ${ofReplicas('max', since)}`),
    ')',
  ].join('\n');
}

/** Puts each line of an expression two spaces to the right, for readable rules. */
export function indented(expression: string): string {
  return expression.replace(/^/gm, '  ');
}

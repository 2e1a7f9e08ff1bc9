/** One way to count what several exporters tell of: rules and dashboards take the exporters of a pair together with it. */

/**
 * Labels in which the exporters of one pair differ, and the Prometheus servers that scrape them; `exported_` is what
 * federation without `honor_labels` makes of the first two. All others (`job`, `cluster`, `shard`, ...) are kept, so that
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

/**
 * What the exporters of a pair tell, once: each of them counts every event, so the larger count is the whole one, and the
 * one that was restarted, lags or is gone changes nothing. Only then may it be summed over servers or shards.
 */
export function ofReplicas(aggregation: 'max' | 'min', expression: string): string {
  return `${aggregation} without (${replicaLabels.join(', ')}) (\n${indented(expression)}\n)`;
}

/** Puts each line of an expression two spaces to the right, for readable rules. */
export function indented(expression: string): string {
  return expression.replace(/^/gm, '  ');
}

/** The metrics that alerts and dashboards may use: those of the golden page, and those of the process. */
import { readFileSync } from 'node:fs';

const golden = new URL('../golden/metrics.txt', import.meta.url);

/** What prom-client says of the process; the golden page leaves it out, because it is never the same twice. */
const ofTheProcess = ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds'];

/** Base names of every published metric. */
export function publishedMetrics(): ReadonlySet<string> {
  const page = readFileSync(golden, 'utf8');
  return new Set([...ofTheProcess, ...[...page.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1] ?? '')]);
}

/** Base names of the metrics of this product in a PromQL expression; `up` and `ALERTS` are Prometheus' own. */
export function metricsIn(expression: string): string[] {
  const withoutStrings = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const names = withoutStrings.match(/\b(?:exchange|process|nodejs)_[a-z0-9_]+/g) ?? [];
  return [...new Set(names.map((name) => name.replace(/(_seconds)_(?:bucket|sum|count)$/, '$1')))];
}

/** The alerts about exporters that are not scraped, or give no answer: none starts or ends by a gap of scraping. */
import { indented, ofAll, replicaLabels } from './replicas.js';
import type { Alert } from './rules.js';
import { inWords, nameOfExporter } from './text-marks.js';
import { duration, type Thresholds } from './thresholds.js';

export function scrapingAlerts(limits: Thresholds): readonly Alert[] {
  return [exporterDown(limits), serverUnwatched(limits)];
}

/** Exporters by the name of their job; federation without `honor_labels` has it elsewhere. */
const ofExporters = 'up{job=~".*send-connector.*"} or up{exported_job=~".*send-connector.*"}';

/**
 * Series whose expression held at every look within the last `seconds`; the value is the number of looks. How many looks
 * there are differs: Prometheus 2 looks at both ends of the time.
 */
function throughout(expression: string, seconds: number): string {
  const looks = `[${duration(seconds)}:${duration(seconds / 10)}]`;
  return `count_over_time((${expression})${looks}) == scalar(count_over_time(vector(1)${looks}))`;
}

/**
 * Takes away targets that are missing although their twins, or what came in their place, were scraped all the time: those
 * were taken out of the configuration. In a gap of scraping all are missing, and come back one after the other.
 */
function unlessTakenAway(ups: string, limits: Thresholds): string {
  const twins = `group without (${replicaLabels.join(', ')}) (${ups})`;
  return `unless ignoring (${replicaLabels.join(', ')}) (${throughout(twins, limits.latestProbeSeconds)})`;
}

/**
 * Exporters that were down when a gap of scraping began, until a scrape tells otherwise. Only those that had been down for
 * as long as an alert takes: a pod that is replaced misses one scrape, and nobody is woken for it.
 */
function downBeforeGap(limits: Thresholds): string {
  const memory = limits.selfMemorySeconds;
  const down = throughout(`(${ofExporters}) == 0`, limits.exporterDownSeconds);
  return [
    `0 * last_over_time((${down})[${duration(memory)}:${duration(memory / 15)}])`,
    `unless (${ofExporters})`,
    unlessTakenAway(ofExporters, limits),
  ].join('\n');
}

/**
 * Other targets are scraped and no exporter is, for longer than a slow scrape takes to come back or to be forgotten after a
 * gap; or none was for longer than any gap. The first holds over a gap that begins later.
 */
function noneIsScraped(limits: Thresholds): string {
  const memory = `[${duration(limits.selfMemorySeconds)}:${duration(limits.selfMemorySeconds / 15)}]`;
  const seconds = limits.slowestScrapeSeconds + limits.exporterDownSeconds;
  const onlyOthers = throughout(`absent(${ofExporters}) and on () group(up)`, seconds);
  return [
    // A subquery has steps of its own: the first scrape of a new Prometheus may lie between two of them.
    `(last_over_time((${onlyOthers})${memory}) or absent_over_time((${ofExporters})${memory}))`,
    `unless on () (${ofExporters})`,
  ].join('\n');
}

function exporterDown(limits: Thresholds): Alert {
  const remembered = downBeforeGap(limits);
  return {
    name: 'SendConnectorExporterDown',
    group: 'exporter',
    severity: 'critical',
    scope: 'exporter',
    expr: [
      `(${ofExporters}) == 0`,
      `or (\n${indented(remembered)}\n)`,
      `or (\n${indented(noneIsScraped(limits))}\n) unless on () (\n${indented(remembered)}\n)`,
    ].join('\n'),
    forSeconds: limits.exporterDownSeconds,
    subjects: ['instance'],
    summary:
      'The Send connector exporter ' +
      `{{ with ${nameOfExporter} }}at {{ . }} does not answer{{ else }}is not scraped at all{{ end }}`,
    description:
      `Prometheus has had no answer for ${inWords(limits.exporterDownSeconds)}. Connection errors of Exchange are not ` +
      'seen in the meantime; none is lost, they are read when the exporter is back.',
  };
}

/**
 * Alerts about mail have no `instance`, because either exporter of a pair may tell them. What they said last is out of date
 * when the last exporter of their server is down: this alert is there to silence them, and is silenced itself.
 */
function serverUnwatched(limits: Thresholds): Alert {
  const known = `group without (connector, destination) (last_over_time(exchange_send_connector_connection_errors_total[${duration(limits.repeatedWindowSeconds)}]))`;
  const before = `last_over_time(up[${duration(limits.selfMemorySeconds)}]) ${unlessTakenAway('up', limits)}`;
  return {
    name: 'SendConnectorServerUnwatched',
    group: 'exporter',
    severity: 'info',
    scope: 'exporter',
    expr: `${ofAll('max', `0 * ${known}\n+ ignoring (server) group_left () (up or ${before})`)} == 0`,
    forSeconds: limits.exporterDownSeconds,
    subjects: ['server'],
    summary: 'No exporter reports on the Send connectors of server {{ $labels.server }} any more',
    description:
      `Every exporter that reported on this server within ${inWords(limits.repeatedWindowSeconds)} has been down for ` +
      `${inWords(limits.exporterDownSeconds)}. The other alerts about it are out of date and silenced meanwhile; ` +
      'SendConnectorExporterDown says which exporter it is.',
  };
}

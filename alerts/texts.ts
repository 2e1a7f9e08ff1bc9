/**
 * The texts of alerts, written once and put into the template language of each system.
 *
 * They are templates of Prometheus; what the systems do differently stands in them as `[[failure: text]]`
 * and `[[diagnosis]]`. An annotation, not
 * a label: a reason that changes during an outage must not end one alert and start another.
 */
import { duration } from './thresholds.js';

/** Marks a text about the latest failed visit of the alert's destination, with `{{ .step }}` and `{{ .reason }}` in it. */
export function latestFailure(text: string): string {
  return `[[failure: ${text}]]`;
}

/** Stands for the word of the diagnosis of the alert's pair. */
export const diagnosisMark = '[[diagnosis]]';

/** The exporter that an alert about an exporter names; federation without `honor_labels` has its address elsewhere. */
export const nameOfExporter = 'or $labels.exported_instance $labels.instance';
export const exporterName = `{{ ${nameOfExporter} }}`;

const failureMark = /\[\[failure: (.*?)\]\]/g;

/** @param seconds how far back the latest probe may lie */
export function prometheusText(text: string, seconds: number): string {
  return text
    .replace(failureMark, (_mark, words: string) => queried(words, seconds))
    .replaceAll(diagnosisMark, () => diagnosis(seconds));
}

/** Labels that tell one environment from another, where they are there: an alert asks only for what belongs to it. */
const environment = ['job', 'exported_job', 'cluster'];

/** A state set: the word that holds is 1. Of a pair of exporters the one that probes knows more. */
function diagnosis(seconds: number): string {
  const labels = [...environment, 'server', 'connector', 'destination'];
  const ofPair = labels.map((label) => `${label}=%q`).join(',');
  const holds = (more: string): string =>
    `last_over_time(exchange_send_connector_diagnosis{${more}${ofPair}}[${duration(seconds)}]) == 1`;
  const named = [...labels, ...labels].map((label) => `$labels.${label}`).join(' ');
  const known = `2 * (${holds('diagnosis!=\\"not_probed\\",')})`;
  const question = `printf "topk(1, ${known} or ${holds('')})" ${named} | query`;
  return `{{ with ${question} }}{{ (first .).Labels.diagnosis }}{{ else }}unknown{{ end }}`;
}

/**
 * The newest series wins by the time of its last sample, so a gap or a change cannot give two answers. An exporter that
 * knows the alert's pair goes before one that probes the same destination from elsewhere.
 */
function queried(words: string, seconds: number): string {
  const selector = (labels: readonly string[]): string => `{${labels.map((label) => `${label}=%q`).join(',')}}`;
  const ofDestination = [...environment, 'destination'];
  const ofPair = [...ofDestination, 'server', 'connector'];
  const range = `${duration(seconds)}:${duration(seconds / 10)}`;
  const newest = `max_over_time(timestamp(exchange_destination_probe_failing${selector(ofDestination)})[${range}])`;
  const knows = `group without (server, connector) (last_over_time(exchange_send_connector_last_error_timestamp_seconds${selector(ofPair)}[${duration(seconds)}]))`;
  const named = [...ofDestination, ...ofPair, ...ofDestination].map((label) => `$labels.${label}`).join(' ');
  const question = `printf "topk(1, 2 * (${newest} and ignoring (step, reason) ${knows}) or ${newest})" ${named} | query`;
  return `{{ with ${question} }}{{ with (first .).Labels }}${words}{{ end }}{{ else }}unknown{{ end }}`;
}

/**
 * Grafana names the value of a query by its letter, and its templates cannot ask the data source for a reason. In files
 * that it provisions a dollar stands for an environment variable, and two of them for a dollar.
 */
export function grafanaText(text: string): string {
  return text
    .replace(failureMark, 'a step and for a reason that the runbook shows')
    .replaceAll(diagnosisMark, 'see the runbook')
    .replace(/\$value\b/g, '$values.A.Value')
    .replaceAll('$', '$$$$');
}

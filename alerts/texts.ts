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

const failureMark = /\[\[failure: (.*?)\]\]/g;

/** @param seconds how far back the latest probe may lie */
export function prometheusText(text: string, seconds: number): string {
  return text
    .replace(failureMark, (_mark, words: string) => queried(words, seconds))
    .replaceAll(diagnosisMark, () => diagnosis(seconds));
}

/** A state set: the word that holds is 1, and all others are 0. */
function diagnosis(seconds: number): string {
  const labels = ['job', 'instance', 'server', 'connector', 'destination'];
  const ofPair = `exchange_send_connector_diagnosis{${labels.map((label) => `${label}=%q`).join(',')}}`;
  const holds = `topk(1, last_over_time(${ofPair}[${duration(seconds)}]) == 1)`;
  const question = `printf "${holds}" ${labels.map((label) => `$labels.${label}`).join(' ')} | query`;
  return `{{ with ${question} }}{{ (first .).Labels.diagnosis }}{{ else }}unknown{{ end }}`;
}

/** The newest series wins by the time of its last sample, so a gap or a change cannot give two answers. */
function queried(words: string, seconds: number): string {
  const ofDestination = 'exchange_destination_probe_failing{job=%q,instance=%q,destination=%q}';
  const range = `${duration(seconds)}:${duration(seconds / 10)}`;
  const newest = `topk(1, max_over_time(timestamp(${ofDestination})[${range}]))`;
  const question = `printf "${newest}" $labels.job $labels.instance $labels.destination | query`;
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

/**
 * The texts of alerts, written once and put into the template language of each system.
 *
 * They are templates of Prometheus; what the systems do differently stands in them in double brackets. An annotation, not
 * a label: a reason that changes during an outage must not end one alert and start another.
 */
import type { Subject } from './rules.js';
import { duration } from './thresholds.js';

/**
 * Marks a text about the latest failed visit of the alert's destination, in the words of the pages: `{{ .verb }}` ("is
 * refused by"), `{{ .what }}` ("refused in the SMTP banner"), `{{ .suspect }}`, `{{ .at }}` (the step).
 * @param otherwise where no failed visit is known, and in Grafana, whose templates cannot ask for it
 */
export function latestFailure(text: string, otherwise = ''): string {
  return `[[failure: ${text} || ${otherwise}]]`;
}

/**
 * Stands for the diagnosis of the alert's subjects in words (`says`), or for the next command to type (`command`)
 * and the host to type it on (`where`).
 * @param of diagnoses to look at, separated by bars; empty for all
 */
export function advice(what: 'says' | 'command' | 'where', subjects: readonly Subject[], of = ''): string {
  return `[[advice ${what} ${subjects.join(',')} ${of}]]`;
}

/** Stands for the time of the latest error of the alert's subjects, as its server logged it. */
export function lastError(subjects: readonly Subject[]): string {
  return `[[last error ${subjects.join(',')}]]`;
}

const pair = ['connector', 'destination', 'server'] as const;

/** What every alert about a pair tells beside its text. */
export const ofPair = {
  diagnosis: advice('says', pair),
  command: advice('command', pair),
  command_where: advice('where', pair),
  last_error: lastError(pair),
};

/** Stands for the destinations of the alert's Send connector that fail, each with what is wrong, five at most. */
export const failingDestinations = '[[failing destinations]]';

/** The value of an alert, seconds, as the pages write an age: `58 s`, `4 min`, `3 h`, `12 d`. */
export const valueAsAge =
  [
    '{{ $value | humanizeDuration',
    ...[
      ['^-?([0-9]+)d .*$', '$1 d'],
      ['^-?([0-9]+)h .*$', '$1 h'],
      ['^-?([0-9]+)m .*$', '$1 min'],
      ['^-?([0-9]+)([.][0-9]+)?s$', '$1 s'],
      ['^.*[mun]s$', '0 s'],
    ].map(([pattern, words]) => `reReplaceAll "${pattern}" "${words}"`),
  ].join(' | ') + ' }}';

/** A window in words: `1 hour`, `90 minutes`; shortened ones of a replay as `duration` writes them. */
export function inWords(seconds: number): string {
  const units = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ] as const;
  const [unit, size] = units.find(([, each]) => seconds >= each && seconds % each === 0) ?? ['', 0];
  if (size === 0) return duration(seconds);
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** The exporter that an alert about an exporter names; federation without `honor_labels` has its address elsewhere. */
export const nameOfExporter = 'or $labels.exported_instance $labels.instance';
export const exporterName = `{{ ${nameOfExporter} }}`;

const failureMark = /\[\[failure: (.*?) \|\| (.*?)\]\]/g;
const adviceMark = /\[\[advice (\S+) (\S+) (\S*)\]\]/g;
const lastErrorMark = /\[\[last error (\S+)\]\]/g;

/** @param seconds how far back the latest probe may lie */
export function prometheusText(text: string, seconds: number): string {
  return text
    .replace(failureMark, (_mark, words: string, otherwise: string) => queried(words, otherwise, seconds))
    .replace(adviceMark, (_mark, what: string, subjects: string, of: string) =>
      advised(what, subjects.split(','), of, seconds),
    )
    .replace(lastErrorMark, (_mark, subjects: string) => timeOfLastError(subjects.split(','), seconds))
    .replaceAll(failingDestinations, () => listed(seconds));
}

/** Labels that tell one environment from another, where they are there: an alert asks only for what belongs to it. */
const environment = ['job', 'exported_job', 'cluster'];

function selectorOf(labels: readonly string[], more = ''): string {
  return `{${more}${labels.map((label) => `${label}=%q`).join(',')}}`;
}

/** A question to Prometheus; each `%q` in it is the value of the alert's label of that place. */
function asked(query: string, labels: readonly string[]): string {
  return `printf "${query}" ${labels.map((label) => `$labels.${label}`).join(' ')} | query`;
}

/**
 * What was scraped last, so that of two words only the newer counts. Of a pair of exporters the one that probes knows
 * more; an alert about many pairs has the word that most of them have.
 */
function advised(what: string, subjects: readonly string[], of: string, seconds: number): string {
  const labels = [...environment, ...subjects];
  const newest = (more: string): string =>
    `max_over_time(timestamp(exchange_send_connector_advice_info${selectorOf(labels, more)})[${duration(seconds)}:${duration(seconds / 10)}])`;
  const probed = 'diagnosis!=\\"not_probed\\",';
  const chosen = of === '' ? probed : `diagnosis=~\\"${of}\\",`;
  if (subjects.includes('destination')) {
    const query = `topk(1, 2 * ${newest(probed)} or ${newest('')})`;
    return `{{ with ${asked(query, [...labels, ...labels])} }}{{ (first .).Labels.${what} }}{{ end }}`;
  }
  const latest = `${newest(chosen)} == on () group_left () max(${newest(chosen)})`;
  // Of commands that differ the first by name, so that evaluations agree, and always with the host of its own.
  const query = what === 'says' ? `topk(1, count by (says) (${latest}))` : `group by (command, where) (${latest})`;
  const sorted = what === 'says' ? '' : ' | sortByLabel "command"';
  return `{{ with ${asked(query, [...labels, ...labels])}${sorted} }}{{ (first .).Labels.${what} }}{{ end }}`;
}

function timeOfLastError(subjects: readonly string[], seconds: number): string {
  const labels = [...environment, ...subjects];
  const query = `max(last_over_time(exchange_send_connector_last_error_timestamp_seconds${selectorOf(labels)}[${duration(seconds)}]))`;
  return `{{ with ${asked(query, labels)} }}{{ (first . | value | toTime).UTC.Format "15:04 UTC, 2 Jan 2006" }}{{ end }}`;
}

/** Those with an error of this connector, by the probes of an exporter that knows both. */
function listed(seconds: number): string {
  const [own, ofConnector] = [environment, [...environment, 'server', 'connector']];
  const range = duration(seconds);
  const failing = `max by (destination, what) (last_over_time(exchange_destination_probe_failure_info${selectorOf(own)}[${range}]))`;
  const known = `max by (destination) (last_over_time(exchange_send_connector_last_error_timestamp_seconds${selectorOf(ofConnector)}[${range}]))`;
  const query = `topk(5, ${failing} and on (destination) ${known})`;
  const named = [...own, ...ofConnector];
  return `{{ range ${asked(query, named)} | sortByLabel "destination" }}{{ .Labels.destination }}: {{ .Labels.what }}. {{ end }}`;
}

/**
 * The newest series wins by the time of its last sample, so a gap or a change cannot give two answers. An exporter that
 * knows the alert's pair goes before one that probes the same destination from elsewhere.
 */
function queried(words: string, otherwise: string, seconds: number): string {
  const ofDestination = [...environment, 'destination'];
  const ofPair = [...ofDestination, 'server', 'connector'];
  const range = `${duration(seconds)}:${duration(seconds / 10)}`;
  const newest = `max_over_time(timestamp(exchange_destination_probe_failure_info${selectorOf(ofDestination)})[${range}])`;
  const knows = `group without (server, connector) (last_over_time(exchange_send_connector_last_error_timestamp_seconds${selectorOf(ofPair)}[${duration(seconds)}]))`;
  const query = `topk(1, 2 * (${newest} and ignoring (step, reason, verb, at, what, suspect) ${knows}) or ${newest})`;
  const named = [...ofDestination, ...ofPair, ...ofDestination];
  return `{{ with ${asked(query, named)} }}{{ with (first .).Labels }}${words}{{ end }}{{ else }}${otherwise}{{ end }}`;
}

/**
 * Grafana names the value of a query by its letter, and its templates cannot ask the data source for a reason. In files
 * that it provisions a dollar stands for an environment variable, and two of them for a dollar.
 */
export function grafanaText(text: string): string {
  return text
    .replace(failureMark, (_mark, _words, otherwise: string) => otherwise)
    .replace(adviceMark, '')
    .replace(lastErrorMark, '')
    .replaceAll(failingDestinations, '')
    .replace(/\$value\b/g, '$values.A.Value')
    .replaceAll('$', '$$$$');
}

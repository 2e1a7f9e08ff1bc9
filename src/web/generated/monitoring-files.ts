/** Alert rules, dashboards and the Alertmanager example for the addresses of an installation, without a checkout. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { bundledMonitoring } from './bundled-monitoring.js';

/** Addresses as people reach them; what is left out stays as it is in the bundled files. */
export type MonitoringAddresses = {
  /** Of the exporter, or a template of Prometheus such as `http://{{ $labels.instance }}` where each server has its own. */
  readonly exporterUrl?: string | undefined;
  readonly grafanaUrl?: string | undefined;
  /** Grafana's uid of the Prometheus data source. */
  readonly datasourceUid?: string | undefined;
};

/** The bundled files, by their names in the package. */
export const monitoringFileNames: readonly string[] = [
  'alerts/alertmanager.yml',
  'alerts/send-connector.grafana.yml',
  'alerts/send-connector.prometheusrule.yml',
  'alerts/send-connector.rules.yml',
  'alerts/templates/send-connector.tmpl',
  'dashboards/destination.json',
  'dashboards/exporter.json',
  'dashboards/overview.json',
  'dashboards/provisioning/dashboards.yml',
];

const bundled = {
  exporterUrl: 'http://localhost:10202',
  grafanaUrl: 'http://localhost:3000',
  datasourceUid: 'prometheus',
};

/**
 * The text of a bundled file with other addresses in its links.
 * @param name one of `monitoringFileNames`
 * @throws the error of the system when the file of the package cannot be read
 */
export async function monitoringFile(name: string, addresses: MonitoringAddresses): Promise<string> {
  return filledIn(name, await textOf(name), addresses);
}

/** @returns what is wrong with an address, or undefined when it may stand in the files */
export function addressProblem(url: string): string | undefined {
  const plain = url.replace(/\{\{ ?\$labels\.[a-z_]{1,40} ?\}\}/gi, 'label');
  const parsed = URL.canParse(plain) ? new URL(plain) : undefined;
  const isFit = parsed !== undefined && /^https?:$/.test(parsed.protocol) && !/[\s"'\\{}]/.test(plain);
  if (!isFit) return `expected an http or https URL, got ${JSON.stringify(url)}`;
  if (parsed.username !== '' || parsed.search !== '' || parsed.hash !== '')
    return `expected a URL without user, query and fragment, got ${JSON.stringify(url)}`;
  return undefined;
}

function filledIn(name: string, text: string, addresses: MonitoringAddresses): string {
  const { datasourceUid = bundled.datasourceUid } = addresses;
  const exporterUrl = withoutSlash(addresses.exporterUrl ?? bundled.exporterUrl);
  // A dashboard has no labels of an alert: its variable `exporter` is set by hand there.
  const isTemplate = exporterUrl.includes('{{') && name.endsWith('.json');
  const ofAlerts = name.endsWith('.grafana.yml') ? grafanaTemplate(exporterUrl) : prometheusTemplate(exporterUrl);
  return text
    .replaceAll(bundled.exporterUrl, () => (isTemplate ? bundled.exporterUrl : ofAlerts))
    .replaceAll(bundled.grafanaUrl, () => withoutSlash(addresses.grafanaUrl ?? bundled.grafanaUrl))
    .replaceAll(`datasourceUid: ${bundled.datasourceUid}\n`, () => `datasourceUid: ${datasourceUid}\n`)
    .replaceAll(`the uid ${bundled.datasourceUid}.`, () => `the uid ${datasourceUid}.`);
}

const instance = /\{\{ ?\$labels\.instance ?\}\}/g;

/**
 * An alert about mail names no exporter, because either one of a pair may tell it: Prometheus is asked for one that knows
 * the alert's server, or else its destination.
 */
function prometheusTemplate(url: string): string {
  const known = [
    'last_over_time(exchange_send_connector_connection_errors_total{server=%q}[2h])',
    'last_over_time(exchange_destination_probe_success{destination=%q}[2h])',
  ].join(' or on () ');
  const asked = `printf "topk(1, ${known})" $labels.server $labels.destination | query`;
  return url.replace(
    instance,
    () =>
      `{{ with $labels.instance }}{{ . }}{{ else }}{{ with ${asked} }}{{ (first .).Labels.instance }}{{ end }}{{ end }}`,
  );
}

/** Templates of Grafana cannot ask; the server itself comes next. In its files two dollars stand for one. */
function grafanaTemplate(url: string): string {
  return url.replace(instance, () => '{{ or $labels.instance $labels.server }}').replaceAll('$', '$$$$');
}

function withoutSlash(url: string): string {
  return url.replace(/\/{1,8}$/, '');
}

async function textOf(name: string): Promise<string> {
  if (typeof bundledMonitoring === 'string') return readFile(path.join(bundledMonitoring, name), 'utf8');
  const text = bundledMonitoring.get(name);
  if (text === undefined) throw new Error(`${name}: not in this program`);
  return text;
}

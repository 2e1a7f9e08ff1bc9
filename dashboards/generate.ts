/** Builds the dashboards as the JSON files that Grafana provisions. */
import { destinationBoard } from './destination.js';
import { exporterHealth } from './exporter.js';
import { overview } from './overview.js';

/**
 * @param options.exporterUrl default of the variable `$exporter` in every dashboard
 * @returns file names relative to the repository, with their text
 */
export function dashboardFiles(options: { readonly exporterUrl: string }): Readonly<Record<string, string>> {
  return {
    'dashboards/overview.json': fileOf(overview(options.exporterUrl)),
    'dashboards/destination.json': fileOf(destinationBoard(options.exporterUrl)),
    'dashboards/exporter.json': fileOf(exporterHealth(options.exporterUrl)),
  };
}

/**
 * What the builder adds of its own and Grafana 13 does not know, or not there: the menu for links of the newest Grafana
 * (links belong where they are seen), the steps of an interval in every variable, the footer of a table.
 */
const leftOut = new Set(['placement', 'auto', 'auto_min', 'auto_count', 'footer']);

function fileOf(dashboard: object): string {
  const text = JSON.stringify(dashboard, (key, value: unknown) => (leftOut.has(key) ? undefined : value), 2);
  return `${text}\n`;
}

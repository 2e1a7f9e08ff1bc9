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

/** The builder puts every link into a menu of the newest Grafana (`placement`); links belong where they are seen. */
function fileOf(dashboard: object): string {
  const text = JSON.stringify(dashboard, (key, value: unknown) => (key === 'placement' ? undefined : value), 2);
  return `${text}\n`;
}

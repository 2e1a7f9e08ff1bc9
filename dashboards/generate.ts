/** Builds the dashboards as the JSON files that Grafana provisions. */
import { overview } from './overview.js';

/**
 * @param options.exporterUrl default of the variable `$exporter` in every dashboard
 * @returns file names relative to the repository, with their text
 */
export function dashboardFiles(options: { readonly exporterUrl: string }): Readonly<Record<string, string>> {
  return { 'dashboards/overview.json': fileOf(overview(options.exporterUrl)) };
}

function fileOf(dashboard: object): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

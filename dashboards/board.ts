/** What every dashboard has: its address, its variables, its annotations, and rows of panels. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
  type Panel,
  type RowPanel,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { datasource } from './panels.js';
import { chosenBy, chosenExporters } from './queries.js';

/** The tag that all have; the menu at the top of each lists the others by it. */
const tag = 'send-connector';

export type Row = { readonly title: string; readonly panels: readonly Builder<Panel>[] };

export type Board = {
  readonly title: string;
  /** Part of the address, for good: alerts and other dashboards link to it. */
  readonly uid: string;
  readonly description: string;
  readonly variables: readonly Builder<VariableModel>[];
  /** Selector of the alerts that are drawn into every graph. */
  readonly alerts: string;
  readonly rows: readonly Row[];
};

/** @param exporterUrl address of the exporter as people reach it, the default of the variable `$exporter` */
export function boardOf({ title, uid, description, variables, alerts, rows }: Board, exporterUrl: string): object {
  // The builder of the classic schema, which every Grafana since 9 can load and provision from a file.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const dashboard = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['exchange', tag])
    .time({ from: 'now-6h', to: 'now' })
    .timezone('browser')
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .variables([
      new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
      ...exporterVariables(),
      ...variables,
      exporterVariable(exporterUrl),
    ])
    .annotation(alertAnnotation(alerts))
    .link(dashboardLink('Status page of the exporter', '${exporter}/'))
    .link(dashboardLink('Runbooks', '${exporter}/runbooks'))
    .link(
      new DashboardLinkBuilder('Send connectors')
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    );
  for (const row of rows) {
    dashboard.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) dashboard.withPanel(panel);
  }
  const built = dashboard.build();
  number(built.panels ?? []);
  return built;
}

/** Every panel has a number of its own, by which Grafana links to it. */
function number(panels: readonly (Panel | RowPanel)[]): void {
  const all = panels.flatMap((panel) => ('panels' in panel ? [panel, ...panel.panels] : [panel]));
  for (const [place, panel] of all.entries()) panel.id = place + 1;
}

function dashboardLink(title: string, url: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url).targetBlank(true);
}

function exporterVariable(exporterUrl: string): TextBoxVariableBuilder {
  return new TextBoxVariableBuilder('exporter')
    .label('Exporter')
    .description('Address of the exporter for the links to its pages, without a slash at the end.')
    .defaultValue(exporterUrl)
    .current({ text: exporterUrl, value: exporterUrl, selected: true });
}

/** Each alert is drawn for as long as it fires. */
function alertAnnotation(selector: string): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name('Alerts')
    .enable(true)
    .iconColor('red')
    .datasource(datasource)
    .expr(`ALERTS{alertstate="firing", product="send-connector"${selector}}`)
    .titleFormat('{{alertname}} {{connector}} {{destination}}');
}

export function labelVariable(name: string, label: string, query: string): QueryVariableBuilder {
  return queryVariable(name, label, query)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all', selected: true });
}

/** A variable with one value at a time. */
export function queryVariable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query, refId: name, qryType: 5 })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalCaseInsensitiveAsc);
}

const errors = 'exchange_send_connector_connection_errors_total';
const exporters = chosenBy('job', 'instance');

/** Exporters by the labels that Prometheus gives to all that it scrapes; "All" is what dashboards have for it everywhere. */
function exporterVariables(): QueryVariableBuilder[] {
  const info = 'exchange_exporter_build_info';
  return [
    labelVariable('job', 'Job', `label_values(${info}, job)`).allValue('.+'),
    labelVariable('instance', 'Instance', `label_values(${info}{${chosenBy('job')}}, instance)`).allValue('.+'),
  ];
}

export const serverVariable = (): QueryVariableBuilder =>
  labelVariable('server', 'Server', `label_values(${errors}${chosenExporters}, server)`);
export const connectorVariable = (): QueryVariableBuilder =>
  labelVariable(
    'connector',
    'Send connector',
    `label_values(${errors}{${exporters}, ${chosenBy('server')}}, connector)`,
  );
export const destinationQuery = `label_values({__name__=~"${errors}|exchange_destination_info", ${exporters}}, destination)`;

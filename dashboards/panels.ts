/** The house style of panels: every one gets a title, a description, a unit and a text for "nothing to show". */
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as BarGaugePanel } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  DashboardLinkBuilder,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Threshold,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as HeatmapPanel,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelinePanel } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeriesPanel } from '@grafana/grafana-foundation-sdk/timeseries';

/** The only data source of a dashboard: the one chosen at its top. */
export const datasource = { type: 'prometheus', uid: '${datasource}' };

export type PanelText = {
  readonly title: string;
  /** What it shows, and what to make of it. */
  readonly description: string;
  /** Grafana's unit id. */
  readonly unit: string;
  /** Shown when the query gives nothing: on a healthy system that is good news, and must read like it. */
  readonly empty: string;
  /** Paths on the exporter, with Grafana's variables: the page that says more, and the runbook. */
  readonly page: string;
  readonly runbook: string;
  /** Columns of 24. */
  readonly span: number;
  readonly height: number;
};

/** What the builders of all panel types have in common. */
type Styled<Panel> = {
  title(title: string): Panel;
  description(text: string): Panel;
  unit(unit: string): Panel;
  noValue(text: string): Panel;
  span(columns: number): Panel;
  height(rows: number): Panel;
  datasource(source: typeof datasource): Panel;
  links(links: DashboardLinkBuilder[]): Panel;
};

function styled<Panel extends Styled<Panel>>(panel: Panel, text: PanelText): Panel {
  return panel
    .title(text.title)
    .description(text.description)
    .unit(text.unit)
    .noValue(text.empty)
    .span(text.span)
    .height(text.height)
    .datasource(datasource)
    .links(linksOf(text.page, text.runbook));
}

/** What stands in the title of every panel: the page that says more, and the runbook. */
export function linksOf(page: string, runbook: string): DashboardLinkBuilder[] {
  return [link('Page of the exporter', `\${exporter}${page}`), link('Runbook', `\${exporter}/runbooks/${runbook}`)];
}

/** A query over the time range of the dashboard. */
export function overTime(expr: string, legend: string, refId = 'A'): DataqueryBuilder {
  return new DataqueryBuilder().datasource(datasource).refId(refId).expr(expr).legendFormat(legend).range();
}

/** A query for this moment, as rows of a table. */
export function rowsNow(refId: string, expr: string): DataqueryBuilder {
  return new DataqueryBuilder().datasource(datasource).refId(refId).expr(expr).instant().format(PromQueryFormat.Table);
}

/** A query for this moment, one value per series. */
export function valueNow(expr: string, legend: string): DataqueryBuilder {
  return new DataqueryBuilder().datasource(datasource).refId('A').expr(expr).legendFormat(legend).instant();
}

export function thresholds(...steps: [from: number | null, color: string][]): ThresholdsConfigBuilder {
  const list: Threshold[] = steps.map(([value, color]) => ({ value, color }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(list);
}

/** 0 and 1 as words with a colour. */
export function zeroOne(zero: string, one: string): ValueMapping[] {
  const options = { '0': { text: zero, color: 'red', index: 0 }, '1': { text: one, color: 'green', index: 1 } };
  return [{ type: MappingType.ValueToText, options }];
}

/** A link on a value; `url` may use Grafana's variables. */
export function link(title: string, url: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).url(url).targetBlank(true);
}

export function stat(text: PanelText): StatPanel {
  return styled(new StatPanel(), text)
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Background)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
}

export function table(text: PanelText): TablePanel {
  return styled(new TablePanel(), text).filterable(true);
}

export function lines(text: PanelText): TimeSeriesPanel {
  return styled(new TimeSeriesPanel(), text)
    .min(0)
    .lineWidth(1)
    .fillOpacity(10)
    .showPoints(VisibilityMode.Auto)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    );
}

/** Counts per step of the graph, on top of each other. */
export function bars(text: PanelText): TimeSeriesPanel {
  return lines(text)
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(80)
    .lineWidth(0)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
}

export function stateTimeline(text: PanelText): StateTimelinePanel {
  return styled(new StateTimelinePanel(), text)
    .showValue(VisibilityMode.Never)
    .mergeValues(true)
    .rowHeight(0.8)
    .lineWidth(0)
    .fillOpacity(80)
    .legend(new VizLegendOptionsBuilder().showLegend(false).displayMode(LegendDisplayMode.Hidden))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Single));
}

export function barGauge(text: PanelText): BarGaugePanel {
  return styled(new BarGaugePanel(), text)
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
}

/** How often each duration came; the query gives the buckets of a histogram. */
export function heatmap(text: PanelText): HeatmapPanel {
  return styled(new HeatmapPanel(), text)
    .calculate(false)
    .cellGap(1)
    .yAxis(new YAxisConfigBuilder().unit(text.unit))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64));
}

/** Buckets over time for a heat map. */
export function buckets(expr: string): DataqueryBuilder {
  return overTime(expr, '{{le}}').format(PromQueryFormat.Heatmap);
}

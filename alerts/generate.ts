/** Turns the list of alerts into rules for Prometheus, for its operator, and for Grafana. */
import { stringify } from 'yaml';
import { alertsOf, type Alert, type Subject } from './rules.js';
import { grafanaText, nameOfExporter, prometheusText } from './text-marks.js';
import { duration, scaled, type Thresholds } from './thresholds.js';

export type RuleOptions = {
  /** Address of the exporter as people reach it, without a slash at the end. */
  readonly exporterUrl: string;
  /** Address of Grafana, likewise. */
  readonly grafanaUrl: string;
  /** Factor for every window and delay; 1 is normal, smaller is for replays in fast motion. */
  readonly timeScale: number;
  /** Grafana's uid of the Prometheus data source. */
  readonly datasourceUid: string;
};

export const defaultRuleOptions: RuleOptions = {
  exporterUrl: 'http://localhost:10202',
  grafanaUrl: 'http://localhost:3000',
  timeScale: 1,
  datasourceUid: 'prometheus',
};

/** Where the overview dashboard lives; the dashboards are built with the same words. */
export const overviewPath = '/d/send-connector-overview/send-connectors';
/** Where the health of the exporter lives. */
export const exporterPath = '/d/send-connector-exporter/send-connector-exporter';

/** Names of the files with their texts. */
export function ruleFiles(options: RuleOptions = defaultRuleOptions): Readonly<Record<string, string>> {
  return {
    'alerts/send-connector.rules.yml': rulesFile(options),
    'alerts/send-connector.prometheusrule.yml': prometheusRuleFile(options),
    'alerts/send-connector.grafana.yml': grafanaFile(options),
  };
}

function heading(use: string): string {
  return `# Alerts of send-connector-exporter. Generated from the TypeScript files of alerts/: edit these, then \`npm run generate\`.
# ${use}
# Other addresses in the links: npm run generate -- --exporter-url https://... --grafana-url https://...
`;
}

function textOf(content: object): string {
  return stringify(content, { lineWidth: 0, blockQuote: 'literal', aliasDuplicateObjects: false });
}

// ------------------------------------------------------------------------------------------------------ Prometheus

/** The text of the rules file: one group for mail, one for the exporter itself. */
export function rulesFile(options: RuleOptions = defaultRuleOptions): string {
  return heading('For Prometheus 2.42 or later, under rule_files.') + textOf({ groups: groupsOf(options) });
}

/** The same as a manifest for the Prometheus Operator. */
function prometheusRuleFile(options: RuleOptions): string {
  const labels = { 'app.kubernetes.io/name': 'send-connector-exporter' };
  return (
    heading('For the Prometheus Operator 0.64 or later; add the labels that its ruleSelector asks for.') +
    textOf({
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name: 'send-connector-exporter', labels },
      spec: { groups: groupsOf(options) },
    })
  );
}

function groupsOf(options: RuleOptions): { name: string; rules: object[] }[] {
  const limits = scaled(options.timeScale);
  return groupsWith(limits, (alert) => ruleOf(alert, limits, options));
}

function groupsWith<Rule>(limits: Thresholds, rule: (alert: Alert) => Rule): { name: string; rules: Rule[] }[] {
  const alerts = alertsOf(limits);
  return (['mail', 'exporter'] as const).map((group) => ({
    name: `send-connector-${group}`,
    rules: alerts.filter((alert) => alert.group === group).map(rule),
  }));
}

function ruleOf(alert: Alert, limits: Thresholds, options: RuleOptions): object {
  return {
    alert: alert.name,
    expr: alert.expr,
    ...(alert.forSeconds > 0 && { for: duration(alert.forSeconds) }),
    ...(alert.keepFiringSeconds !== undefined && { keep_firing_for: duration(alert.keepFiringSeconds) }),
    labels: labelsOf(alert),
    annotations: annotationsOf(alert, options, (text) => prometheusText(text, limits.latestProbeSeconds)),
  };
}

// --------------------------------------------------------------------------------------------------------- Grafana

/** The same as alert rules that Grafana evaluates, in the form of its provisioning files. */
function grafanaFile(options: RuleOptions): string {
  const limits = scaled(options.timeScale);
  const groups = groupsWith(limits, (alert) => grafanaRuleOf(alert, options)).map((group) => ({
    orgId: 1,
    name: group.name,
    folder: 'Send connectors',
    interval: '1m',
    rules: group.rules,
  }));
  const use = `For Grafana 10 or later: /etc/grafana/provisioning/alerting/. Its data source has the uid ${options.datasourceUid}.`;
  return heading(use) + textOf({ apiVersion: 1, groups });
}

/** Less than any value of an expression; the smallest is the age of a certificate that has expired. */
const belowEveryValue = -1e12;

function grafanaRuleOf(alert: Alert, options: RuleOptions): object {
  return {
    uid: `sc-${alert.name.toLowerCase()}`.slice(0, 40),
    title: alert.name,
    condition: 'B',
    data: [
      {
        refId: 'A',
        relativeTimeRange: { from: 600, to: 0 },
        datasourceUid: options.datasourceUid,
        model: { refId: 'A', expr: alert.expr, instant: true, range: false, editorMode: 'code' },
      },
      // A rule of Prometheus fires for every series that its expression gives, whatever the value: so does this.
      {
        refId: 'B',
        relativeTimeRange: { from: 0, to: 0 },
        datasourceUid: '__expr__',
        model: {
          refId: 'B',
          type: 'threshold',
          expression: 'A',
          conditions: [{ evaluator: { type: 'gt', params: [belowEveryValue] } }],
        },
      },
    ],
    // No series is the good news of these expressions.
    noDataState: 'OK',
    execErrState: 'Error',
    for: alert.forSeconds > 0 ? duration(alert.forSeconds) : '0s',
    ...(alert.keepFiringSeconds !== undefined && { keep_firing_for: duration(alert.keepFiringSeconds) }),
    labels: labelsOf(alert),
    annotations: annotationsOf(alert, options, grafanaText),
  };
}

// ---------------------------------------------------------------------------------------- what all have in common

function labelsOf(alert: Alert): Record<string, string> {
  return { severity: alert.severity, scope: alert.scope, product: 'send-connector' };
}

function annotationsOf(alert: Alert, options: RuleOptions, text: (template: string) => string): Record<string, string> {
  const ofExporter = alert.scope === 'exporter';
  const dashboard = ofExporter ? exporterPath : overviewPath;
  const variables = alert.subjects.filter((subject) => (ofExporter ? subject === 'instance' : subject !== 'source'));
  const annotations = {
    summary: alert.summary,
    description: alert.description,
    ...alert.annotations,
    runbook_url: `${options.exporterUrl}/runbooks/${alert.name}${queryOf(alert.subjects, '')}`,
    dashboard_url: `${options.grafanaUrl}${dashboard}${queryOf(variables, 'var-')}`,
  };
  return Object.fromEntries(Object.entries(annotations).map(([name, template]) => [name, text(template)]));
}

/**
 * The subjects as a query string. `urlquery` writes a blank as `+`, which some chat programs keep in the link;
 * a real plus is `%2B` by then, so every `+` left is a blank.
 */
function queryOf(subjects: readonly Subject[], prefix: string): string {
  if (subjects.length === 0) return '';
  const valueOf = (name: Subject): string => (name === 'instance' ? nameOfExporter : `$labels.${name}`);
  const pairs = subjects.map((name) => `${prefix}${name}={{ ${valueOf(name)} | urlquery | reReplaceAll "[+]" "%20" }}`);
  return `?${pairs.join('&')}`;
}

/** Turns the list of alerts into the rules file of Prometheus. */
import { stringify } from 'yaml';
import { alertsOf, type Alert, type Subject } from './rules.js';
import { duration, scaled } from './thresholds.js';

export type RuleOptions = {
  /** Address of the exporter as people reach it, without a slash at the end. */
  readonly exporterUrl: string;
  /** Address of Grafana, likewise. */
  readonly grafanaUrl: string;
  /** Factor for every window and delay; 1 is normal, smaller is for replays in fast motion. */
  readonly timeScale: number;
};

export const defaultRuleOptions: RuleOptions = {
  exporterUrl: 'http://localhost:10202',
  grafanaUrl: 'http://localhost:3000',
  timeScale: 1,
};

/** Where the overview dashboard lives; the dashboards are built with the same words. */
export const overviewPath = '/d/send-connector-overview/send-connectors';

const heading = `# Alerts of send-connector-exporter. Generated from alerts/rules.ts: edit there, then \`npm run generate\`.
# Other addresses in the links: npm run generate -- --exporter-url https://... --grafana-url https://...
`;

/** The text of the rules file: one group for mail, one for the exporter itself. */
export function rulesFile(options: RuleOptions = defaultRuleOptions): string {
  const alerts = alertsOf(scaled(options.timeScale));
  const groups = (['mail', 'exporter'] as const).map((group) => ({
    name: `send-connector-${group}`,
    rules: alerts.filter((alert) => alert.group === group).map((alert) => ruleOf(alert, options)),
  }));
  return heading + stringify({ groups }, { lineWidth: 0, blockQuote: 'literal' });
}

function ruleOf(alert: Alert, options: RuleOptions): object {
  return {
    alert: alert.name,
    expr: alert.expr,
    ...(alert.forSeconds > 0 && { for: duration(alert.forSeconds) }),
    ...(alert.keepFiringSeconds !== undefined && { keep_firing_for: duration(alert.keepFiringSeconds) }),
    labels: { severity: alert.severity, scope: alert.scope, product: 'send-connector' },
    annotations: {
      summary: alert.summary,
      description: alert.description,
      ...alert.annotations,
      runbook_url: `${options.exporterUrl}/runbooks/${alert.name}${queryOf(alert.subjects, '')}`,
      dashboard_url: `${options.grafanaUrl}${overviewPath}${queryOf(alert.subjects.filter(isVariable), 'var-')}`,
    },
  };
}

/** Variables of the dashboards; the other subjects mean nothing to Grafana. */
function isVariable(subject: Subject): boolean {
  return subject === 'connector' || subject === 'destination' || subject === 'server';
}

/**
 * The subjects as a query string. `urlquery` writes a blank as `+`, which some chat programs keep in the link;
 * a real plus is `%2B` by then, so every `+` left is a blank.
 */
function queryOf(subjects: readonly Subject[], prefix: string): string {
  if (subjects.length === 0) return '';
  const pairs = subjects.map((name) => `${prefix}${name}={{ $labels.${name} | urlquery | reReplaceAll "[+]" "%20" }}`);
  return `?${pairs.join('&')}`;
}

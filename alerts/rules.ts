/** Every alert of the product as data; `generate.ts` turns the list into files for Prometheus. */
import { exporterAlerts } from './exporter-alerts.js';
import { mailAlerts } from './mail-alerts.js';
import type { Thresholds } from './thresholds.js';

/**
 * What an alert is about, from wide to narrow; Alertmanager's inhibition is built on it: a wider outage silences the
 * narrower alerts that it explains.
 */
export const scopes = ['exporter', 'server', 'connector', 'destination', 'error'] as const;
type Scope = (typeof scopes)[number];

/** `critical` wakes somebody, `warning` waits for the morning, `info` explains. */
export const severities = ['critical', 'warning', 'info'] as const;
type Severity = (typeof severities)[number];

/** Labels that say who an alert is about; they go into the links to the runbook and the dashboard. */
export type Subject = 'connector' | 'destination' | 'server' | 'source' | 'listener' | 'instance';

export type Alert = {
  /** Name of the alert and of its runbook. */
  readonly name: string;
  /** Rule group: `mail` for what mail suffers, `exporter` for what the exporter suffers. */
  readonly group: 'mail' | 'exporter';
  readonly severity: Severity;
  readonly scope: Scope;
  readonly expr: string;
  /** Seconds that the expression must hold; 0 for at once. */
  readonly forSeconds: number;
  /** Seconds that the alert goes on after the expression has ended; only for what may come back at once. */
  readonly keepFiringSeconds?: number;
  readonly subjects: readonly Subject[];
  /** One line; templates of Prometheus. */
  readonly summary: string;
  /** What happened, what it means, what to do first. */
  readonly description: string;
  /** More annotations, for instance the reason on its own. */
  readonly annotations?: Readonly<Record<string, string>>;
};

/** All alerts for these thresholds. A new alert is an entry in one of the two lists, a runbook of its name, and its rule tests. */
export function alertsOf(limits: Thresholds): readonly Alert[] {
  return [...mailAlerts(limits), ...exporterAlerts(limits)];
}

/** Follows a drill from the file to the alert: read and counted, shown to every scraper, alert pending or firing. */
import { setTimeout as pause } from 'node:timers/promises';
import { drillMark } from '../events/sources/drills.js';
import { loadLedgerFile } from '../ledger/open-saved.js';
import type { SavedLedger, SavedRow } from '../ledger/saved.js';

export type FollowedDrill = {
  /** Without the mark. */
  readonly connector: string;
  readonly destination: string;
  /** The ledger of the exporter that reads the drill: what it says is counted survives everything. */
  readonly ledgerFile: string;
  /** Errors of this drill that were counted before, and how many are to come. */
  readonly before: number;
  readonly count: number;
  readonly prometheusUrl?: string | undefined;
  readonly alertmanagerUrl?: string | undefined;
};

export type FollowOptions = {
  readonly waitMs: number;
  /** Takes each line as it becomes true. */
  readonly print: (line: string) => void;
  readonly fetch?: typeof globalThis.fetch;
};

const everyMs = 500;
const requestMs = 5_000;

/** One thing that has to become true: what to say then, and what to say when it does not in time. */
type Stage = {
  /** @returns the line to print once it is true; undefined while it is not */
  readonly reached: () => Promise<string | undefined>;
  readonly missed: string;
};

/** @returns undefined when every stage was reached, else the sentence about the first that was not */
export async function followDrill(drill: FollowedDrill, options: FollowOptions): Promise<string | undefined> {
  const deadline = performance.now() + options.waitMs;
  for (const stage of stagesOf(drill, options.fetch ?? globalThis.fetch)) {
    const line = await waitFor(stage.reached, deadline);
    if (line === undefined) return `${stage.missed} (waited ${Math.round(options.waitMs / 1000)} s in all; --wait)`;
    options.print(line);
  }
  return undefined;
}

/** Errors counted so far for a drill of this connector and destination, whatever server it names. */
export async function countedSoFar(ledgerFile: string, connector: string, destination: string): Promise<number> {
  return errorsIn(drillRows(await loadLedgerFile(ledgerFile), connector, destination));
}

function stagesOf(drill: FollowedDrill, fetch: typeof globalThis.fetch): Stage[] {
  const { connector, destination, ledgerFile, before, count, prometheusUrl, alertmanagerUrl } = drill;
  const rows = async (): Promise<SavedRow[]> => drillRows(await loadLedgerFile(ledgerFile), connector, destination);
  const stages: Stage[] = [
    {
      reached: async () => {
        const errors = errorsIn(await rows());
        return errors >= before + count ? `read and counted: ${errors} in all` : undefined;
      },
      missed: 'the exporter has not counted the drill: see /-/ready and its log',
    },
    {
      reached: async () => {
        const isHeld = (await rows()).some(({ shown }) => shown?.errors !== undefined);
        return isHeld ? undefined : 'shown to every scraper';
      },
      missed: 'no scraper has read it yet: is this exporter scraped? (Status, Targets in Prometheus)',
    },
  ];
  if (prometheusUrl !== undefined) stages.push(alertStage('Prometheus', prometheusUrl, prometheusAlerts, drill, fetch));
  if (alertmanagerUrl !== undefined)
    stages.push(alertStage('Alertmanager', alertmanagerUrl, alertmanagerAlerts, drill, fetch));
  return stages;
}

function drillRows(saved: SavedLedger | undefined, connector: string, destination: string): SavedRow[] {
  const name = `${drillMark}${connector}`;
  return (saved?.rows ?? []).filter((row) => row.connector === name && row.destination === destination);
}

function errorsIn(rows: readonly SavedRow[]): number {
  return rows.reduce((sum, { errors }) => sum + errors, 0);
}

type Alert = { readonly name: string; readonly state: string; readonly connector: string };
type AlertsOf = (url: string, fetch: typeof globalThis.fetch) => Promise<Alert[]>;

function alertStage(
  name: string,
  url: string,
  alertsOf: AlertsOf,
  drill: FollowedDrill,
  fetch: typeof globalThis.fetch,
): Stage {
  let problem = `${name} at ${url} shows no alert of it`;
  const connector = `${drillMark}${drill.connector}`;
  return {
    reached: async () => {
      const alerts = await alertsOf(url, fetch).catch((error: unknown) => {
        const { message, cause } = error as Error & { cause?: Error };
        problem = `${name} at ${url} does not answer: ${cause?.message ?? message}`;
        return [];
      });
      const own = alerts.filter((alert) => alert.connector === connector);
      if (own.length === 0) return undefined;
      return `${name}: ${own.map((alert) => `${alert.name} ${alert.state}`).join(', ')}`;
    },
    get missed() {
      return problem;
    },
  };
}

/** Alerts that are pending or firing: https://prometheus.io/docs/prometheus/latest/querying/api/#alerts */
const prometheusAlerts: AlertsOf = async (url, fetch) => {
  const { data } = (await json(fetch, url, 'api/v1/alerts')) as {
    data: { alerts: { labels: Record<string, string>; state: string }[] };
  };
  return data.alerts.map(({ labels, state }) => alertOf(labels, state));
};

/** Alerts that have arrived, with the receivers that they are sent to (API v2). */
const alertmanagerAlerts: AlertsOf = async (url, fetch) => {
  const alerts = (await json(fetch, url, 'api/v2/alerts')) as {
    labels: Record<string, string>;
    status: { state: string };
    receivers: { name: string }[];
  }[];
  return alerts.map(({ labels, status, receivers }) =>
    alertOf(
      labels,
      `${status.state === 'active' ? 'firing' : status.state}, to ${receivers.map((each) => each.name).join(', ')}`,
    ),
  );
};

function alertOf(labels: Record<string, string>, state: string): Alert {
  return { name: labels.alertname ?? '', state, connector: labels.connector ?? '' };
}

async function json(fetch: typeof globalThis.fetch, url: string, path: string): Promise<unknown> {
  const response = await fetch(new URL(path, url.endsWith('/') ? url : `${url}/`), {
    signal: AbortSignal.timeout(requestMs),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

async function waitFor(reached: Stage['reached'], deadline: number): Promise<string | undefined> {
  for (;;) {
    const line = await reached();
    if (line !== undefined || performance.now() >= deadline) return line;
    await pause(everyMs);
  }
}

/**
 * Outages through the real Prometheus and Alertmanager, 60 times as fast: for each the alert that reaches a person, its text
 * in every channel while it lasts and when it is over (golden files; UPDATE=1 writes them), and that nothing else is sent.
 */
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { rulesFile } from '../../alerts/generate.js';
import { temporaryFolder } from '../support/folder.js';
import { startAlertmanager, startInbox, startMailbox, type Request } from './alertmanager.js';
import { outageCases, type OutageCase, type Told } from './outage-cases.js';
import { exporterOf, type OutageExporter } from './outage-exporter.js';
import { expectGolden, textsOf } from './outage-texts.js';
import { startPrometheus } from './prometheus.js';

const speed = 60;
const alertsFolder = path.resolve(import.meta.dirname, '../../alerts');

test(
  'each outage reaches the right person in the right words, and nothing else is sent',
  { timeout: 240_000 },
  async (context) => {
    const folder = await temporaryFolder();
    const exporters = outageCases.map(exporterOf);
    const targets = await Promise.all(exporters.map(serve));
    const [inbox, mailbox] = [await startInbox(), await startMailbox()];
    const alertmanager = await startAlertmanager(context, folder, await shipped(inbox.url, mailbox.address));
    const prometheus = await startPrometheus(context, folder, targets, {
      job: 'send-connector',
      rules: rulesFile({
        ...{ exporterUrl: 'https://exporter.example', grafanaUrl: 'https://grafana.example' },
        ...{ timeScale: 1 / speed, datasourceUid: 'prometheus' },
      }),
      alertmanager,
      resendDelay: `${60 / speed}s`,
    });
    await vi.waitFor(
      async () => {
        expect(await prometheus.now('up == 1')).toHaveLength(targets.length);
        expect(await prometheus.now('ALERTS')).toEqual([]);
      },
      { timeout: 60_000, interval: 500 },
    );
    const before = inbox.requests.length;
    const sent = (): readonly Notification[] => notificationsIn(inbox.requests.slice(before));
    const over = new Map<string, Promise<void>>();
    for (const exporter of exporters) {
      const { server, after } = exporter.of;
      const earlier = after === undefined ? undefined : over.get(after);
      over.set(
        server,
        Promise.resolve(earlier).then(() => throughOutage(exporter, sent)),
      );
    }
    await Promise.all(over.values());
    // Whoever must not be told would be told by now.
    await pause(5000);
    const requests = inbox.requests.slice(before);
    for (const each of outageCases) {
      expect(namesOf(notificationsIn(requests), each, 'firing'), each.name).toEqual(each.told);
      expect(namesOf(notificationsIn(requests), each, 'resolved'), `${each.name}, over`).toEqual(overOf(each));
      await expectGolden(each, textsOf(each, requests, mailbox.mails));
    }
  },
);

/** Begins the outage, and ends it when everybody is told; done when everybody is told that it is over. */
async function throughOutage(exporter: OutageExporter, sent: () => readonly Notification[]): Promise<void> {
  const { of } = exporter;
  const patience = { timeout: 90_000, interval: 1000 };
  exporter.begin();
  await vi.waitFor(() => {
    expect(namesOf(sent(), of, 'firing'), of.name).toEqual(of.told);
  }, patience);
  if (of.endsUnseen) return;
  exporter.end();
  await vi.waitFor(() => {
    expect(namesOf(sent(), of, 'resolved'), `${of.name}, over`).toEqual(overOf(of));
  }, patience);
}

/** Who is told that it is over: whoever was told of it, save the log. */
function overOf({ told: { team, warnings }, overBesides = [], endsUnseen }: OutageCase): Told {
  return endsUnseen ? { team: [], warnings: [], log: [] } : { team: [...overBesides, ...team], warnings, log: [] };
}

/** @returns what Prometheus scrapes: the page of this exporter on a port of its own, under the name of its server */
async function serve(exporter: OutageExporter): Promise<{ address: string; instance: string }> {
  const server = createServer((_request, response) => {
    void exporter.page().then((page) => {
      if (page === undefined) response.destroy();
      else response.setHeader('content-type', 'text/plain; version=0.0.4').end(page);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, instance: exporter.of.server };
}

// ------------------------------------------------------------------------------------------ the shipped configuration

type Channel = Record<string, unknown>;
type Receiver = { name: string; slack_configs?: Channel[]; pagerduty_configs?: Channel[]; email_configs?: Channel[] };
type Route = { readonly receiver?: string; readonly routes?: readonly Route[] } & Readonly<Record<string, unknown>>;
type Config = { route: Route; receivers: Receiver[] };

/** As shipped, with the addresses of loopback, faster, a web hook beside each receiver, and Teams by an address of Slack. */
async function shipped(inbox: string, mailbox: string): Promise<object> {
  const text = await readFile(path.join(alertsFolder, 'alertmanager.yml'), 'utf8');
  const config = parse(text, { merge: true }) as Config;
  const teams = /title: '(\{\{ template "send-connector\.teams\.title" \. \}\})'[^]*?text: '(.*?)'/.exec(text)!;
  const without = (channel: Channel, ...keys: string[]): Channel =>
    Object.fromEntries(Object.entries(channel).filter(([key]) => !keys.includes(key)));
  const receivers = config.receivers.map(
    ({ name, slack_configs = [], pagerduty_configs = [], email_configs = [] }) => ({
      name,
      webhook_configs: [{ url: `${inbox}/${name}`, send_resolved: name !== 'mail-log' }],
      slack_configs: [
        ...slack_configs.map((each) => ({ ...without(each, 'api_url_file'), api_url: `${inbox}/slack` })),
        ...(name === 'mail-team'
          ? [{ title: teams[1], text: teams[2], api_url: `${inbox}/teams`, channel: 'x', send_resolved: true }]
          : []),
      ],
      pagerduty_configs: pagerduty_configs.map((each) => ({
        ...without(each, 'routing_key_file'),
        ...{ routing_key: 'key', url: `${inbox}/pagerduty` },
      })),
      email_configs: email_configs.map((each) => ({
        ...without(each, 'auth_username', 'auth_password_file'),
        ...{ smarthost: mailbox, require_tls: false },
      })),
    }),
  );
  const fast = (route: Route): Route => ({
    ...route,
    // What only explains waits in any case until its outage is known: a slow machine must not make it news of its own.
    // A group is told of changes less often than 60 times as fast: two alerts that end in one evaluation must reach
    // Alertmanager between two messages, and here that takes seconds, not hundredths of one.
    ...{ group_wait: /log|warnings/.test(route.receiver ?? '') ? '20s' : '8s', group_interval: '10s' },
    ...(route.routes && { routes: route.routes.map(fast) }),
  });
  const templates = [path.join(alertsFolder, 'templates/*.tmpl')];
  return { ...config, templates, route: fast(config.route), receivers };
}

// --------------------------------------------------------------------------------------------------- what was sent

type Alert = { readonly status: string; readonly labels: Readonly<Record<string, string>> };
type Notification = { readonly receiver: string; readonly alerts: readonly Alert[] };

function notificationsIn(requests: readonly Request[]): readonly Notification[] {
  return requests
    .filter((each) => each.path.startsWith('/mail-'))
    .map(({ path: at, body }) => ({ receiver: at.slice(1), alerts: (body as { alerts: Alert[] }).alerts }));
}

function isOf({ labels }: Alert, { server }: OutageCase): boolean {
  return labels.server === server || labels.instance === server || isAbout(labels.destination ?? '', server);
}

/** Destinations have the number of their outage in them. */
function isAbout(destination: string, server: string): boolean {
  return destination.startsWith(`10.${Number(server.slice(-2))}.`);
}

/** The alerts of an outage that each receiver was sent with this status. */
function namesOf(sent: readonly Notification[], of: OutageCase, status: 'firing' | 'resolved'): Told {
  const named = (receiver: string): string[] => {
    const alerts = sent.filter((each) => each.receiver === receiver).flatMap((each) => each.alerts);
    const own = alerts.filter((each) => each.status === status && isOf(each, of));
    return [...new Set(own.map(({ labels }) => labels.alertname ?? ''))].sort();
  };
  return { team: named('mail-team'), warnings: named('mail-warnings'), log: named('mail-log') };
}

/**
 * Outages through the real Prometheus and Alertmanager, 60 times as fast: for each the alert that reaches a person, its text
 * in every channel (golden files; UPDATE=1 writes them), and that nothing else is sent.
 */
import { createServer } from 'node:http';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { rulesFile } from '../../alerts/generate.js';
import { temporaryFolder } from '../folder.js';
import { startAlertmanager, startInbox, startMailbox, type Request } from './alertmanager.js';
import { exporterOf, outageCases, type OutageCase, type OutageExporter } from './outage-cases.js';
import { startPrometheus } from './prometheus.js';

const speed = 60;
const alertsFolder = path.resolve(import.meta.dirname, '../../alerts');
const goldenFolder = path.resolve(import.meta.dirname, '../golden/outages');

test('each outage reaches the right person in the right words, and nothing else is sent', async (context) => {
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
  });
  await vi.waitFor(
    async () => {
      expect(await prometheus.now('up == 1')).toHaveLength(targets.length);
      expect(await prometheus.now('ALERTS')).toEqual([]);
    },
    { timeout: 60_000, interval: 500 },
  );
  const before = inbox.requests.length;
  for (const exporter of exporters) exporter.begin();
  await vi.waitFor(
    () => {
      const sent = notificationsIn(inbox.requests.slice(before));
      for (const each of outageCases) expect(alertsTold(sent, each), each.name).toEqual(each.told);
    },
    { timeout: 90_000, interval: 1000 },
  );
  // Whoever must not be told would be told by now.
  await pause(5000);
  const requests = inbox.requests.slice(before);
  for (const each of outageCases) {
    expect(alertsTold(notificationsIn(requests), each), each.name).toEqual(each.told);
    await expectGolden(each, textsOf(each, requests, mailbox.mails.map(decoded)));
  }
}, 240_000);

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
      webhook_configs: [{ url: `${inbox}/${name}`, send_resolved: false }],
      slack_configs: [
        ...slack_configs.map((each) => ({ ...without(each, 'api_url_file'), api_url: `${inbox}/slack` })),
        ...(name === 'mail-team' ? [{ title: teams[1], text: teams[2], api_url: `${inbox}/teams`, channel: 'x' }] : []),
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
    ...{ group_wait: /log|warnings/.test(route.receiver ?? '') ? '15s' : '3s', group_interval: '2s' },
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

function alertsTold(sent: readonly Notification[], of: OutageCase): OutageCase['told'] {
  const named = (receiver: string): string[] => {
    const alerts = sent.filter((each) => each.receiver === receiver).flatMap((each) => each.alerts);
    return [...new Set(alerts.filter((each) => isOf(each, of)).map(({ labels }) => labels.alertname ?? ''))].sort();
  };
  return { team: named('mail-team'), warnings: named('mail-warnings') };
}

/** The newest text of each group in each channel, in the order of the alphabet. */
function textsOf(of: OutageCase, requests: readonly Request[], mails: readonly string[]): string {
  const number = Number(of.server.slice(-2));
  const mine = new RegExp(`${of.server}\\b|\\b10\\.${number}\\.0\\.\\d`);
  const bodies = (at: string): string[] =>
    requests.filter((each) => each.path === at).map(({ body }) => JSON.stringify(body, shownMember, 1));
  const channels = {
    slack: bodies('/slack').map(readable),
    teams: bodies('/teams').map(readable),
    pagerduty: bodies('/pagerduty').map(readable),
    mail: mails.map(withoutEnvelope),
  };
  return Object.entries(channels)
    .map(([channel, texts]) => {
      const own = texts.filter((text) => mine.test(text)).map(steady);
      // Of one group the newest, which has everything in it.
      const newest = new Map(own.map((text) => [groupOf(text), text]));
      return `==== ${channel}\n${[...newest.values()].sort().join('\n----\n')}`;
    })
    .join('\n\n');
}

/** What tells the groups of one outage apart: the Send connector or the exporter, and how urgent it is. */
function groupOf(text: string): string {
  const subject = /To Partner|[A-Z]\w+ \d\d|at exch|exch-\d\d|source/i.exec(text)?.[0];
  return `${subject} ${/warning|critical|info/.exec(text)?.[0]}`;
}

/** Without what is the same in every message, or never the same. */
function shownMember(key: string, value: unknown): unknown {
  return ['dedup_key', 'routing_key', 'channel', 'username', 'mrkdwn_in', 'color', 'footer', 'ts'].includes(key)
    ? undefined
    : value;
}

function readable(json: string): string {
  return json.replaceAll('\\n', '\n').replaceAll('\\"', '"').replaceAll('\\u003c', '<');
}

function withoutEnvelope(mail: string): string {
  const subject = /^Subject: (.*)$/m.exec(mail)?.[0] ?? '';
  const plain = /Content-Type: text\/plain[^]*?\n\n([^]*?)\n--/.exec(mail)?.[1] ?? '';
  const html = /<!doctype html>[^]*?<\/html>/.exec(mail)?.[0] ?? '';
  return `${subject}\n\n${plain}\n\n${html.replace(/\n+/g, '\n')}`;
}

/** Quoted-printable as text. */
function decoded(mail: string): string {
  const bytes = mail
    .replaceAll('=\r\n', '')
    .replaceAll('\r\n', '\n')
    .replace(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The same text whenever the test runs. */
function steady(text: string): string {
  return text
    .replace(/\d\d:\d\d UTC(, \d+ \w+ \d{4})?/g, 'HH:MM UTC')
    .replace(/\b\d+ (s|min) ago/g, 'N s ago')
    .replace(/logged \d+/g, 'logged N')
    .replace(/http:\/\/[^/"]+:0\//g, 'http://alertmanager/');
}

async function expectGolden(of: OutageCase, text: string): Promise<void> {
  const file = path.join(goldenFolder, `${of.server.slice(-2)}.txt`);
  const told = `${of.name}\nmail-team: ${of.told.team.join(', ') || 'nothing'}\nmail-warnings: ${of.told.warnings.join(', ') || 'nothing'}`;
  const shown = `${told}\n\n${text}\n`.replace(/[ \t]+$/gm, '');
  if (process.env.UPDATE) {
    await mkdir(goldenFolder, { recursive: true });
    await writeFile(file, shown);
  }
  expect(shown, of.name).toBe(await readFile(file, 'utf8'));
}

/**
 * An outage of three quarters of an hour, 40 times as fast: one destination, then its whole connector, then the server;
 * then the server is back, then one destination, then the other.
 *
 * Exporter, Prometheus and Alertmanager are the real ones. The rules are the shipped ones with every window and delay
 * divided by 40, the routes and inhibitions those of `alerts/alertmanager.yml`. Each act begins when the one before was
 * notified, never by the clock, so a slow machine only makes the outage longer.
 */
import { randomUUID } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi, type TestContext } from 'vitest';
import { parse } from 'yaml';
import { rulesFile } from '../../alerts/generate.js';
import { dashboardFiles } from '../../dashboards/generate.js';
import { healthy } from '../../src/commands/demo/smtp-servers.js';
import type { SmtpServer } from '../../src/commands/demo/smtp-talk.js';
import { startExporter, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { exporterFinds } from '../support/programs.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';
import { startAlertmanager, startInbox, type Request } from './alertmanager.js';
import { startPrometheus, type Prometheus } from './prometheus.js';

const speed = 40;
/** Wall-clock milliseconds of so many simulated minutes. */
const minutes = (count: number): number => Math.round((count * 60_000) / speed);
const grafanaUrl = 'http://grafana.example';
const internet = 'Outbound "Internet" <DMZ> & Co';
const partner = 'To Partner';

type Alert = {
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};
type Notification = {
  readonly status: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly Alert[];
};

type World = {
  readonly exporter: RunningExporter;
  readonly prometheus: Prometheus;
  readonly pages: () => readonly Notification[];
  readonly logged: () => readonly Notification[];
  /** Writes an event 2002 as Winlogbeat would. */
  readonly err: (server: string, connector: string, destination: string) => Promise<void>;
  /** Writes a related event: a failure of DNS. */
  readonly relate: (server: string, connector: string) => Promise<void>;
  /** Writes what the Send protocol log of EXCH02 tells of two attempts, the second of which is refused. */
  readonly tell: (connector: string, destination: string) => Promise<void>;
  readonly events: string;
};

test('an outage that grows and ends is six notifications, each with a runbook and a dashboard', async (context) => {
  const [first, second, third, other] = await Promise.all([openServer(), openServer(), openServer(), openServer()]);
  const world = await openWorld(context);
  await quiet(world, other.destination);

  await down(world, first);
  await world.err('EXCH01', internet, first.destination);
  await notified(world, 1);
  await expectTenSeconds(world.pages()[0]!, first.destination);
  await world.tell('Lab', other.destination);
  await world.relate('EXCH01', internet);
  for (let retry = 0; retry < 3; retry += 1) {
    await pause(minutes(3));
    await world.err('EXCH01', internet, first.destination);
  }

  await down(world, second);
  await world.err('EXCH01', internet, second.destination);
  await notified(world, 2);
  await pause(minutes(6));

  await down(world, third);
  await world.err('EXCH01', partner, third.destination);
  await notified(world, 3);
  await expectEveryPanelShowsIt(world);
  await pause(minutes(3));

  await third.start();
  await notified(world, 4);
  await first.start();
  await notified(world, 5);
  await second.start();
  await notified(world, 6);
  await over(world);
  expectStory(world, [first, second, third]);
  await expectLinks(world.pages());
  await expectNoFlapping(world);
}, 400_000);

// --------------------------------------------------------------------------------------------------------- the world

type Server = { readonly destination: string; readonly stop: () => Promise<void>; readonly start: () => Promise<void> };

/** A mail server that can go away and come back at the same address. */
async function openServer(): Promise<Server> {
  let running: SmtpServer | undefined = await healthy();
  const { destination, port } = running;
  const stop = async (): Promise<void> => {
    await running?.close();
    running = undefined;
  };
  onTestFinished(stop);
  return { destination, stop, start: async () => void (running ??= await healthy({ port })) };
}

async function openWorld(context: TestContext): Promise<World> {
  const folder = await temporaryFolder();
  const events = path.join(folder, 'events.ndjson');
  const [sendLog, inventory] = [path.join(folder, 'SEND20260115-1.LOG'), path.join(folder, 'connectors.json')];
  const config = path.join(folder, 'config.yml');
  await writeFile(events, '');
  await writeFile(sendLog, sendLogHeader);
  await writeFile(inventory, JSON.stringify([{ Name: 'Reserve', Guid: randomUUID(), Enabled: false }]));
  const probe = { interval: '1s', observedInterval: '1s', timeout: '5s', allow: ['127.0.0.0/8'], ports: ['1-65535'] };
  const sources = [
    { type: 'file', paths: [events] },
    { type: 'file', paths: [sendLog], server: 'exch02' },
  ];
  await writeFile(config, JSON.stringify({ sources, probe, inventory: { file: inventory } }));
  const exporter = await startExporter({ args: [`--config.file=${config}`] });
  onTestFinished(() => exporter.kill9());
  const inbox = await startInbox();
  const alertmanager = await startAlertmanager(context, folder, await shippedRoutes(inbox.url));
  const prometheus = await startPrometheus(
    context,
    folder,
    [{ address: new URL(exporter.url).host, instance: new URL(exporter.url).host }],
    {
      job: 'send-connector',
      interval: '500ms',
      rules: rulesFile({ exporterUrl: exporter.url, grafanaUrl, timeScale: 1 / speed, datasourceUid: 'prometheus' }),
      alertmanager,
    },
  );
  let recordId = 0;
  const at = (where: string): readonly Notification[] => notificationsAt(inbox.requests, where);
  return {
    exporter,
    prometheus,
    pages: () => at('/mail-team'),
    logged: () => at('/mail-log'),
    err: (server, connector, destination) =>
      appendFile(events, winlogbeatLine({ recordId: (recordId += 1), server, connector, destination })),
    relate: (server, connector) =>
      appendFile(events, winlogbeatLine({ recordId: (recordId += 1), server, connector, eventId: 2000 })),
    tell: (connector, destination) => appendFile(sendLog, sendLogRows(connector, destination)),
    events,
  };
}

const sendLogHeader = [
  '#Software: Microsoft Exchange Server',
  '#Version: 15.0.0.0',
  '#Log-type: SMTP Send Protocol Log',
  '#Date: 2026-01-15T08:00:00.000Z',
  '#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n',
].join('\r\n');

function sendLogRows(connector: string, destination: string): string {
  const at = new Date().toISOString();
  const [first, second] = [randomUUID(), randomUUID()].map((id) => id.replaceAll('-', '').slice(0, 16).toUpperCase());
  const refused = `"Failed to connect. Winsock error code: 10061, Win32 error code: 10061, Error Message: refused ${destination}"`;
  return [
    `${at},${connector},${first},0,,${destination},*,,attempting to connect`,
    `${at},${connector},${first},1,10.0.0.1:4711,${destination},+,,`,
    `${at},${connector},${second},0,,${destination},*,,attempting to connect`,
    `${at},${connector},${second},1,,${destination},*,,${refused}`,
  ]
    .map((row) => `${row}\r\n`)
    .join('');
}

function notificationsAt(requests: readonly Request[], where: string): readonly Notification[] {
  const all = requests.filter((request) => request.path === where).map((request) => request.body as Notification);
  return all.filter(({ alerts }) => alerts.some(({ labels }) => labels.scope !== 'exporter'));
}

type Route = { readonly receiver?: string; readonly routes?: readonly Route[] };
type Shipped = { readonly route: Route; readonly receivers: readonly { name: string }[] };

/** The shipped routes and inhibitions, 40 times as fast, with an inbox in place of the people. */
async function shippedRoutes(inbox: string): Promise<object> {
  const file = path.resolve(import.meta.dirname, '../../alerts/alertmanager.yml');
  const shipped = parse(await readFile(file, 'utf8'), { merge: true }) as Shipped;
  const fast = (route: Route): Route => ({
    ...route,
    // What only explains waits in any case until its outage is known: a slow machine must not make it a page of its own.
    ...{ group_wait: route.receiver === 'mail-log' ? '15s' : `${minutes(0.5)}ms`, group_interval: `${minutes(5)}ms` },
    ...(route.routes && { routes: route.routes.map(fast) }),
  });
  return {
    ...shipped,
    templates: [],
    route: fast(shipped.route),
    receivers: shipped.receivers.map(({ name }) => ({
      name,
      webhook_configs: [{ url: `${inbox}/${name}`, send_resolved: name !== 'mail-log' }],
    })),
  };
}

// ----------------------------------------------------------------------------------------------------------- the acts

const patience = { timeout: 90_000, interval: 200 };

/** A first error long healed: what is quiet shows its texts for "no errors". Another server is never part of it. */
async function quiet(world: World, destination: string): Promise<void> {
  await vi.waitFor(async () => {
    expect(await world.prometheus.now('up == 1')).toHaveLength(1);
  }, patience);
  for (const { title, expr } of panels()) {
    const shown = await world.prometheus.now(expr);
    if (/error|fail/i.test(title))
      expect(
        shown.filter(({ value }) => value !== 0),
        title,
      ).toEqual([]);
  }
  // Until its first scrape Prometheus takes the exporter for absent, and a slow start makes that an alert.
  await vi.waitFor(async () => {
    expect(await world.prometheus.now('ALERTS')).toEqual([]);
  }, patience);
  await world.err('EXCH02', 'Lab', destination);
  await world.tell('Lab', destination);
  await appendFile(world.events, '{"half": a record\n');
  await vi.waitFor(async () => {
    const passing = `exchange_destination_probe_success{destination="${destination}"} == 1`;
    expect(await world.prometheus.now(passing)).toHaveLength(1);
  }, patience);
}

/** The server goes away, and Prometheus has heard of it when its destination was probed before. */
async function down({ prometheus }: World, { destination, stop }: Server): Promise<void> {
  await stop();
  const passing = `exchange_destination_probe_success{destination="${destination}"} == 1`;
  await vi.waitFor(async () => {
    expect(await prometheus.now(passing)).toEqual([]);
  }, patience);
}

async function notified({ pages }: World, count: number): Promise<void> {
  await vi.waitFor(() => {
    expect(pages().length, JSON.stringify(pages().map(nameOf))).toBeGreaterThanOrEqual(count);
  }, patience);
}

async function over({ prometheus }: World): Promise<void> {
  await vi.waitFor(async () => {
    const outages = 'ALERTS{scope=~"server|connector|destination"} or ALERTS{severity!="info"}';
    expect(await prometheus.now(outages)).toEqual([]);
  }, patience);
  // Whoever is still to be told would be told now.
  await pause(minutes(6));
}

// --------------------------------------------------------------------------------------------------- what was notified

/** What still fires; when all is over, what that was. */
function nameOf({ status, alerts }: Notification): string {
  const subject = ({ labels }: Alert): string =>
    `${labels.alertname} ${labels.destination ?? labels.connector ?? labels.server}`;
  if (status === 'resolved') return `over: ${alerts.map(subject).join(', ')}`;
  return alerts
    .filter((alert) => alert.status === 'firing')
    .map(subject)
    .join(', ');
}

function expectStory(world: World, [first, second]: readonly Server[]): void {
  const pages = world.pages();
  expect(pages.map(nameOf)).toEqual([
    `DestinationDown ${first?.destination}`,
    `SendConnectorDown ${internet}`,
    'ServerEgressDown exch01',
    'over: ServerEgressDown exch01',
    `DestinationDown ${second?.destination}`,
    `over: DestinationDown ${second?.destination}`,
  ]);
  const group = { connector: internet };
  expect(pages.map(({ groupLabels }) => groupLabels)).toEqual([group, group, {}, {}, group, group]);
  // Lab has errors although its server answers, which is news of its own; nothing else is told beside the outage.
  const explained = world.logged().flatMap(({ alerts }) => alerts.map(({ labels }) => labels));
  const others = explained.filter(
    ({ alertname, connector }) => alertname !== 'SendConnectorError' && connector !== 'Lab',
  );
  expect(others).toEqual([]);
}

/** Whoever has nothing but the notification finds on the page behind its link what is broken and what to type. */
async function expectTenSeconds({ alerts: [alert] }: Notification, destination: string): Promise<void> {
  const answer = await fetch(alert?.annotations.runbook_url ?? '');
  expect(answer.status).toBe(200);
  const html = await answer.text();
  for (const part of ['exch01', internet, destination, 'connection refused', 'since ', 'Test-NetConnection'])
    expect(textOf(html)).toContain(part);
  const [host = '', port = ''] = destination.split(':');
  expect(textOf(html)).toContain(`Test-NetConnection ${host} -Port ${port}`);
  if (process.env.SHOW_PAGE !== undefined) await writeFile(process.env.SHOW_PAGE, textOf(html));
}

function textOf(html: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&', '#39': "'" };
  return html
    .replace(/<(script|style)[^]*?<\/\1>/g, '')
    .replace(/<(p|h\d|li|tr|pre|div|section)\b/g, '\n<$1')
    .replace(/<[^>]*>/g, '')
    .replace(/&(lt|gt|quot|amp|#39);/g, (_all, name: string) => named[name] ?? '')
    .replace(/\n\s*\n+/g, '\n');
}

async function expectLinks(pages: readonly Notification[]): Promise<void> {
  for (const { labels, annotations } of pages.flatMap(({ alerts }) => alerts)) {
    const answer = await fetch(annotations.runbook_url ?? '');
    expect(answer.status, annotations.runbook_url).toBe(200);
    const page = textOf(await answer.text());
    for (const name of ['server', 'connector', 'destination'])
      if (labels[name] !== undefined) expect(page).toContain(labels[name]);
    const dashboard = new URL(annotations.dashboard_url ?? '');
    expect(dashboard.origin).toBe(grafanaUrl);
    for (const name of ['server', 'connector', 'destination'])
      expect(dashboard.searchParams.get(`var-${name}`) ?? undefined).toBe(labels[name]);
  }
}

/** An alert that began twice has two values of its start. */
async function expectNoFlapping({ prometheus }: World): Promise<void> {
  const starts = await prometheus.samples('ALERTS_FOR_STATE{scope=~"server|connector|destination"}');
  expect(starts.length).toBeGreaterThanOrEqual(5);
  for (const { labels, samples } of starts) {
    expect(new Set(samples.map(([, value]) => value)).size, JSON.stringify(labels)).toBe(1);
  }
}

// ------------------------------------------------------------------------------------------------------- the dashboards

type Panel = {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly range?: boolean }[];
};

/** Every query of every panel, with the variables as Grafana would fill them in. */
function panels(): readonly { readonly title: string; readonly expr: string }[] {
  const boards = Object.values(dashboardFiles({ exporterUrl: 'http://localhost:10202' }));
  const all = boards.flatMap((text) => (JSON.parse(text) as { panels: readonly Panel[] }).panels);
  return all.flatMap(({ title, targets = [] }) =>
    // A graph shows what was at any time in its range.
    targets.map(({ expr, range = false }) => ({
      title,
      expr: range ? `last_over_time((${filledIn(expr)})[3m:5s])` : filledIn(expr),
    })),
  );
}

function filledIn(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '20s')
    .replaceAll('$__interval', '5s')
    .replaceAll('$__range', '5m')
    .replace(/\$\{\w+:regex\}/g, '.*');
}

/** Without the ping of the system the exporter has nothing to show of lost packets and round trips. */
const hasPing = exporterFinds('ping');

async function expectEveryPanelShowsIt({ prometheus }: World): Promise<void> {
  for (const { title, expr } of panels()) {
    if (!hasPing && expr.includes('exchange_destination_ping_')) continue;
    // The lengths of queues come from windows_exporter, which this world has not.
    if (expr.includes('windows_exchange_')) continue;
    expect((await prometheus.now(expr)).length, `${title}: ${expr}`).toBeGreaterThan(0);
  }
}

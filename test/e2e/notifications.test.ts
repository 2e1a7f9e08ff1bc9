/** The texts of e-mail, Slack, Teams and PagerDuty as the real Alertmanager makes them from the shipped configuration. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from '../support/folder.js';
import { startAlertmanager, startInbox, startMailbox } from './alertmanager.js';

const alertsFolder = path.resolve(import.meta.dirname, '../../alerts');
const connector = 'Relay, "Legacy" <DMZ> & Co *1*';
const links = {
  runbook_url: 'http://localhost:10202/runbooks/DestinationDown?connector=Relay%2C%20%22Legacy%22&server=exch01',
  dashboard_url: 'http://localhost:3000/d/send-connector-overview/send-connectors?var-server=exch01',
};
const alert = {
  labels: {
    alertname: 'DestinationDown',
    severity: 'critical',
    scope: 'destination',
    product: 'send-connector',
    server: 'exch01.contoso.example',
    connector,
    destination: '203.0.113.25:25',
  },
  annotations: {
    summary: `Send connector ${connector} cannot reach 203.0.113.25:25: connection refused`,
    description: 'The last error on server exch01 was 2 min ago, and the probe of this destination fails.',
    diagnosis: 'this destination fails: the remote side or the path to it',
    at: 'TCP connection',
    reason: 'connection refused',
    command: 'Test-NetConnection 203.0.113.25 -Port 25 -InformationLevel Detailed',
    command_where: 'exch01.contoso.example',
    last_error: '12:03 UTC, 28 Nov 2026',
    ...links,
  },
};
const other = {
  labels: { ...alert.labels, destination: '203.0.113.26:25' },
  annotations: {
    ...alert.annotations,
    summary: `Send connector ${connector} cannot reach 203.0.113.26:25: no answer in time`,
  },
};

type Channel = Record<string, unknown>;
type Receiver = { name: string; slack_configs: Channel[]; pagerduty_configs: Channel[]; email_configs: Channel[] };
type Config = { route: Record<string, unknown>; templates: string[]; receivers: Receiver[] };

test('every channel carries who, since when, why, the runbook and the dashboard; hostile names do no harm', async (context) => {
  const inbox = await startInbox();
  const mailbox = await startMailbox();
  const url = await startAlertmanager(
    context,
    await temporaryFolder(),
    await shippedConfig(inbox.url, mailbox.address),
  );
  await post(url, [alert, other]);
  const body = (at: string): string => {
    const request = inbox.requests.find((one) => one.path === at);
    if (!request) throw new Error(`nothing came to ${at}`);
    return JSON.stringify(request.body);
  };
  await vi.waitFor(
    () => {
      for (const at of ['/slack', '/pagerduty', '/teams']) expect(body(at)).toContain('exch01');
      expect(mailbox.mails).toHaveLength(1);
    },
    { timeout: 60_000, interval: 100 },
  );
  expectSlack(JSON.parse(body('/slack')) as SlackMessage);
  expectPagerDuty(JSON.parse(body('/pagerduty')) as Incident, 'trigger');
  expectTeams((JSON.parse(body('/teams')) as SlackMessage).attachments[0]!);
  expectMail(mailbox.mails[0]!);

  await post(
    url,
    [alert, other].map((each) => ({ ...each, endsAt: new Date(Date.now() - 1000).toISOString() })),
  );
  await vi.waitFor(
    () => {
      const incidents = inbox.requests.filter((one) => one.path === '/pagerduty').map((one) => one.body as Incident);
      expect(incidents.map((one) => one.event_action)).toEqual(['trigger', 'resolve']);
      expect(incidents[1]!.dedup_key).toBe(incidents[0]!.dedup_key);
      expect(mailbox.mails).toHaveLength(2);
    },
    { timeout: 60_000, interval: 100 },
  );
  expect(decoded(mailbox.mails[1]!)).toMatch(
    /Over, noticed at \d\d:\d\d UTC \(last error at 12:03 UTC, 28 Nov 2026\): Send connector/,
  );
}, 150_000);

/** As shipped, but with addresses of loopback, and Teams through a channel that this Alertmanager has. */
async function shippedConfig(inbox: string, mailbox: string): Promise<object> {
  const text = await readFile(path.join(alertsFolder, 'alertmanager.yml'), 'utf8');
  const config = parse(text, { merge: true }) as Config;
  const team = config.receivers.find(({ name }) => name === 'mail-team')!;
  const slack = without(team.slack_configs[0]!, 'api_url_file');
  const pagerduty = without(team.pagerduty_configs[0]!, 'routing_key_file');
  const email = without(team.email_configs[0]!, 'auth_username', 'auth_password_file');
  const teams = /title: '(\{\{ template "send-connector\.teams\.title" \. \}\})'[^]*?text: '(.*?)'/.exec(text)!;
  const receiver = {
    name: 'mail-team',
    slack_configs: [
      { ...slack, api_url: `${inbox}/slack` },
      { send_resolved: true, title: teams[1], text: teams[2], api_url: `${inbox}/teams` },
    ],
    pagerduty_configs: [{ ...pagerduty, routing_key: 'key', url: `${inbox}/pagerduty` }],
    email_configs: [{ ...email, smarthost: mailbox, require_tls: false }],
  };
  return {
    ...config,
    templates: [path.join(alertsFolder, 'templates/*.tmpl')],
    route: { ...config.route, routes: [], group_wait: '1s', group_interval: '1s' },
    inhibit_rules: [],
    receivers: [receiver],
  };
}

function without(channel: Channel, ...keys: string[]): Channel {
  return Object.fromEntries(Object.entries(channel).filter(([key]) => !keys.includes(key)));
}

async function post(url: string, alerts: readonly object[]): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body: JSON.stringify(alerts) });
  expect(answer.status, await answer.text()).toBe(200);
}

type Attachment = { title: string; title_link: string; text: string; fallback: string };
type SlackMessage = { attachments: Attachment[] };
type Incident = {
  event_action: string;
  dedup_key: string;
  client_url: string;
  links: { href: string; text: string }[];
  payload: {
    summary: string;
    severity: string;
    component: string;
    group: string;
    custom_details: Record<string, string>;
  };
};

function expectSlack({ attachments: [message] }: SlackMessage): void {
  expect(message!.title).toContain('Relay, "Legacy" &lt;DMZ&gt; &amp; Co');
  expect(message!.title).toContain('(and 1 more)');
  expect(message!.title_link).toBe(links.runbook_url);
  expect(message!.title).toContain(':red_circle: critical: Send connector');
  // The title is not said again.
  expect(message!.text.split('\n')[0]).toBe(alert.annotations.description);
  expect(message!.text).toContain('Diagnosis: this destination fails');
  expect(message!.text).toContain('Reason: connection refused\n');
  expect(message!.text).toContain('Last error: 12:03 UTC, 28 Nov 2026\n');
  expect(message!.text).toContain('Next, on exch01.contoso.example: `Test-NetConnection 203.0.113.25 -Port 25');
  expect(message!.text).toMatch(/Since \d\d:\d\d UTC/);
  expect(message!.text).toContain(`<${links.runbook_url.replaceAll('&', '&amp;')}|What to do>`);
  expect(message!.text).toContain(`<${links.dashboard_url}|Dashboard>`);
  expect(message!.text).not.toContain('<DMZ>');
}

function expectPagerDuty(incident: Incident, action: string): void {
  expect(incident.event_action).toBe(action);
  expect(incident.payload).toMatchObject({ severity: 'critical', component: connector, group: alert.labels.server });
  expect(incident.payload.summary).toContain(`${alert.annotations.summary} (and 1 more)`);
  expect(incident.client_url).toBe(links.runbook_url);
  expect(incident.links).toEqual([
    { href: links.runbook_url, text: 'What to do' },
    { href: links.dashboard_url, text: 'Dashboard' },
  ]);
  expect(incident.payload.custom_details.diagnosis).toContain('this destination fails');
  expect(incident.payload.custom_details.next).toContain('Test-NetConnection 203.0.113.25');
  expect(incident.payload.custom_details['last error']).toContain('12:03 UTC');
  expect(incident.payload.custom_details.alerts).toContain(`Destination: 203.0.113.26:25`);
}

function expectTeams({ title, text }: Attachment): void {
  expect(title).toContain('&lt;DMZ&gt; &amp; Co ∗1∗');
  expect(text).toContain('Relay, "Legacy" &lt;DMZ&gt; &amp; Co \\*1\\*');
  expect(title).toContain('critical: Send connector');
  expect(text.split('\n')[0]).toBe(alert.annotations.description);
  expect(text).toContain('- Diagnosis: this destination fails');
  expect(text).toContain('- Next, on exch01.contoso.example: Test-NetConnection 203.0.113.25');
  expect(text).toContain('- Destination: 203.0.113.25:25');
  expect(text).toContain(`[What to do](${links.runbook_url}) | [Dashboard](${links.dashboard_url})`);
}

function expectMail(mail: string): void {
  const text = decoded(mail);
  expect(text).toContain('Subject:');
  expect(text).toContain('Severity:    critical');
  expect(text).toContain('Diagnosis:   this destination fails');
  expect(text).toContain('Next:        Test-NetConnection 203.0.113.25 -Port 25');
  expect(text).toContain(`What to do:  ${links.runbook_url}`);
  expect(text).toContain(`Dashboard:   ${links.dashboard_url}`);
  expect(text).toContain('&lt;DMZ&gt; &amp; Co');
  expect(text).toContain(`<a href="${links.runbook_url.replaceAll('&', '&amp;')}">What to do</a>`);
  expect(text.slice(text.indexOf('<!doctype'))).not.toContain('<DMZ>');
}

/** Quoted-printable as text. */
function decoded(mail: string): string {
  return mail
    .replaceAll('=\r\n', '')
    .replace(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

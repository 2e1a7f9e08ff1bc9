/** The stack of examples/docker delivers a notification as it stands: its Alertmanager and its receiver, run by hand. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { composeAlertmanager } from '../../alerts/compose-alertmanager.js';
import { temporaryFolder } from '../support/folder.js';
import { startAlertmanager } from './alertmanager.js';

const top = path.resolve(import.meta.dirname, '../..');
const docker = path.join(top, 'examples/docker');

type Route = { receiver: string; group_wait?: string; routes?: Route[] };
type Config = { route: Route; receivers: { name: string; webhook_configs: { url: string }[] }[] };
type Service = { command?: string[]; entrypoint?: string[]; image?: string; volumes: string[] };

/** Starts the receiver as compose.yml does, on loopback. */
async function startReceiver(): Promise<{ url: string; printed: () => string; end: () => Promise<number | null> }> {
  const env = { ...process.env, RECEIVER_HOST: '127.0.0.1', RECEIVER_PORT: '0' };
  const child = spawn(process.execPath, [path.join(docker, 'receiver.mjs')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  const port = await vi.waitFor(() => /:(\d+)$/m.exec(text)?.[1] ?? expect.fail('it does not listen yet'));
  return {
    url: `http://127.0.0.1:${port}/`,
    printed: () => text,
    end: async () => {
      child.kill('SIGTERM');
      return (await ended)[0];
    },
  };
}

test('an alert that Prometheus sends is printed with its summary and runbook, and again when it is over', async (context) => {
  const { url, printed, end } = await startReceiver();
  const folder = await temporaryFolder();
  const config = parse(await readFile(path.join(docker, 'alertmanager.yml'), 'utf8')) as Config;
  for (const { webhook_configs } of config.receivers) {
    expect(webhook_configs).toEqual([{ url: 'http://receiver:5001/', send_resolved: true }]);
    webhook_configs[0]!.url = url;
  }
  // As it stands but for the waiting.
  for (const route of [config.route, ...config.route.routes!]) route.group_wait = '1s';
  const alertmanager = await startAlertmanager(context, folder, {
    ...config,
    route: { ...config.route, group_interval: '1s' },
    templates: [path.join(top, 'alerts/templates/*.tmpl')],
  });
  const alert = {
    labels: {
      alertname: 'DestinationDown',
      severity: 'critical',
      product: 'send-connector',
      scope: 'destination',
      connector: 'Relay\n"x"',
    },
    annotations: {
      summary: 'Relay cannot reach [2001:db8::1]:25',
      runbook_url: 'http://localhost:10202/runbooks/DestinationDown',
    },
  };
  const post = (endsAt: number): Promise<Response> =>
    fetch(`${alertmanager}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ ...alert, endsAt: new Date(endsAt).toISOString() }]),
    });
  expect((await post(Date.now() + 600_000)).status).toBe(200);
  const line =
    'critical DestinationDown Relay cannot reach [2001:db8::1]:25  http://localhost:10202/runbooks/DestinationDown';
  await vi.waitFor(
    () => {
      expect(printed()).toContain(`FIRING ${line}\n`);
    },
    { timeout: 20_000, interval: 100 },
  );
  await post(Date.now());
  await vi.waitFor(
    () => {
      expect(printed()).toContain(`RESOLVED ${line}\n`);
    },
    { timeout: 20_000, interval: 100 },
  );
  expect(await end()).toBe(0);
}, 60_000);

test('what is no notification gets a 400 and a line, and the receiver goes on', async () => {
  const { url, printed } = await startReceiver();
  for (const body of ['', 'nonsense', '{"alerts":[null]}', '[]'])
    expect((await fetch(url, { method: 'POST', body })).status).toBe(400);
  const good = JSON.stringify({ alerts: [{ status: 'firing', labels: { alertname: 'A' }, annotations: {} }] });
  expect((await fetch(url, { method: 'POST', body: good })).status).toBe(200);
  await vi.waitFor(() => {
    expect(printed()).toMatch(/FIRING .*A/);
  });
  expect(printed().match(/not a notification/g)).toHaveLength(4);
});

test('its Alertmanager has the routes of the example, and the receiver runs what the image of the exporter has', async () => {
  const example = await readFile(path.join(top, 'alerts/alertmanager.yml'), 'utf8');
  const text = await readFile(path.join(docker, 'alertmanager.yml'), 'utf8');
  expect(text).toBe(composeAlertmanager(example));
  const { receivers, ...rest } = parse(text) as Config;
  const { receivers: channels, ...wanted } = parse(example, { merge: true }) as Config;
  expect(rest).toEqual(wanted);
  expect(receivers.map(({ name }) => name)).toEqual(channels.map(({ name }) => name));
  const compose = parse(await readFile(path.join(docker, 'compose.yml'), 'utf8'), { merge: true }) as {
    services: Record<string, Service>;
  };
  const { receiver, alertmanager, exporter } = compose.services;
  expect(receiver).toMatchObject({ image: exporter!.image, entrypoint: ['/nodejs/bin/node', '/receiver.mjs'] });
  expect(receiver!.volumes).toContain('./receiver.mjs:/receiver.mjs:ro');
  expect(alertmanager!.volumes).toContain('./alertmanager.yml:/etc/alertmanager/alertmanager.yml:ro');
  // The image's own entry point names the same program.
  expect(await readFile(path.join(docker, 'Dockerfile'), 'utf8')).toContain('ENTRYPOINT ["/nodejs/bin/node"');
});

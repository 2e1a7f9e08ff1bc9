/** From an event in a file to a notification with a runbook, through the real Prometheus and Alertmanager. */
import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { healthy } from '../../src/commands/demo/smtp-servers.js';
import { startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';
import { startPaging } from './paging.js';
import type { Alert } from './webhook.js';

const connector = 'Relay, "Legacy" <DMZ> & Co';

test('an event fires, its runbook knows connector and destination, and a dead server turns it into destination down', async (context) => {
  const folder = await temporaryFolder();
  const events = path.join(folder, 'events.ndjson');
  const config = path.join(folder, 'config.yml');
  const server = await healthy();
  onTestFinished(() => server.close());
  await writeFile(events, '');
  await writeFile(
    config,
    JSON.stringify({
      sources: [{ type: 'file', paths: [events] }],
      probe: { interval: '1s', observedInterval: '1s', timeout: '5s', allow: ['127.0.0.0/8'], ports: ['1-65535'] },
    }),
  );
  const exporter = await startExporter({ args: [`--config.file=${config}`] });
  onTestFinished(() => exporter.kill9());
  const { notifications } = await startPaging(context, folder, exporter.url);

  await appendFile(events, winlogbeatLine({ recordId: 1, connector, destination: server.destination }));
  const single = await notified(notifications, ['SendConnectorError', 'ErrorsDespiteHealthyProbes']);
  expect(single.labels).toMatchObject({ connector, destination: server.destination });
  await expectRunbook(single, server.destination);

  await server.close();
  await appendFile(events, winlogbeatLine({ recordId: 2, connector, destination: server.destination }));
  const down = await notified(notifications, ['DestinationDown']);
  expect(down.labels).toMatchObject({ connector, destination: server.destination, severity: 'critical' });
  expect(JSON.stringify(down.annotations)).toContain('refused');
  await expectRunbook(down, server.destination);
}, 240_000);

async function notified(alerts: readonly Alert[], names: readonly string[]): Promise<Alert> {
  return vi.waitFor(
    () => {
      const alert = alerts.find((each) => each.status === 'firing' && names.includes(each.labels.alertname ?? ''));
      if (!alert)
        throw new Error(
          `expected ${names.join(' or ')}, got ${alerts.map((each) => each.labels.alertname).join() || 'nothing'}`,
        );
      return alert;
    },
    { timeout: 150_000, interval: 250 },
  );
}

async function expectRunbook(alert: Alert, destination: string): Promise<void> {
  const answer = await fetch(alert.annotations.runbook_url ?? '');
  const page = await answer.text();
  expect(answer.status).toBe(200);
  expect(page).toContain('Relay, &quot;Legacy&quot; &lt;DMZ');
  expect(page).toContain(destination);
}

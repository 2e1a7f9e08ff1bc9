/** A drill through the real path: file, ledger, Prometheus, Alertmanager, notification; the real series do not change. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { builtProgram, startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { errorCounter, series } from '../support/scraped.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';
import { startPaging } from './paging.js';

async function drill(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [builtProgram, 'drill', ...args]);
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (piece) => (texts.stdout += String(piece)));
  child.stderr.on('data', (piece) => (texts.stderr += String(piece)));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, ...texts };
}

test('pages under its own name, is probed nowhere, and the real connector stays as it was', async (context) => {
  const folder = await temporaryFolder();
  const events = path.join(folder, 'events.ndjson');
  await writeFile(events, winlogbeatLine({ recordId: 7, at: new Date(Date.now() - 7_200_000) }));
  const exporter = await startExporter({ files: [events], args: ['--probe.allow=127.0.0.1'] });
  onTestFinished(() => exporter.kill9());
  const { notifications, urls } = await startPaging(context, folder, exporter.url);
  const real = '{server="exch01.contoso.local",connector="Outbound to Internet",destination="203.0.113.25:25"}';
  await vi.waitFor(async () => {
    expect((await exporter.page('/-/ready')).body).toBe('ready\n');
  }, 20_000);

  const told = await drill(
    '--connector=Outbound to Internet',
    '--destination=203.0.113.25:25',
    '--server=EXCH01.contoso.local',
    '--count=3',
    `--prometheus-url=${urls[0]}`,
    `--alertmanager-url=${urls[1]}`,
    `--state.directory=${exporter.stateDirectory}`,
  );
  expect(told).toMatchObject({ status: 0, stderr: '' });
  expect(told.stdout).toMatch(/Prometheus: .*SendConnectorError\w* (pending|firing)/);
  expect(told.stdout).toMatch(/Alertmanager: .*SendConnectorError\w* firing, to \w+/);
  await vi.waitFor(
    () => {
      expect(notifications.map(({ labels }) => labels.alertname)).toContain('SendConnectorErrorsRepeated');
      expect(new Set(notifications.map(({ labels }) => labels.connector))).toEqual(
        new Set(['DRILL: Outbound to Internet']),
      );
    },
    { timeout: 150_000, interval: 250 },
  );
  // Not before: this test and Prometheus have one address, so its scrape would be taken for that of Prometheus.
  const page = await exporter.scrape();
  const marked = real.replace('connector="', 'connector="DRILL: ');
  expect(series(page, errorCounter)).toEqual(
    new Map([
      [real, 1],
      [marked, 3],
    ]),
  );
  expect(page).toContain('exchange_exporter_source_records_total{source="drills",outcome="counted"} 3');
  expect((await exporter.page('/')).body).toContain('DRILL: Outbound to Internet');
}, 240_000);

test('a running exporter is found and the drill followed until it is counted and shown; a scraper is told of when there is none', async () => {
  const folder = await temporaryFolder();
  const events = path.join(folder, 'events.ndjson');
  await writeFile(events, '');
  const exporter = await startExporter({ files: [events], args: ['--no-probe'] });
  onTestFinished(() => exporter.kill9());
  const words = ['--connector=a', '--destination=b.example:25', `--state.directory=${exporter.stateDirectory}`];
  const unseen = await drill(...words, '--wait=5');
  expect(unseen).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('no scraper has read it yet') as string,
    stdout: expect.stringContaining(`process id ${exporter.pid} uses`) as string,
  });
  expect(unseen.stdout).toContain('read and counted: 1 in all\n');
  const scraping = setInterval(() => void exporter.scrape().catch(() => undefined), 300);
  onTestFinished(() => {
    clearInterval(scraping);
  });
  const seen = await drill(...words, '--wait=60');
  expect(seen).toMatchObject({ status: 0, stderr: '' });
  expect(seen.stdout).toContain('read and counted: 2 in all\nshown to every scraper\n');
  const deaf = await drill(...words, '--wait=3', '--alertmanager-url=http://127.0.0.1:1');
  expect(deaf).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('Alertmanager at http://127.0.0.1:1 does not answer') as string,
  });
}, 120_000);

test('without a running exporter, or with a destination that is none, it says what it needs', async () => {
  const folder = await temporaryFolder();
  expect(await drill('--connector=a', '--destination=b:c')).toMatchObject({
    status: 2,
    stderr: '--destination: expected host:port, got "b:c"\n',
  });
  for (const state of [path.join(folder, 'none'), folder]) {
    const nowhere = await drill('--connector=a', '--destination=b:25', `--state.directory=${state}`);
    expect(nowhere.status).toBe(1);
    expect(nowhere.stderr).toContain(`${state}: no exporter runs on this state folder`);
  }
});

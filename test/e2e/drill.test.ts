/** A drill through the real path: file, ledger, Prometheus, Alertmanager, notification; the real series do not change. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { builtProgram, startExporter } from '../exporter.js';
import { temporaryFolder } from '../folder.js';
import { errorCounter, series } from '../scraped.js';
import { winlogbeatLine } from '../winlogbeat-line.js';
import { startPaging } from './paging.js';

function drill(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [builtProgram, 'drill', ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('pages under its own name, is probed nowhere, and the real connector stays as it was', async (context) => {
  const folder = await temporaryFolder();
  const events = path.join(folder, 'events.ndjson');
  await writeFile(events, winlogbeatLine({ recordId: 7, at: new Date(Date.now() - 7_200_000) }));
  const exporter = await startExporter({ files: [events], args: ['--probe.allow=127.0.0.1'] });
  onTestFinished(() => exporter.kill9());
  const notifications = await startPaging(context, folder, exporter.url);
  const real = '{server="exch01.contoso.local",connector="Outbound to Internet",destination="203.0.113.25:25"}';
  await vi.waitFor(async () => {
    expect((await exporter.page('/-/ready')).body).toBe('ready\n');
  }, 20_000);

  const told = drill(
    '--connector=Outbound to Internet',
    '--destination=203.0.113.25:25',
    '--server=EXCH01.contoso.local',
    '--count=3',
    `--state.directory=${exporter.stateDirectory}`,
  );
  expect(told).toMatchObject({ status: 0, stderr: '' });
  expect(told.stdout).toContain('DRILL: Outbound to Internet');
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

test('without a state folder, or with a destination that is none, it says what it needs', async () => {
  const folder = await temporaryFolder();
  expect(drill('--connector=a', '--destination=b:c')).toMatchObject({
    status: 1,
    stderr: '--destination: expected host:port, got "b:c"\n',
  });
  const nowhere = drill('--connector=a', '--destination=b:25', `--state.directory=${path.join(folder, 'none')}`);
  expect(nowhere.status).toBe(1);
  expect(nowhere.stderr).toContain('expected the state folder of a running exporter');
});

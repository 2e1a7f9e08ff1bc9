/** The built exporter on real files: what a scraper sees. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { datedAnew } from '../support/dated-anew.js';
import { startExporter, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { errorCounter as errors, series, total } from '../support/scraped.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

async function started(files: readonly string[], stateDirectory: string): Promise<RunningExporter> {
  const exporter = await startExporter({ files, stateDirectory, args: ['--no-probe'] });
  onTestFinished(async () => {
    await exporter.kill9();
  });
  return exporter;
}

const fixtures = path.resolve(import.meta.dirname, '../fixtures/events');

test.each([
  'winlogbeat-8.ndjson',
  'winlogbeat-7.2.ndjson',
  'wevtutil-xml.xml',
  'wevtutil-xml-concatenated.xml',
  'wevtutil-xml-root.xml',
  'get-winevent-toxml-2012r2.xml',
])('%s gives the five events', async (name) => {
  const file = await datedAnew(path.join(fixtures, name), await temporaryFolder(), 1);
  const exporter = await started([file], await temporaryFolder());
  await vi.waitFor(async () => {
    expect([...series(await exporter.scrape(), errors)]).toEqual([
      ['{server="exch01.contoso.local",connector="Outbound to Internet",destination="203.0.113.25:25"}', 1],
      ['{server="exch01.contoso.local",connector="Büro → Außen",destination="[2001:db8:25::1]:25"}', 1],
      ['{server="exch02.contoso.local",connector="Relay, \\"Legacy\\" <DMZ> & Co",destination="10.20.30.40:587"}', 1],
      [
        '{server="exch02.contoso.local",connector="Outbound Proxy External Send Connector",destination="192.0.2.77:25"}',
        1,
      ],
      ['{server="edge01.contoso.example",connector="EdgeSync - Berlin to Internet",destination="198.51.100.9:25"}', 1],
    ]);
  });
});

test('errors older than forgetAfter are never shown, before a restart and after it; page and readiness say so', async () => {
  const folder = await temporaryFolder();
  const state = await temporaryFolder();
  const file = await datedAnew(path.join(fixtures, 'winlogbeat-8.ndjson'), folder, 40);
  for (let start = 1; start <= 2; start++) {
    const exporter = await started([file], state);
    const notice = 'the last error of all 5 destinations with errors is older than destinations.forgetAfter';
    await vi.waitFor(async () => {
      expect(series(await exporter.scrape(), errors)).toEqual(new Map());
      expect((await exporter.page('/')).body).toContain(notice);
      const readiness = await exporter.page('/-/ready');
      expect([readiness.status, readiness.body]).toEqual([200, expect.stringContaining(`note: ${notice}`)]);
    });
    const counted = `source_records_total{source="${file}",outcome="counted"} ${start === 1 ? 5 : 0}\n`;
    expect(await exporter.scrape()).toContain(counted);
    expect(await exporter.stop()).toBe(0);
  }
  const config = path.join(folder, 'config.yml');
  await writeFile(config, 'destinations: { forgetAfter: 60d }\n');
  const patient = await startExporter({
    files: [file],
    stateDirectory: state,
    args: ['--no-probe', `--config.file=${config}`],
  });
  onTestFinished(patient.kill9);
  expect(total(await patient.scrape())).toBe(5);
  expect((await patient.page('/')).body).not.toContain('older than destinations.forgetAfter');
});

test('another provider with the number 2002 counts nothing', async () => {
  const exporter = await started([path.join(fixtures, 'related-events.xml')], await temporaryFolder());
  await vi.waitFor(async () => {
    expect(await exporter.page('/-/ready')).toMatchObject({ status: 200, body: 'ready\n' });
  });
  const page = await exporter.scrape();
  expect(total(page)).toBe(0);
  expect(page).toMatch(/source_records_total\{source=".*related-events\.xml",outcome="ignored"\} [1-9]/);
});

test('every source that cannot be read has a line, a metric and no crash', async () => {
  const folder = await temporaryFolder();
  const names = ['missing.ndjson', 'folder', 'binary', 'empty.ndjson', 'diary.txt'].map((name) =>
    path.join(folder, name),
  );
  const [, emptyFolder = '', binary = '', empty = '', diary = ''] = names;
  await mkdir(emptyFolder);
  await writeFile(binary, createHash('sha512').update('x').digest());
  await writeFile(empty, '');
  await writeFile(diary, 'Dear diary,\nnothing happened.\n');
  const exporter = await started(names, await temporaryFolder());
  await vi.waitFor(async () => {
    const up = series(await exporter.scrape(), 'exchange_exporter_source_up');
    expect(names.map((name) => up.get(`{source="${name}"}`))).toEqual([0, 0, 0, 1, 0]);
    expect(exporter.log()).toContain('no such file or folder');
    expect(exporter.log()).toContain('no files in this folder yet');
    expect(exporter.log()).toContain('binary content');
    expect(exporter.log()).toContain('no known format');
  });
  await appendFile(empty, winlogbeatLine());
  await vi.waitFor(async () => {
    expect(total(await exporter.scrape())).toBe(1);
  });
});

test('kill -9 during appends at 500 events a second, three times: exact, and no scrape lower than one before', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'events.ndjson');
  const state = await temporaryFolder();
  await writeFile(file, '');
  const written = { events: 0, stop: false };
  const writing = keepAppending(file, written);
  const seen = new Map<string, number>();
  let exporter = await started([file], state);
  for (let kills = 0; kills < 3; kills++) {
    for (const end = Date.now() + 1500 + 300 * kills; Date.now() < end;) {
      noteScrape(await exporter.scrape(), seen);
      await pause(50);
    }
    await exporter.kill9();
    await pause(200);
    exporter = await started([file], state);
  }
  written.stop = true;
  await writing;
  expect(written.events).toBeGreaterThan(1500);
  await vi.waitFor(
    async () => {
      const page = await exporter.scrape();
      noteScrape(page, seen);
      expect(total(page)).toBe(written.events);
    },
    { timeout: 10_000 },
  );
  expect(await exporter.stop()).toBe(0);
  const again = await started([file], state);
  expect(total(await again.scrape())).toBe(written.events);
  expect(existsSync(path.join(state, 'ledger.json'))).toBe(true);
  expect(await readFile(path.join(state, 'ledger.json'), 'utf8')).toContain('"version":2');
}, 60_000);

function noteScrape(page: string, seen: Map<string, number>): void {
  for (const [labels, value] of series(page, errors)) {
    expect(value).toBeGreaterThanOrEqual(seen.get(labels) ?? 0);
    seen.set(labels, value);
  }
}

/** About 500 events a second in appends that break off in the middle of lines. */
async function keepAppending(file: string, written: { events: number; stop: boolean }): Promise<void> {
  let rest = '';
  while (!written.stop) {
    let text = rest;
    for (let index = 0; index < 10; index++) {
      const recordId = ++written.events;
      text += winlogbeatLine({ recordId, destination: `203.0.113.${recordId % 23}:25` });
    }
    const cut = text.length - 300;
    await appendFile(file, text.slice(0, cut));
    rest = text.slice(cut);
    await pause(20);
  }
  await appendFile(file, rest);
}

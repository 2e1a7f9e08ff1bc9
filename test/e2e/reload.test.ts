/** The configuration changed under a running exporter: by the file, by a signal, by a request; good and wrong. */
import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startExporter, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { series, total } from '../support/scraped.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

const patience = { timeout: 25_000, interval: 50 };

async function running(yaml: (folder: string) => string) {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'config.yml');
  await writeFile(path.join(folder, 'a.ndjson'), winlogbeatLine({ recordId: 1 }));
  await writeFile(path.join(folder, 'b.ndjson'), winlogbeatLine({ recordId: 2 }));
  await writeFile(file, yaml(folder));
  const exporter = await startExporter({ args: [`--config.file=${file}`, '--no-probe'] });
  onTestFinished(async () => {
    await exporter.stop();
  });
  return { exporter, folder, file };
}

const reading = (...names: string[]) => `sources: [{ type: file, paths: [${names.join(', ')}] }]\n`;
const sourcesOf = async (exporter: RunningExporter) =>
  [...series(await exporter.scrape(), 'exchange_exporter_source_up').keys()].map((key) => /([^/\\]+)"}/.exec(key)?.[1]);
const successful = async (exporter: RunningExporter) =>
  [...series(await exporter.scrape(), 'exchange_exporter_config_last_reload_successful').values()][0];

test('a source added to the file is read, one taken out is not, and what was counted stays', async () => {
  const { exporter, folder, file } = await running(() => reading('a.ndjson'));
  await vi.waitFor(async () => {
    expect(total(await exporter.scrape())).toBe(1);
  }, patience);
  await writeFile(file, reading('b.ndjson'));
  await vi.waitFor(async () => {
    expect(await sourcesOf(exporter)).toEqual(['b.ndjson']);
    expect(total(await exporter.scrape())).toBe(2);
  }, patience);
  await appendFile(path.join(folder, 'a.ndjson'), winlogbeatLine({ recordId: 3 }));
  await writeFile(file, reading('a.ndjson', 'b.ndjson'));
  await vi.waitFor(async () => {
    expect(await sourcesOf(exporter)).toEqual(['a.ndjson', 'b.ndjson']);
    expect(total(await exporter.scrape())).toBe(3);
  }, patience);
});

test('a wrong file keeps the last good configuration; log, metric and request say what is wrong', async () => {
  const { exporter, folder, file } = await running(() => reading('a.ndjson'));
  await writeFile(file, 'sources: [{ type: fiel }]\n');
  await vi.waitFor(async () => {
    expect(await successful(exporter)).toBe(0);
  }, patience);
  expect(exporter.log()).toContain('the last good configuration stays in force');
  const answer = await fetch(new URL('/-/reload', exporter.url), { method: 'POST' });
  expect(answer.status).toBe(500);
  expect(await answer.text()).toContain('config.yml:1');
  await appendFile(path.join(folder, 'a.ndjson'), winlogbeatLine({ recordId: 3 }));
  await vi.waitFor(async () => {
    expect(total(await exporter.scrape())).toBe(2);
  }, patience);
  await writeFile(file, reading('a.ndjson'));
  await vi.waitFor(async () => {
    expect(await successful(exporter)).toBe(1);
  }, patience);
});

test('a SIGHUP in the middle of the start is a reload after it, not the end of the exporter', async () => {
  const { exporter } = await running(() => reading('a.ndjson'));
  process.kill(exporter.pid, 'SIGHUP');
  await vi.waitFor(() => {
    expect(exporter.log()).toContain('the configuration was read again');
  }, patience);
  expect(await exporter.stop()).toBe(0);
});

test('SIGHUP and POST reload; another site may not ask for it; what waits for a start is named', async () => {
  const { exporter, file } = await running(() => reading('a.ndjson'));
  const post = (headers = {}) => fetch(new URL('/-/reload', exporter.url), { method: 'POST', headers });
  expect((await post({ 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
  expect(await (await post()).text()).toBe('reloaded\n');
  const reloads = () => exporter.log().split('the configuration was read again').length - 1;
  const before = reloads();
  process.kill(exporter.pid, 'SIGHUP');
  await vi.waitFor(() => {
    expect(reloads()).toBeGreaterThan(before);
  }, patience);
  await writeFile(file, `${reading('a.ndjson')}destinations: { limit: 7 }\n`);
  await vi.waitFor(() => {
    expect(exporter.log()).toMatch(/take effect after a restart.* settings=destinations\.limit/);
  }, patience);
});

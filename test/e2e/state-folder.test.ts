/** What happens to the state folder under a running exporter is said, costs no count, and mends itself. */
import { appendFile, chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startAddingScraper } from '../support/adding-scraper.js';
import { lines } from '../support/exactness.js';
import { startExporter, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { series, valueOf } from '../support/scraped.js';

const patience = { timeout: 60_000, interval: 200 };
const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

async function world() {
  const home = await temporaryFolder();
  await chmod(home, 0o777);
  const file = path.join(home, 'events.ndjson');
  const state = path.join(home, 'state');
  await mkdir(state);
  if (isRoot) await chown(state, nobody, nobody);
  await writeFile(file, lines(1, 10));
  const now: { exporter?: RunningExporter } = {};
  const scraper = startAddingScraper(async () => (await now.exporter?.scrape()) ?? Promise.reject(new Error('down')));
  onTestFinished(async () => {
    await scraper.stop();
    await now.exporter?.kill9();
  });
  const start = async (): Promise<RunningExporter> => {
    const account = isRoot ? { uid: nobody } : {};
    return (now.exporter = await startExporter({
      files: [file],
      stateDirectory: state,
      args: ['--no-probe'],
      ...account,
    }));
  };
  const shows = (errors: number): Promise<void> =>
    vi.waitFor(() => {
      expect(scraper.shown()).toBe(errors);
    }, patience);
  return { file, state, scraper, start, shows };
}

async function saysThatSavingFails(exporter: RunningExporter): Promise<void> {
  await vi.waitFor(async () => {
    expect(exporter.log()).toMatch(/level=error.*the ledger cannot be saved/);
    const saves = series(await exporter.scrape(), 'exchange_exporter_state_saves_total');
    expect([...saves].find(([key]) => key.includes('failed'))?.[1]).toBeGreaterThan(0);
    expect((await exporter.page('/-/ready')).status).toBe(503);
  }, patience);
}

async function isReady(exporter: RunningExporter): Promise<void> {
  await vi.waitFor(async () => {
    expect((await exporter.page('/-/ready')).status).toBe(200);
  }, patience);
}

test('rm -r of the state folder while nothing is read: said, made again with all counts, locked, and right after kill -9', async () => {
  const { file, state, scraper, start, shows } = await world();
  // The account may make the folder again.
  const exporter = await start();
  await shows(10);
  await rm(state, { recursive: true });
  await vi.waitFor(async () => {
    expect(exporter.log()).toMatch(/level=error.*the saved ledger has vanished/);
    expect(await readFile(path.join(state, 'ledger.json'), 'utf8')).toContain('"version":2');
  }, patience);
  await expect(start()).rejects.toThrow('another exporter');
  await appendFile(file, lines(11, 20));
  await shows(20);
  await isReady(exporter);
  await exporter.kill9();
  await start();
  await appendFile(file, lines(21, 25));
  await shows(25);
  expect(scraper.falls()).toEqual([]);
}, 180_000);

test('a file in place of the state folder: said, nothing shown before it is saved, and mended without a restart', async () => {
  const { file, state, scraper, start, shows } = await world();
  const exporter = await start();
  await shows(10);
  await rm(state, { recursive: true });
  await writeFile(state, 'not a folder');
  await saysThatSavingFails(exporter);
  await appendFile(file, lines(11, 20));
  const failures = () => valueOf(exporter, 'exchange_exporter_state_saves_total', 'failed');
  const before = (await failures()) ?? 0;
  // The second save that begins from now on had all lines before it.
  await vi.waitFor(async () => {
    expect(await failures()).toBeGreaterThan(before + 1);
  }, patience);
  expect(scraper.shown()).toBe(10);
  await rm(state);
  await shows(20);
  await isReady(exporter);
  expect(exporter.log()).toContain('the ledger can be saved again');
  expect(scraper.falls()).toEqual([]);
}, 180_000);

test('the right to write the state folder is taken while nothing is read: said within seconds', async () => {
  const { state, start, shows } = await world();
  const exporter = await start();
  await shows(10);
  await chmod(state, 0o555);
  await saysThatSavingFails(exporter);
  await chmod(state, 0o755);
  await isReady(exporter);
}, 180_000);

/** What can go wrong around the exporter: each is said in the log, in a metric and on the page, and nothing is lost. */
import { spawnSync } from 'node:child_process';
import { appendFile, chmod, chown, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test, vi, type TestContext } from 'vitest';
import { startAddingScraper, type AddingScraper } from '../support/adding-scraper.js';
import { lines } from '../support/exactness.js';
import { startExporter, type ExporterOptions, type RunningExporter } from '../support/exporter.js';
import { loadLedgerFile } from '../../src/ledger/open-saved.js';
import { temporaryFolder } from '../support/folder.js';
import { hasProgram } from '../support/programs.js';
import { series, valueOf } from '../support/scraped.js';

const patience = { timeout: 60_000, interval: 100 };
const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

type World = {
  readonly file: string;
  readonly stateDirectory: string;
  readonly start: (options?: ExporterOptions) => Promise<RunningExporter>;
  readonly scraper: AddingScraper;
  readonly shows: (errors: number) => Promise<void>;
};

async function world(): Promise<World> {
  const home = await temporaryFolder();
  await chmod(home, 0o777);
  const file = path.join(home, 'events.ndjson');
  const stateDirectory = path.join(home, 'state');
  await mkdir(stateDirectory);
  await writeFile(file, lines(1, 10));
  const now: { exporter?: RunningExporter } = {};
  const scraper = startAddingScraper(async () => (await now.exporter?.scrape()) ?? Promise.reject(new Error('down')));
  onTestFinished(async () => {
    await scraper.stop();
    await now.exporter?.kill9();
  });
  return {
    file,
    stateDirectory,
    scraper,
    start: async (options = {}) => {
      await now.exporter?.stop();
      return (now.exporter = await startExporter({ files: [file], stateDirectory, args: ['--no-probe'], ...options }));
    },
    shows: (errors) =>
      vi.waitFor(() => {
        expect(scraper.shown()).toBe(errors);
      }, patience),
  };
}

/** While the ledger cannot be saved: log, metric, page and readiness say so, and the lag shows what waits. */
async function saysThatSavingFails(exporter: RunningExporter, why: string): Promise<void> {
  await vi.waitFor(async () => {
    expect(exporter.log()).toMatch(new RegExp(`level=error.*the ledger cannot be saved.*${why}`));
    expect(await valueOf(exporter, 'exchange_exporter_state_saves_total', 'failed')).toBeGreaterThan(0);
    expect(await valueOf(exporter, 'exchange_exporter_source_lag_bytes')).toBeGreaterThan(0);
    expect(await valueOf(exporter, 'exchange_exporter_source_lag_seconds')).toBeGreaterThan(0);
    expect((await exporter.page('/')).body).toContain('they cannot be saved');
    expect(await exporter.page('/-/ready')).toMatchObject({
      status: 503,
      body: expect.stringContaining(why) as string,
    });
  }, patience);
}

async function failedSaves(exporter: RunningExporter): Promise<number> {
  return (await valueOf(exporter, 'exchange_exporter_state_saves_total', 'failed')) ?? 0;
}

/** Appends, and waits until a save has failed since: while reading waits nobody looks at the file. */
async function appendWhileFailing(exporter: RunningExporter, file: string, text: string): Promise<void> {
  const failed = await failedSaves(exporter);
  await appendFile(file, text);
  await vi.waitFor(async () => {
    expect(await failedSaves(exporter)).toBeGreaterThan(failed);
  }, patience);
}

async function saysThatItSavesAgain(exporter: RunningExporter): Promise<void> {
  await vi.waitFor(async () => {
    expect(exporter.log()).toContain('the ledger can be saved again');
    expect((await exporter.page('/')).body).not.toContain('they cannot be saved');
    expect(await exporter.page('/-/ready')).toMatchObject({
      status: 200,
      body: expect.stringMatching(/^ready$/m) as string,
    });
  }, patience);
}

test('a full disk: reading waits, and goes on by itself when there is room again', async (context) => {
  const { file, stateDirectory, start, scraper, shows } = await world();
  mountSmallDisk(context, stateDirectory);
  const exporter = await start();
  await shows(10);
  const filler = path.join(stateDirectory, 'filler');
  await fillDisk(filler);
  for (let n = 11; n <= 50; n += 10) {
    await appendWhileFailing(exporter, file, lines(n, n + 9));
  }
  await saysThatSavingFails(exporter, 'ENOSPC');
  expect(scraper.shown()).toBe(10);
  await rm(filler);
  await shows(50);
  await saysThatItSavesAgain(exporter);
  // Full again, and killed: after the restart what was not saved is read again.
  await fillDisk(filler);
  await appendWhileFailing(exporter, file, lines(51, 60));
  await exporter.kill9();
  await rm(filler);
  await start();
  await shows(60);
  expect(scraper.falls()).toEqual([]);
}, 240_000);

test('with a full disk a stop does not hang', async (context) => {
  const { file, stateDirectory, start, shows } = await world();
  mountSmallDisk(context, stateDirectory);
  const exporter = await start();
  await shows(10);
  await fillDisk(path.join(stateDirectory, 'filler'));
  await appendFile(file, lines(11, 20));
  await vi.waitFor(() => {
    expect(exporter.log()).toContain('ENOSPC');
  }, patience);
  await appendWhileFailing(exporter, file, lines(21, 30));
  expect(await exporter.stop()).toBe(0);
}, 120_000);

test('a state folder that may not be written', async () => {
  const { file, stateDirectory, start, scraper, shows } = await world();
  if (isRoot) await chown(stateDirectory, nobody, nobody);
  await chmod(stateDirectory, 0o555);
  const exporter = await start(isRoot ? { uid: nobody } : {});
  // One batch is entered before the first save fails, and one waits behind it: the lag is what comes after both.
  for (let n = 11; n <= 50; n += 10) {
    await appendWhileFailing(exporter, file, lines(n, n + 9));
  }
  await saysThatSavingFails(exporter, 'EACCES');
  expect(scraper.shown()).toBe(0);
  await chmod(stateDirectory, 0o755);
  await shows(50);
  await saysThatItSavesAgain(exporter);
  expect(scraper.falls()).toEqual([]);
}, 180_000);

test.each([
  ['cut off', (ledger: string) => truncate(ledger, 200)],
  ['empty', (ledger: string) => truncate(ledger, 0)],
  ['garbage', (ledger: string) => writeFile(ledger, Buffer.from([0, 1, 2, 0xff, 0xfe, 0x7b]))],
  ['of another program', (ledger: string) => writeFile(ledger, '{"version":1,"rows":"none"}')],
])(
  'a state file that is %s is moved aside, and what the logs hold is counted again',
  async (_name, damage) => {
    const { stateDirectory, start } = await world();
    const first = await start();
    await vi.waitFor(async () => {
      expect((await first.page('/-/ready')).status).toBe(200);
    }, patience);
    await first.stop();
    const ledger = path.join(stateDirectory, 'ledger.json');
    await damage(ledger);
    const damaged = await readFile(ledger);
    const second = await start();
    await vi.waitFor(async () => {
      const counts = [...series(await second.scrape(), 'exchange_send_connector_connection_errors_total').values()];
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10);
    }, patience);
    expect(second.log()).toMatch(/level=error.*the saved ledger could not be read.*moved to/);
    expect(await valueOf(second, 'exchange_exporter_state_moved_aside')).toBe(1);
    expect((await second.page('/')).body).toContain('Counting started over');
    const aside = (await readdir(stateDirectory)).find((name) => name.includes('damaged'));
    expect(await readFile(path.join(stateDirectory, aside ?? ''))).toEqual(damaged);
  },
  120_000,
);

test('a state file of a newer version, or of another account, is refused and left as it is', async () => {
  const { stateDirectory, start } = await world();
  const ledger = path.join(stateDirectory, 'ledger.json');
  await writeFile(ledger, '{"version":3}');
  await expect(start()).rejects.toThrow(/ended with 1 .*written by a newer exporter \(version 3/s);
  expect(await readFile(ledger, 'utf8')).toBe('{"version":3}');
  await chmod(ledger, 0);
  if (isRoot) await chown(stateDirectory, nobody, nobody);
  await expect(start(isRoot ? { uid: nobody } : {})).rejects.toThrow(/belong to another account.*--state\.directory/s);
}, 120_000);

test('the clock goes back an hour, then the machine is suspended for a night: counts go on', async () => {
  const { file, start, scraper, shows } = await world();
  const shift = path.join(await temporaryFolder(), 'shift');
  await writeFile(shift, '0');
  const program = pathToFileURL(path.resolve(import.meta.dirname, '../support/shifted-clock.mjs')).href;
  const exporter = await start({ env: { NODE_OPTIONS: `--import ${program}`, CLOCK_SHIFT_FILE: shift } });
  await shows(10);
  for (const [milliseconds, from, direction] of [
    [-3_600_000, 11, 'back'],
    [8 * 3_600_000, 21, 'forward'],
  ] as const) {
    await writeFile(shift, String(milliseconds));
    await vi.waitFor(async () => {
      expect(await valueOf(exporter, 'exchange_exporter_clock_jumps_total', direction)).toBe(1);
    }, patience);
    expect(exporter.log()).toContain('the clock jumped');
    expect((await exporter.page('/')).body).toContain(`went ${direction}`);
    await appendFile(file, lines(from, from + 9));
    await shows(from + 9);
  }
  await start();
  await appendFile(file, lines(31, 40));
  await shows(40);
  expect(scraper.falls()).toEqual([]);
}, 240_000);

test('a clock that is a century ahead for seconds leaves no time of 2126 behind, in no metric and after no restart', async () => {
  const { file, stateDirectory, start, scraper, shows } = await world();
  const shift = path.join(await temporaryFolder(), 'shift');
  await writeFile(shift, '0');
  const program = pathToFileURL(path.resolve(import.meta.dirname, '../support/shifted-clock.mjs')).href;
  const env = { NODE_OPTIONS: `--import ${program}`, CLOCK_SHIFT_FILE: shift };
  const exporter = await start({ env });
  await shows(10);
  const jumped = async (milliseconds: number, direction: string): Promise<void> => {
    await writeFile(shift, String(milliseconds));
    await vi.waitFor(async () => {
      expect(await valueOf(exporter, 'exchange_exporter_clock_jumps_total', direction)).toBe(1);
    }, patience);
  };
  await jumped(100 * 365 * 86_400_000, 'forward');
  await appendFile(file, lines(11, 20));
  await shows(20);
  expect(Math.max(...timesOn(await exporter.scrape()))).toBeGreaterThan(4e9);
  await jumped(0, 'back');
  const latestNow = (): number => Date.now() / 1000 + 5;
  await vi.waitFor(async () => {
    expect(Math.max(...timesOn(await exporter.scrape()))).toBeLessThan(latestNow());
  }, patience);
  await vi.waitFor(async () => {
    const saved = JSON.stringify(await loadLedgerFile(path.join(stateDirectory, 'ledger.json')));
    expect(saved).not.toMatch(/"last\w+At":[4-9]\d{12}/);
  }, patience);
  const again = await start();
  await appendFile(file, lines(21, 30));
  await shows(30);
  expect(Math.max(...timesOn(await again.scrape()))).toBeLessThan(latestNow());
  expect(scraper.falls()).toEqual([]);
}, 240_000);

/** Every time on the page that says when something was, seconds since 1970. */
function timesOn(page: string): number[] {
  const samples = page.split('\n').filter((line) => /^exchange_\w+_timestamp_seconds[ {]/.test(line));
  return samples.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
}

test('a process that stands still goes on where it stood', async () => {
  const { file, start, shows } = await world();
  const exporter = await start();
  await shows(10);
  process.kill(exporter.pid, 'SIGSTOP');
  await appendFile(file, lines(11, 60));
  // Longer than any of its timers.
  await expect(fetch(exporter.url, { signal: AbortSignal.timeout(1500) })).rejects.toThrow('timeout');
  process.kill(exporter.pid, 'SIGCONT');
  await shows(60);
}, 120_000);

/** A disk of 256 KiB for the state. Only root may mount; elsewhere the injected faults of ledger.test.ts have to do. */
function mountSmallDisk(context: TestContext, folder: string): void {
  if (!hasProgram('mount') || !hasProgram('umount')) context.skip();
  const { status, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0777', 'tmpfs', folder]);
  if (error !== undefined || status !== 0) {
    console.warn('SKIPPED: mounting a small disk is not permitted here; see the injected ENOSPC in ledger.test.ts');
    context.skip();
  }
  // Lazily: the exporter may still have it in use.
  onTestFinished(() => {
    expect(spawnSync('umount', ['-l', folder]).status).toBe(0);
  });
}

/** To the last block, and while nothing is saved: a save under way gives blocks back when it replaces the ledger. */
async function fillDisk(file: string): Promise<void> {
  const isSaving = async (): Promise<boolean> =>
    (await readdir(path.dirname(file))).some((name) => name.endsWith('.new'));
  await vi.waitFor(async () => {
    expect(await isSaving()).toBe(false);
    await expect(
      (async () => {
        for (;;) await appendFile(file, Buffer.alloc(4096));
      })(),
    ).rejects.toThrow('ENOSPC');
    const began = await isSaving();
    if (began) await rm(file);
    expect(began).toBe(false);
  }, patience);
}

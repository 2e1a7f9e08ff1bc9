/** The built exporter where the system gives little, does not answer, or kills: all is counted, and it ends in time. */
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { line, lines, playScenario } from '../support/exactness.js';
import { startExporter, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { makeFifo, onPosix, withFifo } from '../support/named-pipe.js';
import { series } from '../support/scraped.js';

async function errorsOf(exporter: RunningExporter): Promise<number> {
  const shown = series(await exporter.scrape(), 'exchange_send_connector_connection_errors_total');
  return [...shown.values()].reduce((sum, value) => sum + value, 0);
}

async function savesOf(exporter: RunningExporter, outcome: 'saved' | 'failed'): Promise<number> {
  const saves = series(await exporter.scrape(), 'exchange_exporter_state_saves_total');
  return [...saves].find(([key]) => key.includes(outcome))?.[1] ?? -1;
}

onPosix(
  '1.5: 10,000 files at 256 descriptors are all counted, scrapes are answered, saves work, also after a restart',
  async () => {
    const home = await temporaryFolder();
    const [folder, stateDirectory] = [path.join(home, 'logs'), path.join(home, 'state')];
    await mkdir(folder);
    const name = (n: number): string => path.join(folder, `events-${n}.ndjson`);
    const count = 10_000;
    for (let n = 1; n <= count; n += 100)
      await Promise.all(Array.from({ length: 100 }, (_, each) => writeFile(name(n + each), line(n + each))));
    const begin = (): Promise<RunningExporter> =>
      startExporter({ files: [folder], stateDirectory, args: ['--no-probe'], under: 'ulimit -n 256' });
    const shows = (exporter: RunningExporter, errors: number): Promise<void> =>
      vi.waitFor(
        async () => {
          expect(await errorsOf(exporter)).toBe(errors);
        },
        { timeout: 240_000, interval: 500 },
      );
    const first = await begin();
    await shows(first, count);
    // Quiet files that were closed go on where they stood.
    for (let n = 1; n <= 50; n++) await appendFile(name(n * 199), line(count + n));
    await shows(first, count + 50);
    expect(await savesOf(first, 'failed')).toBe(0);
    expect(await savesOf(first, 'saved')).toBeGreaterThan(0);
    expect(first.log()).not.toMatch(/EMFILE|too many open/);
    await first.kill9();
    const second = await begin();
    onTestFinished(() => second.kill9());
    await shows(second, count + 50);
    await appendFile(name(7), line(count + 51));
    await shows(second, count + 51);
  },
  600_000,
);

withFifo(
  '1.4: SIGTERM ends the process within ten seconds while an operation of the system hangs for good',
  async () => {
    const home = await temporaryFolder();
    const pipe = makeFifo(path.join(home, 'pipe'));
    const [dead, alive] = [path.join(home, 'dead.ndjson'), path.join(home, 'alive.ndjson')];
    await writeFile(dead, lines(1, 5));
    await writeFile(alive, lines(11, 15));
    const preload = pathToFileURL(path.resolve(import.meta.dirname, '../support/hanging-open.mjs')).href;
    const exporter = await startExporter({
      files: [dead, alive],
      args: ['--no-probe'],
      env: { NODE_OPTIONS: `--import ${preload}`, HANGING_PIPE: pipe },
    });
    await vi.waitFor(
      async () => {
        expect(await errorsOf(exporter)).toBe(5);
        expect((await exporter.page('/-/ready')).body).toContain('dead.ndjson: the file system does not answer');
      },
      { timeout: 60_000, interval: 200 },
    );
    const begun = performance.now();
    // Killed by itself: no code, but the end that managers of services see as one that was not clean.
    expect(await exporter.stop()).toBeNull();
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(exporter.log()).toMatch(/forced exit.*file operations that do not return/);
  },
  120_000,
);

test('3: kill -9 in the middle of quick rotations of a single path, twenty times: each event once', async () => {
  await playScenario(async ({ file, start, kill9, shows }) => {
    await writeFile(file, lines(1, 10));
    await start([file]);
    // Whatever stands beside a file when it is first read is not touched: that first read must have been.
    await shows(10);
    const writing = { done: false };
    let last = 10;
    const writer = (async () => {
      for (let turn = 1; !writing.done; turn++) {
        await appendFile(file, lines(last + 1, last + 5));
        last += 5;
        if (turn % 4 === 0) {
          await rename(file, `${file}.${String(turn).padStart(6, '0')}`);
          await writeFile(file, '');
        }
        await pause(60);
      }
    })();
    for (let kill = 1; kill <= 20; kill++) {
      await pause(40 + ((kill * 37) % 160));
      await kill9();
      await start([file]);
    }
    writing.done = true;
    await writer;
    return last;
  });
}, 300_000);

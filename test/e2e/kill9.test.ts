/**
 * Kills the exporter at random moments while events are appended: in the end the count is exact, and no scrape was lower
 * than one before. `npm run bench -- kill9` runs it a hundred times as long.
 */
import { appendFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startAddingScraper } from '../support/adding-scraper.js';
import { lines } from '../support/exactness.js';
import { startExporter, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { liveOn } from '../support/lives.js';
import { total } from '../support/scraped.js';

const kills = Number(process.env.KILLS ?? 4);
const events = Number(process.env.EVENTS ?? 1_200);

test(
  `kill -9 ${kills} times at random moments during ${events} appended events`,
  { timeout: 60_000 + kills * 20_000 },
  async () => {
    const folder = await temporaryFolder();
    const stateDirectory = await temporaryFolder();
    const progress = { kills: 0, written: 0 };
    const running: { exporter?: RunningExporter | undefined } = {};
    const scraper = startAddingScraper(
      async () => (await running.exporter?.scrape()) ?? Promise.reject(new Error('down')),
      20,
    );
    onTestFinished(async () => {
      await scraper.stop();
      await running.exporter?.kill9();
    });
    const start = async (): Promise<void> => {
      running.exporter = await startExporter({ files: [folder], stateDirectory, args: ['--no-probe'] });
    };
    const writing = keepWriting(path.join(folder, 'events.ndjson'), progress);
    const writtenAtKills: number[] = [];
    let livesThatGotOn = 0;
    while (progress.kills < kills) {
      await start();
      if (await liveOn(progress.kills, scraper.shown)) livesThatGotOn++;
      const { exporter } = running;
      running.exporter = undefined;
      await exporter?.kill9();
      progress.kills++;
      writtenAtKills.push(progress.written);
    }
    await writing;
    await start();
    await vi.waitFor(
      () => {
        expect(scraper.shown()).toBe(events);
      },
      { timeout: 50_000, interval: 50 },
    );
    await running.exporter?.stop();
    await start();
    expect(total((await running.exporter?.scrape()) ?? '')).toBe(events);
    expect(scraper.falls()).toEqual([]);
    const during = writtenAtKills.filter((written) => written < events).length;
    console.info(
      `${kills} kills, ${during} of them while events were still coming, ${livesThatGotOn} after more was shown: ${scraper.shown()} of ${events} shown`,
    );
    expect(livesThatGotOn).toBeGreaterThanOrEqual(Math.floor(kills / 2));
    expect(during).toBeGreaterThanOrEqual(Math.floor(kills / 2));
  },
);

/** Writes in torn pieces all along the kills, and renames the file now and then. */
async function keepWriting(file: string, progress: { kills: number; written: number }): Promise<void> {
  await writeFile(file, '');
  let rest = '';
  let files = 0;
  while (progress.written < events) {
    const share = Math.ceil((events * (progress.kills + 1)) / kills);
    const more = Math.min(Math.ceil(events / kills / 40), Math.min(share, events) - progress.written);
    if (more > 0) {
      const text = rest + lines(progress.written + 1, progress.written + more);
      const cut = Math.floor(text.length * Math.random());
      await appendFile(file, text.slice(0, cut));
      rest = text.slice(cut);
      progress.written += more;
    }
    if (Math.random() < 0.005) {
      await appendFile(file, rest);
      rest = '';
      await rename(file, `${file}.${++files}`);
      await writeFile(file, '');
    }
    await pause(Math.random() * 40);
  }
  await appendFile(file, rest);
}

/**
 * Kills the exporter at random moments while four servers write all that it reads, at once: in the end each series is exact,
 * and no scrape was lower than one before. `npm run bench -- kills` runs it with a hundred kills.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { seriesOf, startAddingScraper } from '../support/adding-scraper.js';
import { silentConnector } from '../support/exchange-logs.js';
import { startExporter, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { counters, startFourServers } from '../support/four-servers.js';
import { liveOn } from '../support/lives.js';

const kills = Number(process.env.KILLS ?? 5);
const events = Number(process.env.EVENTS ?? 1_500);
const scrapeEveryMs = 20;
/** Between two kills, as a rule. */
const stepsOfLife = 40;
const stepMs = 20;

test(
  `kill -9 ${kills} times while four servers write event logs, binary logs and transport logs`,
  { timeout: 60_000 + kills * 20_000 },
  async () => {
    const folder = await temporaryFolder();
    const stateDirectory = await temporaryFolder();
    const servers = await startFourServers(folder, { events, sessions: events / 20, steps: kills * stepsOfLife });
    const running: { exporter?: RunningExporter | undefined; killed: number } = { killed: 0 };
    const scrape = async (): Promise<string> => (await running.exporter?.scrape()) ?? Promise.reject(new Error('down'));
    const scraper = startAddingScraper(scrape, scrapeEveryMs, counters);
    onTestFinished(async () => {
      await scraper.stop();
      await running.exporter?.kill9();
      servers.close();
    });
    const start = async (): Promise<void> => {
      running.exporter = await startExporter({ stateDirectory, args: servers.args });
    };
    const kill = async (): Promise<void> => {
      const { exporter } = running;
      running.exporter = undefined;
      await exporter?.kill9();
      running.killed++;
    };
    const state = { isOver: false, killsMeanwhile: 0, livesThatGotOn: 0 };
    const writing = (async () => {
      while (await servers.step((running.killed + 1) / kills)) await pause(Math.random() * 2 * stepMs);
      state.isOver = true;
    })();
    while (running.killed < kills) {
      await start();
      if (await liveOn(running.killed, scraper.shown)) state.livesThatGotOn++;
      await kill();
      if (!state.isOver) state.killsMeanwhile++;
    }
    await writing;
    await start();
    const showsAll = (
      values: () => ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>>,
    ): Promise<void> =>
      vi.waitFor(
        async () => {
          expect(differences(await values(), servers.truth())).toEqual([]);
        },
        { timeout: 50_000, interval: 100 },
      );
    await showsAll(async () => seriesOf(await scrape(), counters));
    await showsAll(() => scraper.shownOf());
    // Whatever was read twice would show by now or after the restart.
    await running.exporter?.stop();
    await start();
    await showsAll(async () => seriesOf(await scrape(), counters));
    expect(scraper.falls().filter((fall) => !isMerelyExpected(fall))).toEqual([]);
    console.info(
      `${kills} kills, ${state.killsMeanwhile} of them while the servers were writing, ${state.livesThatGotOn} after more was shown: ${servers.truth().size} series of ` +
        `${servers.written()} records and two transport logs are exact, no scrape of ${scraper.scrapes()} was lower`,
    );
    expect(state.livesThatGotOn).toBeGreaterThanOrEqual(Math.floor(kills / 2));
    expect(state.killsMeanwhile).toBeGreaterThanOrEqual(Math.floor(kills / 2));
  },
);

/** What the inventory alone knows stands at zero and is not saved: after a start it comes when the servers are known. */
function isMerelyExpected(fall: string): boolean {
  return fall.includes(`connector="${silentConnector.name}",destination="other"`) && fall.endsWith(' is gone');
}

/** Series that are not as they should be; those that are zero are not there. */
function differences(shown: ReadonlyMap<string, number>, truth: ReadonlyMap<string, number>): string[] {
  const series = new Set([...shown.keys(), ...truth.keys()]);
  return [...series]
    .filter((each) => (shown.get(each) ?? 0) !== (truth.get(each) ?? 0))
    .map((each) => `${each}: ${shown.get(each)} shown, ${truth.get(each)} written`)
    .slice(0, 20);
}

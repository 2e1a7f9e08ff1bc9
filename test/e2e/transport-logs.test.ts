/**
 * The built exporter on both transport logs, written as Exchange writes them while it is killed again and again: every
 * attempt and failure counts once.
 *
 * `SESSIONS=10000 KILLS=40 npx vitest run test/e2e/transport-logs.test.ts` runs it in full size.
 */
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { filesIn, randomOf, silentConnector, simulate } from '../support/exchange-logs.js';
import { startExporter, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';

const sessions = Number(process.env.SESSIONS ?? 600);
const kills = Number(process.env.KILLS ?? 5);
const seeds = process.env.SEED === undefined ? [1, 2] : [Number(process.env.SEED)];

/** Attempts and failures as scraped, in the form of the simulator's truth. */
function counted(page: string): Record<string, number> {
  const counts: Record<string, number> = {};
  const pattern = /^exchange_send_connector_connection_(attempts|failures)_total\{(.*)\} (\d+)$/gm;
  for (const [, kind = '', labels = '', value = ''] of page.matchAll(pattern)) {
    const label = (name: string): string =>
      (new RegExp(`${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(labels)?.[1] ?? '').replaceAll('\\"', '"');
    const what = kind === 'attempts' ? 'attempts' : label('reason');
    if (value !== '0') counts[`${label('connector')} | ${label('destination')} | ${what}`] = Number(value);
  }
  return counts;
}

test.each(seeds)(
  'each attempt and each failure counts once, through kill -9, rotation and late flushes (seed %i)',
  { timeout: 120_000 + sessions * 100 },
  async (seed) => {
    const folder = await temporaryFolder();
    const stateDirectory = path.join(folder, 'state');
    const random = randomOf(seed + 1000);
    const simulator = simulate({ folder, seed, sessions, hourly: seed % 2 === 0 });
    const inventory = [
      { Name: silentConnector.name, Guid: silentConnector.guid, Enabled: true, DNSRoutingEnabled: true },
    ];
    await writeFile(path.join(folder, 'connectors.json'), JSON.stringify(inventory));
    const config = [
      'sources:',
      `  - { type: file, server: EXCH01, paths: ["${simulator.sendFolder}", "${simulator.connectivityFolder}"] }`,
      `inventory: { file: "${path.join(folder, 'connectors.json')}" }`,
    ];
    await writeFile(path.join(folder, 'config.yml'), config.join('\n'));
    const start = (): Promise<RunningExporter> =>
      startExporter({ stateDirectory, args: [`--config.file=${path.join(folder, 'config.yml')}`, '--no-probe'] });
    const running = { exporter: await start() };
    onTestFinished(() => running.exporter.kill9());
    const settled = async (): Promise<void> => {
      await vi.waitFor(
        async () => {
          expect(await running.exporter.page('/-/ready')).toMatchObject({ status: 200 });
          expect(await running.exporter.scrape()).not.toMatch(/^exchange_exporter_source_lag_bytes\{.*\} [1-9]\d{3}/m);
        },
        { timeout: 60_000 },
      );
    };

    /** Two saves later all that was read by now is saved; what goes on meanwhile makes the saves come. */
    const savedTwice = async (): Promise<void> => {
      const saves = async (): Promise<number> => {
        const page = await running.exporter.scrape();
        return Number(/^exchange_exporter_state_saves_total\{outcome="saved"\} (\d+)$/m.exec(page)?.[1]);
      };
      const wanted = (await saves()) + 2;
      await vi.waitFor(
        async () => {
          simulator.step(20);
          expect(await saves()).toBeGreaterThanOrEqual(wanted);
        },
        { timeout: 60_000, interval: 200 },
      );
    };
    const rowsAtOnce = Math.max(20, Math.floor((sessions * 20) / (kills * 12)));
    let killed = 0;
    for (let steps = 1; simulator.step(rowsAtOnce); steps++) {
      await pause(random() * 120);
      if (steps % 12 !== 0 || killed >= kills) continue;
      await running.exporter.kill9();
      killed++;
      // What is deleted by age has been there for days: everything but the latest files was read long ago.
      for (let down = 0; down < 3; down++) simulator.step(rowsAtOnce);
      running.exporter = await start();
      if (random() < 0.5) {
        const old = simulator.oldest(2);
        await settled();
        await savedTwice();
        for (const file of old) await rm(file);
      }
    }
    expect(killed).toBeGreaterThan(0);
    await vi
      .waitFor(
        async () => {
          expect(counted(await running.exporter.scrape())).toEqual(simulator.truth());
        },
        { timeout: 90_000, interval: 500 },
      )
      .catch((error: unknown) => {
        console.error(running.exporter.log(), filesIn(simulator.sendFolder), filesIn(simulator.connectivityFolder));
        throw error;
      });
    await settled();
    expect(counted(await running.exporter.scrape())).toEqual(simulator.truth());
  },
);

/** Reloads: what is taken over, what waits for a restart, and that a wrong configuration leaves the last good one. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loadConfig, type Config, type Loaded } from '../../src/config/config.js';
import { createReloader, type ReloadOptions } from '../../src/config/reload.js';
import { temporaryFolder } from '../support/folder.js';
import { keepingLog } from '../support/log-double.js';

type World = {
  readonly write: (yaml: string) => Promise<void>;
  readonly applied: Config[];
  readonly log: ReturnType<typeof keepingLog>;
  readonly clock: { now: number };
  readonly reloader: ReturnType<typeof createReloader>;
};

/** @param more in place of what the exporter has: no file is watched unless it is named */
async function world(yaml: string, more: Partial<ReloadOptions> = {}): Promise<World> {
  const file = path.join(await temporaryFolder(), 'config.yml');
  const write = (text: string): Promise<void> => writeFile(file, text);
  await write(yaml);
  const load = (): Promise<Loaded> => loadConfig({ file }, { platform: 'linux', env: { STATE_DIRECTORY: '/state' } });
  const started = await load();
  if (!started.ok) throw new Error(started.mistakes.join('\n'));
  const [applied, log, clock] = [[] as Config[], keepingLog(), { now: 1_000 }];
  const reloader = createReloader({
    file: undefined,
    load,
    started: started.config,
    apply: (config) => Promise.resolve(void applied.push(config)),
    reloadAccess: () => Promise.resolve(undefined),
    now: () => clock.now,
    log,
    ...more,
  });
  onTestFinished(() => reloader.close());
  return { write, applied, log, clock, reloader };
}

const interval = (text: string): string => `probe: { interval: ${text} }\n`;

test('the start counts as a success; a changed file is applied, an unchanged one is not', async () => {
  const { write, applied, clock, reloader } = await world(interval('30s'));
  expect(reloader.status()).toEqual({ successful: true, successAt: 1_000, waiting: [] });
  clock.now = 2_000;
  expect(await reloader.reload()).toEqual({ successful: true, successAt: 2_000, waiting: [] });
  expect(applied).toEqual([]);
  await write(interval('1m'));
  await reloader.reload();
  expect(applied.map(({ probe }) => probe.interval)).toEqual([60_000]);
});

test('a reload during the start waits until what the start opens is open', async () => {
  const order: string[] = [];
  let opened = (): void => undefined;
  const opening = new Promise<void>((resolve) => (opened = resolve));
  const { write, reloader } = await world(interval('30s'), {
    apply: async ({ probe }) => {
      order.push(`begins ${probe.interval}`);
      await opening;
      order.push(`ends ${probe.interval}`);
    },
  });
  const begun = reloader.begin();
  await write(interval('1m'));
  const reloaded = reloader.reload();
  opened();
  await Promise.all([begun, reloaded]);
  expect(order).toEqual(['begins 30000', 'ends 30000', 'begins 60000', 'ends 60000']);
});

test('a start that fails says so to whoever starts, and a reload after it tries anew', async () => {
  const apply = vi.fn().mockRejectedValueOnce(new Error('no such folder')).mockResolvedValueOnce(undefined);
  const { write, reloader } = await world(interval('30s'), { apply });
  await expect(reloader.begin()).rejects.toThrow('no such folder');
  await write(interval('1m'));
  expect(await reloader.reload()).toMatchObject({ successful: true });
});

test('a wrong file leaves the last good one in force, is said once, and what was changed back is not applied anew', async () => {
  const { write, applied, log, clock, reloader } = await world(interval('30s'));
  await write(interval('soon'));
  clock.now = 9_000;
  const failed = await reloader.reload();
  await reloader.reload();
  expect(failed).toMatchObject({ successful: false, successAt: 1_000 });
  expect(failed.problem).toMatch(/config\.yml:1: probe\.interval: expected a duration .* got "soon"$/);
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  await write(interval('30s'));
  expect(await reloader.reload()).toEqual({ successful: true, successAt: 9_000, waiting: [] });
  expect(applied).toEqual([]);
});

test('what is wrong with the web configuration fails the reload too, and nothing is applied', async () => {
  const { write, applied, reloader } = await world(interval('30s'), {
    reloadAccess: () => Promise.resolve('web.yml:1: users: expected a mapping'),
  });
  await write(interval('1m'));
  expect(await reloader.reload()).toMatchObject({
    successful: false,
    problem: 'web.yml:1: users: expected a mapping',
  });
  expect(applied).toEqual([]);
});

test('what cannot be applied is tried again with the next reload', async () => {
  const apply = vi.fn<(config: Config) => Promise<void>>().mockRejectedValueOnce(new Error('no such authority'));
  const { write, reloader } = await world(interval('30s'), { apply });
  await write(interval('1m'));
  expect(await reloader.reload()).toMatchObject({ successful: false, problem: 'no such authority' });
  expect(await reloader.reload()).toMatchObject({ successful: true });
  expect(apply).toHaveBeenCalledTimes(2);
});

test('settings of the start only are named for as long as they differ from those it started with', async () => {
  const { write, log, reloader } = await world('');
  await write('state: { directory: /other }\nweb: { telemetryPath: /m }\ndestinations: { limit: 7 }\n');
  const waiting = ['state.directory', 'destinations.limit', 'web.telemetryPath'];
  expect((await reloader.reload()).waiting).toEqual(waiting);
  expect((await reloader.reload()).waiting).toEqual(waiting);
  expect(log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields.settings)).toContain(
    waiting.join(),
  );
  await write('');
  expect((await reloader.reload()).waiting).toEqual([]);
});

test('reloads go one after the other, and a close waits for the one that runs', async () => {
  const order: string[] = [];
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const { write, reloader } = await world(interval('30s'), {
    apply: async ({ probe }) => {
      order.push(`from ${probe.interval}`);
      await held;
      order.push(`to ${probe.interval}`);
    },
  });
  await write(interval('1m'));
  const first = reloader.reload();
  await vi.waitFor(() => {
    expect(order).toEqual(['from 60000']);
  });
  await write(interval('2m'));
  const second = reloader.reload();
  const closed = reloader.close().then(() => order.push('closed'));
  release();
  await Promise.all([first, second, closed]);
  expect(order).toEqual(['from 60000', 'to 60000', 'from 120000', 'to 120000', 'closed']);
});

test('a file that is named is watched', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'watched.yml');
  await writeFile(file, '');
  const load = (): Promise<Loaded> => loadConfig({ file }, { platform: 'linux', env: { STATE_DIRECTORY: '/state' } });
  const { applied } = await world('', { file, load });
  let attempt = 0;
  await vi.waitFor(
    async () => {
      // The watch has a look before the first change counts.
      await writeFile(file, interval(`${60 + attempt++}s`));
      expect(applied.length).toBeGreaterThan(0);
    },
    { timeout: 10_000, interval: 300 },
  );
});

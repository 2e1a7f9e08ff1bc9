/**
 * Births, bursts, restarts and rotations as the real Prometheus sees them: what it adds up is what was written.
 *
 * How the comparison is exact: all stored samples are read back and added up as `increase()` does without its
 * extrapolation: the differences between neighbours, where a fall counts the whole value again. Each series must begin
 * at zero and never fall, so the sum is the number of events written, to the event. `increase()` itself is the same
 * number when it is asked at the very time of the last sample, over a range that begins before the first: it then has
 * nothing to extrapolate, for at the one end no time is left and at the other a counter cannot have been below zero.
 * At any other time it may add up to 1.1 mean intervals for the piece of the range after the last sample.
 *
 * `SCHEDULES=200 npx vitest run test/e2e/births.test.ts` runs as many, ten at a time.
 */
import { once } from 'node:events';
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startExporter, type RunningExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';
import { startPrometheus, type Prometheus, type Series, type Target } from './prometheus.js';

const errors = 'exchange_send_connector_connection_errors_total';
const sideBySide = 10;
const batches = Math.ceil(Number(process.env.SCHEDULES ?? sideBySide) / sideBySide);
const scheduleMs = 16_000;
/** A ledger that shows new series at once, in place of the built one. */
const shownAtOnce = {
  NODE_OPTIONS: `--import ${new URL('../support/births-shown-at-once.mjs', import.meta.url).href}`,
};

/** A log and what was written to it: events by connector and destination. */
type Log = { readonly folder: string; readonly written: Map<string, number>; records: number; rotations: number };

/** One exporter that reads a log. */
type World = Target & {
  readonly random: () => number;
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  exporter: RunningExporter | undefined;
};

test.for(Array.from({ length: batches }, (_, batch) => batch))(
  'ten schedules side by side (batch %i): Prometheus adds up what was written; without the hold it loses the births',
  { timeout: 240_000 },
  async (batch, context) => {
    const seeds = Array.from({ length: sideBySide }, (_, index) => batch * sideBySide + index + 1);
    const worlds = await Promise.all(seeds.map((seed) => createWorld(seed)));
    // The same logs, read by an exporter that shows new series at once.
    const controls = await Promise.all(worlds.slice(0, 2).map((world) => createWorld(0, world)));
    const all = [...worlds, ...controls];
    const prometheus = await startPrometheus(context, await temporaryFolder(), all);
    await Promise.all(all.map(start));
    await Promise.all(worlds.map(live));
    await vi.waitFor(
      async () => {
        const series = await prometheus.samples(errors);
        for (const world of all) expect(lastValues(series, world), world.instance).toEqual(sorted(world.log.written));
      },
      { timeout: 120_000, interval: 2000 },
    );
    const series = await prometheus.samples(errors);
    for (const world of worlds) await expectExact(prometheus, world, seriesOf(series, world));
    for (const world of controls) await expectLoss(prometheus, world, seriesOf(series, world));
  },
);

async function expectExact(prometheus: Prometheus, world: World, series: readonly Series[]): Promise<void> {
  for (const { samples, labels } of series) {
    expect(samples[0]?.[1], `${world.instance} ${nameOf(labels)} begins at zero`).toBe(0);
    expect(falls(samples), `${world.instance} ${nameOf(labels)} never falls`).toEqual([]);
  }
  const byName = new Map(series.map(({ labels, samples }) => [nameOf(labels), addedUp(samples)]));
  expect(sorted(byName), world.instance).toEqual(sorted(world.log.written));
  const last = Math.max(...series.map(({ samples }) => samples.at(-1)?.[0] ?? 0));
  const increase = `sum(increase(${errors}{instance="${world.instance}"}[1h]))`;
  expect(await prometheus.valueAt(increase, last), world.instance).toBe(world.log.records);
  const later = await prometheus.valueAt(increase, last + 0.5);
  expect(later).toBeGreaterThanOrEqual(world.log.records);
  const most = series.reduce((sum, { samples }) => sum + addedUp(samples) * (1 + 1.1 / (samples.length - 1)), 0);
  expect(later).toBeLessThanOrEqual(most);
}

/** The negative control: each series begins with events already in it, and just these are lost to `increase()`. */
async function expectLoss(prometheus: Prometheus, world: World, series: readonly Series[]): Promise<void> {
  const born = series.map(({ samples }) => samples[0]?.[1] ?? 0);
  expect(Math.min(...born), world.instance).toBeGreaterThan(0);
  const lost = born.reduce((sum, value) => sum + value, 0);
  const seen = series.reduce((sum, { samples }) => sum + addedUp(samples), 0);
  expect(seen, world.instance).toBe(world.log.records - lost);
  const last = Math.max(...series.map(({ samples }) => samples.at(-1)?.[0] ?? 0));
  const increase = `sum(increase(${errors}{instance="${world.instance}"}[1h]))`;
  // Prometheus guesses a part of it back: it takes a counter to have begun at zero half an interval before.
  expect(await prometheus.valueAt(increase, last)).toBeLessThan(world.log.records);
}

type Samples = Series['samples'];

/** What `increase()` adds up before it extrapolates. */
function addedUp(samples: Samples): number {
  return samples.slice(1).reduce((sum, [, value], index) => {
    const before = samples[index]?.[1] ?? 0;
    return sum + (value < before ? value : value - before);
  }, 0);
}

function falls(samples: Samples): Samples {
  return samples.filter(([, value], index) => value < (samples[index - 1]?.[1] ?? 0));
}

function seriesOf(series: readonly Series[], { instance }: Target): Series[] {
  return series.filter(({ labels }) => labels.instance === instance);
}

function lastValues(series: readonly Series[], world: Target): unknown {
  return sorted(new Map(seriesOf(series, world).map((each) => [nameOf(each.labels), each.samples.at(-1)?.[1] ?? -1])));
}

function nameOf({ connector = '', destination = '' }: Series['labels']): string {
  return `${connector} ${destination}`;
}

function sorted(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

// ------------------------------------------------------------------------------------------------- schedules

async function createWorld(seed: number, shared?: World): Promise<World> {
  const log = shared?.log ?? { folder: await temporaryFolder(), written: new Map(), records: 0, rotations: 0 };
  if (!shared) await writeFile(path.join(log.folder, 'events.ndjson'), '');
  return {
    instance: shared ? `${shared.instance} without hold` : `schedule ${seed}`,
    address: await freeAddress(),
    random: randomOf(seed),
    state: await temporaryFolder(),
    env: shared ? shownAtOnce : {},
    log,
    exporter: undefined,
  };
}

/** An address of its own: nobody else can take the port while the exporter is down. */
async function freeAddress(): Promise<string> {
  const host = `127.77.${Math.floor(Math.random() * 254)}.${1 + Math.floor(Math.random() * 253)}`;
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `${host}:${port}`;
}

async function start(world: World): Promise<void> {
  const { env, state: stateDirectory } = world;
  const args = ['--no-probe', `--web.listen-address=${world.address}`];
  const files = [path.join(world.log.folder, 'events*.ndjson')];
  const exporter = await startExporter({ files, args, stateDirectory, env });
  world.exporter = exporter;
  onTestFinished(() => exporter.kill9());
}

/** Steps at random until time is up. */
async function live(world: World): Promise<void> {
  for (const end = Date.now() + scheduleMs; Date.now() < end;) {
    const dice = world.random();
    if (dice < 0.4) await birth(world);
    else if (dice < 0.7) await burst(world);
    else if (dice < 0.82) await rotate(world);
    else if (dice < 0.89) await restart(world, 'SIGTERM');
    else if (dice < 0.96) await restart(world, 'SIGKILL');
    await pause(20 + world.random() * 900);
  }
}

function birth(world: World): Promise<void> {
  const connector = `Outbound ${Math.floor(world.random() * 4)}`;
  const destination = `203.0.113.${world.log.written.size + 1}:25`;
  return write(world, [[connector, destination, 1 + Math.floor(world.random() * 4)]]);
}

function burst(world: World): Promise<void> {
  const names = [...world.log.written.keys()];
  const chosen = Array.from({ length: 1 + Math.floor(world.random() * 3) }, () => pick(world, names));
  return write(
    world,
    chosen.flatMap((name): Line[] => {
      if (name === undefined) return [];
      const cut = name.lastIndexOf(' ');
      return [[name.slice(0, cut), name.slice(cut + 1), 1 + Math.floor(world.random() * 20)]];
    }),
  );
}

type Line = readonly [connector: string, destination: string, events: number];

async function write(world: World, wanted: readonly Line[], file = 'events.ndjson'): Promise<void> {
  let text = '';
  for (const [connector, destination, events] of wanted) {
    for (let event = 0; event < events; event++)
      text += winlogbeatLine({ recordId: ++world.log.records, connector, destination });
    const name = `${connector} ${destination}`;
    world.log.written.set(name, (world.log.written.get(name) ?? 0) + events);
  }
  await appendFile(path.join(world.log.folder, file), text);
}

/** The log is renamed; a late line may still come to it under its old name. */
async function rotate(world: World): Promise<void> {
  const old = `events-${++world.log.rotations}.ndjson`;
  await rename(path.join(world.log.folder, 'events.ndjson'), path.join(world.log.folder, old));
  await writeFile(path.join(world.log.folder, 'events.ndjson'), '');
  await birth(world);
  if (world.random() < 0.5) await write(world, [['Late', '203.0.113.1:25', 1]], old);
}

/** Something is written right before the end, and while the exporter is down. */
async function restart(world: World, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  await birth(world);
  await pause(world.random() * 300);
  if (signal === 'SIGKILL') await world.exporter?.kill9();
  else expect(await world.exporter?.stop(), `${world.instance} stops cleanly`).toBe(0);
  if (world.random() < 0.7) await birth(world);
  if (world.random() < 0.7) await burst(world);
  if (world.random() < 0.3) await rotate(world);
  await pause(world.random() * 1500);
  await start(world);
}

function pick<T>(world: World, list: readonly T[]): T | undefined {
  return list[Math.floor(world.random() * list.length)];
}

/** The same numbers for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

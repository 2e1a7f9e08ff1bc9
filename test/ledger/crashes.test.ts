/** The ledger as a crash finds it: whenever it comes, the file holds a place in the log and all that was counted up to there. */
import fc from 'fast-check';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { serverLabelOf } from '../../src/model/label.js';
import { openLedger, type Ledger } from '../../src/ledger/ledger.js';
import type { SavedLedger } from '../../src/ledger/saved.js';
import type { Evidence } from '../../src/model/evidence.js';
import { temporaryFolder } from '../support/folder.js';
import {
  batch,
  createModel,
  createPrometheus,
  evidenceOf,
  kinds,
  now,
  pair,
  settled,
  totals,
  type Kind,
} from '../support/named-servers.js';
import { savedIn } from '../support/saved-state.js';

/** When a record comes: between two saves, or within one. */
const moments = ['at once', 'before the snapshot', 'while it is written', 'before the rename', 'after it'] as const;
type Moment = (typeof moments)[number];
type Told = { readonly server: string; readonly kind: Kind; readonly evidence: Evidence };
type Coming = { readonly name: string; readonly kind: Kind; readonly moment: Moment };
type Step = Coming | 'first scrapes' | 'second scrapes' | 'save' | 'kill';

/** One log that is read again from the saved place after each crash; `setting` is the name in the settings of its source. */
function createWorld(setting: string) {
  /** All that was read, in order; after a crash the part that no file holds is read again. */
  const log: Told[] = [];
  const coming = new Map<Moment, Told[]>(moments.map((moment) => [moment, []]));
  const files: Disk[] = [];
  let disk: Disk = new Map();
  let file = '';
  let ledger: Ledger;
  let life: { over: boolean } = { over: false };

  const read = (told: Told): void => {
    log.push(told);
    const place = { length: 4, hash: 'abcd' };
    const names = { source: 'log', path: '/log', inode: '1:2', head: place, tail: place, history: false };
    void ledger.post(batch([told.evidence], { checkpoint: { ...names, offset: log.length } }));
  };
  const comes = (moment: Moment): void => {
    for (const told of coming.get(moment)!.splice(0)) read(told);
  };
  const start = async (): Promise<void> => {
    const directory = await temporaryFolder();
    file = path.join(directory, 'ledger.json');
    await writeDisk(directory, disk);
    const mine: { over: boolean } = { over: false };
    life = mine;
    const ifAlive = (moment: Moment): void => {
      if (!mine.over) comes(moment);
    };
    const isDone = async (): Promise<void> => {
      const written = await readDisk(directory);
      if (!mine.over) files.push((disk = written));
      ifAlive('after it');
    };
    const operations = {
      open: async (name: string, flags: string | number, ...rest: [number]) => {
        const isAppended = typeof flags === 'number';
        if (isAppended || name.endsWith('.new')) ifAlive('while it is written');
        const handle = await fs.open(name, flags, ...rest);
        if (!isAppended) return handle;
        const sync = handle.sync.bind(handle);
        return Object.assign(handle, {
          sync: async () => {
            ifAlive('before the rename');
            await sync();
            await isDone();
          },
        });
      },
      rename: async (from: string, to: string) => {
        ifAlive('before the rename');
        await fs.rename(from, to);
        await isDone();
      },
    } as typeof fs;
    const onFolderLost = (): void => {
      ifAlive('before the snapshot');
    };
    ledger = await openLedger({ directory, now: () => now, operations, onFolderLost });
    const opened = ledger;
    onTestFinished(() => opened.close());
    ledger.knowServers([setting], []);
    ledger.expect([{ server: ledger.nameOfServer(setting), ...pair }]);
  };
  const save = async (): Promise<void> => {
    const { saved } = ledger.saving();
    read(toldOf({ name: setting, kind: 'errors' }));
    const isSaved = async (): Promise<void> => {
      await ledger.hurried();
      expect(ledger.saving().saved).toBeGreaterThan(saved);
    };
    await vi.waitFor(isSaved, { timeout: 10_000, interval: 1 });
  };
  return {
    start,
    save,
    ledger: () => ledger,
    log: () => log,
    files: () => files,
    meets: async ({ moment, ...record }: Coming): Promise<void> => {
      coming.get(moment)!.push(toldOf(record));
      if (moment === 'at once') comes(moment);
      // Made anew by the next save, which says so first.
      if (moment === 'before the snapshot') await fs.rm(file, { force: true });
    },
    comesAll: () => {
      for (const moment of moments) comes(moment);
    },
    kill: async (): Promise<void> => {
      life.over = true;
      const again = log.splice((await savedOn(disk))?.checkpoints.flatMap(placeOf)[0] ?? 0);
      const killed = ledger;
      await start();
      for (const told of again) read(told);
      await killed.close();
    },
  };
}

/** The files of a state folder, as a crash leaves them. */
type Disk = ReadonlyMap<string, Buffer>;

async function readDisk(directory: string): Promise<Disk> {
  const names = (await fs.readdir(directory)).filter((name) => name === 'ledger.json' || name.endsWith('.journal'));
  return new Map(
    await Promise.all(names.map(async (name) => [name, await fs.readFile(path.join(directory, name))] as const)),
  );
}

async function writeDisk(directory: string, disk: Disk): Promise<void> {
  for (const [name, content] of disk) await fs.writeFile(path.join(directory, name), content);
}

async function savedOn(disk: Disk): Promise<SavedLedger | undefined> {
  const directory = await temporaryFolder();
  await writeDisk(directory, disk);
  return savedIn(directory, now);
}

function placeOf(checkpoint: SavedLedger['checkpoints'][number]): number[] {
  return 'offset' in checkpoint ? [checkpoint.offset] : [];
}

/** Names come to the ledger as the readers label them. */
function toldOf({ name, kind }: { readonly name: string; readonly kind: Kind }): Told {
  const server = serverLabelOf(name);
  return { server, kind, evidence: evidenceOf(server, kind) };
}

function modelOf(setting: string, log: readonly Told[]) {
  const model = createModel();
  model.learn(setting);
  for (const { server, kind } of log) model.enter(server, kind);
  return model;
}

function positive(counts: Readonly<Record<string, number>>): object {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** Every part of a saved file tells of the same records: those before its place in the log. */
async function expectWhole(disk: Disk, setting: string, log: readonly Told[]): Promise<void> {
  const saved = (await savedOn(disk))!;
  const until = log.slice(0, saved.checkpoints.flatMap(placeOf)[0] ?? 0);
  const counted = totals(saved.rows);
  expect(positive(counted)).toEqual(positive(modelOf(setting, until).totals()));
  const recent: Record<string, number> = {};
  for (const { server, reason = 'errors', count } of saved.recent)
    recent[`${server} ${reason}`] = (recent[`${server} ${reason}`] ?? 0) + count;
  expect(recent).toEqual(
    positive(Object.fromEntries(Object.entries(counted).filter(([key]) => !key.endsWith('attempts')))),
  );
  const of = (kind: Kind): number => until.filter((told) => told.kind === kind).length;
  const inHours = (reason: string | undefined): number =>
    saved.errorHours
      .filter((each) => each.reason === reason)
      .flatMap(({ hours }) => hours.all)
      .reduce((a, b) => a + b, 0);
  expect([inHours(undefined), inHours('refused')]).toEqual([of('errors'), of('refused')]);
  const seen = saved.seen.flatMap(({ blocks }) => blocks.flatMap((block) => block.split(' ')));
  expect(seen).toHaveLength(of('errors'));
}

async function play(setting: string, steps: readonly Step[]): Promise<void> {
  const world = createWorld(serverLabelOf(setting));
  await world.start();
  const readers = [createPrometheus('::1'), createPrometheus('127.0.0.1')] as const;
  for (const reader of readers) await reader.scrape(world.ledger());
  // Whoever has scraped is known after a crash only when something was saved since.
  await world.save();
  for (const step of steps) {
    if (typeof step === 'object') await world.meets(step);
    else if (step === 'save') await world.save();
    else if (step === 'kill') await world.kill();
    else await readers[step === 'first scrapes' ? 0 : 1].scrape(world.ledger());
  }
  world.comesAll();
  const entered = new Map(kinds.map((kind) => [kind, world.log().filter((told) => told.kind === kind).length]));
  await settled(world.ledger(), readers, entered);
  const all = positive(modelOf(serverLabelOf(setting), world.log()).totals());
  expect(positive(totals(world.ledger().rows()))).toEqual(all);
  expect(positive(totals(world.ledger().scrape().rows))).toEqual(all);
  await world.ledger().close();
  for (const each of world.files()) await expectWhole(each, serverLabelOf(setting), world.log());
}

const oneDomain = ['EXCH01', 'EXCH01.a.example', 'exch01.A.example.'];
const twoDomains = [...oneDomain, 'exch01.b.example', 'exch02', 'Exch02.a.example'];

function stepOf(names: readonly string[]): fc.Arbitrary<Step> {
  const [name, kind] = [fc.constantFrom(...names), fc.constantFrom(...kinds)];
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ name, kind, moment: fc.constantFrom(...moments) }) },
    { weight: 4, arbitrary: fc.constantFrom('first scrapes' as const, 'second scrapes' as const) },
    { weight: 3, arbitrary: fc.constantFrom('save' as const, 'kill' as const) },
  );
}

test('2.1: what comes while a save gets its folder ready is in it with its counts, or not at all', async () => {
  for (const kind of kinds)
    await play('exch01', ['save', { name: 'exch01', kind, moment: 'before the snapshot' }, 'save', 'kill']);
});

test.each([
  ['one domain', oneDomain],
  ['two domains', twoDomains],
])(
  '2.1: with a crash at any moment of saves, scrapes and renames each error counts once, and every file agrees with itself: %s',
  async (_, names) => {
    const setting = fc.constantFrom('exch01', 'EXCH01', 'EXCH01.', 'exch01.a.example');
    const property = fc.asyncProperty(setting, fc.array(stepOf(names), { maxLength: 25 }), play);
    await fc.assert(property, { numRuns: 25, interruptAfterTimeLimit: 60_000 });
  },
  120_000,
);

import * as fs from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openLedger, type Ledger, type LedgerOptions } from '../../src/ledger/ledger.js';
import type { Batch, Checkpoint, LogCheckpoint } from '../../src/model/batch.js';
import type { ConnectionError, Evidence } from '../../src/model/evidence.js';
import type { Reason } from '../../src/model/words.js';
import { temporaryFolder } from '../support/folder.js';
import { savedIn } from '../support/saved-state.js';

const now = Date.parse('2026-01-15T09:00:00Z');

async function ledgerIn(directory: string, options: Partial<LedgerOptions> = {}): Promise<Ledger> {
  const ledger = await openLedger({ directory, now: () => now, ...options });
  onTestFinished(() => ledger.close());
  return ledger;
}

function checkpoint(offset: number): Checkpoint {
  const head = { length: 4, hash: 'abcd' };
  return { source: 'log', path: '/log', inode: '1:2', head, tail: head, history: false, offset };
}

function connectionError(at: number, destination = '203.0.113.25:25', recordId?: number): ConnectionError {
  const server = 'exch01';
  const key = { server, channel: 'application', recordId, time: at };
  return { kind: 'connection_error', key, server, connector: 'Outbound', destination, at };
}

function attempt(destination = '203.0.113.25:25', at = now): Evidence {
  return { kind: 'connection_attempt', server: 'exch01', connector: 'Outbound', destination, at };
}

function failure(reason: Reason, destination = '203.0.113.25:25', at = now): Evidence {
  return { kind: 'connection_failure', server: 'exch01', connector: 'Outbound', destination, reason, at };
}

function batch(evidence: readonly Evidence[], more: Partial<Batch> = {}): Batch {
  return { source: 'log', evidence, ignored: 0, unreadable: {}, checkpoint: checkpoint(100), history: false, ...more };
}

async function saved(ledger: Ledger, least = 1): Promise<void> {
  await vi.waitFor(() => {
    expect(ledger.saving().saved).toBeGreaterThanOrEqual(least);
  }, 25_000);
}

test('counts are there again after a restart, with the place in the file', async () => {
  const directory = await temporaryFolder();
  const first = await ledgerIn(directory);
  await first.post(batch([connectionError(now - 1000), connectionError(now - 500)]));
  await first.close();
  const second = await ledgerIn(directory);
  expect(second.rows()).toEqual([
    {
      server: 'exch01',
      connector: 'Outbound',
      destination: '203.0.113.25:25',
      errors: 2,
      attempts: 0,
      failures: {},
      lastErrorAt: now - 500,
      lastObservedAt: now,
    },
  ]);
  expect(second.checkpoints()).toEqual([checkpoint(100)]);
});

test('nothing is shown before it is saved', async () => {
  const directory = await temporaryFolder();
  let renamed: (() => void) | undefined;
  const held = new Promise<void>((resolve) => (renamed = resolve));
  const operations = {
    open: fs.open,
    rename: async (from: fs.FileHandle | string | Buffer | URL, to: string | Buffer | URL) => {
      await held;
      await fs.rename(from as string, to);
    },
  };
  const ledger = await ledgerIn(directory, { operations });
  await ledger.post(batch([connectionError(now)]));
  await vi.waitFor(() => fs.access(path.join(directory, 'ledger.json.new')));
  expect(ledger.rows()).toEqual([]);
  renamed?.();
  await saved(ledger);
  expect(ledger.rows().map((row) => row.errors)).toEqual([1]);
});

test('news that come one after another share a save, which whoever looks has made at once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const directory = await temporaryFolder();
  const ledger = await ledgerIn(directory);
  const errors = (): number | undefined => ledger.rows()[0]?.errors;
  await ledger.post(batch([connectionError(now)]));
  await ledger.saved();
  const { saved: before } = ledger.saving();
  for (let more = 0; more < 20; more++) {
    await ledger.post(batch([connectionError(now)]));
    await fs.stat(directory);
  }
  expect([ledger.saving().saved, errors()]).toEqual([before, 1]);
  await ledger.hurried();
  expect([ledger.saving().saved, errors()]).toEqual([before + 1, 21]);
});

test('who looks while the disk is slow sees at once what is saved already', async () => {
  let isSlow = false;
  let pass = (): void => undefined;
  const passes = new Promise<void>((resolve) => (pass = resolve));
  const operations = {
    rename: fs.rename,
    open: async (...args: Parameters<typeof fs.open>) => {
      if (isSlow) await passes;
      return fs.open(...args);
    },
  };
  const ledger = await ledgerIn(await temporaryFolder(), { operations });
  await ledger.post(batch([connectionError(now)]));
  await ledger.saved();
  isSlow = true;
  await ledger.post(batch([connectionError(now)]));
  await ledger.hurried();
  expect(ledger.rows()[0]?.errors).toBe(1);
  pass();
  await ledger.saved();
  expect(ledger.rows()[0]?.errors).toBe(2);
});

test('what is entered during a save is shown by the next one, and no value ever falls', async () => {
  const ledger = await ledgerIn(await temporaryFolder());
  let shown = 0;
  for (let count = 1; count <= 300; count++) {
    await ledger.post(batch([connectionError(now)]));
    const value = ledger.rows()[0]?.errors ?? 0;
    expect(value).toBeGreaterThanOrEqual(shown);
    expect(value).toBeLessThanOrEqual(count);
    shown = value;
  }
  await ledger.close();
  expect(ledger.rows()[0]?.errors).toBe(300);
});

test('while saving fails nothing new is shown and reading waits; it goes on by itself', async () => {
  const failing = { now: true };
  const operations = {
    open: fs.open,
    rename: async (from: unknown, to: unknown) => {
      if (failing.now) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      await fs.rename(from as string, to as string);
    },
  };
  const told: (string | undefined)[] = [];
  const ledger = await ledgerIn(await temporaryFolder(), { operations, onSaving: (why) => told.push(why) });
  await ledger.post(batch([connectionError(now)]));
  await vi.waitFor(() => {
    expect(ledger.saving().failing).toContain('ENOSPC');
  }, 25_000);
  let resumed = false;
  const waiting = ledger.post(batch([connectionError(now)])).then(() => (resumed = true));
  expect(ledger.rows()).toEqual([]);
  expect(resumed).toBe(false);
  failing.now = false;
  await waiting;
  await vi.waitFor(() => {
    expect(ledger.rows().map((row) => row.errors)).toEqual([2]);
  }, 25_000);
  expect(told).toEqual(['ENOSPC: no space left on device', undefined]);
});

test('on the first read old events are history: counted, but observed at their own time', async () => {
  const ledger = await ledgerIn(await temporaryFolder());
  const old = now - 86_400_000;
  await ledger.post(batch([connectionError(old)], { history: true }));
  await ledger.post(batch([connectionError(now - 60_000, 'new:25')], { history: true }));
  await ledger.post(batch([connectionError(old, 'late:25')], { history: false }));
  await ledger.close();
  expect(Object.fromEntries(ledger.rows().map((row) => [row.destination, row.lastObservedAt]))).toEqual({
    '203.0.113.25:25': old,
    'new:25': now,
    'late:25': now,
  });
});

const emptyLedger = {
  version: 1,
  savedAt: '2026-01-15T09:00:00.000Z',
  rows: [],
  checkpoints: [],
  seen: [],
  scrapers: [],
};

test.each([
  ['garbage', 'not json at all'],
  ['truncated', '{"version":1,"savedAt":"2026-01-15T09:00:00.000Z","rows":[{"server":"exch'],
  ['foreign', '{"version":1,"things":[]}'],
  ['empty', ''],
])('a %s ledger is moved aside and said so, never silently replaced', async (_name, content) => {
  const directory = await temporaryFolder();
  await fs.writeFile(path.join(directory, 'ledger.json'), content);
  const ledger = await ledgerIn(directory);
  const [aside] = (await fs.readdir(directory)).filter((name) => name.includes('damaged'));
  expect(await fs.readFile(path.join(directory, aside ?? ''), 'utf8')).toBe(content);
  expect(ledger.saving().movedAside).toContain(aside);
});

test.each([
  ['a version', '{"version":3}', /written by a newer exporter \(version 3/],
  [
    'a part',
    JSON.stringify({ ...emptyLedger, parts: [] }),
    /written by a newer exporter \(this one does not know parts\); install that one again/,
  ],
  [
    'a field of a row',
    JSON.stringify({
      ...emptyLedger,
      rows: [{ server: 's', connector: 'c', destination: 'd:25', errors: 7, seen: 1 }],
    }),
    /written by a newer exporter \(this one does not know seen\)/,
  ],
])('a ledger with %s of a newer exporter is refused and left where it is', async (_name, content, why) => {
  const directory = await temporaryFolder();
  await fs.writeFile(path.join(directory, 'ledger.json'), content);
  await expect(openLedger({ directory, now: () => now })).rejects.toThrow(why);
  expect(await fs.readdir(directory)).toEqual(['ledger.json']);
});

test('with the n-th file operation of a save failing, for every n, the file is the old ledger or the new one', async () => {
  for (let failAt = 1; ; failAt++) {
    const directory = await temporaryFolder();
    const before = await openLedger({ directory, now: () => now });
    await before.post(batch([connectionError(now)], { checkpoint: checkpoint(10) }));
    await before.close();
    let operation = 0;
    const fail = (): void => {
      if (++operation === failAt) throw new Error('EIO');
    };
    const operations = failingOperations(fail);
    const during = await openLedger({ directory, now: () => now, operations });
    await during.post(batch([connectionError(now)], { checkpoint: checkpoint(20) }));
    await during.close();
    const after = await openLedger({ directory, now: () => now });
    const [saved] = after.checkpoints();
    const state = [after.rows()[0]?.errors, saved && 'offset' in saved ? saved.offset : undefined];
    await after.close();
    expect([
      [1, 10],
      [2, 20],
    ]).toContainEqual(state);
    if (operation < failAt) {
      expect(state).toEqual([2, 20]);
      expect(failAt).toBeGreaterThan(5);
      return;
    }
  }
});

function failingOperations(fail: () => void): NonNullable<LedgerOptions['operations']> {
  const open = async (...args: Parameters<typeof fs.open>): Promise<fs.FileHandle> => {
    fail();
    const handle = await fs.open(...args);
    for (const name of ['writeFile', 'sync', 'close'] as const) {
      const original = handle[name].bind(handle) as (...given: unknown[]) => Promise<void>;
      Object.assign(handle, {
        [name]: async (...given: unknown[]) => {
          if (name !== 'close') fail();
          await original(...given);
          if (name === 'close') fail();
        },
      });
    }
    return handle;
  };
  const rename: typeof fs.rename = async (from, to) => {
    fail();
    await fs.rename(from, to);
  };
  return { open, rename };
}

const hour = 3_600_000;

/** What a scraper is shown, as `destination: errors`. */
async function shown(ledger: Ledger, scraper = 'prometheus'): Promise<Record<string, number>> {
  ledger.asks(scraper);
  const { rows, readBy } = ledger.scrape();
  await readBy(scraper);
  return Object.fromEntries(rows.map((row) => [row.destination, row.errors]));
}

test('a new series is seen at zero first, and its last error at once', async () => {
  const ledger = await ledgerIn(await temporaryFolder());
  await ledger.post(batch([connectionError(now)]));
  await saved(ledger);
  ledger.asks('prometheus');
  const { rows, held, readBy } = ledger.scrape();
  await readBy('prometheus');
  expect(rows.map((row) => [row.errors, row.lastObservedAt])).toEqual([[0, now]]);
  expect(held).toBe(1);
  expect(await shown(ledger)).toEqual({ '203.0.113.25:25': 1 });
});

test('both scrapers of a pair see zero first, also the one that comes later', async () => {
  const clock = { now };
  const ledger = await ledgerIn(await temporaryFolder(), { now: () => clock.now });
  for (const [ms, scraper] of [
    [0, 'a'],
    [7_000, 'b'],
    [15_000, 'a'],
    [22_000, 'b'],
  ] as const) {
    clock.now = now + ms;
    await shown(ledger, scraper);
  }
  await ledger.post(batch([connectionError(now)]));
  await saved(ledger);
  const series = [
    [30_000, 'a'],
    [31_000, 'a'],
    [37_000, 'b'],
    [45_000, 'a'],
    [52_000, 'b'],
  ] as const;
  const values: unknown[] = [];
  for (const [ms, scraper] of series) {
    clock.now = now + ms;
    values.push((await shown(ledger, scraper))['203.0.113.25:25']);
  }
  expect(values).toEqual([0, 0, 0, 1, 1]);
});

test('a scraper that stays away is waited for no longer than twice the longest interval', async () => {
  const clock = { now };
  const ledger = await ledgerIn(await temporaryFolder(), { now: () => clock.now });
  for (const ms of [0, 15_000]) {
    clock.now = now + ms;
    await shown(ledger, 'gone');
    await shown(ledger, 'here');
  }
  await ledger.post(batch([connectionError(now)]));
  await saved(ledger);
  const values: unknown[] = [];
  for (const ms of [30_000, 45_000, 60_000, 75_000]) {
    clock.now = now + ms;
    values.push((await shown(ledger, 'here'))['203.0.113.25:25']);
  }
  expect(values).toEqual([0, 0, 0, 1]);
});

test('a series that nobody has seen at zero is at zero again after a restart, and never falls once it was seen above', async () => {
  const directory = await temporaryFolder();
  const first = await ledgerIn(directory);
  await shown(first);
  await first.post(batch([connectionError(now), connectionError(now)]));
  await first.close();
  expect(first.rows()[0]?.errors).toBe(2);
  const second = await ledgerIn(directory);
  await second.post(batch([connectionError(now)]));
  await saved(second);
  second.asks('prometheus');
  // An answer that never arrived.
  expect(second.scrape().rows[0]?.errors).toBe(0);
  await second.close();
  const third = await ledgerIn(directory);
  expect(await shown(third)).toEqual({ '203.0.113.25:25': 0 });
  // All have seen it, and that is saved before anything more is shown: what follows is no fall.
  await third.close();
  const fourth = await ledgerIn(directory);
  expect(await shown(fourth)).toEqual({ '203.0.113.25:25': 3 });
});

test('after a restart the saved value is seen first, then what was missed as one step', async () => {
  const directory = await temporaryFolder();
  const first = await ledgerIn(directory);
  await shown(first);
  await first.post(batch([connectionError(now), connectionError(now)]));
  await saved(first);
  await shown(first);
  expect(await shown(first)).toEqual({ '203.0.113.25:25': 2 });
  await first.close();
  const second = await ledgerIn(directory);
  await second.post(batch([connectionError(now), connectionError(now), connectionError(now)]));
  await saved(second);
  expect([await shown(second), await shown(second)]).toEqual([{ '203.0.113.25:25': 2 }, { '203.0.113.25:25': 5 }]);
});

test('history is born at its whole value, when all of it is read', async () => {
  const reading = { history: true };
  const ledger = await ledgerIn(await temporaryFolder(), { readingHistory: () => reading.history });
  const old = now - 24 * hour;
  await ledger.post(batch([connectionError(old), connectionError(old)], { history: true }));
  await saved(ledger);
  expect(await shown(ledger)).toEqual({});
  await ledger.post(batch([connectionError(old), connectionError(now)], { history: true }));
  await saved(ledger, 2);
  reading.history = false;
  expect([await shown(ledger), await shown(ledger)]).toEqual([{ '203.0.113.25:25': 3 }, { '203.0.113.25:25': 4 }]);
});

test('history is shown in one piece: a row of which all is saved waits for those of which something is not', async () => {
  const reading = { history: true };
  const ledger = await ledgerIn(await temporaryFolder(), { readingHistory: () => reading.history });
  const old = now - 24 * hour;
  await ledger.post(batch([connectionError(old, 'a:25'), connectionError(old, 'b:25')], { history: true }));
  await saved(ledger);
  await ledger.post(batch([connectionError(old, 'a:25')], { history: true }));
  reading.history = false;
  expect(await shown(ledger)).toEqual({});
  await ledger.saved();
  expect(await shown(ledger)).toEqual({ 'a:25': 2, 'b:25': 1 });
});

test('the same record counts once, whatever file, carrier or run brings it', async () => {
  const directory = await temporaryFolder();
  const first = await ledgerIn(directory);
  await first.post(batch([connectionError(now, 'a:25', 1), connectionError(now, 'a:25', 2)]));
  await first.post(batch([connectionError(now - 137, 'a:25', 2)]));
  await first.close();
  const second = await ledgerIn(directory);
  await second.post(
    batch([connectionError(now, 'a:25', 1), connectionError(now, 'a:25', 3), connectionError(now, 'a:25')]),
  );
  await second.close();
  expect(second.rows()[0]?.errors).toBe(4);
  expect(first.tallies().get('log')?.outcomes).toMatchObject({ counted: 2, duplicate: 1 });
  expect(second.tallies().get('log')?.outcomes).toMatchObject({ counted: 2, duplicate: 1 });
});

test('beyond the limit only the destination is folded, and the total of the connector stays exact', async () => {
  const ledger = await ledgerIn(await temporaryFolder(), { limit: 3 });
  for (let index = 0; index < 50; index++) await ledger.post(batch([connectionError(now, `host${index % 10}:25`)]));
  await ledger.close();
  const rows = ledger.rows();
  expect(rows.map((row) => [row.destination, row.errors])).toEqual([
    ['host0:25', 5],
    ['host1:25', 5],
    ['host2:25', 5],
    ['other', 35],
  ]);
  expect(ledger.folded().errors).toBe(35);
  expect(
    ledger
      .folded()
      .latest.map((each) => each.destination)
      .sort(),
  ).toEqual([3, 4, 5, 6, 7, 8, 9].map((n) => `host${n}:25`));
});

test('what was folded again and again has a row of its own once there is room', async () => {
  const clock = { now };
  const options = { now: () => clock.now, forgetAfterMs: 24 * hour, limit: 1 };
  const ledger = await ledgerIn(await temporaryFolder(), options);
  await ledger.post(batch([connectionError(now, 'a:25'), connectionError(now, 'b:25'), connectionError(now, 'b:25')]));
  await ledger.saved();
  await shown(ledger);
  expect(await shown(ledger)).toEqual({ 'a:25': 1, other: 2 });
  clock.now += 25 * hour;
  expect(await shown(ledger)).toEqual({ other: 2 });
  await ledger.post(batch([connectionError(clock.now, 'b:25'), connectionError(clock.now, 'c:25')]));
  await ledger.saved();
  await shown(ledger);
  expect(await shown(ledger)).toEqual({ 'b:25': 1, other: 3 });
});

test('a destination silent for long is no longer shown; it comes back at its old value, then steps', async () => {
  const clock = { now };
  const directory = await temporaryFolder();
  const ledger = await ledgerIn(directory, { now: () => clock.now, forgetAfterMs: 24 * hour, limit: 1 });
  await ledger.post(batch([connectionError(now, 'a:25'), connectionError(now, 'a:25')]));
  await saved(ledger);
  await shown(ledger);
  expect(await shown(ledger)).toEqual({ 'a:25': 2 });
  clock.now += 25 * hour;
  expect(await shown(ledger)).toEqual({});
  await ledger.post(batch([connectionError(clock.now, 'a:25')]));
  await vi.waitFor(() => {
    expect(ledger.rows()[0]?.errors).toBe(3);
  }, 25_000);
  expect([await shown(ledger), await shown(ledger)]).toEqual([{ 'a:25': 2 }, { 'a:25': 3 }]);
  await ledger.close();
  clock.now += 48 * hour;
  const later = await ledgerIn(directory, { now: () => clock.now, forgetAfterMs: 24 * hour });
  expect(await shown(later)).toEqual({});
  await later.post(batch([connectionError(clock.now, 'a:25')]));
  await vi.waitFor(() => {
    expect(later.rows()[0]?.errors).toBe(4);
  }, 25_000);
  expect([await shown(later), await shown(later)]).toEqual([{ 'a:25': 3 }, { 'a:25': 4 }]);
});

test('what is read for the first time of a destination silent for long is not shown, before a restart and after it', async () => {
  const clock = { now };
  const directory = await temporaryFolder();
  const options = { now: () => clock.now, forgetAfterMs: 24 * hour, limit: 1 };
  const ledger = await ledgerIn(directory, options);
  const long = now - 25 * hour;
  await ledger.post(batch([connectionError(long, 'a:25'), connectionError(long, 'a:25')], { history: true }));
  await saved(ledger);
  // It takes no place of one that is shown.
  await ledger.post(batch([connectionError(now - hour, 'b:25')], { history: true }));
  await saved(ledger, 2);
  expect(await shown(ledger)).toEqual({ 'b:25': 1 });
  await ledger.close();
  const later = await ledgerIn(directory, { ...options, limit: 2 });
  expect(await shown(later)).toEqual({ 'b:25': 1 });
  await later.post(batch([connectionError(now, 'a:25')]));
  await vi.waitFor(() => {
    expect(later.rows()).toHaveLength(2);
  }, 25_000);
  expect([await shown(later), await shown(later)]).toEqual([
    { 'a:25': 2, 'b:25': 1 },
    { 'a:25': 3, 'b:25': 1 },
  ]);
});

test('a pair that is expected at zero, whose errors turn out to be long ago, is not shown either before a restart or after it', async () => {
  const directory = await temporaryFolder();
  const options = { now: () => now, forgetAfterMs: 24 * hour };
  const ledger = await ledgerIn(directory, options);
  const expected = { server: 'exch01.contoso.local', connector: 'Internet', destination: 'a:25' };
  ledger.expect([expected]);
  await vi.waitFor(async () => {
    expect(await shown(ledger)).toEqual({ 'a:25': 0 });
  });
  const long = { ...connectionError(now - 25 * hour, 'a:25'), ...expected };
  await ledger.post(batch([long], { history: true }));
  await saved(ledger);
  expect([await shown(ledger), await shown(ledger)]).toEqual([{}, {}]);
  await ledger.close();
  const later = await ledgerIn(directory, options);
  later.expect([expected]);
  expect([await shown(later), await shown(later)]).toEqual([{}, {}]);
});

test('the errors of an unnamed connector never fall in total: those of silent destinations are still counted', async () => {
  const clock = { now };
  const directory = await temporaryFolder();
  const options = { now: () => clock.now, forgetAfterMs: 24 * hour };
  const totalOf = (ledger: Ledger): number =>
    ledger.dormantErrors('unknown') + ledger.rows().reduce((sum, { errors }) => sum + errors, 0);
  const ledger = await ledgerIn(directory, options);
  await ledger.post(batch([{ ...connectionError(now, 'a:25'), connector: 'unknown' }]));
  clock.now += 20 * hour;
  await ledger.post(batch([{ ...connectionError(clock.now, 'b:25'), connector: 'unknown' }]));
  await vi.waitFor(() => {
    expect(totalOf(ledger)).toBe(2);
  }, 25_000);
  await shown(ledger);
  await shown(ledger);
  clock.now += 20 * hour;
  expect(Object.keys(await shown(ledger))).toEqual(['b:25']);
  expect([totalOf(ledger), ledger.dormantErrors('unknown'), ledger.dormantErrors('Outbound')]).toEqual([2, 1, 0]);
  await ledger.close();
  expect(totalOf(await ledgerIn(directory, options))).toBe(2);
});

test('of silent destinations only so many are kept; the one that has been silent longest begins anew', async () => {
  const clock = { now };
  const directory = await temporaryFolder();
  const options = { now: () => clock.now, forgetAfterMs: 24 * hour, maxDormant: 2 };
  const ledger = await ledgerIn(directory, options);
  for (const name of ['a:25', 'b:25', 'c:25']) await ledger.post(batch([connectionError(clock.now, name)]));
  await vi.waitFor(() => {
    expect(ledger.rows()).toHaveLength(3);
  }, 25_000);
  await shown(ledger);
  clock.now += 25 * hour;
  expect(await shown(ledger)).toEqual({});
  await ledger.post(batch(['a:25', 'c:25'].map((name) => connectionError(clock.now, name))));
  await vi.waitFor(() => {
    expect(ledger.rows()).toHaveLength(2);
  }, 25_000);
  expect(await shown(ledger)).toEqual({ 'a:25': 0, 'c:25': 1 });
  expect(await shown(ledger)).toEqual({ 'a:25': 1, 'c:25': 2 });
  await ledger.close();
  expect(await fs.readFile(path.join(directory, 'ledger.json'), 'utf8')).toContain('b:25');
});

/** Attempts and failures as a scraper is shown them. */
async function shownConnections(ledger: Ledger, scraper = 'prometheus'): Promise<unknown[]> {
  ledger.asks(scraper);
  const { rows, readBy } = ledger.scrape();
  await readBy(scraper);
  return rows.map(({ attempts, failures }) => ({ attempts, ...failures }));
}

test('attempts and failures are there again after a restart', async () => {
  const directory = await temporaryFolder();
  const first = await ledgerIn(directory);
  await first.post(batch([attempt(), attempt(), failure('timeout'), failure('refused'), failure('timeout')]));
  await first.close();
  const second = await ledgerIn(directory);
  const [row] = second.rows();
  expect(row).toMatchObject({ errors: 0, attempts: 2, failures: { timeout: 2, refused: 1 }, lastErrorAt: now });
});

test('a ledger saved before there were attempts and failures has none of them', async () => {
  const directory = await temporaryFolder();
  const row = { server: 'exch01', connector: 'Outbound', destination: 'a:25', errors: 3, lastErrorAt: now };
  const old = { version: 1, savedAt: '2026-01-15T09:00:00.000Z', rows: [row], checkpoints: [], seen: [], scrapers: [] };
  await fs.writeFile(path.join(directory, 'ledger.json'), JSON.stringify(old));
  const ledger = await ledgerIn(directory);
  expect(ledger.rows()).toEqual([{ ...row, attempts: 0, failures: {} }]);
});

test('the bookmark of a live log is saved beside the checkpoints of files, one a channel', async () => {
  const directory = await temporaryFolder();
  const first = await ledgerIn(directory);
  const mark = (channel: string, recordId: number): LogCheckpoint => {
    const bookmark = `<BookmarkList><Bookmark Channel='${channel}' RecordId='${recordId}' IsCurrent='true'/></BookmarkList>`;
    return { source: channel, channel, bookmark, recordId, time: now };
  };
  const marks = [mark('Application', 7), mark('Application', 9), mark('ForwardedEvents', 3)];
  for (const each of marks) await first.post(batch([connectionError(now)], { checkpoint: each }));
  await first.post(batch([]));
  await first.close();
  const second = await ledgerIn(directory);
  expect(second.rows()[0]?.errors).toBe(3);
  expect(second.checkpoints()).toEqual([...marks.slice(1), checkpoint(100)]);
});

test('each reason is a series of its own that is seen at zero first, while known ones step at once', async () => {
  const ledger = await ledgerIn(await temporaryFolder());
  await ledger.post(batch([attempt(), failure('timeout')]));
  await saved(ledger);
  expect(await shownConnections(ledger)).toEqual([{ attempts: 0, timeout: 0 }]);
  expect(await shownConnections(ledger)).toEqual([{ attempts: 1, timeout: 1 }]);
  await ledger.post(batch([attempt(), failure('timeout'), attempt(), failure('refused')]));
  await vi.waitFor(() => {
    expect(ledger.rows()[0]?.failures.refused).toBe(1);
  }, 25_000);
  expect(await shownConnections(ledger)).toEqual([{ attempts: 3, timeout: 2, refused: 0 }]);
  expect(await shownConnections(ledger)).toEqual([{ attempts: 3, timeout: 2, refused: 1 }]);
});

test('a mere attempt is no error, and a failure sets the times of the last error', async () => {
  const ledger = await ledgerIn(await temporaryFolder());
  await ledger.post(batch([attempt('works:25'), attempt('fails:25'), failure('reset', 'fails:25', now - 5000)]));
  await ledger.close();
  expect(ledger.rows().map((row) => [row.destination, row.lastErrorAt, row.lastObservedAt, row.lastAttemptAt])).toEqual(
    [
      ['works:25', undefined, undefined, now],
      ['fails:25', now - 5000, now, now],
    ],
  );
});

test('history that is handed over later is still history', async () => {
  const ledger = await ledgerIn(await temporaryFolder());
  const old = now - 24 * hour;
  await ledger.post(batch([{ ...failure('timeout', 'a:25', old), history: true } as Evidence]));
  await saved(ledger);
  expect(await shownConnections(ledger)).toEqual([{ attempts: 0, timeout: 1 }]);
  expect(ledger.rows()[0]?.lastObservedAt).toBe(old);
});

test('destinations that work take only half of the room, so that those that fail have theirs', async () => {
  const ledger = await ledgerIn(await temporaryFolder(), { limit: 4 });
  await ledger.post(batch([1, 2, 3, 4, 5].map((n) => attempt(`works${n}:25`))));
  await ledger.post(batch([1, 2, 3].map((n) => failure('timeout', `fails${n}:25`))));
  await ledger.close();
  expect(ledger.rows().map(({ destination, attempts, failures }) => [destination, attempts, failures.timeout])).toEqual(
    [
      ['works1:25', 1, undefined],
      ['works2:25', 1, undefined],
      ['other', 3, 1],
      ['fails1:25', 0, 1],
      ['fails2:25', 0, 1],
    ],
  );
  expect(ledger.folded().errors).toBe(1);
});

test('a destination that works and was shown is shown after a restart, in whatever order the rows were saved', async () => {
  const directory = await temporaryFolder();
  const first = await ledgerIn(directory, { limit: 4 });
  await first.post(batch([1, 2].map((n) => attempt(`works${n}:25`))));
  await first.post(batch([1, 2].map((n) => failure('timeout', `fails${n}:25`))));
  await first.close();
  const file = path.join(directory, 'ledger.json');
  const content = JSON.parse(await fs.readFile(file, 'utf8')) as { rows: unknown[] };
  // A row that changes while all are written is written last.
  await fs.writeFile(file, JSON.stringify({ ...content, rows: content.rows.toReversed() }));
  const second = await ledgerIn(directory, { limit: 4 });
  await second.post(batch([attempt('works1:25')]));
  await second.close();
  const shown = second.rows().map(({ destination, attempts }) => [destination, attempts]);
  expect(Object.fromEntries(shown)).toEqual({ 'works1:25': 2, 'works2:25': 1, 'fails1:25': 0, 'fails2:25': 0 });
});

test('missed records are shown when they are saved, and kept over a restart', async () => {
  const directory = await temporaryFolder();
  let clock = now;
  const run = (first: number, last: number): Batch['runs'] => [
    { server: 'exch01', channel: 'application', first, last, firstAt: now + first, lastAt: now + last },
  ];
  const first = await ledgerIn(directory, { now: () => clock });
  await first.post(batch([], { runs: run(1, 5), unfiltered: true }));
  await first.post(batch([], { runs: run(8, 9), unfiltered: true, missed: 40 }));
  await saved(first);
  expect([...first.missed()]).toEqual([['log', 40]]);
  await first.close();
  const second = await ledgerIn(directory, { now: () => clock });
  expect([...second.missed()]).toEqual([['log', 40]]);
  clock += 60_000;
  await second.post(batch([connectionError(now)], { runs: run(10, 11), unfiltered: true }));
  await saved(second);
  expect([...second.missed()]).toEqual([['log', 42]]);
});

const expected = { server: 'exch01', connector: 'Outbound', destination: '203.0.113.25:25' };

test('what is expected stands at zero, so that its first error is an increase at once', async () => {
  const directory = await temporaryFolder();
  const ledger = await ledgerIn(directory, { readingHistory: () => false });
  ledger.expect([expected]);
  ledger.asks('prometheus');
  const first = ledger.scrape();
  expect(first.rows).toMatchObject([{ ...expected, errors: 0, lastErrorAt: undefined }]);
  await first.readBy('prometheus');
  await ledger.post(batch([connectionError(now)]));
  await saved(ledger);
  expect(ledger.scrape().rows).toMatchObject([{ ...expected, errors: 1 }]);
  expect(ledger.scrape().held).toBe(0);
});

test('an error that comes before a scraper has seen the expected zero still waits for it', async () => {
  const ledger = await ledgerIn(await temporaryFolder(), { readingHistory: () => false });
  ledger.asks('prometheus');
  ledger.expect([expected]);
  expect(ledger.rows()).toHaveLength(1);
  await ledger.post(batch([connectionError(now)]));
  await saved(ledger);
  expect(ledger.scrape()).toMatchObject({ rows: [{ errors: 0 }], held: 1 });
});

test('what is no longer expected goes, unless it has been counted; it is not saved; history is no news', async () => {
  const directory = await temporaryFolder();
  let reading = true;
  const ledger = await ledgerIn(directory, { readingHistory: () => reading });
  ledger.expect([expected, { ...expected, destination: '203.0.113.26:25' }]);
  expect(ledger.rows()).toEqual([]);
  await ledger.post(batch([connectionError(now - 3_600_000)], { history: true }));
  await saved(ledger);
  reading = false;
  await vi.waitFor(() => {
    expect(ledger.scrape()).toMatchObject({ rows: [{ errors: 1 }, { errors: 0 }], held: 0 });
  }, 25_000);
  ledger.expect([]);
  expect(ledger.rows()).toMatchObject([{ destination: '203.0.113.25:25', errors: 1 }]);
  ledger.expect([{ ...expected, server: 'exch02' }]);
  expect(ledger.rows()).toHaveLength(2);
  await ledger.close();
  const second = await ledgerIn(directory, { readingHistory: () => false });
  expect(second.rows()).toHaveLength(1);
});

test('who asks is told that a batch is saved once it is on disk, also when it brings no news, and not before', async () => {
  const directory = await temporaryFolder();
  const failing = { now: true };
  const operations = failingOperations(() => {
    if (failing.now) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  });
  const ledger = await ledgerIn(directory, { operations });
  await ledger.saved();
  void ledger.post(batch([connectionError(now - 1000, '203.0.113.25:25', 7)]));
  let isSaved = false;
  const first = ledger.saved().then(() => (isSaved = true));
  await vi.waitFor(() => {
    expect(ledger.saving().failing).toContain('ENOSPC');
  });
  expect(isSaved).toBe(false);
  failing.now = false;
  await first;
  expect(await fs.readFile(path.join(directory, 'ledger.json'), 'utf8')).toContain('203.0.113.25:25');
  await ledger.post(batch([connectionError(now - 1000, '203.0.113.25:25', 7)], { checkpoint: checkpoint(200) }));
  await ledger.saved();
  expect((await savedIn(directory, now))?.checkpoints).toEqual([checkpoint(200)]);
});

test('who waits for a save that can never be is told when the ledger ends', async () => {
  const operations = failingOperations(() => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  });
  const ledger = await ledgerIn(await temporaryFolder(), { operations });
  void ledger.post(batch([connectionError(now - 1000)]));
  const waiting = ledger.saved();
  await Promise.all([expect(waiting).rejects.toThrow('ended before it could save'), ledger.close()]);
});

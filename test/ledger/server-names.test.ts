import os from 'node:os';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { domainIn, ownFullName } from '../../src/health/windows-domain.js';
import { serverLabelOf } from '../../src/model/label.js';
import { openLedger, type Ledger } from '../../src/ledger/ledger.js';
import type { Evidence } from '../../src/model/evidence.js';
import { createServerNames } from '../../src/ledger/server-names.js';
import { temporaryFolder } from '../support/folder.js';
import {
  batch,
  createModel,
  createPrometheus,
  evidenceOf,
  inA,
  inB,
  kinds,
  nextRecordId,
  now,
  settled,
  short,
  totals,
  type Kind,
} from '../support/named-servers.js';

describe('2.1: one name for one server', () => {
  test('a short name stands for the one full name that begins with it, in whatever order they are met', () => {
    const names = createServerNames();
    expect(names.nameOf(short)).toBe(short);
    expect(names.learn(inA)).toBe(short);
    expect(names.learn(inA)).toBeUndefined();
    expect(names.nameOf(short)).toBe(inA);
    expect(names.nameOf('exch0')).toBe('exch0');
    expect(names.nameOf('exch02')).toBe('exch02');
  });

  test('a short name that fits two full ones stands for itself, unless the inventory says which', () => {
    const names = createServerNames();
    names.learn(inA);
    names.learn(inB);
    expect(names.nameOf(short)).toBe(short);
    expect(names.declare([{ short, full: inB }])).toEqual([short]);
    expect(names.nameOf(short)).toBe(inB);
    // One name for two servers in one inventory says nothing.
    expect(names.declare([inA, inB].map((full) => ({ short, full })))).toEqual([]);
    expect(names.nameOf(short)).toBe(short);
  });

  test('an address, a lone dot and a name of one label are no full names', () => {
    const names = createServerNames();
    for (const name of ['203.0.113.7', '.local', 'exch01.', 'exch01', 'unknown'])
      expect(names.learn(name)).toBeUndefined();
    expect(names.known()).toEqual([]);
    expect(names.nameOf('203')).toBe('203');
  });

  test('what is known is there again after a restart', () => {
    const names = createServerNames();
    for (const name of [inA, inB, 'exch02.a.example']) names.learn(name);
    names.declare([{ short, full: inA }]);
    const again = createServerNames(names.known());
    expect([short, 'exch02', 'exch03'].map(again.nameOf)).toEqual([inA, 'exch02.a.example', 'exch03']);
    expect(again.known()).toEqual(names.known());
  });

  test('a hundred thousand names of a hostile log fill no memory', () => {
    const names = createServerNames();
    for (let i = 0; i < 100_000; i++) names.learn(`host${i}.example`);
    expect(names.known()).toHaveLength(10_000);
  });

  test('Windows names differ neither by case nor by a dot at the end', () => {
    expect(serverLabelOf(' EXCH01.Contoso.Local. ')).toBe('exch01.contoso.local');
    expect(serverLabelOf('...')).toBe('...');
  });

  test('Windows tells its domain through the registry, in any language; elsewhere the name is as it is', async () => {
    const answer =
      '\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters\r\n    Domain    REG_SZ    Contoso.local\r\n\r\n';
    expect(domainIn(answer)).toBe('contoso.local');
    expect(domainIn(answer.replace('Contoso.local', ''))).toBeUndefined();
    expect(domainIn('ERROR: The system was unable to find the specified registry key or value.')).toBeUndefined();
    const asked = vi.fn(() => Promise.resolve(answer));
    expect(await ownFullName('linux', asked)).toBeUndefined();
    expect(asked).not.toHaveBeenCalled();
    const host = vi.spyOn(os, 'hostname').mockReturnValue('EX01');
    onTestFinished(() => {
      host.mockRestore();
    });
    expect(await ownFullName('win32', asked)).toEqual({ short: 'ex01', full: 'ex01.contoso.local' });
    host.mockReturnValue('ex01.contoso.example');
    expect(await ownFullName('win32', asked)).toBeUndefined();
  });
});

// ------------------------------------------------------------------------------------------------------- the ledger

function relatedEvent(server: string): Evidence {
  const key = { server, channel: 'system', recordId: nextRecordId(), time: now };
  return { kind: 'related_event', key, server, provider: 'Tcpip', eventId: 4231, at: now, text: 'no ports' };
}

async function ledgerIn(directory: string): Promise<Ledger> {
  const ledger = await openLedger({ directory, now: () => now });
  onTestFinished(() => ledger.close());
  return ledger;
}

const operation = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      server: fc.constantFrom(short, inA, inB, 'exch02', 'exch02.a.example'),
      kind: fc.constantFrom(...kinds),
    }),
  },
  { weight: 5, arbitrary: fc.constantFrom('first scrapes', 'second scrapes') },
  { weight: 1, arbitrary: fc.constant('restart') },
);

type Operation = { readonly server: string; readonly kind: Kind } | string;

async function play(operations: readonly Operation[], declares: boolean): Promise<void> {
  const directory = await temporaryFolder();
  let ledger = await ledgerIn(directory);
  const model = createModel();
  const readers = [createPrometheus('::1'), createPrometheus('127.0.0.1')];
  const entered = new Map<Kind, number>();
  for (const reader of readers) await reader.scrape(ledger);
  // Whoever has scraped is known after a restart only when something was saved since.
  await ledger.post(batch([relatedEvent('exch09.a.example')]));
  await vi.waitFor(() => {
    expect(ledger.saving().saved).toBeGreaterThan(0);
  });
  for (const each of operations) {
    const before = kinds.map((kind) => readers[0]!.raw(kind));
    if (typeof each === 'object') {
      model.enter(each.server, each.kind);
      entered.set(each.kind, (entered.get(each.kind) ?? 0) + 1);
      await ledger.post(batch([evidenceOf(each.server, each.kind)]));
    } else if (each === 'restart') {
      await ledger.close();
      ledger = await ledgerIn(directory);
    } else if (each.startsWith('declare ')) {
      const full = each.slice(8);
      model.declare(full);
      ledger.knowServers([], [{ short, full }]);
    } else await readers[each === 'first scrapes' ? 0 : 1]!.scrape(ledger);
    // Nobody sees a sum fall, or the same errors under two names at once.
    if (!declares)
      for (const [index, kind] of kinds.entries()) expect(readers[0]!.raw(kind)).toBeGreaterThanOrEqual(before[index]!);
    for (const reader of readers)
      for (const kind of kinds) expect(reader.increase(kind)).toBeLessThanOrEqual(entered.get(kind) ?? 0);
  }
  await settled(ledger, readers, entered);
  expect(totals(ledger.rows())).toEqual(model.totals());
  if (!declares) expect(totals(ledger.scrape().rows)).toEqual(model.totals());
  await ledger.close();
}

describe('2.1: counts are carried over to the full name', () => {
  test('in any order of names, scrapes and restarts each error counts once for every scraper, and by server', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 30 }), (operations) => play(operations, false)),
      { numRuns: 40 },
    );
  }, 120_000);

  test('also when the inventory tells late which of two servers is meant', async () => {
    const declaring = fc.oneof(operation, fc.constantFrom(`declare ${inA}`, `declare ${inB}`));
    await fc.assert(
      fc.asyncProperty(fc.array(declaring, { maxLength: 30 }), (operations) => play(operations, true)),
      { numRuns: 40 },
    );
  }, 120_000);

  test('the series of the short name stand still until both scrapers have read them, then those of the full name begin there', async () => {
    const ledger = await ledgerIn(await temporaryFolder());
    const [first, second] = [createPrometheus('::1'), createPrometheus('127.0.0.1')];
    const [once, again] = [first, second].map((reader) => async () => totals(await reader.scrape(ledger)));
    for (const scrape of [once!, again!]) await scrape();
    await ledger.post(batch([evidenceOf(short, 'errors'), evidenceOf(short, 'errors')]));
    await settled(ledger, [first, second], new Map([['errors', 2]]));
    await ledger.post(batch([evidenceOf(inA, 'errors')]));
    await vi.waitFor(() => {
      expect(ledger.rows()).toMatchObject([{ server: inA, errors: 3 }]);
    });
    expect(await once!()).toMatchObject({ [`${short} errors`]: 2 });
    expect(await once!()).toMatchObject({ [`${short} errors`]: 2 });
    expect(await again!()).toMatchObject({ [`${short} errors`]: 2 });
    expect(await again!()).toMatchObject({ [`${inA} errors`]: 2 });
    expect(await once!()).toMatchObject({ [`${inA} errors`]: 2 });
    expect(await once!()).toMatchObject({ [`${inA} errors`]: 3 });
    expect([first, second].map((reader) => reader.increase('errors'))).toEqual([3, 2]);
    await again!();
    expect(second.increase('errors')).toBe(3);
  });

  test('the time of the last error is not held back meanwhile: an alert does not wait', async () => {
    const ledger = await ledgerIn(await temporaryFolder());
    const reader = createPrometheus('::1');
    await reader.scrape(ledger);
    await ledger.post(batch([{ ...evidenceOf(short, 'errors'), at: now - 60_000 }]));
    await settled(ledger, [reader], new Map([['errors', 1]]));
    await ledger.post(batch([evidenceOf(inA, 'errors')]));
    await vi.waitFor(() => {
      expect(ledger.scrape().rows).toMatchObject([{ server: short, errors: 1, lastErrorAt: now }]);
    });
  });

  test('what the inventory declares holds after a restart although nothing was counted in between', async () => {
    const directory = await temporaryFolder();
    const ledger = await ledgerIn(directory);
    ledger.knowServers([], [{ short, full: inA }]);
    await ledger.close();
    const again = await ledgerIn(directory);
    await again.post(batch([evidenceOf(short, 'errors')]));
    await vi.waitFor(() => {
      expect(again.rows()).toMatchObject([{ server: inA, errors: 1 }]);
    });
  });

  test('an event that two shippers deliver under both names counts once', async () => {
    const ledger = await ledgerIn(await temporaryFolder());
    await ledger.post(batch([evidenceOf(short, 'errors', 900_001), evidenceOf(short, 'errors', 900_002)]));
    await ledger.post(batch([evidenceOf(inA, 'errors', 900_002), evidenceOf(inA, 'errors', 900_003)]));
    await ledger.post(batch([evidenceOf(short, 'errors', 900_003), evidenceOf(short, 'errors', 900_001)]));
    await vi.waitFor(() => {
      expect(ledger.rows()).toMatchObject([{ server: inA, errors: 3 }]);
    });
  });

  test('a full name is no news where nothing was told under the short one', async () => {
    const renamed: string[] = [];
    const onServerRenamed = (from: string): void => void renamed.push(from);
    const ledger = await openLedger({ directory: await temporaryFolder(), now: () => now, onServerRenamed });
    onTestFinished(() => ledger.close());
    await ledger.post(batch([evidenceOf(inA, 'errors'), evidenceOf('exch02', 'errors')]));
    await ledger.post(batch([evidenceOf('exch02.a.example', 'attempts')]));
    expect(renamed).toEqual(['exch02']);
  });

  test('related events go over as errors do', async () => {
    const directory = await temporaryFolder();
    const ledger = await ledgerIn(directory);
    const reader = createPrometheus('::1');
    const counts = async () => {
      const shown = ledger.relatedCounts().map(({ server, count }) => [server, count]);
      await reader.scrape(ledger);
      return shown;
    };
    await counts();
    await ledger.post(batch([relatedEvent(short), relatedEvent(short)]));
    await vi.waitFor(async () => {
      expect(await counts()).toEqual([[short, 2]]);
    });
    await ledger.post(batch([relatedEvent(inA)]));
    expect(await counts()).toEqual([[short, 2]]);
    expect(await counts()).toEqual([[inA, 2]]);
    await vi.waitFor(async () => {
      expect(await counts()).toEqual([[inA, 3]]);
    });
    expect(ledger.related().map(({ server, key }) => [server, key.server])).toEqual(Array(3).fill([inA, inA]));
  });

  test('a ledger that an older exporter wrote under both names is put together, and told once', async () => {
    const directory = await temporaryFolder();
    const older = await ledgerIn(directory);
    const reader = createPrometheus('::1');
    await reader.scrape(older);
    // Two servers in two domains, as far as this ledger knows, so that the short name stands for itself.
    older.knowServers([inA, inB], []);
    await older.post(batch([evidenceOf(short, 'attempts'), evidenceOf(short, 'refused'), evidenceOf(short, 'errors')]));
    await older.post(batch([evidenceOf(inA, 'errors'), evidenceOf(inA, 'errors')]));
    await settled(
      older,
      [reader],
      new Map([
        ['errors', 3],
        ['attempts', 1],
        ['refused', 1],
      ]),
    );
    expect(totals(older.rows())).toMatchObject({ [`${short} errors`]: 1, [`${inA} errors`]: 2 });
    older.knowServers([], [{ short, full: inA }]);
    await older.close();
    const ledger = await ledgerIn(directory);
    await ledger.post(batch([evidenceOf(short, 'errors'), evidenceOf(short, 'refused')]));
    await settled(
      ledger,
      [reader],
      new Map([
        ['errors', 4],
        ['attempts', 1],
        ['refused', 2],
      ]),
    );
    expect(totals(ledger.rows())).toEqual({ [`${inA} errors`]: 4, [`${inA} attempts`]: 1, [`${inA} refused`]: 2 });
  });
});

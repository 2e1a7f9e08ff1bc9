/** How available a destination was: what counts, for how long it is kept, and that it is carried over. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAvailability, type SavedAvailability } from '../../src/ledger/availability.js';
import { createCountRing } from '../../src/ledger/count-ring.js';
import { openLedger } from '../../src/ledger/ledger.js';
import { temporaryFolder } from '../support/folder.js';

const start = Date.UTC(2026, 10, 23, 8, 0, 0);
const hour = 3_600_000;
const destination = '203.0.113.25:25';
const visit = (at: number, success: boolean) =>
  ({ destination, at, success, reason: success ? undefined : 'refused' }) as const;

function kept(now: () => number, texts: readonly string[] = []) {
  return createAvailability(
    texts.map((text) => JSON.parse(text) as SavedAvailability),
    now,
  );
}

describe('16.4.4: availability', () => {
  test('counts the visits of the last day, week and month', () => {
    let now = start;
    const book = kept(() => now);
    for (const [hoursAgo, success] of [
      [29 * 24, false],
      [6 * 24, true],
      [23, false],
      [1, true],
      [0, true],
    ] as const)
      book.note(visit(start - hoursAgo * hour, success));
    expect(book.of(destination)).toMatchObject({
      day: { passed: 2, all: 3 },
      week: { passed: 3, all: 4 },
      month: { passed: 3, all: 5 },
    });
    now = start + 2 * 24 * hour;
    expect(book.of(destination)).toMatchObject({ day: { passed: 0, all: 0 }, month: { passed: 3, all: 4 } });
    now = start + 31 * 24 * hour;
    expect(book.of(destination)).toBeUndefined();
  });

  test('an outage lasts from the first visit that failed to the next that passed; the last five are kept', () => {
    const book = kept(() => start);
    for (let index = 0; index < 7; index++) {
      book.note(visit(start + index * 1_000, false));
      book.note(visit(start + index * 1_000 + 100, false));
      if (index < 6) book.note(visit(start + index * 1_000 + 500, true));
    }
    const outages = book.of(destination)?.outages ?? [];
    expect(outages).toHaveLength(5);
    expect(outages[0]).toEqual({ from: start + 6_000 });
    expect(outages[1]).toEqual({ from: start + 5_000, until: start + 5_500 });
  });

  test('what policy forbade is no visit', () => {
    const book = kept(() => start);
    book.note({ ...visit(start, false), reason: 'blocked_by_policy' });
    expect(book.of(destination)).toBeUndefined();
  });

  test('a clock that stood in the far future or past for a moment takes nothing away', () => {
    const book = kept(() => start);
    for (let age = 0; age < 100; age++) book.note(visit(start - age * hour, true));
    book.note(visit(start + 400 * 24 * hour, true));
    book.note(visit(0, true));
    const found = book.of(destination)?.week.all ?? 0;
    expect(found).toBeGreaterThanOrEqual(98);
    expect(kept(() => start, book.texts()).of(destination)?.week.all).toBe(found);
  });

  test('destinations are bounded: the one that was not visited for longest goes', () => {
    const book = createAvailability([], () => start, 2);
    for (const name of ['a:25', 'b:25', 'a:25', 'c:25']) book.note({ ...visit(start, true), destination: name });
    expect(['a:25', 'b:25', 'c:25'].map((name) => book.of(name)?.day.all)).toEqual([2, undefined, 1]);
  });

  test('whatever was visited, it reads back from its saved form as it was', () => {
    const visits = fc.array(
      fc.record({
        ago: fc.integer({ min: 0, max: 40 * 24 }),
        success: fc.boolean(),
        count: fc.integer({ min: 1, max: 4 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(visits, (list) => {
        const book = kept(() => start);
        for (const { ago, success, count } of [...list].sort((a, b) => b.ago - a.ago))
          for (let index = 0; index < count; index++) book.note(visit(start - ago * hour, success));
        expect(kept(() => start, book.texts()).of(destination)).toEqual(book.of(destination));
      }),
    );
  });

  test('a ring that was saved with more places than there are keeps the newest', () => {
    const ring = createCountRing(3, {
      first: 10,
      all: [9, 1, 2, 3],
      failed: [
        [0, 9],
        [3, 1],
      ],
    });
    expect(ring.sum(13, 99)).toEqual({ passed: 5, all: 6 });
  });
});

describe('16.4.4: availability in the ledger', () => {
  const open = (directory: string) => openLedger({ directory, now: () => start });

  test('is there after a restart, with an outage that goes on', async () => {
    const directory = await temporaryFolder();
    const first = await open(directory);
    first.visited(visit(start - 2 * hour, true));
    first.visited(visit(start - hour, false));
    await first.close();
    const second = await open(directory);
    second.visited(visit(start - 60_000, true));
    expect(second.availability(destination)).toMatchObject({
      day: { passed: 2, all: 3 },
      outages: [{ from: start - hour, until: start - 60_000 }],
    });
    await second.close();
  });

  test('a ledger of the form before it is read and carried over', async () => {
    const directory = await temporaryFolder();
    const file = path.join(directory, 'ledger.json');
    const row = {
      server: 'exch01',
      connector: 'Outbound',
      destination,
      errors: 7,
      lastErrorAt: start,
      lastObservedAt: start,
    };
    const before = {
      version: 1,
      savedAt: new Date(start).toISOString(),
      rows: [row],
      checkpoints: [],
      seen: [],
      scrapers: [],
    };
    await writeFile(file, JSON.stringify(before));
    const ledger = await open(directory);
    expect(ledger.rows()).toMatchObject([{ errors: 7 }]);
    expect(ledger.availability(destination)).toBeUndefined();
    ledger.visited(visit(start, true));
    await ledger.close();
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      rows: [{ errors: 7 }],
      availability: [{ destination, outages: [] }],
    });
  });
});

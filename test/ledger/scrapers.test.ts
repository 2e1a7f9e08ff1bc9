/** Who holds a new series back, and for how long: only who has read a whole answer lately (issue 14, section 2). */
import { expect, test } from 'vitest';
import { createScrapers, type Scraper, type Scrapers } from '../../src/ledger/scrapers.js';

const minute = 60_000;

function world(saved: readonly Scraper[] = []) {
  const clock = { steady: 0, wall: Date.parse('2026-01-15T09:00:00Z') };
  const scrapers = createScrapers(saved, { now: () => clock.wall + clock.steady, steady: () => clock.steady });
  const whole = (address: string): void => {
    scrapers.asks(address);
    scrapers.hasRead(address, scrapers.births());
  };
  return { clock, scrapers, whole };
}

function isHeld(scrapers: Scrapers, birth: number): boolean {
  return birth > scrapers.seenByAll();
}

test('2: an address that asks every 5 s and never reads to the end holds nothing back', () => {
  const { clock, scrapers, whole } = world();
  whole('prometheus');
  const birth = scrapers.birth();
  for (; clock.steady < 15_000; clock.steady += 5_000) scrapers.asks('never finishes');
  expect(isHeld(scrapers, birth)).toBe(true);
  whole('prometheus');
  expect(isHeld(scrapers, birth)).toBe(false);
  expect(scrapers.all().map(({ address }) => address)).toEqual(['prometheus']);
});

test('one that once read whole answers and breaks off from then on is waited for twice its interval', () => {
  const { clock, scrapers, whole } = world();
  for (const at of [0, 15_000]) {
    clock.steady = at;
    whole('prometheus');
    whole('breaks off');
  }
  const birth = scrapers.birth();
  for (clock.steady = 20_000; clock.steady <= 45_000; clock.steady += 5_000) {
    scrapers.asks('breaks off');
    whole('prometheus');
    expect(isHeld(scrapers, birth), String(clock.steady)).toBe(true);
  }
  clock.steady = 45_001;
  expect(isHeld(scrapers, birth)).toBe(false);
});

test('nobody is waited for longer than 5 minutes, not even who scrapes every 10', () => {
  const { clock, scrapers, whole } = world();
  for (const at of [0, 10 * minute, 20 * minute]) {
    clock.steady = at;
    whole('slow');
  }
  whole('prometheus');
  const birth = scrapers.birth();
  clock.steady += 4.9 * minute;
  whole('prometheus');
  expect(isHeld(scrapers, birth)).toBe(true);
  clock.steady += 0.2 * minute;
  whole('prometheus');
  expect(isHeld(scrapers, birth)).toBe(false);
});

test('who scrapes alone, every 10 minutes, sees a new series at its previous value first', () => {
  const { clock, scrapers, whole } = world();
  for (const at of [0, 10 * minute]) {
    clock.steady = at;
    whole('slow');
  }
  const birth = scrapers.birth();
  clock.steady = 20 * minute;
  expect(isHeld(scrapers, birth)).toBe(true);
  whole('slow');
  expect(isHeld(scrapers, birth)).toBe(false);
});

test('an answer read very slowly holds back nobody for longer than twice the interval of its reader', () => {
  const { clock, scrapers, whole } = world();
  for (const at of [0, 15_000]) {
    clock.steady = at;
    whole('crawler');
    whole('prometheus');
  }
  // Each of its answers takes 29 s, so that it has always read one lately, and never one with the new series.
  const births = [scrapers.birth()];
  scrapers.asks('crawler');
  clock.steady = 44_000;
  scrapers.hasRead('crawler', 0);
  whole('prometheus');
  expect(isHeld(scrapers, births[0]!)).toBe(true);
  clock.steady = 46_000;
  whole('prometheus');
  expect(isHeld(scrapers, births[0]!)).toBe(false);
});

test('addresses that each scrape once hold a new series for 2 minutes at most, and push out none that comes regularly', () => {
  const { clock, scrapers, whole } = world();
  for (const at of [0, 15_000]) {
    clock.steady = at;
    whole('prometheus');
  }
  const birth = scrapers.birth();
  let heldUntil = 0;
  for (let visitor = 0; visitor < 1_000; visitor++) {
    clock.steady += 500;
    scrapers.asks(`asks ${visitor}`);
    scrapers.hasRead(`once ${visitor}`, scrapers.births());
    if (visitor % 30 === 0) whole('prometheus');
    if (isHeld(scrapers, birth)) heldUntil = clock.steady;
  }
  expect(heldUntil).toBeLessThanOrEqual(15_000 + 2 * minute);
  expect(scrapers.all()).toHaveLength(64);
  expect(scrapers.all().map(({ address }) => address)).toContain('prometheus');
  const next = scrapers.birth();
  expect(isHeld(scrapers, next)).toBe(true);
});

test('the saved scrapers of before a restart are waited for, each for twice its interval', () => {
  const saved = [
    { address: 'a', lastAt: 0, intervalMs: 15_000 },
    { address: 'b', lastAt: 0, intervalMs: 30_000 },
    { address: 'stayed away', lastAt: -1_000_000, intervalMs: 300_000 },
    { address: 'nonsense', lastAt: Infinity, intervalMs: -1 },
  ];
  const { clock, scrapers, whole } = world(saved.slice(0, 3));
  expect(world(saved).scrapers.all()).toHaveLength(4);
  const birth = scrapers.birth();
  clock.steady = 14_000;
  whole('a');
  expect(isHeld(scrapers, birth)).toBe(true);
  clock.steady = 60_000;
  whole('a');
  expect(isHeld(scrapers, birth)).toBe(true);
  clock.steady = 60_001;
  expect(isHeld(scrapers, birth)).toBe(false);
});

test('a clock on the wall that is set, by a century or back by a year, makes nobody wait and nobody be forgotten', () => {
  const { clock, scrapers, whole } = world();
  whole('a');
  whole('b');
  clock.wall += 100 * 365 * 86_400_000;
  const birth = scrapers.birth();
  whole('a');
  expect(isHeld(scrapers, birth)).toBe(true);
  clock.wall -= 101 * 365 * 86_400_000;
  whole('b');
  expect(isHeld(scrapers, birth)).toBe(false);
});

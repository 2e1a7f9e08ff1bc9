/** Errors as a person counts them: what is one moment and what is two. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reasons } from '../../src/model/words.js';
import type { RecentError } from '../../src/model/evidence.js';
import { momentsOf } from '../../src/web/parts/error-moments.js';

const at = Date.UTC(2026, 10, 23, 8, 14, 30);
const pair = { server: 'exch01', connector: 'Outbound', destination: '203.0.113.25:25' };
const event = (offset = 0, count = 1): RecentError => ({ ...pair, at: at + offset, until: at + offset, count });
const failure = (offset = 0, count = 1): RecentError => ({ ...event(offset, count), reason: 'refused' });

test('16.4.2: an event and the connection failure of the same moment are one error', () => {
  expect(momentsOf([event(), failure(900)])).toEqual([
    { ...pair, at, until: at + 900, events: 1, failures: 1, reasons: ['refused'] },
  ]);
});

test('16.4.2: also across the minute, and in whatever order they were read', () => {
  expect(momentsOf([failure(30_500), event(29_900)])).toHaveLength(1);
});

test('16.4.2: a failure of another moment, connector, server or destination is an error of its own', () => {
  expect(momentsOf([event(), failure(60_000)])).toHaveLength(2);
  for (const other of [{ connector: 'Other' }, { server: 'exch02' }, { destination: '203.0.113.26:25' }])
    expect(momentsOf([event(), { ...failure(), ...other }])).toHaveLength(2);
});

test('16.4.2: an event takes up the failures of several reasons, each named once', () => {
  const timeout = { ...failure(500), reason: 'timeout' as const };
  expect(momentsOf([event(0, 3), failure(0, 2), timeout, failure(2_000)])).toMatchObject([
    { events: 3, failures: 4, reasons: ['refused', 'timeout'] },
  ]);
});

test('16.4.2: whatever is told, no event and no failure is lost or told twice', () => {
  const error = fc.record({
    server: fc.constantFrom('a', 'b'),
    connector: fc.constantFrom('x', 'y'),
    destination: fc.constant('203.0.113.25:25'),
    reason: fc.option(fc.constantFrom(...reasons), { nil: undefined }),
    at: fc.integer({ min: 0, max: 300_000 }),
    length: fc.integer({ min: 0, max: 59_000 }),
    count: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(error, { maxLength: 40 }), (told) => {
      const errors = told.map(({ length, ...each }): RecentError => ({ ...each, until: each.at + length }));
      const sum = (counts: readonly number[]): number => counts.reduce((all, each) => all + each, 0);
      const moments = momentsOf(errors);
      expect(sum(moments.map(({ events }) => events))).toBe(
        sum(errors.map(({ reason, count }) => (reason === undefined ? count : 0))),
      );
      expect(sum(moments.map(({ failures }) => failures))).toBe(
        sum(errors.map(({ reason, count }) => (reason === undefined ? 0 : count))),
      );
    }),
  );
});

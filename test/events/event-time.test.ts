import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timeOf } from '../../src/events/decode/event-time.js';

test.each([
  ['2026-01-15T08:14:02.1371150Z', '2026-01-15T08:14:02.137Z'],
  ['2026-01-15T08:14:02.000000000Z', '2026-01-15T08:14:02.000Z'],
  ['2026-01-15T08:14:02.9Z', '2026-01-15T08:14:02.900Z'],
  ['2026-01-15T08:14:02,99Z', '2026-01-15T08:14:02.990Z'],
  ['2026-01-15T08:14:02Z', '2026-01-15T08:14:02.000Z'],
  ['2026-01-15t08:14:02z', '2026-01-15T08:14:02.000Z'],
  ['2026-01-15 09:14:02 +0100', '2026-01-15T08:14:02.000Z'],
  ['2026-01-15T09:14:02.137115+01:00', '2026-01-15T08:14:02.137Z'],
  ['2026-01-15T01:44:02-06:30', '2026-01-15T08:14:02.000Z'],
  ['2026-01-15T09:14:02+01', '2026-01-15T08:14:02.000Z'],
  [' 2026-01-15T08:14:02Z ', '2026-01-15T08:14:02.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['/Date(1768464842137)/', '2026-01-15T08:14:02.137Z'],
  ['/Date(1768464842137+0100)/', '2026-01-15T08:14:02.137Z'],
  [{ value: '/Date(1768464842137)/', DateTime: 'Donnerstag, 15. Januar 2026' }, '2026-01-15T08:14:02.137Z'],
])('%j is %s', (written, instant) => {
  expect(new Date(timeOf(written)!).toISOString()).toBe(instant);
});

test.each([
  '2026-01-15 08:14:02',
  '2026-01-15T08:14:02.137',
  '2026-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-15T24:00:00Z',
  '2026-01-15T08:14Z',
  '2026-1-15T08:14:02Z',
  'Thu Jan 15 08:14:02 2026',
  '2026-01-15T08:14:02 CET',
  '1768464842',
  '',
  1768464842,
  undefined,
  null,
  {},
])('%j is no time: a wrong one would be worse', (written) => {
  expect(timeOf(written)).toBeUndefined();
});

test('agrees with Date on every instant it writes', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('1601-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      expect(timeOf(date.toISOString())).toBe(date.getTime());
    }),
  );
});

test('never throws', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const time = timeOf(value);
      if (time !== undefined) expect(time).toSatisfy(Number.isFinite);
    }),
  );
});

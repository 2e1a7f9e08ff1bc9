import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBounds } from '../../src/ledger/bounds.js';

function row(server: string, connector: string, destination: string) {
  return { server, connector, destination };
}

test('a flood of server names is counted under few rows, and each connector keeps its own', () => {
  const bounds = createBounds(2, 10_000);
  const places = new Set<string>();
  for (let n = 0; n < 20_000; n++) {
    const place = bounds.place(row(`server${n}`, `Outbound ${n % 3}`, '203.0.113.25:25'));
    expect(place.connector).toBe(`Outbound ${n % 3}`);
    places.add(JSON.stringify(place));
  }
  expect(places.size).toBeLessThan(2_200);
  expect(bounds.place(row('new', 'Outbound 0', '203.0.113.26:25'))).toEqual(row('other', 'Outbound 0', 'other'));
});

test('a flood of connector names ends in one row for those that are too many', () => {
  const bounds = createBounds(2000);
  const places = new Set<string>();
  for (let n = 0; n < 5_000; n++) places.add(JSON.stringify(bounds.place(row('exch01', `C${n}`, 'a:25'))));
  expect(places.size).toBe(1_001);
  expect(bounds.place(row('exch01', 'C17', 'b:25'))).toEqual(row('exch01', 'C17', 'b:25'));
  expect(bounds.place(row('exch01', 'C4999', 'b:25'))).toEqual(row('other', 'other', 'other'));
});

test('long names take more room than short ones', () => {
  const placed = (length: number): number => {
    const bounds = createBounds(100_000, 1_000_000);
    let count = 0;
    for (let n = 0; n < 10_000; n++)
      if (bounds.place(row('exch01', 'c'.repeat(length), `${n}:25`)).destination !== 'other') count++;
    return count;
  };
  expect(placed(256)).toBeLessThan(placed(20) / 2);
});

test('whatever is placed and released, what was placed finds its place again, and room is given back whole', () => {
  const name = fc.integer({ min: 0, max: 5 });
  fc.assert(
    fc.property(fc.array(fc.tuple(name, name, name), { maxLength: 60 }), (rows) => {
      const bounds = createBounds(4, 1_500);
      const placed = rows.map(([s, c, d]) => bounds.place(row(`s${s}`, `c${c}`, `d${d}`)));
      for (const place of placed) {
        if (place.destination === 'other') expect(bounds.place(place)).toEqual(place);
        else bounds.release(place);
      }
      const again = Array.from({ length: 4 }, (_, n) => row('s', 'fresh', `d${n}`));
      expect(again.map((each) => bounds.place(each))).toEqual(again);
    }),
  );
});

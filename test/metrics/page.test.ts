import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { familyHead, type Family } from '../../src/metrics/exposition.js';
import { createTable, pageOf } from '../../src/metrics/page.js';

type Item = { readonly name: string; readonly value: number };

const families: readonly Family[] = [
  { name: 'a_total', type: 'counter', help: 'A.' },
  { name: 'b', type: 'gauge', help: 'B.' },
];

function linesOf({ name, value }: Item): string[] {
  return [
    `a_total{name="${name}"} ${value}\n`,
    value % 3 === 0 ? '' : `b{name="${name}",long="${'x'.repeat(90)}"} 1\n`,
  ];
}

function inOneGo(items: readonly Item[]): string {
  return families
    .map((family, index) => familyHead(family) + items.map((item) => linesOf(item)[index]).join(''))
    .join('');
}

test('whatever appears, changes or goes between scrapes, the page is what it would be in one go, packed or not', async () => {
  const change = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), count: fc.integer({ min: 1, max: 1200 }) }),
    fc.record({ kind: fc.constant('set' as const), at: fc.nat(3000), value: fc.nat(9) }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat(3000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
      const table = createTable({ families, linesOf, dependsOn: (item: Item) => [item] });
      const items: Item[] = [];
      for (const each of changes) {
        if (each.kind === 'add')
          for (let n = 0; n < each.count; n++) items.push({ name: `ü${items.length}`, value: n % 10 });
        else if (items.length > 0 && each.kind === 'set')
          items[each.at % items.length] = { name: `ä${each.at}`, value: each.value };
        else items.splice(each.at % Math.max(1, items.length), 1);
        const page = pageOf(await table(items));
        const text = Buffer.concat(page.plain).toString();
        expect(text).toBe(inOneGo(items));
        expect(gunzipSync(Buffer.concat(await page.gzipped())).toString()).toBe(text);
      }
    }),
    { numRuns: 30 },
  );
});

test('what has not changed is the same memory in the next page', async () => {
  const table = createTable({ families, linesOf, dependsOn: (item: Item) => [item] });
  const items = Array.from({ length: 5000 }, (_, value) => ({ name: `n${value}`, value }));
  const before = new Set(pageOf(await table(items)).plain);
  items[2222] = { name: 'changed', value: 1 };
  const after = pageOf(await table(items)).plain;
  const written = after.filter((piece) => !before.has(piece));
  expect(Buffer.concat(written).toString()).toContain('changed');
  expect(Buffer.concat(written).length).toBeLessThan(Buffer.concat(after).length / 5);
});

test('lines are written anew when anything they depend on is new', async () => {
  const entry = { latest: { value: 1 } };
  const table = createTable({
    families: families.slice(0, 1),
    linesOf: ({ latest }: typeof entry) => [`a_total ${latest.value}\n`],
    dependsOn: (each) => [each, each.latest],
  });
  await table([entry]);
  entry.latest = { value: 2 };
  expect(Buffer.concat(pageOf(await table([entry])).plain).toString()).toContain('a_total 2');
});

/** Long pages, answers and bundles: made an item at a time, once for all who ask meanwhile, and few at a time. */
import { setImmediate } from 'node:timers/promises';
import { strFromU8, unzipSync } from 'fflate';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createBreath, finish, inStrokes, sortedInSteps, type Steps } from '../../src/runtime/breath.js';
import { documentPieces } from '../../src/web/parts/layout.js';
import { createLongAnswers, Crowded } from '../../src/web/http/long-answers.js';
import { jsonPieces, many } from '../../src/web/parts/long-list.js';
import { statusPage } from '../../src/web/pages/status-page.js';
import type { WebOptions } from '../../src/web/http/server.js';
import { chosenRows, choiceOf } from '../../src/web/choice.js';
import { rowsOf } from '../../src/web/view.js';
import { runningWeb } from './servers.js';
import { booksOf, happenings, largeWorld, ledgerRow, mailWorld, now, pageOf, type WorldDraft } from './world.js';

const many27k: WorldDraft = {
  rows: Array.from({ length: 27_000 }, (_, index) =>
    ledgerRow({
      connector: `Outbound ${index % 90}`,
      destination: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:25`,
    }),
  ),
};

async function served(draft: WorldDraft, changes: Partial<WebOptions> = {}) {
  const web = await runningWeb(draft, changes);
  onTestFinished(web.close);
  return web;
}

/** Books that count how often their rows are asked for. */
function countedBooks(draft: WorldDraft) {
  const books = booksOf(draft);
  const asked = vi.fn(books.ledger.rows);
  return { asked, changes: { ledger: { ...books.ledger, rows: asked } } };
}

function stepsIn(steps: Steps<unknown>): number {
  let count = 0;
  while (steps.next().done !== true) count++;
  return count;
}

test('issue 14, 1.10: rows are joined, chosen, sorted and shown one at a time', () => {
  expect(stepsIn(rowsOf(booksOf(many27k), now))).toBeGreaterThan(27_000);
  const rows = finish(rowsOf(booksOf(many27k), now));
  expect(rows).toHaveLength(27_000);
  expect(stepsIn(chosenRows(rows, choiceOf(new URLSearchParams('q=10.0.3'))))).toBeGreaterThanOrEqual(27_000);
  const asked = { params: {}, query: new URLSearchParams('page=all') };
  const answer = finish(statusPage.show(pageOf(largeWorld(1_000)), asked) as Steps<never>);
  const frame = {
    links: pageOf({}).links,
    version: '1',
    telemetryPath: '/metrics',
    assets: { style: '', script: '', icon: '' },
  };
  const pieces = [...documentPieces(answer, frame)];
  expect(pieces.filter((piece) => piece.startsWith('<tr>'))).toHaveLength(1_000);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(20_000);
});

test('issue 14, 1.10: while a page of 27,000 rows is made, others get their turn', async () => {
  const web = await served(many27k);
  for (const path of ['/?page=all', '/api/v1/status', '/api/v1/support-bundle']) {
    const reading = fetch(web.url + path).then((answer) => answer.arrayBuffer());
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    await reading;
    clearInterval(counting);
    // Made in one go there are as few as for any page.
    expect(turns, path).toBeGreaterThan(20);
  }
}, 60_000);

test('issue 14, 1.10: pages that are asked for at the same moment are made once, and different ones share their rows', async () => {
  const { asked, changes } = countedBooks(many27k);
  const web = await served(many27k, changes);
  const read = async (path: string) => (await fetch(web.url + path)).text();
  const texts = await Promise.all(Array.from({ length: 8 }, () => read('/api/v1/destinations')));
  expect(new Set(texts).size).toBe(1);
  expect(JSON.parse(texts[0]!)).toMatchObject({ destinations: { length: 27_000 } });
  expect(asked.mock.calls.length).toBeLessThanOrEqual(2);
  asked.mockClear();
  const [status, connectors] = await Promise.all([read('/api/v1/status'), read('/api/v1/connectors'), read('/')]);
  expect(asked.mock.calls.length).toBeLessThan(3);
  expect((JSON.parse(status) as { pairs: unknown[] }).pairs).toHaveLength(27_000);
  expect((JSON.parse(connectors) as { connectors: unknown[] }).connectors).toHaveLength(90);
}, 60_000);

test('issue 14, 1.10: one support bundle at a time, for all who ask meanwhile', async () => {
  let made = 0;
  const draft = { ...mailWorld, ...happenings };
  const configuration = () => ({ made: ++made });
  const web = await served(draft, { configuration });
  const read = async () => new Uint8Array(await (await fetch(`${web.url}/api/v1/support-bundle`)).arrayBuffer());
  const bundles = await Promise.all(Array.from({ length: 6 }, read));
  expect(made).toBeLessThan(6);
  for (const bundle of bundles) {
    const texts = Object.entries(unzipSync(bundle)).filter(([name]) => name.endsWith('.json'));
    expect(texts).toHaveLength(7);
    for (const [, bytes] of texts) expect(() => JSON.parse(strFromU8(bytes)) as unknown).not.toThrow();
  }
  expect((await read()).length).toBeGreaterThan(0);
});

test('issue 14, 1.10: four different answers are made at a time, 64 wait, and the rest are told to come again', async () => {
  const answers = createLongAnswers();
  const ends: (() => void)[] = [];
  let [making, most] = [0, 0];
  const asked = Array.from({ length: 70 }, (_, index) =>
    answers.made(`page ${index}`, async () => {
      most = Math.max(most, ++making);
      await new Promise<void>((end) => ends.push(end));
      making--;
      return index;
    }),
  );
  const settled = Promise.allSettled(asked);
  for (let turn = 0; turn < 1_000; turn++) {
    for (const end of ends.splice(0)) end();
    await setImmediate();
  }
  const results = await settled;
  expect(most).toBe(4);
  expect(results.slice(0, 68).map((each) => each.status === 'fulfilled' && each.value)).toEqual(
    Array.from({ length: 68 }, (_, index) => index),
  );
  for (const each of results.slice(68))
    expect(each).toMatchObject({ status: 'rejected', reason: expect.any(Crowded) as never });
  await expect(answers.made('page 0', () => Promise.resolve('anew'))).resolves.toBe('anew');
});

test('a page that cannot be made is not kept: the next one who asks gets a new one', async () => {
  const answers = createLongAnswers();
  await expect(answers.made('page', () => Promise.reject(new Error('once')))).rejects.toThrow('once');
  await expect(answers.made('page', () => Promise.resolve(1))).resolves.toBe(1);
});

test('issue 14, 1.10: of works that share a breath one goes on in a turn of the event loop, each in its time', async () => {
  let clock = 0;
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => (clock += 10));
  onTestFinished(() => {
    spy.mockRestore();
  });
  const breathe = createBreath();
  let thisTurn = 0;
  const order: number[] = [];
  function* work(name: number): Steps<void> {
    for (let step = 0; step < 5; step++) {
      yield;
      thisTurn++;
      order.push(name);
    }
  }
  const all = Promise.all([0, 1, 2].map((name) => inStrokes(work(name), breathe)));
  let most = 0;
  for (let turn = 0; order.length < 15 && turn < 100; turn++) {
    thisTurn = 0;
    await setImmediate();
    most = Math.max(most, thisTurn);
  }
  await all;
  expect(most).toBe(1);
  expect(order).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
});

test('a list sorted in steps is the list that is sorted in one go, equal ones in their order', () => {
  const keyed = fc.array(fc.record({ key: fc.integer({ min: 0, max: 5 }), id: fc.nat() }), {
    maxLength: 3_000,
    size: 'max',
  });
  fc.assert(
    fc.property(keyed, (items) => {
      const byKey = (a: { key: number }, b: { key: number }): number => a.key - b.key;
      expect(finish(sortedInSteps(items, byKey))).toEqual(items.toSorted(byKey));
    }),
    { numRuns: 30 },
  );
});

test('JSON in pieces is the JSON of one go, with and without blanks', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.jsonValue(), fc.constantFrom(0, 1, 2), (list, other, indent) => {
      const inner = list.map((each) => ({ each, list: [each], none: undefined }));
      const lazy = {
        other,
        gone: undefined,
        list: many(list, (each) => ({ each, list: many([each], (same) => same), none: undefined })),
      };
      const text = [...jsonPieces(lazy, indent)].join('');
      expect(text).toBe(JSON.stringify({ other, list: inner }, null, indent));
    }),
  );
  expect([...jsonPieces({ list: many([1, 2, 3], (each) => each) })].length).toBeGreaterThan(3);
});

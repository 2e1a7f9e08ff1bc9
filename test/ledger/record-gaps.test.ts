import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecordRun } from '../../src/model/records.js';
import { createRecordGaps, type RecordGaps } from '../../src/ledger/record-gaps.js';
import type { SavedLog } from '../../src/ledger/log-numbering.js';

const start = Date.parse('2026-01-15T08:00:00Z');

/** IDs as logged one a second; `later` for a log that was cleared and numbers anew. */
function run(first: number, last = first, later = 0, channel = 'application'): RecordRun {
  const at = (id: number): number => start + (later + id) * 1000;
  return { server: 'exch01', channel, first, last, firstAt: at(first), lastAt: at(last) };
}

type Book = {
  readonly gaps: RecordGaps;
  readonly come: (runs: readonly RecordRun[] | undefined, more?: { source?: string; behind?: boolean }) => void;
  /** Records missed when a minute has passed, or so many seconds. */
  readonly after: (seconds?: number) => Record<string, number>;
  readonly restart: () => Book;
};

function book(unfiltered: boolean | undefined, saved?: RecordGaps, at = start): Book {
  const clock = { now: at };
  const logs = (saved?.texts() ?? []).map((text) => JSON.parse(text) as SavedLog);
  const gaps = createRecordGaps(logs, { now: () => clock.now, missed: saved?.missed() ?? new Map<string, number>() });
  return {
    gaps,
    come: (runs, { source = 'a', behind = false } = {}) => {
      gaps.note({ source, runs, unfiltered, behind });
    },
    after: (seconds = 60) => {
      clock.now += seconds * 1000;
      gaps.settle();
      return Object.fromEntries(gaps.missed());
    },
    restart: () => book(unfiltered, gaps, clock.now + 3_600_000),
  };
}

test('a gap counts when nothing has filled it for a minute', () => {
  const { gaps, come, after } = book(true);
  come([run(1, 10), run(14, 20)]);
  expect(after(59)).toEqual({});
  expect(gaps.dueAt()).toBe(start + 60_000);
  expect(after(1)).toEqual({ a: 3 });
  expect(gaps.dueAt()).toBeUndefined();
  come([run(12, 13)]);
  expect(after()).toEqual({ a: 3 });
});

test('what comes late, from another file or another source, fills a gap wholly or in part', () => {
  const { come, after } = book(true);
  come([run(1, 10), run(21, 30)]);
  come([run(13, 14)]);
  come([run(16, 40)], { source: 'b' });
  expect(after()).toEqual({ a: 3 });
});

test('what another source had brought before is no gap', () => {
  const { come, after } = book(true);
  come([run(1, 10)]);
  come([run(5, 20)], { source: 'b' });
  come([run(21, 22)]);
  expect(after()).toEqual({});
});

test('without the setting a hundred record IDs in a row are the proof that nothing is left out', () => {
  const { come, after } = book(undefined);
  come([run(1, 50), run(53, 60)]);
  expect(after()).toEqual({});
  come([run(61, 152), run(155)]);
  expect(after()).toEqual({ a: 2 });
});

test('many gaps with little between them are a filter: what was open is not missed, until it is proven anew', () => {
  const { come, after } = book(undefined);
  come([run(1, 150)]);
  for (let id = 152; id < 200; id += 3) come([run(id)]);
  expect(after()).toEqual({});
  come([run(1000, 1099), run(1101)]);
  expect(after()).toEqual({ a: 1 });
});

test('a filtered source misses nothing, whatever its record IDs', () => {
  const { come, after } = book(false);
  come([run(1, 1000), run(2000, 3000)]);
  expect(after()).toEqual({});
});

test('a cleared log numbers anew: no gap, and its own gaps count, also where it was used before', () => {
  const { come, after } = book(true);
  come([run(1, 500)]);
  come([run(3, 20, 1000), run(23, 30, 1000)]);
  expect(after()).toEqual({ a: 2 });
  come([run(31, 600, 1000)]);
  expect(after()).toEqual({ a: 2 });
});

test('late lines of before the log was cleared fill a gap of then, and open none now', () => {
  const { come, after } = book(true);
  come([run(1, 490), run(495, 500)]);
  come([run(1, 20, 1000)]);
  come([run(491, 492), run(501, 503)]);
  come([run(21, 30, 1000)]);
  expect(after()).toEqual({ a: 2 });
});

test('older files read later, repeated batches and a clock that goes back are no gaps', () => {
  const { come, after } = book(true);
  come([run(501, 1000)]);
  come([run(1, 500), run(400, 450), run(990, 1000)]);
  come([{ ...run(1001, 1010), firstAt: start, lastAt: start + 9000 }, run(1005, 1010), run(1011, 1020)]);
  expect(after()).toEqual({});
});

test('logs do not mix: each channel of each server has its own numbers', () => {
  const { come, after } = book(true);
  come([run(1, 5), run(900, 903, 0, 'system'), run(6, 7), run(905, 905, 0, 'system')]);
  expect(after()).toEqual({ a: 1 });
});

test('while a source has more to read nothing counts as missed', () => {
  const { come, after } = book(true);
  come([run(1, 10), run(14, 20)], { behind: true });
  expect(after(50)).toEqual({});
  come([run(21, 30)], { behind: true });
  expect(after(50)).toEqual({});
  come([run(11, 13)]);
  expect(after()).toEqual({});
});

test('after a restart an open gap has its whole minute, and what was missed is still counted', () => {
  const first = book(true);
  first.come([run(1, 10), run(14, 20)]);
  first.after();
  first.come([run(25, 30)]);
  const second = first.restart();
  expect(second.after(59)).toEqual({ a: 3 });
  expect(second.after(1)).toEqual({ a: 7 });
  second.come([run(32, 33)]);
  expect(second.after()).toEqual({ a: 8 });
});

test('record IDs that hardly follow one another say nothing, and what was open is let go', () => {
  const { come, after } = book(undefined);
  come([run(1, 200), run(205, 210)]);
  come(undefined);
  come([run(300, 310)]);
  expect(after()).toEqual({});
});

test('a flood of names and of gaps is bounded', () => {
  const { gaps, come, after } = book(true);
  for (let n = 0; n < 4500; n++) come([{ ...run(1, 2), server: `s${n}` }]);
  for (let n = 0; n < 3000; n++) come([run(10 + n * 2)]);
  expect(gaps.texts().length).toBeLessThanOrEqual(4_096);
  expect(gaps.texts().join('').length).toBeLessThan(800_000);
  expect(after()).toEqual({ a: 2999 });
});

test('in any order with any repetition, exactly the IDs that never came are missed', () => {
  const ids = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(ids, fc.nat(), (order, restartAt) => {
      let { come, after, restart } = book(true);
      order.forEach((id, index) => {
        if (index === restartAt % 60) ({ come, after, restart } = restart());
        come([run(id)]);
      });
      const [first = 0] = order;
      const all = Array.from({ length: 40 }, (_, index) => index + 1);
      const lost = all.filter((id) => id > first && id < Math.max(...order) && !order.includes(id));
      expect(after()).toEqual(lost.length === 0 ? {} : { a: lost.length });
    }),
  );
});

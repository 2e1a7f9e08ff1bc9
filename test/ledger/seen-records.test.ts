import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecordKey } from '../../src/model/records.js';
import { createSeenRecords, type SavedRecords } from '../../src/ledger/seen-records.js';

const start = Date.parse('2026-01-15T08:14:02.137Z');

function key(recordId: number | undefined, time: number | undefined = start, more: Partial<RecordKey> = {}): RecordKey {
  return { server: 'exch01', channel: 'application', recordId, time, ...more };
}

function restart(seen: ReturnType<typeof createSeenRecords>, options = {}): ReturnType<typeof createSeenRecords> {
  return createSeenRecords(
    seen.texts().map((text) => JSON.parse(text) as SavedRecords),
    options,
  );
}

test('a second delivery is known, also by a carrier that cuts the time to seconds or leaves time or channel out', () => {
  const seen = createSeenRecords([]);
  expect(seen.note(key(7))).toBe(true);
  expect(seen.note(key(7))).toBe(false);
  expect(seen.note(key(7, Math.floor(start / 1000) * 1000))).toBe(false);
  expect(seen.note(key(7, undefined))).toBe(false);
  expect(seen.note(key(7, start, { channel: '' }))).toBe(false);
});

test('what a partition brings that lags by an hour is new though its log is far ahead; once nothing lags, what is older is known', () => {
  const seen = createSeenRecords([], { perLog: 1000, now: () => start + 7_200_000 });
  const at = (id: number): number => start + id * 1000;
  seen.hold(true);
  for (let id = 1; id <= 3_600; id++) if (id % 16 !== 5) seen.note(key(id, at(id)));
  for (let id = 5; id <= 3_600; id += 16) expect(seen.note(key(id, at(id))), String(id)).toBe(true);
  expect(seen.note(key(3_600, at(3_600)))).toBe(false);
  const { note, hold } = restart(seen, { perLog: 1000, now: () => start + 7_200_000 });
  hold(true);
  expect(note(key(6, at(6)))).toBe(true);
  seen.hold(false);
  expect(seen.note(key(6, at(6)))).toBe(false);
});

test('another server, another log, another number and a cleared log are other events', () => {
  const seen = createSeenRecords([]);
  expect(seen.note(key(7))).toBe(true);
  expect(seen.note(key(7, start, { server: 'exch02' }))).toBe(true);
  expect(seen.note(key(7, start, { channel: 'system' }))).toBe(true);
  expect(seen.note(key(8))).toBe(true);
  expect(seen.note(key(7, start + 3_600_000))).toBe(true);
  expect(seen.note(key(7, start + 3_600_000))).toBe(false);
  expect(seen.note(key(7))).toBe(false);
});

test('a clock without its zone tells records of a cleared log apart, and is the same as any time that a zone makes of it', () => {
  const hour = 3_600_000;
  const onClock = (recordId: number, clockTime: number): RecordKey =>
    key(recordId, undefined, { time: undefined, clockTime });
  const seen = createSeenRecords([], { now: () => start + 400 * 24 * hour });
  expect([seen.note(onClock(7, start)), seen.note(onClock(7, start + 2 * hour))]).toEqual([true, true]);
  for (const book of [seen, restart(seen, { now: () => start + 400 * 24 * hour })]) {
    // Read out again by the same clock, and rounded.
    for (const again of [0, 900]) expect(book.note(onClock(7, start + again))).toBe(false);
    // From a shipper that writes UTC, of a server in India.
    expect(book.note(key(7, start - 5.5 * hour))).toBe(false);
    expect(book.note(key(7, undefined, { time: undefined }))).toBe(false);
  }
  expect(seen.note(key(7, start + 20 * hour))).toBe(true);
  expect(seen.note(onClock(7, start + 17 * hour))).toBe(false);
  const small = createSeenRecords([], { perLog: 256, now: () => start + 400 * 24 * hour });
  for (let id = 1; id <= 600; id++) small.note(onClock(id, start + id * 1000));
  expect([small.note(onClock(3, start + 3_000)), small.note(onClock(3, start + 3 * hour))]).toEqual([false, true]);
});

test('without a record ID every event is new', () => {
  const seen = createSeenRecords([]);
  expect([seen.note(key(undefined)), seen.note(key(undefined))]).toEqual([true, true]);
});

test('what was seen is known after a restart, in any order and with any times', () => {
  const record = fc.record({
    id: fc.integer({ min: 1, max: 3000 }),
    at: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 700 }), (records) => {
      const seen = createSeenRecords([]);
      const keys = records.map(({ id, at }) => key(id, at === undefined ? undefined : start + at * 60_000));
      for (const each of keys) seen.note(each);
      const again = restart(seen);
      expect(again.texts()).toEqual(seen.texts());
      expect(keys.filter((each) => again.note(each))).toEqual([]);
    }),
  );
});

test('beyond its window an older record counts as delivered before, a newer one does not', () => {
  const seen = createSeenRecords([], { perLog: 1000 });
  for (let id = 1; id <= 5000; id++) expect(seen.note(key(id, start + id * 1000))).toBe(true);
  const again = restart(seen, { perLog: 1000 });
  for (let id = 1; id <= 5000; id++) expect(again.note(key(id, start + id * 1000))).toBe(false);
  expect(again.note(key(5001, start + 5001_000))).toBe(true);
});

test('a log cleared after its window was full is not taken for old', () => {
  const seen = createSeenRecords([], { perLog: 1000 });
  for (let id = 1; id <= 5000; id++) seen.note(key(id, start + id * 1000));
  for (let id = 1; id <= 3000; id++) expect(seen.note(key(id, start + (10_000 + id) * 1000))).toBe(true);
  for (let id = 1; id <= 3000; id++) expect(seen.note(key(id, start + (10_000 + id) * 1000))).toBe(false);
});

test('a carrier that gives every record the same ID is told by time, at a bounded cost, and pushes out no other log', () => {
  const seen = createSeenRecords([], { perLog: 1000, inAll: 3000 });
  for (let id = 1; id <= 500; id++) seen.note(key(id, start + id * 1000, { server: 'other' }));
  const times = Array.from({ length: 20_000 }, (_, n) => start + n * 10_000);
  for (const time of times) expect(seen.note(key(1, time))).toBe(true);
  for (const time of times.slice(-700)) expect(seen.note(key(1, time))).toBe(false);
  expect(seen.texts().join().length).toBeLessThan(60_000);
  // Older than all that the other log has: it would count as delivered before, had its records been let go.
  expect(seen.note(key(0, start, { server: 'other' }))).toBe(true);
});

test('a record ID that comes with a hundred thousand times costs no more than as many IDs', () => {
  const seen = createSeenRecords([]);
  const began = process.cpuUsage();
  for (let n = 0; n < 100_000; n++) seen.note(key(1, start + n * 10_000));
  // By way of all times before, it took minutes.
  expect(process.cpuUsage(began).user).toBeLessThan(5_000_000);
});

test('memory is bounded over all logs together', () => {
  const seen = createSeenRecords([], { perLog: 1000, inAll: 3000 });
  for (let server = 0; server < 50; server++) {
    for (let id = 1; id <= 500; id++) seen.note(key(id, start + id * 1000, { server: `exch${server}` }));
  }
  expect(seen.texts().join().length).toBeLessThan(60_000);
});

test('a flood of servers pushes out the log without a new record for the longest, and no other', () => {
  const seen = createSeenRecords([], { logs: 3 });
  for (const server of ['a', 'b', 'c', 'a', 'd']) seen.note(key(server === 'a' ? undefined : 1, start, { server }));
  expect(seen.note(key(1, start, { server: 'busy' }))).toBe(true);
  for (let n = 0; n < 1000; n++) {
    seen.note(key(1, start, { server: `flood${n}` }));
    seen.note(key(n + 2, start, { server: 'busy' }));
  }
  expect(seen.note(key(500, start, { server: 'busy' }))).toBe(false);
  expect(seen.note(key(1, start, { server: 'b' }))).toBe(true);
  expect(seen.texts()).toHaveLength(3);
});

test('a record that is known takes less than sixty bytes, however many there are', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const usedBytes = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const records = 262_144;
  const before = usedBytes();
  const seen = createSeenRecords([]);
  for (let n = 0; n < records; n++) seen.note(key(n, start + n * 8, { server: `exch0${n % 4}` }));
  expect((usedBytes() - before) / records).toBeLessThan(60);
  // The bound of all logs together was reached and not passed: the first and the last are still told apart from news.
  expect(seen.note(key(0, start, { server: 'exch00' }))).toBe(false);
  expect(seen.note(key(records - 1, start + (records - 1) * 8, { server: 'exch03' }))).toBe(false);
});

/** Pages of numbers lie outside of the heap, and what was let go of is given back while the process goes on. */
async function bytesInUse(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  for (let n = 0; n < 3; n++) {
    collectGarbage();
    await turn();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test.for<[string, number, (n: number) => [id: number, log: number]]>([
  ['one after the other in four logs', 24, (n) => [Math.floor(n / 4), n % 4]],
  ['as twenty files bring them by turns', 24, (n) => [n - (n % 1000) + ((n * 7919) % 1000), n % 4]],
  ['in logs that are cleared again and again', 36, (n) => [Math.floor(n / 4) % 2000, n % 4]],
  ['in the logs of two thousand servers', 80, (n) => [Math.floor(n / 2000), n % 2000]],
])('of 262,144 records, %s, each costs at most %i bytes of heap and buffers together', async ([, most, place]) => {
  const records = 262_144;
  const before = await bytesInUse();
  const seen = createSeenRecords([]);
  let fresh = 0;
  for (let n = 0; n < records; n++) {
    const [id, log] = place(n);
    if (seen.note(key(id, start + n * 80, { server: `exch${log}` }))) fresh++;
  }
  expect(fresh).toBe(records);
  expect(((await bytesInUse()) - before) / records).toBeLessThan(most);
  const [id, log] = place(0);
  expect(seen.note(key(id, start, { server: `exch${log}` }))).toBe(false);
});

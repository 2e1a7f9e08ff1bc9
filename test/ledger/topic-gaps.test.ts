import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nothingPassed, noteEnd, notePassed, settle, startSettling } from '../../src/events/sources/kafka/passing.js';
import type { SavedLog } from '../../src/ledger/log-numbering.js';
import { createRecordGaps, type RecordGaps } from '../../src/ledger/record-gaps.js';
import type { SpreadLog } from '../../src/model/records.js';

const source = 'kafka:events';

/** A topic with partitions of its own and its reader; time passes when it is told to. */
function topic(count: number, unfiltered: boolean | undefined) {
  const clock = { now: 1_000 };
  const partitions = Array.from({ length: count }, () => ({
    log: [] as number[],
    next: 0,
    isAway: false,
    passing: nothingPassed(),
  }));
  const open = (saved: readonly SavedLog[], missed?: RecordGaps['missed']): RecordGaps =>
    createRecordGaps(saved, { now: () => clock.now, missed: missed?.() ?? new Map<string, number>() });
  let gaps = open([]);
  let settling = startSettling(clock.now);
  const post = (logs: readonly SpreadLog[], broken = false): void => {
    settle(settling, Math.min(...partitions.map(({ passing }) => passing.at)), clock.now);
    const spread = { at: clock.now, settledAt: settling.settledAt, broken, logs };
    gaps.noteSpread({ source, unfiltered, spread });
  };
  return {
    produce: (id: number, partition: number) => partitions[partition % count]?.log.push(id),
    away: (partition: number, isAway: boolean) => Object.assign(partitions[partition] ?? {}, { isAway }),
    read: (partition: number, most = Infinity) => {
      const from = partitions[partition % count];
      if (!from || from.isAway) return;
      noteEnd(from.passing, clock.now, from.log.length, from.next);
      const ids = from.log.slice(from.next, from.next + most).flatMap((id) => [id, id]);
      from.next += ids.length / 2;
      notePassed(from.passing, from.next);
      post(ids.length > 0 ? [{ server: 'exch01', channel: 'application', ids, until: undefined, low: undefined }] : []);
    },
    pass: (seconds: number) => (clock.now += seconds * 1000),
    /** What a kill -9 leaves: the saved form. Clocks start over. */
    kill: () => {
      const saved = gaps.texts().map((text) => JSON.parse(text) as SavedLog);
      gaps = open(saved, gaps.missed);
      clock.now = 1_000;
      settling = startSettling(clock.now);
      for (const each of partitions) each.passing = nothingPassed();
    },
    post,
    /** All is read, and read again and again for minutes. */
    settleAll(this: { read: (partition: number) => void }): void {
      for (let round = 0; round < 12; round++) {
        for (let n = 0; n < count; n++) this.read(n);
        clock.now += 30_000;
      }
    },
    missed: () => gaps.missed().get(source) ?? 0,
  };
}

const away = fc.record({ kind: fc.constant('away' as const), partition: fc.nat(3), isAway: fc.boolean() });
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('produce' as const), partition: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), partition: fc.nat(3) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('read' as const),
        partition: fc.nat(3),
        most: fc.integer({ min: 1, max: 9 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('pass' as const), seconds: fc.integer({ min: 1, max: 90 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const) }) },
    { weight: 1, arbitrary: away },
  ),
  { maxLength: 120 },
);

test('in whatever order partitions are read, nothing that is in Kafka counts as missed, and what is lost counts exactly once', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const world = topic(4, true);
      for (let id = 1; id <= 8; id++) world.produce(id, id);
      world.settleAll();
      world.produce(9, 1);
      world.settleAll();
      let id = 9;
      let lost = 0;
      for (const step of all) {
        if (step.kind === 'produce') world.produce(++id, step.partition);
        else if (step.kind === 'read') world.read(step.partition, step.most);
        else if (step.kind === 'pass') world.pass(step.seconds);
        else if (step.kind === 'away') world.away(step.partition, step.isAway);
        else if (step.kind === 'kill') world.kill();
        else [id, lost] = [id + 1, lost + 1];
        expect(world.missed()).toBeLessThanOrEqual(lost);
      }
      for (let n = 0; n < 4; n++) world.away(n, false);
      world.produce(id + 1, 0);
      world.settleAll();
      expect(world.missed()).toBe(lost);
      world.settleAll();
      expect(world.missed()).toBe(lost);
    }),
    { numRuns: 100 },
  );
});

/** Produces IDs in turn to all partitions. */
function produceAll({ produce }: Pick<ReturnType<typeof topic>, 'produce'>, first: number, last: number): void {
  for (let id = first; id <= last; id++) produce(id, id);
}

/** A log of which ten records are settled, so that what is missing above them counts. */
function watched(count: number, unfiltered: boolean | undefined) {
  const world = topic(count, unfiltered);
  produceAll(world, 1, 9);
  world.settleAll();
  world.produce(10, 0);
  world.settleAll();
  return world;
}

test('a partition that lags by an hour opens holes for all that is in it, which a kill does not lose, and fills them', () => {
  const world = watched(16, true);
  world.away(3, true);
  produceAll(world, 11, 180_000);
  for (let n = 0; n < 16; n++) world.read(n);
  world.pass(3_600);
  for (let n = 0; n < 16; n++) world.read(n);
  expect(world.missed()).toBe(0);
  world.kill();
  world.away(3, false);
  world.produce(180_002, 5);
  for (let n = 0; n < 10; n++) world.read(3, 5_000);
  world.settleAll();
  expect(world.missed()).toBe(1);
});

test('without the setting a hundred IDs in a row are the proof, in whatever order they come; a filtered log misses nothing', () => {
  const proven = watched(4, undefined);
  produceAll(proven, 11, 120);
  produceAll(proven, 124, 130);
  for (const n of [3, 0, 2, 1]) proven.read(n);
  proven.settleAll();
  expect(proven.missed()).toBe(3);
  const filtered = watched(4, undefined);
  for (let id = 20; id < 20_000; id += 7) filtered.produce(id, id);
  filtered.settleAll();
  expect(filtered.missed()).toBe(0);
});

test('what Kafka has deleted, and what cannot be told, makes no gap; what is lost after that does', () => {
  const world = watched(4, true);
  produceAll(world, 20, 30);
  world.read(0);
  world.post([], true);
  world.settleAll();
  world.produce(40, 0);
  world.settleAll();
  world.produce(43, 0);
  world.settleAll();
  expect(world.missed()).toBe(2);
});

test('a cleared log numbers anew; one that is delivered again does not', () => {
  const at = Date.parse('2026-01-15T08:00:00Z');
  const world = watched(1, true);
  const name = { server: 'exch01', channel: 'application' };
  world.post([{ ...name, ids: [11, 500], until: at, low: undefined }]);
  // As old as it was.
  world.post([{ ...name, ids: [5, 9], until: at + 60_000, low: { id: 5, at: at - 60_000 } }]);
  world.post([{ ...name, ids: [502, 502], until: at + 60_000, low: undefined }]);
  world.settleAll();
  expect(world.missed()).toBe(1);
  world.post([{ ...name, ids: [1, 9], until: at + 180_000, low: { id: 1, at: at + 120_000 } }]);
  // Late, from before.
  world.post([{ ...name, ids: [503, 503], until: at + 60_000, low: undefined }]);
  world.settleAll();
  world.post([{ ...name, ids: [10, 10], until: at + 240_000, low: undefined }]);
  world.post([{ ...name, ids: [13, 13], until: at + 240_000, low: undefined }]);
  world.settleAll();
  expect(world.missed()).toBe(3);
});

test('more holes than are known one by one count as nothing', () => {
  const world = watched(2, true);
  world.away(1, true);
  produceAll(world, 11, 70_000);
  world.read(0);
  world.produce(70_010, 0);
  world.read(0);
  world.away(1, false);
  world.settleAll();
  expect(world.missed()).toBe(0);
});

/** Seen records against a model that keeps every record in one plain list and looks through all of it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKnownRecords } from '../../src/ledger/known-records.js';
import { createSeenRecords, type SavedRecords, type SeenRecords } from '../../src/ledger/seen-records.js';
import { isCredible } from '../../src/runtime/noted-time.js';

const start = Date.parse('2026-01-15T08:00:00Z');
const blockLength = 256;

type Pair = readonly [id: number, second: number];
type ModelLog = { server: string; channel: string; floor: Pair | undefined; records: Pair[] };
type Model = { logs: ModelLog[]; readonly perLog: number; readonly inAll: number; readonly mostLogs: number };

function isSame([id, second]: Pair, other: Pair): boolean {
  return id === other[0] && !(Math.abs(second - other[1]) > 1);
}

function logIn(model: Model, server: string, channel: string): ModelLog | undefined {
  return model.logs.find((log) => log.server === server && log.channel === channel);
}

/** One from the future does not hold. */
function holding(floor: Pair | undefined, now: number): Pair | undefined {
  return floor && isCredible(floor[1] * 1000, now) ? floor : undefined;
}

function lift(log: ModelLog, [id, second]: Pair, now: number): void {
  const isTimed = !Number.isNaN(second);
  if (isTimed && !isCredible(second * 1000, now)) return;
  const floor = holding(log.floor, now);
  if (!floor) {
    if (isTimed || !log.floor) log.floor = [id, isTimed ? second : 0];
    return;
  }
  const [floorId, floorSecond] = floor;
  if (isTimed && (second > floorSecond || (second === floorSecond && id > floorId))) log.floor = [id, second];
  else if (id > floorId) log.floor = [id, floorSecond];
}

/** The block that was noted first: the last one may hold fewer records. */
function drop(log: ModelLog, now: number): void {
  for (const record of log.records.splice(0, blockLength)) lift(log, record, now);
}

function note(model: Model, server: string, channel: string, record: Pair, now: number): boolean {
  const log = logIn(model, server, channel) ?? { server, channel, floor: undefined, records: [] };
  if (log.records.some((each) => isSame(each, record))) return false;
  const floor = holding(log.floor, now);
  if (floor && record[0] <= floor[0] && !(record[1] > floor[1])) return false;
  model.logs = [...model.logs.filter((each) => each !== log), log].slice(-model.mostLogs);
  log.records.push(record);
  const total = model.logs.reduce((sum, { records }) => sum + records.length, 0);
  const most = Math.max(...model.logs.map(({ records }) => records.length));
  const largest = model.logs.find(({ records }) => records.length === most);
  if (log.records.length > model.perLog) drop(log, now);
  else if (total > model.inAll && largest) drop(largest, now);
  return true;
}

function rename(model: Model, from: string, to: string, now: number): void {
  for (const log of model.logs.filter(({ server }) => server === from)) {
    model.logs.splice(model.logs.indexOf(log), 1);
    const into = logIn(model, to, log.channel);
    const moved: ModelLog = { server: to, channel: log.channel, floor: undefined, records: [] };
    for (const { records, floor } of into ? [into, log] : [log]) {
      for (const record of records) if (!moved.records.some((each) => isSame(each, record))) moved.records.push(record);
      if (floor) lift(moved, floor, now);
    }
    if (into) model.logs.splice(model.logs.indexOf(into), 1);
    model.logs.push(moved);
    while (moved.records.length > model.perLog) drop(moved, now);
  }
}

/** The saved form, read without the product. */
function pairsOf(saved: SavedRecords): Pair[] {
  return saved.blocks.flatMap((block) => {
    let [id, second] = [0, 0];
    return block.split(' ').map((part): Pair => {
      const [idPart = '', secondPart = ''] = part.split(':');
      id += Number.parseInt(idPart, 36);
      if (secondPart !== '') second += Number.parseInt(secondPart, 36);
      return [id, secondPart === '' ? Number.NaN : second];
    });
  });
}

function savedOf(seen: SeenRecords): SavedRecords[] {
  return seen.texts().map((text) => JSON.parse(text) as SavedRecords);
}

function contentOf(seen: SeenRecords): ModelLog[] {
  return savedOf(seen).map((saved) => ({
    server: saved.server,
    channel: saved.channel,
    floor: saved.floor,
    records: pairsOf(saved),
  }));
}

const servers = fc.constantFrom('exch01', 'exch01.contoso.example', 'exch02');
const channels = fc.constantFrom('application', 'system');
const aTime = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 2, arbitrary: fc.constantFrom(Number.NaN) },
  { weight: 1, arbitrary: fc.constantFrom(-(2 ** 33), 2 ** 33, 250_000_000_000, -1_768_464_000) },
);
const anId = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 1, arbitrary: fc.constantFrom(-5, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER) },
);

type Act =
  | { kind: 'note'; server: string; channel: string; id: number; at: number }
  | { kind: 'run'; server: string; channel: string; first: number; count: number; step: number; at: number }
  | { kind: 'rename'; from: string; to: string }
  | { kind: 'restart' }
  | { kind: 'clock'; days: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('note'), server: servers, channel: channels, id: anId, at: aTime }),
  },
  {
    weight: 4,
    // As a log is written, cleared and written again, or as an export lists it: the newest record first.
    arbitrary: fc.record({
      kind: fc.constant('run'),
      server: servers,
      channel: channels,
      first: fc.integer({ min: 1, max: 2000 }),
      count: fc.integer({ min: 1, max: 700 }),
      step: fc.constantFrom(1, 1, 4, -1, 90, 0),
      at: fc.integer({ min: 0, max: 5000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rename'), from: servers, to: servers }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clock'), days: fc.constantFrom(-365, 0, 36_500) }) },
);

function recordsOf(each: Extract<Act, { kind: 'note' | 'run' }>): Pair[] {
  const base = start / 1000;
  if (each.kind === 'note') return [[each.id, base + each.at]];
  return Array.from({ length: each.count }, (_, n) => [each.first + n * each.step, base + each.at + 2 * n]);
}

test('any records, times, restarts, renames and clocks: what is known and saved is what a plain list knows', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 25 }), (acts) => {
      const bounds = { perLog: 600, inAll: 1500, logs: 5 };
      const model: Model = { logs: [], perLog: bounds.perLog, inAll: bounds.inAll, mostLogs: bounds.logs };
      const clock = { now: start + 100_000_000 };
      const options = { ...bounds, now: () => clock.now };
      let seen = createSeenRecords([], options);
      for (const each of acts) {
        if (each.kind === 'restart') seen = createSeenRecords(savedOf(seen), options);
        else if (each.kind === 'clock') clock.now = start + 100_000_000 + each.days * 86_400_000;
        else if (each.kind === 'rename') {
          if (each.from === each.to) continue;
          seen.rename(each.from, each.to);
          rename(model, each.from, each.to, clock.now);
        } else
          for (const record of recordsOf(each)) {
            const { server, channel } = each;
            const time = Number.isNaN(record[1]) ? undefined : record[1] * 1000;
            const isNew = seen.note({ server, channel, recordId: record[0], time });
            expect(isNew).toBe(note(model, server, channel, record, clock.now));
          }
      }
      expect(contentOf(seen)).toEqual(model.logs);
    }),
    { numRuns: 60 },
  );
});

test('known records are found among any others, in whatever order they came and went', () => {
  const step = fc.record({ id: anId, second: aTime, isLeaving: fc.boolean() });
  const runs = fc.array(
    fc.record({
      first: fc.integer({ min: 0, max: 5000 }),
      by: fc.constantFrom(1, -1, 3, 2 ** 33),
      length: fc.integer({ max: 900 }),
    }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(runs, fc.array(step, { maxLength: 200 }), (written, steps) => {
      const known = createKnownRecords();
      let list: Pair[] = [];
      const add = (pair: Pair): void => {
        if (list.some((each) => Object.is(each[0], pair[0]) && Object.is(each[1], pair[1]))) return;
        known.add(...pair);
        list.push(pair);
      };
      for (const { first, by, length } of written) for (let n = 0; n < length; n++) add([first + n * by, n % 7]);
      for (const { id, second, isLeaving } of steps) {
        if (!isLeaving) add([id, second]);
        else {
          known.remove(id, second);
          list = list.filter((each) => !(each[0] === id && Object.is(each[1], second)));
        }
        expect(known.has(id, second, 1)).toBe(list.some((each) => isSame(each, [id, second])));
      }
      // The first two thirds go again, oldest first, and nothing else does.
      for (const pair of list.splice(0, Math.floor((list.length * 2) / 3))) known.remove(...pair);
      const expected = (pair: Pair): boolean => list.some((each) => isSame(each, pair));
      for (let id = 0; id < 5000; id += 11) expect(known.has(id, 3, 1)).toBe(expected([id, 3]));
      for (const pair of list) expect(known.has(...pair, 1)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

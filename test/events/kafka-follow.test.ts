/** A topic whose partitions go their own ways: what is missing in it counts once all have been read beyond it. */
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { followTopics } from '../../src/events/sources/kafka/follow.js';
import { createRecordGaps } from '../../src/ledger/record-gaps.js';
import type { Batch } from '../../src/model/batch.js';
import { line } from '../support/exactness.js';
import { keepingLog } from '../support/log-double.js';
import { topicDouble } from '../support/topic-double.js';

const noise = (id: number): string => line(id, { eventId: 7036, provider: 'Service Control Manager' });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  onTestFinished(() => void vi.useRealTimers());
});

/** Follows it into the book of record IDs. */
function follow(
  topic: ReturnType<typeof topicDouble>,
  { unfiltered = true, of = 1, saved = () => Promise.resolve() } = {},
) {
  const gaps = createRecordGaps([], { now: Date.now, missed: new Map() });
  const batches: Batch[] = [];
  const log = keepingLog();
  const cluster = { brokers: ['kafka:9092'] };
  const part = { name: 'kafka:events', server: '', topic: 'events', cluster, from: 'earliest', unfiltered } as const;
  const followed = followTopics({
    parts: [{ ...part, shard: { index: 0, of } }],
    connect: () => topic.client,
    checkpoints: () => [],
    post: ({ spread, ...batch }) => {
      batches.push(batch);
      if (spread) gaps.noteSpread({ source: batch.source, unfiltered: batch.unfiltered, spread });
      return saved();
    },
    saved: () => Promise.resolve(),
    listen: () => Promise.reject(new Error('no listener')),
    knownConnectors: () => [],
    sessions: () => [],
    connectorOfGuid: () => undefined,
    log,
    now: Date.now,
  });
  onTestFinished(() => followed.stop());
  return {
    batches,
    log,
    status: () => followed.statuses()[0],
    caughtUp: followed.caughtUp,
    missed: () => gaps.missed().get('kafka:events') ?? 0,
    counted: () => batches.reduce((sum, { evidence }) => sum + evidence.length, 0),
  };
}

/** All that is there is settled after so long. */
const settle = () => vi.advanceTimersByTimeAsync(240_000);

test('records that no partition brings are missed once all were read beyond them, a lagging one too', async () => {
  const topic = topicDouble('events', 3);
  for (let id = 1; id <= 30; id++) topic.write(id % 3, noise(id));
  const { missed, counted } = follow(topic);
  await settle();
  topic.write(0, noise(31));
  await settle();
  topic.away(2, true);
  // 40 to 42 get lost; of 43 to 60 each third one lies in the partition that is away.
  for (let id = 32; id < 40; id++) topic.write(id % 2, noise(id));
  for (let id = 43; id <= 60; id++) topic.write(id % 3, id % 5 === 0 ? line(id) : noise(id));
  await settle();
  expect(missed()).toBe(0);
  topic.away(2, false);
  await settle();
  expect(missed()).toBe(3);
  await settle();
  expect({ missed: missed(), counted: counted() }).toEqual({ missed: 3, counted: 4 });
});

test('several records in a value and records in another form are seen, and a share of the partitions tells nothing', async () => {
  const topic = topicDouble('events', 2);
  topic.write(0, noise(1), noise(2));
  const { missed } = follow(topic);
  const share = follow(topic, { of: 2 });
  await settle();
  topic.write(1, noise(3));
  await settle();
  topic.write(0, `${noise(4)}${noise(5)}${line(6)}`, noise(9));
  topic.write(1, line(7));
  await settle();
  expect(missed()).toBe(1);
  expect(share.batches.some((batch) => 'spread' in batch)).toBe(false);
  expect(share.missed()).toBe(0);
});

test('a partition that has fallen behind is not read to its end, until it is', async () => {
  const topic = topicDouble('events', 1, 2);
  let save: () => void = () => undefined;
  let saving = Promise.resolve();
  const { caughtUp, status, counted } = follow(topic, { saved: () => saving });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(caughtUp()).toBe(true);
  topic.away(0, true);
  topic.write(0, ...[1, 2, 3, 4, 5].map((id) => line(id)));
  await vi.advanceTimersByTimeAsync(60_000);
  // What is away for now keeps nobody waiting.
  expect(caughtUp()).toBe(true);
  saving = new Promise((resolve) => (save = resolve));
  topic.away(0, false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([caughtUp(), status()?.topic?.partitions[0]?.lagRecords]).toEqual([false, 3]);
  save();
  saving = Promise.resolve();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([caughtUp(), counted()]).toEqual([true, 5]);
});

test('a partition that ends before the offset that was read is read on from its end, which is counted and said', async () => {
  const topic = topicDouble('events', 1);
  topic.write(0, line(1), line(2), line(3), line(4));
  const { counted, status, log, batches } = follow(topic);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(counted()).toBe(4);
  topic.cut(0, 2);
  await vi.advanceTimersByTimeAsync(2_000);
  topic.write(0, line(5));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(counted()).toBe(5);
  expect(status()?.topic?.resets).toEqual({ retention: 0, truncated: 1, recreated: 0 });
  expect(batches.reduce((sum, { missed = 0 }) => sum + missed, 0)).toBe(0);
  expect(log.lines.map(({ message }) => message)).toContainEqual(expect.stringContaining('the partition ends before'));
});

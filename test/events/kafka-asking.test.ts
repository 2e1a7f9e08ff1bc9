/** Which partitions a broker is asked for first. */
import { expect, test } from 'vitest';
import { ask, askAhead } from '../../src/events/sources/kafka/asking.js';
import type { Fetched, Wanted } from '../../src/events/sources/kafka/client.js';
import { freshPartition, freshTopic, type ClusterReading, spotsOf } from '../../src/events/sources/kafka/topic.js';

test('an empty partition of a busy topic does not hold up the other topics of its broker', () => {
  const wanted: (readonly Wanted[])[] = [];
  let now = 0;
  const client = { fetch: (_leader: number, list: readonly Wanted[]) => (wanted.push(list), Promise.resolve([])) };
  const topics = [
    { name: 'busy', partitions: 4 },
    { name: 'other', partitions: 1 },
  ].map(({ name, partitions }) => {
    const topic = freshTopic({ topic: name } as never);
    for (let n = 0; n < partitions; n++)
      topic.partitions.set(n, { ...freshPartition(n, 'earliest', 0), leader: 1, nextOffset: 0, stableEnd: 9_000 });
    return topic;
  });
  const reading = { client, topics, steady: () => ++now } as unknown as ClusterReading;
  let asked = ask(reading, 1, spotsOf(reading, 1));
  const firsts: (string | undefined)[] = [];
  for (let n = 0; n < 6; n++) {
    // A request goes topic by topic, and one partition fills an answer; the last one of the busy topic is empty.
    const [list = []] = wanted.slice(-1);
    const first = list
      .filter(({ topic }) => topic === list[0]?.topic)
      .find(({ topic, partition }) => topic !== 'busy' || partition !== 3);
    firsts.push(first?.topic);
    const answered = new Map(
      spotsOf(reading, 1).map(({ topic, state }): [typeof state, Fetched] => {
        const isFirst = topic.part.topic === first?.topic && state.partition === first.partition;
        const isEmpty = topic.part.topic === 'busy' && state.partition === 3;
        const end = isEmpty ? 0 : 9_000;
        const records = Buffer.alloc(isFirst ? 100 : 0);
        return [
          state,
          {
            topicId: '',
            partition: state.partition,
            error: 0,
            highWatermark: end,
            lastStable: end,
            aborted: [],
            records,
          },
        ];
      }),
    );
    const next = askAhead(reading, 1, asked, answered);
    if (!next) throw new Error('nothing was asked for');
    asked = next;
  }
  expect(firsts).toContain('other');
});

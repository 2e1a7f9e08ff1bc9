/** Families of Kafka topics; left out of the page where no topic is read. */
import { offsetResets, type PartitionStatus } from '../model/status.js';
import type { Family } from './exposition.js';
import type { Sample } from './families.js';
import type { MetricsOptions } from './options.js';

type TopicFamily = Family & {
  readonly samples: (facts: Pick<MetricsOptions, 'sources'>) => readonly Sample[];
  readonly isRare: true;
};

export const topicFamilies: readonly TopicFamily[] = [
  ofPartitions('lag_records', 'Records of a partition of a Kafka topic not yet read.', ({ lagRecords }) => lagRecords),
  ofPartitions(
    'lag_seconds',
    'How long there have been unread records in a partition of a Kafka topic, or how long it could not be read.',
    ({ lagSeconds }) => lagSeconds,
  ),
  {
    name: 'exchange_exporter_source_reconnects_total',
    type: 'counter',
    help: 'Reconnects to a Kafka broker.',
    isRare: true,
    samples: ({ sources }) => sources().flatMap(({ source, topic }) => (topic ? [[{ source }, topic.reconnects]] : [])),
  },
  {
    name: 'exchange_exporter_source_offset_resets_total',
    type: 'counter',
    help: 'Times that a Kafka partition could not be continued at the saved offset, by reason: records were deleted, the partition was truncated, the topic was recreated.',
    isRare: true,
    samples: ({ sources }) =>
      sources().flatMap(({ source, topic }) =>
        topic ? offsetResets.map((reason): Sample => [{ source, reason }, topic.resets[reason]]) : [],
      ),
  },
];

function ofPartitions(name: string, help: string, value: (status: PartitionStatus) => number): TopicFamily {
  return {
    name: `exchange_exporter_source_partition_${name}`,
    type: 'gauge',
    help,
    isRare: true,
    samples: ({ sources }) =>
      sources().flatMap(({ source, topic }) =>
        (topic?.partitions ?? []).map((each): Sample => [{ source, partition: String(each.partition) }, value(each)]),
      ),
  };
}

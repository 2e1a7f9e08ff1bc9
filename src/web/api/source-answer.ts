/** The status of a source in the API. */
import type { SourceStatus } from '../../model/status.js';
import type { Answers } from './answers.js';
import { timeOf } from './time.js';

export function sourceOf(status: SourceStatus): Answers['status']['sources'][number] {
  return {
    source: status.source,
    up: status.up,
    detail: status.detail,
    lastRecordAt: timeOf(status.lastRecordAt),
    lagBytes: status.lagBytes,
    lagSeconds: status.lagSeconds,
    stalledSeconds: status.stalledSeconds,
    bytesRead: status.bytesRead,
    subscription: status.subscription,
    topic: status.topic && { ...status.topic, partitions: [...status.topic.partitions] },
    pushed: status.pushed,
    handshakes: status.handshakes,
  };
}

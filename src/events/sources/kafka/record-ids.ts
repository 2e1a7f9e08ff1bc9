/** What a topic reports to the ledger about record IDs: which have arrived, and up to which time nothing missing can still arrive. */
import type { SpreadIds } from '../../../model/records.js';
import { eventLogOf } from '../../classify.js';
import { SpreadCollector } from '../../read/spread-ids.js';
import { settle, startSettling } from './passing.js';
import type { ValueTally } from './tally.js';
import type { Topic, TopicPart } from './topic.js';

/** Of a share of the partitions nobody can say what is missing: it may be in the others. */
function looksAtIds({ unfiltered, shard }: TopicPart): boolean {
  return unfiltered !== false && shard.of === 1;
}

export function collectorFor({ part }: Topic): SpreadCollector | undefined {
  return looksAtIds(part) ? new SpreadCollector() : undefined;
}

/** What is handed on with an outcome; undefined for a topic whose record IDs are not looked at. */
export function takeIds(
  topic: Topic,
  { ids, missed }: Pick<ValueTally, 'ids'> & { readonly missed: number },
  now: number,
): SpreadIds | undefined {
  if (!looksAtIds(topic.part)) return undefined;
  settleTopic(topic, now);
  const found = ids?.found() ?? [];
  if (found.length > 0) topic.idsAt = now;
  return {
    at: now,
    settledAt: topic.settling?.settledAt,
    broken: missed > 0 || ids?.isBroken === true,
    logs: found.flatMap((log) =>
      log.computer.trim() === '' ? [] : [{ ...eventLogOf(log, ''), ids: log.ids, until: log.until, low: log.low }],
    ),
  };
}

/** @returns whether more is settled than before, and somebody waits for it */
export function settleTopic(topic: Topic, now: number): boolean {
  if (!looksAtIds(topic.part)) return false;
  const { settledAt: before = -Infinity } = (topic.settling ??= startSettling(now));
  let passed = topic.askedAt;
  for (const { passing } of topic.partitions.values()) passed = Math.min(passed, passing.at);
  return settle(topic.settling, passed, now) && topic.idsAt > before;
}

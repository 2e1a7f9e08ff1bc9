/** Asks a broker ahead: while what it gave is being read it looks for what comes behind that. */
import type { Fetched } from './client.js';
import { needsPlace } from './places.js';
import { nextOffsetOf } from './record-batches.js';
import { type ClusterReading, type PartitionState, type Spot, spotsOf } from './topic.js';

export type Asked = {
  /** By the steady clock. */
  readonly at: number;
  readonly offsets: ReadonlyMap<PartitionState, number>;
  /** Rejects with a KafkaProblem. */
  readonly answer: Promise<readonly Fetched[]>;
};

/** Whoever waits longest is asked for first. */
export function ask(reading: ClusterReading, leader: number, spots: readonly Spot[]): Asked {
  return askFor(reading, leader, spots, ({ state }) => state.nextOffset ?? 0);
}

/**
 * Asks for what comes behind what was answered, and for what has become due.
 * @returns undefined when there is nothing to ask for
 */
export function askAhead(
  reading: ClusterReading,
  leader: number,
  { offsets }: Asked,
  answered: ReadonlyMap<PartitionState, Fetched>,
): Asked | undefined {
  const now = reading.steady();
  const next = new Map<PartitionState, number>();
  for (const { state } of spotsOf(reading, leader)) {
    const fetched = answered.get(state);
    const isWell = state.retryAt <= now && !needsPlace(state) && (fetched?.error ?? 0) === 0;
    // An answer to what nobody wants to know any more.
    if (!isWell || (fetched && offsets.get(state) !== state.nextOffset)) continue;
    next.set(state, fetched ? nextOffsetOf(fetched.records, state.nextOffset ?? 0) : (state.nextOffset ?? 0));
    // What stands at its end has had its turn, too; the others were not reached.
    if (fetched && (fetched.records.length > 0 || (state.nextOffset ?? 0) >= fetched.lastStable)) state.servedAt = now;
  }
  const spots = spotsOf(reading, leader).filter(({ state }) => next.has(state));
  return spots.length === 0 ? undefined : askFor(reading, leader, spots, ({ state }) => next.get(state) ?? 0);
}

function askFor(
  reading: ClusterReading,
  leader: number,
  spots: readonly Spot[],
  offsetOf: (spot: Spot) => number,
): Asked {
  const wanted = [...spots]
    .sort((a, b) => a.state.servedAt - b.state.servedAt)
    .map((spot) => {
      const { part, identity } = spot.topic;
      const { partition } = spot.state;
      return { topic: part.topic, topicId: identity?.topicId ?? '', partition, offset: offsetOf(spot) };
    });
  const answer = reading.client.fetch(leader, wanted);
  // Nobody may want it any more.
  answer.catch(() => undefined);
  return { at: reading.steady(), offsets: new Map(spots.map((spot) => [spot.state, offsetOf(spot)])), answer };
}

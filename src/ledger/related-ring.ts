/** Related events by number, and the last of each server: what stands right before and after an error. Bounded, saved. */
import { z } from 'zod';
import type { RelatedEvent } from '../model/evidence.js';
import type { Immutable } from '../runtime/immutable.js';

export const savedRelatedCount = z.strictObject({
  server: z.string(),
  provider: z.string(),
  eventId: z.int(),
  count: z.int().min(0),
});
export type RelatedCount = Immutable<z.infer<typeof savedRelatedCount>>;

export const savedRelatedEvent = z.strictObject({
  kind: z.literal('related_event'),
  key: z.strictObject({
    server: z.string(),
    channel: z.string(),
    recordId: z.int().optional(),
    time: z.number().optional(),
  }),
  server: z.string(),
  provider: z.string(),
  eventId: z.int(),
  at: z.number().optional(),
  text: z.string(),
  connector: z.string().optional(),
});

export type RelatedRing = {
  readonly note: (event: RelatedEvent) => void;
  /** What stands under one name of a server stands under another from now on. */
  readonly rename: (from: string, to: string) => void;
  /** Takes from a count what was told of it elsewhere. */
  readonly forget: (count: Omit<RelatedCount, 'count'>, told: number) => void;
  /** Kept events, those of a server one after the other, oldest first. */
  readonly events: () => readonly RelatedEvent[];
  readonly counts: () => readonly RelatedCount[];
  /** The saved form: one JSON text each. */
  readonly texts: () => readonly string[];
  /** Changes with whatever is noted. */
  readonly version: () => number;
};

export type RelatedRingOptions = {
  readonly events?: readonly RelatedEvent[];
  readonly counts?: readonly RelatedCount[];
  /** Kept of one server, of one kind of one server (a noisy one must not push out the rest), and of all. */
  readonly perServer?: number;
  readonly perKind?: number;
  readonly inAll?: number;
  /** Servers counted by name; what comes from further ones counts as `other`. */
  readonly servers?: number;
};

export function createRelatedRing(options: RelatedRingOptions = {}): RelatedRing {
  const most = { perServer: 200, perKind: 40, inAll: 4_000, servers: 200, ...options };
  /** Oldest first over all servers: a map keeps the order of insertion. The text is made once, by the first save that finds it here. */
  const kept = new Map<RelatedEvent, string | undefined>();
  const byServer = new Map<string, RelatedEvent[]>();
  const counts = new Map<string, RelatedCount>();
  const servers = new Set<string>();
  let version = 0;

  const drop = (event: RelatedEvent, ring: RelatedEvent[]): void => {
    ring.splice(ring.indexOf(event), 1);
    if (ring.length === 0) byServer.delete(event.server);
    kept.delete(event);
  };
  const keep = (event: RelatedEvent): void => {
    const ring = byServer.get(event.server) ?? [];
    byServer.set(event.server, ring);
    ring.push(event);
    kept.set(event, undefined);
    const tooMany = surplusIn(ring, event, most);
    if (tooMany) drop(tooMany, ring);
    const [oldestOfAll] = kept.keys();
    if (oldestOfAll && kept.size > most.inAll) drop(oldestOfAll, byServer.get(oldestOfAll.server) ?? []);
  };
  const raise = ({ server, provider, eventId }: Omit<RelatedCount, 'count'>, by: number): void => {
    const name = servers.has(server) || servers.size < most.servers ? server : 'other';
    servers.add(name);
    const key = `${name}\n${provider}\n${eventId}`;
    counts.set(key, { server: name, provider, eventId, count: (counts.get(key)?.count ?? 0) + by });
  };
  for (const { count, ...of } of options.counts ?? []) raise(of, count);
  for (const event of options.events ?? []) keep(event);
  return {
    note(event) {
      version++;
      raise(event, 1);
      keep(event);
    },
    rename(from, to) {
      version++;
      const events = [...kept.keys()];
      const moved = [...counts.values()].filter(({ server }) => server === from);
      for (const { provider, eventId } of moved) counts.delete(`${from}\n${provider}\n${eventId}`);
      servers.delete(from);
      for (const { count, ...of } of moved) raise({ ...of, server: to }, count);
      if (!byServer.has(from)) return;
      kept.clear();
      byServer.clear();
      for (const event of events)
        keep(event.server === from ? { ...event, server: to, key: { ...event.key, server: to } } : event);
    },
    forget(of, told) {
      raise(of, -told);
    },
    events: () => [...byServer.values()].flat(),
    counts: () => [...counts.values()],
    texts: () => Array.from(kept, ([event, text]) => text ?? write(kept, event)),
    version: () => version,
  };
}

function write(kept: Map<RelatedEvent, string | undefined>, event: RelatedEvent): string {
  const text = JSON.stringify(event);
  kept.set(event, text);
  return text;
}

/** The event that has to go since another one came. */
function surplusIn(
  ring: readonly RelatedEvent[],
  event: RelatedEvent,
  most: { readonly perKind: number; readonly perServer: number },
): RelatedEvent | undefined {
  if (countOf(ring, event) > most.perKind) return ring.find((each) => isSameKind(each, event));
  return ring.length > most.perServer ? ring[0] : undefined;
}

function isSameKind(a: RelatedEvent, b: RelatedEvent): boolean {
  return a.eventId === b.eventId && a.provider === b.provider;
}

/** How many events of a ring are of the same kind. */
function countOf(ring: readonly RelatedEvent[], event: RelatedEvent): number {
  let count = 0;
  for (const each of ring) if (isSameKind(each, event)) count++;
  return count;
}

/** Related events by number, and the last of each server: what stands right before and after an error. Bounded, saved. */
import * as z from 'zod';
import type { RelatedEvent } from '../model/evidence.js';
import type { Immutable } from '../runtime/immutable.js';
import { createLinkedLine, noPlace, type LinkedLine, type Place } from './linked-line.js';

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
    clockTime: z.number().optional(),
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
  /** The same as they are now, made when they are asked for, while notes go on. */
  readonly snapshot: () => Iterable<string>;
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

type Kept = {
  readonly event: RelatedEvent;
  readonly kind: Kind;
  text: string | undefined;
  readonly inAll: Place<Kept>;
  readonly ofServer: Place<Kept>;
  readonly ofKind: Place<Kept>;
};

/** The kept events of one number of one server. */
type Kind = { readonly line: LinkedLine<Kept>; readonly ofServer: LinkedLine<Kept> };

export function createRelatedRing(options: RelatedRingOptions = {}): RelatedRing {
  const most = { perServer: 200, perKind: 40, inAll: 4_000, servers: 200, ...options };
  const counts = createCounts(most.servers);
  const byServer = new Map<string, { readonly line: LinkedLine<Kept>; readonly kinds: Map<string, Kind> }>();
  let [line, version] = [lineOfAll(), 0];

  const kindOf = ({ server, provider, eventId }: RelatedEvent): Kind => {
    const ofServer = byServer.get(server) ?? {
      line: createLinkedLine<Kept>((kept) => kept.ofServer),
      kinds: new Map<string, Kind>(),
    };
    byServer.set(server, ofServer);
    const name = `${eventId} ${provider}`;
    const kind = ofServer.kinds.get(name) ?? {
      line: createLinkedLine<Kept>(({ ofKind }) => ofKind),
      ofServer: ofServer.line,
    };
    ofServer.kinds.set(name, kind);
    return kind;
  };
  const drop = (oldest: Kept | undefined): void => {
    if (!oldest) return;
    for (const each of [line, oldest.kind.ofServer, oldest.kind.line]) each.take(oldest);
    if (oldest.kind.ofServer.size() === 0) byServer.delete(oldest.event.server);
  };
  const keep = (event: RelatedEvent): void => {
    const kind = kindOf(event);
    const kept = freshKept(event, kind);
    for (const each of [line, kind.ofServer, kind.line]) each.add(kept);
    if (kind.line.size() > most.perKind) drop(kind.line.oldest());
    else if (kind.ofServer.size() > most.perServer) drop(kind.ofServer.oldest());
    if (line.size() > most.inAll) drop(line.oldest());
  };
  for (const { count, ...of } of options.counts ?? []) counts.raise(of, count);
  for (const event of options.events ?? []) keep(event);
  return {
    note(event) {
      version++;
      counts.raise(event, 1);
      keep(event);
    },
    rename(from, to) {
      version++;
      counts.rename(from, to);
      if (!byServer.has(from)) return;
      const kept = line.all();
      line = lineOfAll();
      byServer.clear();
      for (const { event } of kept)
        keep(event.server === from ? { ...event, server: to, key: { ...event.key, server: to } } : event);
    },
    forget(of, told) {
      counts.raise(of, -told);
    },
    events: () => [...byServer.values()].flatMap(({ line }) => line.all().map(({ event }) => event)),
    counts: counts.all,
    texts: () => line.all().map(textOf),
    snapshot: () => textsOf(line.all()),
    version: () => version,
  };
}

function freshKept(event: RelatedEvent, kind: Kind): Kept {
  return { event, kind, text: undefined, inAll: noPlace(), ofServer: noPlace(), ofKind: noPlace() };
}

/** Events do not change, and one that goes takes its text along. */
function* textsOf(all: readonly Kept[]): Generator<string> {
  for (const kept of all) yield textOf(kept);
}

function textOf(kept: Kept): string {
  return (kept.text ??= JSON.stringify(kept.event));
}

function lineOfAll(): LinkedLine<Kept> {
  return createLinkedLine(({ inAll }) => inAll);
}

type Counts = {
  readonly raise: (of: Omit<RelatedCount, 'count'>, by: number) => void;
  readonly rename: (from: string, to: string) => void;
  readonly all: () => readonly RelatedCount[];
};

/** @param mostServers counted by name; what comes from further ones counts as `other` */
function createCounts(mostServers: number): Counts {
  /** What was given out does not change: a count that rises is another object, made when it is asked for. */
  const counts = new Map<
    string,
    { readonly of: Omit<RelatedCount, 'count'>; count: number; shown: RelatedCount | undefined }
  >();
  const servers = new Set<string>();
  const raise: Counts['raise'] = ({ server, provider, eventId }, by) => {
    const name = servers.has(server) || servers.size < mostServers ? server : 'other';
    const key = `${name}\n${provider}\n${eventId}`;
    const known = counts.get(key);
    if (known) {
      known.count += by;
      known.shown = undefined;
      return;
    }
    servers.add(name);
    counts.set(key, { of: { server: name, provider, eventId }, count: by, shown: undefined });
  };
  return {
    raise,
    rename: (from, to) => {
      const moved = [...counts].filter(([, { of }]) => of.server === from);
      for (const [key] of moved) counts.delete(key);
      servers.delete(from);
      for (const [, { of, count }] of moved) raise({ ...of, server: to }, count);
    },
    all: () => Array.from(counts.values(), (each) => (each.shown ??= { ...each.of, count: each.count })),
  };
}

/** The errors and failures of the last day, for time lines and small plots. Bounded and saved; counts are elsewhere. */
import * as z from 'zod';
import type { ConnectionError, ConnectionFailure, RecentError } from '../model/evidence.js';
import { reasons } from '../model/words.js';
import { createWaitingLine, type InLine, type WaitingLine } from './waiting-line.js';

export const savedRecentError = z.strictObject({
  server: z.string(),
  connector: z.string(),
  destination: z.string(),
  reason: z.enum(reasons).optional(),
  at: z.number(),
  until: z.number(),
  count: z.int().min(1),
});

export type RecentErrors = {
  readonly note: (evidence: ConnectionError | ConnectionFailure, readAt: number) => void;
  /** What stands under one name of a server stands under another from now on. */
  readonly rename: (from: string, to: string) => void;
  /** In the order in which they were first read. */
  readonly all: () => readonly RecentError[];
  /** The saved form: one JSON text each. */
  readonly texts: () => readonly string[];
  readonly version: () => number;
};

/** Errors of one pair and one reason within this time are one entry with a count: a burst must not push out the rest. */
const togetherMs = 60_000;
const keepMs = 24 * 3_600_000;

/** An entry while it is kept: its count rises in place, and what readers and saves are given is made when they ask. */
type Kept = InLine & {
  readonly of: Named;
  readonly key: string;
  at: number;
  until: number;
  count: number;
  entry: RecentError | undefined;
  text: string | undefined;
};

type Named = Pick<RecentError, 'server' | 'connector' | 'destination' | 'reason'>;

export function createRecentErrors(
  saved: readonly RecentError[] = [],
  most: { readonly inAll: number; readonly perServer: number } = { inAll: 4_000, perServer: 2_000 },
): RecentErrors {
  const byKey = new Map<string, Kept>();
  const byServer = new Map<string, WaitingLine<Kept>>();
  let line = createWaitingLine<Kept>();
  let version = 0;

  const drop = (oldest: Kept | undefined): void => {
    if (!oldest) return;
    const { server } = oldest.of;
    byKey.delete(oldest.key);
    line.take(oldest);
    byServer.get(server)?.take(oldest);
    if (byServer.get(server)?.size() === 0) byServer.delete(server);
  };
  const keep = (of: Named, at: number, until: number, count: number): void => {
    const key = keyOf(of, at);
    const known = byKey.get(key);
    if (known) {
      known.at = Math.min(known.at, at);
      known.until = Math.max(known.until, until);
      known.count += count;
      known.entry = known.text = undefined;
      return;
    }
    const { server, connector, destination, reason } = of;
    const named = { server, connector, destination, reason };
    const fresh = { of: named, key, at, until, count, entry: undefined, text: undefined, isGone: false };
    const ofServer = byServer.get(server) ?? createWaitingLine();
    byServer.set(server, ofServer);
    byKey.set(key, fresh);
    line.add(fresh);
    ofServer.add(fresh);
    if (ofServer.size() > most.perServer) drop(ofServer.oldest());
    if (line.size() > most.inAll) drop(line.oldest());
  };
  for (const entry of saved) keep(entry, entry.at, entry.until, entry.count);
  return {
    note(evidence, readAt) {
      const at = evidence.at ?? readAt;
      if (readAt - at > keepMs) return;
      version++;
      keep(evidence, at, at, 1);
    },
    rename(from, to) {
      if (!byServer.has(from)) return;
      version++;
      const kept = line.all();
      byKey.clear();
      byServer.clear();
      line = createWaitingLine();
      for (const { of, at, until, count } of kept)
        keep(of.server === from ? { ...of, server: to } : of, at, until, count);
    },
    all: () => line.all().map(entryOf),
    texts: () => line.all().map((kept) => (kept.text ??= JSON.stringify(entryOf(kept)))),
    version: () => version,
  };
}

/** What a reader holds does not change under it. */
function entryOf(kept: Kept): RecentError {
  const { of, at, until, count } = kept;
  return (kept.entry ??= { ...of, at, until, count });
}

function keyOf({ server, connector, destination, reason }: Named, at: number): string {
  return `${server}\n${connector}\n${destination}\n${reason ?? ''}\n${Math.floor(at / togetherMs)}`;
}

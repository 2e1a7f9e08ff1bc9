/** The errors and failures of the last day, for time lines and small plots. Bounded and saved; counts are elsewhere. */
import { z } from 'zod';
import type { ConnectionError, ConnectionFailure, RecentError } from '../model/evidence.js';
import { reasons } from '../model/words.js';

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

export function createRecentErrors(
  saved: readonly RecentError[] = [],
  most: { readonly inAll: number; readonly perServer: number } = { inAll: 4_000, perServer: 2_000 },
): RecentErrors {
  /** Oldest first; an entry is replaced in its place when its count rises. */
  const kept = new Map<string, { entry: RecentError; text: string | undefined }>();
  const perServer = new Map<string, number>();
  let version = 0;

  const drop = (key: string, server: string): void => {
    kept.delete(key);
    const left = (perServer.get(server) ?? 1) - 1;
    if (left === 0) perServer.delete(server);
    else perServer.set(server, left);
  };
  const keep = (entry: RecentError): void => {
    const key = keyOf(entry);
    const known = kept.get(key);
    if (known) {
      known.entry = together(known.entry, entry);
      known.text = undefined;
      return;
    }
    kept.set(key, { entry, text: undefined });
    perServer.set(entry.server, (perServer.get(entry.server) ?? 0) + 1);
    if ((perServer.get(entry.server) ?? 0) > most.perServer) {
      for (const [oldest, each] of kept) {
        if (each.entry.server !== entry.server) continue;
        drop(oldest, entry.server);
        break;
      }
    }
    const [[oldest, oldestOne] = []] = kept;
    if (oldest !== undefined && oldestOne && kept.size > most.inAll) drop(oldest, oldestOne.entry.server);
  };
  for (const entry of saved) keep(entry);
  return {
    note(evidence, readAt) {
      const at = evidence.at ?? readAt;
      if (readAt - at > keepMs) return;
      version++;
      const { server, connector, destination } = evidence;
      const reason = evidence.kind === 'connection_failure' ? evidence.reason : undefined;
      keep({ server, connector, destination, reason, at, until: at, count: 1 });
    },
    rename(from, to) {
      if (!perServer.has(from)) return;
      version++;
      const entries = [...kept.values()].map(({ entry }) => entry);
      kept.clear();
      perServer.clear();
      for (const entry of entries) keep(entry.server === from ? { ...entry, server: to } : entry);
    },
    all: () => [...kept.values()].map(({ entry }) => entry),
    texts: () => [...kept.values()].map((each) => (each.text ??= JSON.stringify(each.entry))),
    version: () => version,
  };
}

function together(known: RecentError, entry: RecentError): RecentError {
  const [at, until] = [Math.min(known.at, entry.at), Math.max(known.until, entry.until)];
  return { ...known, at, until, count: known.count + entry.count };
}

function keyOf({ server, connector, destination, reason, at }: RecentError): string {
  return `${server}\n${connector}\n${destination}\n${reason ?? ''}\n${Math.floor(at / togetherMs)}`;
}

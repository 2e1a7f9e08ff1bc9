/** The errors and failures of the last day, for time lines and small plots. Bounded and saved; counts are elsewhere. */
import * as z from 'zod';
import type { ConnectionError, ConnectionFailure, RecentError } from '../model/evidence.js';
import { reasons } from '../model/words.js';
import { createLinkedLine, noPlace, type LinkedLine, type Place } from './linked-line.js';

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
  /** The same as they are now, made when they are asked for, while notes go on. */
  readonly snapshot: () => Iterable<string>;
  readonly version: () => number;
};

/** Errors of one pair and one reason within this time are one entry with a count: a burst must not push out the rest. */
const togetherMs = 60_000;
const keepMs = 24 * 3_600_000;

/**
 * An entry while it is kept: its count rises in place, what readers and saves are given is made when they ask, and what is
 * let go of is written over by what comes.
 */
type Kept = {
  server: string;
  connector: string;
  destination: string;
  reason: RecentError['reason'];
  minute: number;
  at: number;
  until: number;
  count: number;
  entry: RecentError | undefined;
  text: string | undefined;
  readonly inAll: Place<Kept>;
  readonly ofServer: Place<Kept>;
  readonly ofPair: Place<Kept>;
};

type Named = Pick<RecentError, 'server' | 'connector' | 'destination' | 'reason'>;
type Most = { readonly inAll: number; readonly perServer: number };

/** The entries of one server, and by connector and destination the newest of each pair. */
type OfServer = { readonly line: LinkedLine<Kept>; readonly connectors: Map<string, Map<string, Kept>> };

type Book = {
  readonly line: LinkedLine<Kept>;
  readonly servers: Map<string, OfServer>;
  readonly most: Most;
  /** Was let go of last. */
  spare: Kept | undefined;
};

export function createRecentErrors(
  saved: readonly RecentError[] = [],
  most: Most = { inAll: 4_000, perServer: 2_000 },
): RecentErrors {
  let book = emptyBook(most);
  let version = 0;
  for (const entry of saved) keep(book, entry, entry.at, entry.until, entry.count);
  return {
    note(evidence, readAt) {
      const at = evidence.at ?? readAt;
      if (readAt - at > keepMs) return;
      version++;
      keep(book, evidence, at, at, 1);
    },
    rename(from, to) {
      if (!book.servers.has(from)) return;
      version++;
      const kept = book.line.all();
      book = emptyBook(most);
      for (const each of kept)
        keep(book, each.server === from ? { ...each, server: to } : each, each.at, each.until, each.count);
    },
    all: () => book.line.all().map(entryOf),
    texts: () => book.line.all().map((kept) => textOf(kept, entryOf(kept))),
    snapshot: () => textsOf(book.line.all().map((kept): [Kept, RecentError] => [kept, entryOf(kept)])),
    version: () => version,
  };
}

function emptyBook(most: Most): Book {
  return { line: createLinkedLine(({ inAll }) => inAll), servers: new Map(), most, spare: undefined };
}

function keep(book: Book, of: Named, at: number, until: number, count: number): void {
  const minute = Math.floor(at / togetherMs);
  const server = serverOf(book, of.server);
  const pairs = pairsOf(server, of.connector);
  const newest = pairs.get(of.destination);
  const reason = 'reason' in of ? of.reason : undefined;
  for (let known = newest; known; known = known.ofPair.older) {
    if (known.minute !== minute || known.reason !== reason) continue;
    known.at = Math.min(known.at, at);
    known.until = Math.max(known.until, until);
    known.count += count;
    known.entry = known.text = undefined;
    return;
  }
  const kept = book.spare ?? freshEntry();
  book.spare = undefined;
  kept.server = of.server;
  kept.connector = of.connector;
  kept.destination = of.destination;
  kept.reason = reason;
  kept.minute = minute;
  kept.at = at;
  kept.until = until;
  kept.count = count;
  kept.entry = kept.text = undefined;
  kept.ofPair.older = newest;
  if (newest) newest.ofPair.newer = kept;
  pairs.set(of.destination, kept);
  book.line.add(kept);
  server.line.add(kept);
  if (server.line.size() > book.most.perServer) drop(book, server.line.oldest());
  if (book.line.size() > book.most.inAll) drop(book, book.line.oldest());
}

function serverOf({ servers }: Book, name: string): OfServer {
  const known = servers.get(name);
  if (known) return known;
  const server: OfServer = { line: createLinkedLine(({ ofServer }) => ofServer), connectors: new Map() };
  servers.set(name, server);
  return server;
}

function pairsOf({ connectors }: OfServer, connector: string): Map<string, Kept> {
  let pairs = connectors.get(connector);
  if (!pairs) connectors.set(connector, (pairs = new Map<string, Kept>()));
  return pairs;
}

function drop(book: Book, kept: Kept | undefined): void {
  const server = kept && book.servers.get(kept.server);
  if (!server) return;
  book.line.take(kept);
  server.line.take(kept);
  book.spare = kept;
  dropFromPair(server, kept);
  if (server.line.size() === 0) book.servers.delete(kept.server);
}

function dropFromPair({ connectors }: OfServer, { connector, destination, ofPair }: Kept): void {
  const { older, newer } = ofPair;
  ofPair.older = ofPair.newer = undefined;
  if (older) older.ofPair.newer = newer;
  if (newer) {
    newer.ofPair.older = older;
    return;
  }
  const pairs = connectors.get(connector);
  if (older) pairs?.set(destination, older);
  else pairs?.delete(destination);
  if (pairs?.size === 0) connectors.delete(connector);
}

/** Written out: of an object that is put together from parts V8 makes a slow one. */
function freshEntry(): Kept {
  return {
    server: '',
    connector: '',
    destination: '',
    reason: undefined,
    minute: 0,
    at: 0,
    until: 0,
    count: 0,
    entry: undefined,
    text: undefined,
    inAll: noPlace(),
    ofServer: noPlace(),
    ofPair: noPlace(),
  };
}

/** What a reader holds does not change under it. */
function entryOf(kept: Kept): RecentError {
  const { server, connector, destination, reason, at, until, count } = kept;
  return (kept.entry ??= { server, connector, destination, reason, at, until, count });
}

/** Entries do not change: what is kept may go on. */
function* textsOf(entries: readonly (readonly [Kept, RecentError])[]): Generator<string> {
  for (const [kept, entry] of entries) yield textOf(kept, entry);
}

function textOf(kept: Kept, entry: RecentError): string {
  return kept.entry === entry ? (kept.text ??= JSON.stringify(entry)) : JSON.stringify(entry);
}

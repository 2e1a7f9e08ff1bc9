/** Sessions of transport logs that are not over yet, as both logs tell of them. */
import type { Reason } from './words.js';

/** What is still said in a connection that has not come to its first mail. */
export type Talk = {
  readonly destination: string;
  /** What we did last: connect, EHLO or HELO, STARTTLS, AUTH or X-EXPS, XPROXYTO and its like, or another command. */
  readonly step: (typeof talkSteps)[number];
  /** What is a failure unless we go on all the same. */
  readonly suspect?: Reason | undefined;
  /** The destination behind a front end that the suspicion is about; else it is about the one connected to. */
  readonly about?: string | undefined;
  /** What a front end was asked to connect to. */
  readonly proxied?: string | undefined;
};

export const talkSteps = ['connect', 'ehlo', 'starttls', 'auth', 'proxy', 'setup', 'other'] as const;

/** An attempt or failure of the connectivity log whose connector or port is not known yet. */
export type WaitingFact = {
  /** End point, or an address without a port, or a domain. */
  readonly destination: string;
  readonly portKnown: boolean;
  readonly attempt: boolean;
  readonly reason?: Reason | undefined;
  readonly host?: string | undefined;
  readonly at?: number | undefined;
  readonly history?: boolean | undefined;
};

/** What is known of a session that is not over, or that the other transport log has not told of yet. Saved. */
export type OpenSession = {
  readonly server: string;
  readonly session: string;
  /** When a row of it was last read, milliseconds since 1970 UTC. */
  readonly touchedAt: number;
  /** The log that tells of its attempts and failed connects: one of them alone, so that nothing counts twice. */
  readonly teller?: 'send' | 'connectivity' | undefined;
  /** From the Send log: name of the connector, and the end points it connected to. */
  readonly connector?: string | undefined;
  readonly remotes?: readonly string[] | undefined;
  readonly talk?: Talk | undefined;
  /** From the connectivity log: GUID of the connector, or the kind of delivery where there is none. */
  readonly delivery?: string | undefined;
  /** On a front end: the session of another server whose mail it passes on, as `server session`. */
  readonly proxyFor?: string | undefined;
  readonly nextHop?: string | undefined;
  /** Names and addresses that the next hop was resolved to, as written. */
  readonly resolved?: string | undefined;
  readonly waiting?: readonly WaitingFact[] | undefined;
  readonly waitingSince?: number | undefined;
};

/** What is known of the transport logs of a server. Saved. */
export type ServerLogs = {
  readonly server: string;
  /** Times of the first and latest row of its connectivity log; undefined while there is none. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** Connectors by GUID (or kind of delivery), as learned from sessions that both logs tell of. */
  readonly connectors: readonly KnownConnector[];
};

export type KnownConnector = {
  readonly delivery: string;
  readonly name?: string | undefined;
  readonly port?: number | undefined;
  /** True when we have waited for its name and port in vain. */
  readonly unnamed?: boolean | undefined;
};

/** What is known of a log file whose lines a shipper sends. Saved. */
export type ShippedFile = {
  readonly server: string;
  readonly path: string;
  /** What tells it from others of the same path, as the shipper says; may be empty. */
  readonly file: string;
  /** What log it is of; undefined until a line has told. */
  readonly log?: ShippedLog | undefined;
  /** Lines taken, of each file that had this path after another; the latest at the end. */
  readonly taken: readonly TakenLines[];
};

/** By what a file is known, in the books and where its lines are read; the server stands first, as with sessions. */
export function keyOfShipped({ server, path, file }: Pick<ShippedFile, 'server' | 'path' | 'file'>): string {
  return [server, 'file', path, file].join('\n');
}

/** `other`: no log that is read here; `unknown_columns`: the header names other columns than those that are known. */
export const shippedLogs = ['send', 'connectivity', 'other', 'unknown_columns'] as const;
export type ShippedLog = (typeof shippedLogs)[number];

export type TakenLines = {
  /** The latest time in them, milliseconds since 1970 UTC. */
  readonly until?: number | undefined;
  /**
   * Runs of lines without a gap, in ascending order; of each three numbers: where its first and its last line begin, and
   * where the next line begins at the latest.
   */
  readonly runs: readonly number[];
};

/** All that is saved of the join of the transport logs. */
export type JoinState = OpenSession | ServerLogs | ShippedFile;

/** A session, server or file as saved; undefined as JSON when it is over. */
export type SessionChange = { readonly key: string; readonly json: string | undefined };

/** What a record proves: an error, an attempt, a failure, or an event that explains them. */
import type { RecordKey } from './records.js';
import type { Reason } from './words.js';

/** Event 2002: a Send connector could not connect to a destination. */
export type ConnectionError = {
  readonly kind: 'connection_error';
  readonly key: RecordKey;
  /** Lower case name of the server that logged it. */
  readonly server: string;
  /** Name of the Send connector as written, or `unknown` when only an unreadable message named it. */
  readonly connector: string;
  /** Normalised end point, for instance `203.0.113.25:25` or `[2001:db8::1]:25`. */
  readonly destination: string;
  /** When it was logged, milliseconds since 1970 UTC; undefined when the carrier does not say. */
  readonly at: number | undefined;
};

/** A Send connector tried to connect to a destination; source: the transport logs. */
type ConnectionAttempt = {
  readonly kind: 'connection_attempt';
  /** Lower case name of the server that logged it. */
  readonly server: string;
  readonly connector: string;
  /** Normalised end point, as in a connection error. */
  readonly destination: string;
  /** Name of the remote host, where the log tells it. */
  readonly host?: string | undefined;
  /** When it was logged, milliseconds since 1970 UTC. */
  readonly at: number | undefined;
  /** True when it was read as history and is handed over later. */
  readonly history?: boolean;
};

/** It came to nothing, and why; source: the transport logs. Every failed connect is an attempt of its own as well. */
export type ConnectionFailure = {
  readonly kind: 'connection_failure';
  readonly server: string;
  readonly connector: string;
  /** Normalised end point, or the domain of the next hop when its name could not be resolved. */
  readonly destination: string;
  readonly host?: string | undefined;
  readonly reason: Reason;
  readonly at: number | undefined;
  readonly history?: boolean;
};

/** Another event that may explain an error; the closed list is in related-events.ts. */
export type RelatedEvent = {
  readonly kind: 'related_event';
  readonly key: RecordKey;
  readonly server: string;
  /** As the list writes it. */
  readonly provider: string;
  readonly eventId: number;
  readonly at: number | undefined;
  /** Insertion strings or message, as one bounded line. */
  readonly text: string;
  readonly connector?: string | undefined;
};

/** Errors of one pair for one reason within a minute; without a reason they are events 2002. Times in ms UTC. */
export type RecentError = {
  readonly server: string;
  readonly connector: string;
  readonly destination: string;
  readonly reason?: Reason | undefined;
  /** Time of the first and of the last of them. */
  readonly at: number;
  readonly until: number;
  readonly count: number;
};

/** Whatever the ledger counts. */
export type Evidence = ConnectionError | ConnectionAttempt | ConnectionFailure | RelatedEvent;

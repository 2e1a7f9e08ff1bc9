/** The status of a source, and what can be typed on the exporter's host. */

import type { HandshakeCounts } from './handshakes.js';

/** What a source says of itself. */
export type SourceStatus = {
  /** Label: the path, glob or channel as it was given. */
  readonly source: string;
  /** False when the source cannot be read at present. */
  readonly up: boolean;
  /** Sentence for a person: why it is down, or what it reads. */
  readonly detail: string;
  /** Time of the newest record read, milliseconds since 1970 UTC. */
  readonly lastRecordAt: number | undefined;
  readonly lagBytes: number;
  /** Seconds since unread bytes were first seen; 0 when all is read. */
  readonly lagSeconds: number;
  /** Seconds that reading has stood still at one place: it fails there, or does not end; 0 while it moves on. */
  readonly stalledSeconds: number;
  readonly bytesRead: number;
  /** Of a live log, since the start. */
  readonly subscription?: {
    /** Times that its reader ended by itself and was started again. */
    readonly restarts: number;
    /** Times that it was subscribed to again, and for which of them the bookmark was of no use. */
    readonly reopened: number;
    readonly bookmarksLost: number;
  };
  /** Of a Kafka topic. */
  readonly topic?: {
    readonly partitions: readonly PartitionStatus[];
    /** Times since the start that a connection to a broker was made again. */
    readonly reconnects: number;
    /** Times since the start that reading could not go on at the saved offset, by why. */
    readonly resets: Readonly<Record<OffsetReset, number>>;
  };
  /** Of a source that records are pushed to: requests or windows since the start. */
  readonly pushed?: Readonly<Record<PushOutcome, number>>;
  /** Of a source that listens over TLS: handshakes that failed since the start. */
  readonly handshakes?: HandshakeCounts | undefined;
};

/** How a partition of a topic stands. */
export type PartitionStatus = {
  readonly partition: number;
  /** Records that were not read yet. */
  readonly lagRecords: number;
  /** Seconds since unread records were first seen, or since the partition could not be read; 0 when all is read. */
  readonly lagSeconds: number;
};

/** Retention overtook reading; the log is shorter than what was read of it; the topic was deleted and made anew. */
export const offsetResets = ['retention', 'truncated', 'recreated'] as const;

export type OffsetReset = (typeof offsetResets)[number];

/** What becomes of a request or window that is pushed; `busy`: its sender was told to send it again. */
export const pushOutcomes = ['accepted', 'unreadable', 'too_large', 'busy', 'unauthorized'] as const;

export type PushOutcome = (typeof pushOutcomes)[number];

/** What can be typed on the host of this exporter. */
export type OwnHost = {
  readonly windows: boolean;
  /** The words that start this exporter there; a command follows. */
  readonly self: readonly string[];
  /** Options that a command needs to do as this exporter does. */
  readonly configured: readonly string[];
  /** Those of `swaks` and `openssl` that are installed. */
  readonly programs: readonly string[];
};

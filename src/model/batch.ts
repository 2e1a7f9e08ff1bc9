/** What is entered into the ledger in one step, and where reading continues after it. */
import type { Evidence } from './evidence.js';
import type { RecordRun, SpreadIds, UnreadableReason } from './records.js';
import type { SessionChange } from './sessions.js';
import type { Reason } from './words.js';

/** A place in a file between two records. */
export type Position = {
  /** Bytes from the beginning of the file as it is on disk. */
  readonly offset: number;
  /** True while a record over the size limit is being stepped over. */
  readonly skipping?: boolean;
  /** What a format must remember between passes (plain JSON, bounded). */
  readonly memory?: unknown;
};

/** Where reading has got to. */
export type Checkpoint = FileCheckpoint | LogCheckpoint | TopicCheckpoint;

/** Where reading of one file has got to, and which file that is. */
export type FileCheckpoint = Position & {
  /** Label of the source that found the file. */
  readonly source: string;
  /** Where the file was last seen. */
  readonly path: string;
  /**
   * Device and inode (volume and file index on Windows), as decimal text with a colon between. Empty when the file has
   * been rewritten since: a copy of what was read goes on where that ended.
   */
  readonly inode: string;
  /** Hash of the first bytes: which file this is, whatever it is called today. */
  readonly head: Fingerprint;
  /** Hash of the bytes right before `offset`: proof that this file really has been read up to there. */
  readonly tail: Fingerprint;
  /** True until the end was reached once, for a file that was there before its source was first read. */
  readonly history: boolean;
  /** When the file had last been written, at the last look at it. Milliseconds since 1970 UTC with their fraction. */
  readonly modifiedMs?: number | undefined;
  /** Its size when it was read to its end; absent while it was not. */
  readonly sizeRead?: number | undefined;
};

/** Where reading of a live Windows log has got to. */
export type LogCheckpoint = {
  /** Label of the source. */
  readonly source: string;
  /** The channel that is read. */
  readonly channel: string;
  /** Windows' own bookmark of the last record read, as XML. */
  readonly bookmark: string;
  /** That record: a cleared log may number another one the same, so its time belongs to it. */
  readonly recordId: number;
  readonly time: number | undefined;
};

/** Where reading of a Kafka topic has got to. Its partitions stand together: what one of them lacks another may bring. */
export type TopicCheckpoint = {
  /** Label of the source. */
  readonly source: string;
  /** Kafka's ID of the cluster. */
  readonly cluster: string;
  readonly topic: string;
  /** Kafka's ID of the topic: one that is deleted and made anew under its name has another. */
  readonly topicId: string;
  /** True until all that was there at the first look was read. */
  readonly history: boolean;
  /** Those that were ever looked at. */
  readonly partitions: readonly PartitionPlace[];
};

type PartitionPlace = {
  readonly partition: number;
  /** Offset of the first record that was not read. */
  readonly nextOffset: number;
};

/** A hash over `length` bytes; length 0 says nothing. */
export type Fingerprint = { readonly length: number; readonly hash: string };

/** What one pass over one file gave: whole records only, and the place after the last of them. */
export type Batch = {
  /** Label of the source. */
  readonly source: string;
  readonly evidence: readonly Evidence[];
  /** Records read that are not evidence. */
  readonly ignored: number;
  /** Records read that tell of attempts or failures; events are counted one by one. */
  readonly counted?: number;
  /** Rows of transport logs that were taken before, by their place. */
  readonly repeated?: number;
  readonly unreadable: Readonly<Partial<Record<UnreadableReason, number>>>;
  /**
   * Checkpoint of the file or log read, after this batch. Undefined when none was read: sessions whose time has come.
   */
  readonly checkpoint: Checkpoint | undefined;
  /** What had been read of the file before it was rewritten; its inode is empty. */
  readonly former?: FileCheckpoint | undefined;
  /** Open sessions that this batch has changed: entered and saved together with the checkpoint. */
  readonly sessions?: readonly SessionChange[];
  /** True when the batch was read as history: old events in it are not news. */
  readonly history: boolean;
  /** Record IDs of all records read, dropped ones too; absent when they cannot be told or hardly follow one another. */
  readonly runs?: readonly RecordRun[] | undefined;
  /** The same of a topic; absent when its records are selected on purpose. */
  readonly spread?: SpreadIds | undefined;
  /** Setting of the source: it brings every record of its logs, or only some; absent: the record IDs tell. */
  readonly unfiltered?: boolean | undefined;
  /** True while the source has more to read. */
  readonly behind?: boolean;
  /** True while something may still bring records that are older than all that were read. @default behind */
  readonly lagging?: boolean;
  /** Records that the source itself knows to be lost: overwritten before they were read. */
  readonly missed?: number;
};

/** One Send connector and destination as published: never more than what is safely on disk. */
export type LedgerRow = {
  readonly server: string;
  readonly connector: string;
  readonly destination: string;
  /** Events 2002 counted. */
  readonly errors: number;
  /** Attempts to connect counted; the transport logs tell of them. */
  readonly attempts: number;
  /** Failures counted, by reason. */
  readonly failures: Readonly<Partial<Record<Reason, number>>>;
  /** Time of the latest error or failure, milliseconds since 1970 UTC; undefined before the first. */
  readonly lastErrorAt: number | undefined;
  /** When the latest error or failure was read, milliseconds since 1970 UTC; undefined before the first. */
  readonly lastObservedAt: number | undefined;
  /** When the latest attempt was read, milliseconds since 1970 UTC; undefined before the first. */
  readonly lastAttemptAt: number | undefined;
  /** Host name of the destination, where a transport log has told it. */
  readonly host?: string | undefined;
};

/** The files of a source that are followed, and what is known of each. */
import type { PassResult } from '../../formats/format.js';
import type { Part, Reading } from '../source.js';
import type { SystemCalls, Waiting } from './file-system.js';
import type { TrackedFile } from './tracked-file.js';

export type FileSource = Part & {
  readonly paths: readonly string[];
  /** Whether every record of its logs is in there; undefined: the record IDs tell. */
  readonly unfiltered?: boolean | undefined;
  /** A folder without files is accepted: its log is turned off, or still empty. */
  readonly mayBeEmpty?: boolean | undefined;
};

export type FollowOptions = Omit<Reading, 'saved' | 'listen'> & {
  readonly sources: readonly FileSource[];
  /** File operations of the system; tests make them slow. */
  readonly calls?: SystemCalls;
  /** Descriptors that this process may have; default: what the system says. */
  readonly descriptorLimit?: number;
};

/** Tells of names that change in a folder, until it is closed. */
export type NameWatcher = { readonly close: () => Promise<void> };

export type FollowedFile = TrackedFile & {
  /** When it was last written, as it was found. */
  readonly writtenMs: number;
  /** Size when last looked at. */
  seenSize: number;
  /** When a change was last seen, by the steady clock as the next two; quiet files are looked at with each scan only. */
  changedAt: number;
  /** Offset of the checkpoint posted last. */
  postedOffset: number;
  /** True when its checkpoint is in the ledger. */
  isPosted: boolean;
  /** Sources whose last scan found it. */
  readonly finders: Set<string>;
  /** Since when no name leads to it. */
  goneAt: number | undefined;
  /** Since when it has not been read to its end. */
  behindSince: number | undefined;
  /** Since when it is being read, by the clock that only goes forward. */
  workingSince: number | undefined;
  readonly waiting: Waiting;
  /** Records read one after another of which not even the event ID could be told. */
  barren: number;
  /** What is left at its end and waits, where that is no mere half of a record. */
  rest: PassResult['rest'];
  /** When a record that cannot be read was last told in the log, by the steady clock. */
  troubleToldAt: number;
};

/** The files of a source that are followed, and what is known of each. */
import type { Batch, Checkpoint, FileCheckpoint } from '../../../model/batch.js';
import type { OpenSession, ServerLogs } from '../../../model/sessions.js';
import type { Log } from '../../../runtime/log.js';
import type { PassResult } from '../../formats/format.js';
import type { SystemCalls, Waiting } from './file-system.js';
import type { TrackedFile } from './tracked-file.js';

export type FileSource = {
  /** Label: the path, folder or glob as it was given. */
  readonly name: string;
  readonly paths: readonly string[];
  /** Server for records that do not name their computer. */
  readonly server: string;
  /** Whether every record of its logs is in there; undefined: the record IDs tell. */
  readonly unfiltered?: boolean | undefined;
  /** A folder without files is accepted: its log is off, or has nothing to say yet. */
  readonly mayBeEmpty?: boolean | undefined;
};

export type FollowOptions = {
  readonly sources: readonly FileSource[];
  /** Saved checkpoints of all that was ever read. */
  readonly checkpoints: () => readonly Checkpoint[];
  /** Told of checkpoints that nobody needs any more: their files have been gone for long. */
  readonly forget?: (checkpoints: readonly FileCheckpoint[]) => void;
  /** Resolves when reading may go on; evidence and checkpoint are entered together. */
  readonly post: (batch: Batch) => Promise<void>;
  readonly knownConnectors: () => readonly string[];
  /** Sessions of the transport logs that were open after all that was entered. */
  readonly sessions: () => readonly (OpenSession | ServerLogs)[];
  /** Name of the Send connector of a GUID, as the connectivity log has it. */
  readonly connectorOfGuid: (guid: string) => string | undefined;
  /** Its port for smart hosts. */
  readonly portOfGuid?: (guid: string) => number | undefined;
  /** Whether the inventory has a Send connector of this name. */
  readonly isListed?: (name: string) => boolean;
  /** The one name of a server, by any of its names. */
  readonly nameOfServer?: (name: string) => string;
  readonly log: Log;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** A clock that only goes forward, for durations: nobody sets it. Milliseconds. @default performance.now */
  readonly steady?: (() => number) | undefined;
  /** File operations of the system; tests make them slow. */
  readonly calls?: SystemCalls;
  /** Descriptors that this process may have; default: what the system says. */
  readonly descriptorLimit?: number;
};

/** Tells of names that change in a folder, until it is closed. */
export type NameWatcher = { readonly close: () => Promise<void> };

export type FollowedFile = TrackedFile & {
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

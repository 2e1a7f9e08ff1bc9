/** What is known of all files that are followed, and of the sources that found them. */
import { serverLabelOf } from '../../../model/label.js';
import { createReader, type Reader } from '../../read/pass.js';
import { openSessions } from '../../transport/open-sessions.js';
import type { Sessions } from '../../transport/sessions.js';
import { type Progress, watchProgress } from '../progress.js';
import { type Checkpoints, createCheckpoints } from './checkpoints.js';
import { createDescriptors, type Descriptors } from './descriptors.js';
import { createReadOriginal, type ReadOriginal } from './copies.js';
import { createFileSystem, type FileSystem, notWaiting, type Waiting } from './file-system.js';
import type { FileSource, FollowedFile, FollowOptions, NameWatcher } from './followed.js';
import { createPace, type Pace } from './pace.js';
import { createRotation, type Rotation } from './rotation.js';

export type SourceState = {
  readonly source: FileSource;
  problems: readonly string[];
  lastRecordAt: number | undefined;
  bytesRead: number;
  /** False until a first scan found something to read: what it finds is history. */
  known: boolean;
  readonly files: Set<FollowedFile>;
  /** Files with bytes that were not read. */
  readonly behind: Set<FollowedFile>;
  /** Inodes that its last scan found. */
  present: ReadonlySet<string>;
  scans: number;
  /** Its scan while one goes on, and the paths that do not answer it. */
  scanning: Promise<void> | undefined;
  readonly waiting: Waiting;
  readonly hanging: Map<string, Waiting>;
  readonly rotation: Rotation;
};

export type State = Omit<FollowOptions, 'checkpoints' | 'steady' | 'joined'> & {
  readonly steady: () => number;
  readonly system: FileSystem;
  readonly readOriginal: ReadOriginal;
  readonly checkpoints: Checkpoints;
  readonly descriptors: Descriptors;
  /** The join of both transport logs, of all sources. */
  readonly joined: Sessions;
  readonly progress: Progress;
  /** Those not in use: a file that is slow keeps its own. */
  readonly readers: Reader[];
  readonly found: Map<string, SourceState>;
  /** By inode: one file is followed once, whatever sources and names lead to it. */
  readonly files: Map<string, FollowedFile>;
  /** Files that the next round looks at. */
  readonly hot: Set<FollowedFile>;
  /** Files that have not been read to their ends: what they bring may be older than what was read of others. */
  readonly unread: Set<FollowedFile>;
  /** Found by a scan that has not ended. */
  readonly fresh: Set<FollowedFile>;
  readonly pace: Pace;
  /** What has been told of hanging operations. */
  readonly told: Set<string>;
  /** By pattern. */
  readonly watchers: Map<string, { readonly folder: string; readonly watcher: NameWatcher }>;
};

/** Without an answer of the system for so long a file or a folder is said to hang. */
export const hangsMs = 5_000;

export function createState(options: FollowOptions): State {
  const { checkpoints, steady = () => performance.now(), ...rest } = options;
  const system = createFileSystem(options.calls);
  const saved = checkpoints();
  const seen = new Set(saved.map((each) => each.source));
  return {
    ...rest,
    steady,
    system,
    readOriginal: createReadOriginal(system),
    checkpoints: createCheckpoints(saved.filter((each) => 'inode' in each)),
    descriptors: createDescriptors(options.descriptorLimit),
    joined: options.joined ?? openSessions(options),
    progress: watchProgress(steady),
    readers: [createReader()],
    found: new Map(options.sources.map((source) => [source.name, sourceState(source, seen.has(source.name))])),
    files: new Map(),
    hot: new Set(),
    fresh: new Set(),
    unread: new Set(),
    pace: createPace(),
    told: new Set(),
    watchers: new Map(),
  };
}

function sourceState(source: FileSource, known: boolean): SourceState {
  return {
    source,
    problems: [],
    lastRecordAt: undefined,
    bytesRead: 0,
    known,
    files: new Set(),
    behind: new Set(),
    present: new Set(),
    scans: 0,
    scanning: undefined,
    waiting: notWaiting(),
    hanging: new Map(),
    rotation: createRotation(),
  };
}

export function lagOf(file: FollowedFile): number {
  return Math.max(0, file.seenSize - file.position.offset);
}

/** To be called whenever the size or the position of a file has moved. */
export function noteLag(state: State, file: FollowedFile): void {
  const behind = state.found.get(file.source)?.behind;
  if (lagOf(file) === 0) {
    file.behindSince = undefined;
    behind?.delete(file);
  } else {
    file.behindSince ??= state.steady();
    behind?.add(file);
  }
}

/** Follows a file no more. */
export function drop(state: State, file: FollowedFile): void {
  state.files.delete(file.inode);
  state.hot.delete(file);
  state.fresh.delete(file);
  state.unread.delete(file);
  const each = state.found.get(file.source);
  each?.files.delete(file);
  each?.behind.delete(file);
  state.descriptors.close(file);
}

/** True while the system does not answer what was asked for so long. Milliseconds. */
export function isSilent({ since }: Waiting, ms: number): boolean {
  return since !== undefined && performance.now() - since > ms;
}

/** True while a scan of a source does not move on. */
export function isScanStuck({ scanning, waiting }: SourceState, ms: number): boolean {
  return scanning !== undefined && isSilent(waiting, ms);
}

/** @returns whether the work ended; false when the system is slow to answer it, and others go on meanwhile */
export async function unlessSlow(work: Promise<unknown>, waiting: Waiting): Promise<boolean> {
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    const pause = new Promise<boolean>((resolve) => {
      // Behind the answers that have come while this process did something else.
      timer = setTimeout(() => setImmediate(resolve, false), slowMs);
    });
    const ended = await Promise.race([work.then(() => true), pause]).finally(() => {
      clearTimeout(timer);
    });
    if (ended || isSilent(waiting, slowMs)) return ended;
  }
}

/** Others wait for an answer of the system this long. */
const slowMs = 250;

/** As in the events. */
export function serverOf({ source }: SourceState): string {
  return serverLabelOf(source.server);
}

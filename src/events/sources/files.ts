/**
 * Decides when files are read: chokidar tells that files appear, vanish or are renamed, a stat timer drives the reads.
 *
 * One round looks at every open file and reads those that changed; rounds come quickly while something is written
 * and slowly when nothing is. A scan looks for new names. All file sources share one loop, so that passes never
 * overlap and one buffer serves them all.
 */
import { stat } from 'node:fs/promises';
import { watch } from 'chokidar';
import type { Log } from '../../log.js';
import type { Batch, Checkpoint, Evidence, OpenSession, ServerLogs, SourceStatus } from '../../model.js';
import { classify, eventLogOf, isWanted } from '../classify.js';
import type { PassResult } from '../formats.js';
import { connectivityLog, firstRowTimeOf } from '../formats/connectivity-log.js';
import { createReader } from '../read-pass.js';
import { unreadableOf } from '../unreadable.js';
import { createSessions, type Sessions } from '../transport/sessions.js';
import { findFiles, problemOf, watchedFolder, type Found } from './find-files.js';
import { watchProgress, type Progress } from './progress.js';
import { inReadingOrder, logOf } from './reading-order.js';
import { checkpointOf, inodeOf, openTracked, readTracked, startOver, type TrackedFile } from './tracked-file.js';

export type FileSource = {
  /** Label: the path, folder or glob as it was given. */
  readonly name: string;
  readonly paths: readonly string[];
  /** Server for records that do not name their computer. */
  readonly server: string;
  /** Whether every record of its logs is in there; undefined: the record IDs tell. */
  readonly unfiltered?: boolean | undefined;
  /** A folder without files is no trouble: its log is switched off, or had nothing to say yet. */
  readonly mayBeEmpty?: boolean | undefined;
};

export type FollowOptions = {
  readonly sources: readonly FileSource[];
  /** Saved checkpoints of all that was ever read. */
  readonly checkpoints: () => readonly Checkpoint[];
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
  readonly log: Log;
  readonly now: () => number;
};

export type Followed = {
  readonly statuses: () => readonly SourceStatus[];
  /** True once every source was looked at and read to its end. */
  readonly caughtUp: () => boolean;
  /** True while the first read of a source goes on. */
  readonly readingHistory: () => boolean;
  readonly stop: () => Promise<void>;
};

export type FollowedFiles = Followed & {
  /** The one name of a Send connector, as the transport logs have taught it. */
  readonly nameOf: (connector: string) => string;
};

/** Rounds come this often while files grow, and this often when all has been quiet. */
const busyMs = 20;
const quietMs = 250;
/** A scan makes up for what the notices of the system leave out; with many files it comes less often. */
const scanMs = 1_000;
const scanShare = 0.02;
/** A file whose name is gone is read on for late lines this long. */
const lateMs = 60_000;
/** A file that has been quiet this long is looked at with each scan only. */
const coldMs = 60_000;
const passesPerTurn = 16;

type FollowedFile = TrackedFile & {
  /** Size when last looked at. */
  seenSize: number;
  /** When a change was last seen; quiet files are looked at with each scan only. */
  changedAt: number;
  /** Offset of the checkpoint posted last. */
  postedOffset: number;
  /** True when its checkpoint is in the ledger. */
  isPosted: boolean;
  /** Since when no name leads to it. */
  goneAt: number | undefined;
  /** Since when it has not been read to its end. */
  behindSince: number | undefined;
  /** Records read one after another of which not even the event ID could be told. */
  barren: number;
  /** When a record that cannot be read was last told in the log. */
  troubleToldAt: number;
};

type State = Omit<FollowOptions, 'sessions'> & {
  /** The join of both transport logs, of all sources. */
  readonly joined: Sessions;
  readonly reader: ReturnType<typeof createReader>;
  readonly progress: Progress;
  readonly found: Map<string, SourceState>;
  /** By inode: one file is followed once, whatever sources and names lead to it. */
  readonly files: Map<string, FollowedFile>;
  scanDue: boolean;
  /** By the clock that only goes forward. */
  nextScanAt: number;
  scans: number;
  /** The scan after which all files were last looked at, quiet ones too. */
  roundedScans: number;
  stopped: boolean;
  wake: (() => void) | undefined;
  /** Ends waiting for a post. */
  leave: (() => void) | undefined;
};

type SourceState = {
  readonly source: FileSource;
  problems: readonly string[];
  lastRecordAt: number | undefined;
  bytesRead: number;
  /** False until a first scan found something to read: what it finds is history. */
  known: boolean;
};

/** Follows all file sources until stopped. */
export function followFiles(options: FollowOptions): FollowedFiles {
  const state = createState(options);
  const watcher = watchFolders(state);
  const running = run(state);
  return {
    statuses: () => [...state.found.values()].map((each) => statusOf(state, each)),
    caughtUp: () => isReadToEnd(state),
    nameOf: state.joined.nameOf,
    readingHistory: () => state.scans === 0 || [...state.files.values()].some(isUnreadHistory),
    stop: async () => {
      state.stopped = true;
      state.wake?.();
      state.leave?.();
      await Promise.all([running, watcher.close()]);
    },
  };
}

function createState(options: FollowOptions): State {
  const seen = new Set(options.checkpoints().map((each) => each.source));
  const found = options.sources.map((source): [string, SourceState] => [
    source.name,
    { source, problems: [], lastRecordAt: undefined, bytesRead: 0, known: seen.has(source.name) },
  ]);
  return {
    ...options,
    joined: createSessions({
      saved: options.sessions(),
      connectorOfGuid: options.connectorOfGuid,
      portOfGuid: options.portOfGuid,
      isListed: options.isListed,
      unknownCode: unknownCodeLog(options.log),
      now: options.now,
    }),
    reader: createReader(),
    progress: watchProgress(options.now),
    found: new Map(found),
    files: new Map(),
    scanDue: true,
    nextScanAt: 0,
    scans: 0,
    roundedScans: 0,
    stopped: false,
    wake: undefined,
    leave: undefined,
  };
}

/**
 * Only names matter here: files themselves are not watched, their growth is the business of the stat timer. chokidar
 * would look at a file on each append, which costs more than reading it; so it is left with folders, and what the system
 * says of names in them is taken raw.
 */
function watchFolders(state: State): ReturnType<typeof watch> {
  const watched = state.sources.flatMap((source) => source.paths.map(watchedFolder));
  const depth = watched.some((each) => each.depth === undefined)
    ? {}
    : { depth: Math.max(0, ...watched.map((each) => each.depth ?? 0)) };
  const watcher = watch([...new Set(watched.map((each) => each.folder))], {
    ignoreInitial: true,
    ignored: (_path, stats) => stats?.isFile() === true,
    ...depth,
  });
  const onNames = (): void => {
    state.scanDue = true;
    state.wake?.();
  };
  for (const name of ['addDir', 'unlinkDir'] as const) watcher.on(name, onNames);
  watcher.on('raw', (event) => {
    if (event !== 'change') onNames();
  });
  watcher.on('error', (error) => {
    state.log.warn('cannot watch a folder; it is looked at every second or so all the same', { error: String(error) });
  });
  return watcher;
}

async function run(state: State): Promise<void> {
  let pause = busyMs;
  while (!state.stopped) {
    if (state.scanDue || performance.now() >= state.nextScanAt) await scan(state);
    const busy = await round(state);
    if (!busy && isReadToEnd(state)) await endSessions(state);
    pause = busy ? busyMs : Math.min(quietMs, pause * 1.2);
    await sleep(state, pause);
  }
  for (const file of state.files.values()) await file.handle.close();
}

function sleep(state: State, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (state.stopped) {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, ms);
    state.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

async function scan(state: State): Promise<void> {
  state.scanDue = false;
  const started = performance.now();
  const present = new Set<string>();
  for (const each of state.found.values()) await scanSource(state, each, present);
  for (const file of state.files.values()) {
    if (present.has(file.inode)) file.goneAt = undefined;
    else file.goneAt ??= state.now();
  }
  state.progress.keepOnly(present);
  state.scans++;
  const ended = performance.now();
  state.nextScanAt = ended + Math.max(scanMs, (ended - started) / scanShare);
}

async function scanSource(state: State, each: SourceState, present: Set<string>): Promise<void> {
  const problems: string[] = [];
  for (const pattern of each.source.paths) {
    const { paths, problem, isEmpty } = await findFiles(pattern).catch((error: unknown): Found => ({
      paths: [],
      problem: problemOf(error, pattern),
    }));
    if (problem !== undefined && !(isEmpty && each.source.mayBeEmpty)) problems.push(problem);
    for (const path of paths) {
      const trouble = await lookAt(state, each, path, present);
      if (trouble !== undefined) problems.push(trouble);
    }
  }
  reportProblems(state, each, problems);
}

/** Takes up a new file or notes the present name of one that is followed. Returns why it cannot be read. */
async function lookAt(
  state: State,
  each: SourceState,
  path: string,
  present: Set<string>,
): Promise<string | undefined> {
  try {
    const followed = state.files.get(inodeOf(await stat(path, { bigint: true })));
    if (followed) followed.path = path;
    const file = followed ?? (await takeUp(state, each, path));
    if (file) present.add(file.inode);
    return file?.problem;
  } catch (error) {
    return problemOf(error, path);
  }
}

async function takeUp(state: State, each: SourceState, path: string): Promise<FollowedFile | undefined> {
  const file = await openTracked(path, {
    source: each.source.name,
    checkpoints: [
      ...[...state.files.values()].map(checkpointOf),
      ...state.checkpoints().filter((saved) => 'inode' in saved),
    ],
    history: !each.known,
  });
  if (!file) return undefined;
  const added = {
    seenSize: 0,
    changedAt: state.now(),
    postedOffset: file.position.offset,
    isPosted: file.position.offset > 0,
    goneAt: undefined,
    behindSince: undefined,
    barren: 0,
    troubleToldAt: -Infinity,
  };
  const followed = Object.assign(file, added);
  await noteLog(state, each, followed);
  state.files.set(file.inode, followed);
  return followed;
}

function reportProblems(state: State, each: SourceState, problems: readonly string[]): void {
  for (const problem of problems) {
    if (!each.problems.includes(problem)) state.log.warn('cannot read', { source: each.source.name, problem });
  }
  if (each.problems.length > 0 && problems.length === 0) state.log.info('readable again', { source: each.source.name });
  each.problems = problems;
}

/** Said at once: the Send log has to know whether a connectivity log tells of the same before a row of either is read. */
async function noteLog(state: State, { source }: SourceState, file: FollowedFile): Promise<void> {
  if (file.format !== connectivityLog) return;
  const { buffer, bytesRead } = await file.handle.read(Buffer.alloc(4096), 0, 4096, 0);
  state.joined.logFound(serverOf(source), firstRowTimeOf(buffer.subarray(0, bytesRead)));
}

/** Reads every file that changed. Returns whether anything was read. */
async function round(state: State): Promise<boolean> {
  let busy = false;
  const all = state.scans !== state.roundedScans;
  state.roundedScans = state.scans;
  /** Transport logs with an earlier file that is not read to its end: their later ones wait. */
  const unread = new Set<string>();
  for (const file of inReadingOrder(state.files.values())) {
    if (state.stopped) break;
    if (!all && state.now() - file.changedAt > coldMs) continue;
    const log = logOf(file.path);
    if (log !== undefined && unread.has(log)) continue;
    try {
      state.progress.begin(file.inode, file, file.postedOffset);
      if (await readOn(state, file, all)) busy = true;
      state.progress.end(file.inode);
      if (log !== undefined && file.size !== file.seenSize) unread.add(log);
      await letGo(state, file);
    } catch (error) {
      state.progress.fail(file.inode, file, file.postedOffset, error);
      await giveUp(state, file, error);
    }
  }
  return busy;
}

async function readOn(state: State, file: FollowedFile, again: boolean): Promise<boolean> {
  const { size, mtimeMs } = await file.handle.stat();
  const changed = size !== file.size || mtimeMs !== file.changedMs;
  if (!changed && !(again && isUnsettled(file))) return false;
  if (changed) file.changedAt = state.now();
  file.seenSize = size;
  if (size < file.position.offset && file.format?.kind === 'text') restart(state, file);
  let done = false;
  for (let turn = 0; !done && turn < passesPerTurn && !state.stopped; turn++) {
    const pass = await readTracked(file, state.reader, isWanted, state.found.get(file.source)?.source.unfiltered);
    if (pass === 'replaced') restart(state, file);
    else if (typeof pass === 'string') done = true;
    else {
      done = !pass.more;
      await postPass(state, file, pass);
    }
  }
  if (done) Object.assign(file, { size, changedMs: mtimeMs });
  return changed;
}

/** A binary log may hold a half-written chunk, which is looked at with each scan until it is whole or given up. */
function isUnsettled(file: FollowedFile): boolean {
  return file.format?.kind === 'binary' && file.position.offset < file.size;
}

function restart(state: State, file: FollowedFile): void {
  state.log.info('truncated or written anew: read from the beginning', {
    source: file.source,
    path: file.path,
    bytes_not_read_before: Math.max(0, file.size - file.position.offset),
  });
  startOver(file);
  file.postedOffset = 0;
}

async function postPass(state: State, file: FollowedFile, pass: PassResult): Promise<void> {
  const each = state.found.get(file.source);
  if (!each || bringsNothing(file, pass)) return;
  const history = file.history;
  // What stood in the file when its source was first read is history; whatever comes after its end is news.
  if (!pass.more) file.history = false;
  each.known = true;
  each.bytesRead += Math.max(0, pass.position.offset - file.postedOffset);
  file.postedOffset = pass.position.offset;
  file.isPosted = true;
  if (lagOf(file) === 0) file.behindSince = undefined;
  else file.behindSince ??= state.now();
  // From here to the entering of the batch nothing may be awaited: sessions and checkpoint belong together.
  const { evidence, ignored, counted, unreadable } = sortOut(state, each, pass, history);
  if (pass.decoded.length + pass.ignored + Object.keys(pass.unreadable).length > 0) each.lastRecordAt = state.now();
  tellTrouble(state, file, pass);
  // While the ledger cannot be saved reading waits: that is told elsewhere.
  state.progress.end(file.inode);
  await postBatch(state, {
    source: file.source,
    evidence,
    ignored,
    counted,
    sessions: state.joined.changes(),
    unreadable,
    checkpoint: checkpointOf(file),
    history,
    runs: pass.runs?.map((run) => ({ ...run, ...eventLogOf(run, each.source.server) })),
    unfiltered: each.source.unfiltered,
    behind: isBehind(state, each),
  });
  state.progress.begin(file.inode, file, file.postedOffset);
}

/** A format that was recognised and gives nothing for so many records in a row is not the one that the file is in. */
const mostBarren = 100;
/** Of a file full of records that cannot be read the log tells one now and then. */
const troubleEveryMs = 60_000;

/** Says in the log what could not be read, and of a file that gives nothing but such records that it is not read. */
function tellTrouble(state: State, file: FollowedFile, { barren, trouble }: PassResult): void {
  const { source, path, format } = file;
  if (trouble && state.now() - file.troubleToldAt >= troubleEveryMs) {
    file.troubleToldAt = state.now();
    state.log.warn('stepped over a record that cannot be read', { source, path, ...trouble });
  }
  file.barren = barren.throughout ? file.barren + barren.atEnd : barren.atEnd;
  file.problem =
    file.barren < mostBarren
      ? undefined
      : `${path}: read as ${format?.name ?? 'text'}, but the last ${mostBarren} records or more gave no event; ` +
        'expected exported Windows events (see the table of formats in the README)';
}

/** After a restart most files are as they were: with hundreds of them their checkpoints need not be saved anew. */
function bringsNothing(file: FollowedFile, pass: PassResult): boolean {
  if (!file.isPosted || file.history || pass.more || file.format?.kind !== 'text') return false;
  if (pass.decoded.length + pass.ignored + Object.keys(pass.unreadable).length > 0) return false;
  return pass.position.offset === file.postedOffset && pass.position.skipping !== true;
}

/** While the ledger cannot be saved this waits, and the lag grows; a stop does not wait for it. */
function postBatch(state: State, batch: Batch): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => void lookAtSizes(state), scanMs);
    const leave = (): void => {
      clearInterval(timer);
      state.leave = undefined;
      resolve();
    };
    state.leave = leave;
    state.post(batch).then(leave, (error: unknown) => {
      clearInterval(timer);
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

async function lookAtSizes(state: State): Promise<void> {
  for (const file of state.files.values()) {
    const stats = await file.handle.stat().catch(() => undefined);
    if (!stats) continue;
    file.seenSize = stats.size;
    if (lagOf(file) > 0) file.behindSince ??= state.now();
  }
}

/** True while any file of the source has bytes that were not read. */
function isBehind(state: State, { source }: SourceState): boolean {
  return [...state.files.values()].some((file) => file.source === source.name && lagOf(file) > 0);
}

type Sorted = Pick<PassResult, 'unreadable'> & {
  readonly evidence: Evidence[];
  readonly ignored: number;
  readonly counted: number;
};

function sortOut(state: State, each: SourceState, pass: PassResult, history: boolean): Sorted {
  const evidence: Evidence[] = [];
  let names: readonly string[] | undefined;
  const options = {
    server: each.source.server,
    // Asked for by the few records that have nothing but a message.
    knownConnectors: () => (names ??= state.knownConnectors()),
    nameOf: state.joined.nameOf,
  };
  const origin = { server: serverOf(each.source), history };
  let [ignored, counted] = [pass.ignored, 0];
  const unreadable = { ...pass.unreadable };
  for (const record of pass.decoded) {
    try {
      if (record.kind === 'event') {
        const found = classify(record, options);
        if (found) evidence.push(found);
        else ignored++;
      } else if (state.joined.read(record, origin, evidence)) counted++;
      else ignored++;
    } catch (error) {
      const { reason } = unreadableOf(error);
      unreadable[reason] = (unreadable[reason] ?? 0) + 1;
    }
  }
  return { evidence, ignored, counted, unreadable };
}

/** As in the events: lower case. */
function serverOf(source: FileSource): string {
  return source.server.toLowerCase();
}

function isReadToEnd(state: State): boolean {
  return state.scans > 0 && [...state.files.values()].every((file) => file.size === file.seenSize);
}

/** Sessions that waited too long for the other log are entered without a file: none was read. */
async function endSessions(state: State): Promise<void> {
  const evidence: Evidence[] = [];
  state.joined.expire(evidence);
  const sessions = state.joined.changes();
  const [first] = state.found.keys();
  if (first === undefined || evidence.length + sessions.length === 0) return;
  await postBatch(state, {
    source: first,
    evidence,
    ignored: 0,
    unreadable: {},
    checkpoint: undefined,
    sessions,
    history: false,
  });
}

/** Codes that we do not know are said once each. */
function unknownCodeLog(log: Log): (code: string) => void {
  const told = new Set<string>();
  return (code) => {
    if (told.has(code) || told.size >= 100) return;
    told.add(code);
    log.warn('a transport log gives a code that is not known; it counts as "other"; please report it', { code });
  };
}

/** A file whose name is gone (rotated out of sight, or deleted) is finished, waited for a while, then closed. */
async function letGo(state: State, file: FollowedFile): Promise<void> {
  if (file.goneAt === undefined || state.now() - file.goneAt < lateMs) return;
  state.files.delete(file.inode);
  await file.handle.close();
}

/** The next scan opens the file again and goes on from its checkpoint, or says why it cannot. */
async function giveUp(state: State, file: FollowedFile, error: unknown): Promise<void> {
  state.log.warn('cannot read', { source: file.source, problem: problemOf(error, file.path) });
  state.files.delete(file.inode);
  await file.handle.close().catch(() => undefined);
}

/** A file that cannot be read does not keep the history of the others back. */
function isUnreadHistory(file: FollowedFile): boolean {
  return file.history && file.problem === undefined && file.size !== file.seenSize;
}

function lagOf(file: FollowedFile): number {
  return Math.max(0, file.seenSize - file.position.offset);
}

function statusOf(state: State, each: SourceState): SourceStatus {
  const files = [...state.files.values()].filter((file) => file.source === each.source.name);
  const standstills = state.progress.standstills(each.source.name);
  const problems = [
    ...standstills.map(({ text }) => text),
    ...each.problems,
    ...files.flatMap((file) => file.problem ?? []),
  ];
  const readable = files.filter((file) => file.problem === undefined).length;
  const mayIdle = each.source.mayBeEmpty === true && state.scans > 0 && problems.length === 0;
  const behindSince = Math.min(...files.map((file) => file.behindSince ?? Infinity));
  return {
    source: each.source.name,
    up:
      standstills.length === 0 &&
      (readable > 0 || mayIdle) &&
      !each.problems.some((problem) => problem.includes('permission denied')),
    detail: problems[0] ?? `reading ${readable} file${readable === 1 ? '' : 's'}`,
    lastRecordAt: each.lastRecordAt,
    lagBytes: files.reduce((sum, file) => sum + lagOf(file), 0),
    lagSeconds: behindSince === Infinity ? 0 : Math.max(0, state.now() - behindSince) / 1000,
    stalledSeconds: (standstills[0]?.ms ?? 0) / 1000,
    bytesRead: each.bytesRead,
  };
}

/** Takes up the files that a scan finds, each once, and notes the names that they have now. */
import { connectivityLog, firstRowTimeOf } from '../../formats/connectivity-log.js';
import { notWaiting, type FileFacts, type OpenFile } from './file-system.js';
import { isConnectivityLog } from './reading-order.js';
import { freshFile, resumeByContent, resumeUnchanged, type TrackedFile } from './tracked-file.js';
import { serverOf, type SourceState, type State } from './state.js';
import type { FollowedFile } from './followed.js';

/** What one scan of a source found. */
export type Findings = { readonly present: Set<string>; readonly problems: string[] };

export function notePresent(file: FollowedFile, { source }: SourceState, { present }: Findings): void {
  present.add(file.inode);
  file.finders.add(source.name);
  file.goneAt = undefined;
}

export type Meeting = {
  readonly facts: FileFacts;
  readonly waiting: FollowedFile['waiting'];
  /** Found as what rotation has made of another file. */
  readonly isRotated: boolean;
};

/** Takes up a new file, or notes the present name of one that is followed and whether it has changed. */
export async function meet(state: State, each: SourceState, path: string, meeting: Meeting): Promise<FollowedFile> {
  const { facts } = meeting;
  const followed = state.files.get(facts.inode);
  if (!followed) return takeUp(state, each, path, meeting);
  followed.path = path;
  const { size, changedMs, format, position } = followed;
  const isUnsettled = format?.kind === 'binary' && position.offset < size;
  if (facts.size !== size || facts.changedMs !== changedMs || isUnsettled) state.hot.add(followed);
  return followed;
}

async function takeUp(
  state: State,
  each: SourceState,
  path: string,
  { facts, waiting, isRotated }: Meeting,
): Promise<FollowedFile> {
  const file = freshFile(path, facts, { source: each.source.name, history: !each.known, isRotated });
  const isUnchanged = resumeUnchanged(file, facts, state.checkpoints);
  if (!isUnchanged) {
    const handle = await state.system.open(path, facts.device, waiting);
    file.handle = handle;
    try {
      const { opened } = handle;
      if (opened.inode !== file.inode) throw Object.assign(new Error('replaced meanwhile'), { code: 'ENOENT' });
      await resumeByContent(file, handle, opened.size, state);
      await noteLog(state, each, file.format === connectivityLog ? handle : undefined);
    } catch (error) {
      void handle.close().catch(() => undefined);
      throw error;
    }
  } else if (isConnectivityLog(path)) state.joined.logFound(serverOf(each), undefined);
  const known = state.files.get(file.inode);
  if (known) {
    void file.handle?.close().catch(() => undefined);
    return known;
  }
  return follow(state, each, file, { isUnchanged, writtenMs: facts.changedMs });
}

function follow(
  state: State,
  each: SourceState,
  file: TrackedFile,
  { isUnchanged, writtenMs }: { readonly isUnchanged: boolean; readonly writtenMs: number },
): FollowedFile {
  // Written out: objects that are put together are slow to look into, and there are ten thousands of them.
  const followed: FollowedFile = {
    source: file.source,
    path: file.path,
    inode: file.inode,
    device: file.device,
    handle: file.handle,
    format: file.format,
    encoding: file.encoding,
    position: file.position,
    head: file.head,
    tail: file.tail,
    gaps: file.gaps,
    history: file.history,
    size: file.size,
    changedMs: file.changedMs,
    problem: file.problem,
    former: file.former,
    isCopy: file.isCopy,
    isRotated: file.isRotated,
    writtenMs,
    seenSize: isUnchanged ? file.size : 0,
    changedAt: state.steady(),
    postedOffset: file.position.offset,
    isPosted: file.position.offset > 0,
    finders: new Set<string>(),
    goneAt: undefined,
    behindSince: undefined,
    workingSince: undefined,
    waiting: notWaiting(),
    barren: 0,
    rest: undefined,
    troubleToldAt: -Infinity,
  };
  if (followed.former) state.checkpoints.keep(followed.former);
  state.files.set(followed.inode, followed);
  each.files.add(followed);
  if (followed.handle) state.descriptors.use(followed);
  if (isUnchanged) return followed;
  state.fresh.add(followed);
  state.hot.add(followed);
  state.unread.add(followed);
  return followed;
}

/** Said at once: the Send log has to know whether a connectivity log tells of the same before a row of either is read. */
async function noteLog(state: State, each: SourceState, handle: OpenFile | undefined): Promise<void> {
  if (!handle) return;
  const head = Buffer.alloc(4096);
  const { bytesRead } = await handle.read(head, 0, head.length, 0);
  state.joined.logFound(serverOf(each), firstRowTimeOf(head.subarray(0, bytesRead)));
}

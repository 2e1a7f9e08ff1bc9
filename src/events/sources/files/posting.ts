/** Hands on what a pass over a file gave: sorted, with the checkpoint behind it. */
import type { Batch, FileCheckpoint } from '../../../model/batch.js';
import type { Evidence } from '../../../model/evidence.js';
import { classify, eventLogOf } from '../../classify.js';
import { unreadableOf } from '../../decode/unreadable.js';
import type { PassResult } from '../../formats/format.js';
import { shownPath } from './file-names.js';
import type { FileFacts } from './file-system.js';
import { checkpointOf } from './tracked-file.js';
import { noteLag, serverOf, type SourceState, type State } from './state.js';
import type { FollowedFile } from './followed.js';

/** How the file was when the pass began. */
export type Look = Pick<FileFacts, 'size' | 'changedMs'>;

export async function postPass(state: State, file: FollowedFile, pass: PassResult, look: Look): Promise<void> {
  const each = state.found.get(file.source);
  const checkpoint = { ...checkpointOf(file), ...lookOf(pass, look) };
  if (!each || bringsNothing(state, file, pass, checkpoint)) return;
  const history = file.history;
  // What stood in the file when its source was first read is history; whatever comes after its end is news.
  if (!pass.more) file.history = false;
  each.known = true;
  each.bytesRead += Math.max(0, pass.position.offset - file.postedOffset);
  file.postedOffset = pass.position.offset;
  file.isPosted = true;
  const { former } = file;
  file.former = undefined;
  noteLag(state, file);
  // From here to the entering of the batch nothing may be awaited: sessions and checkpoint belong together.
  const { evidence, ignored, counted, repeated, unreadable } = sortOut(state, each, pass, history);
  if (pass.decoded.length + pass.ignored + Object.keys(pass.unreadable).length > 0) each.lastRecordAt = state.now();
  tellTrouble(state, file, pass);
  // While the ledger cannot be saved reading waits: that is told elsewhere.
  state.progress.end(file.inode);
  const saved = { ...checkpoint, history: file.history };
  await keepWhile(state, saved, () =>
    postBatch(state, {
      source: file.source,
      evidence,
      ignored,
      counted,
      repeated,
      sessions: state.joined.changes(),
      unreadable,
      checkpoint: saved,
      former,
      history,
      runs: pass.runs?.map((run) => ({ ...run, ...eventLogOf(run, each.source.server) })),
      unfiltered: each.source.unfiltered,
      behind: each.behind.size > 0,
      // This file has been read to its end when there is no more.
      lagging: pass.more || state.unread.size > Number(state.unread.has(file)),
    }),
  );
  state.progress.begin(file.inode, file, file.postedOffset);
}

/** A copy is told by it from now on; when the batch could not be entered all is as before. */
export async function keepWhile(state: State, saved: FileCheckpoint, post: () => Promise<void>): Promise<void> {
  const before = state.checkpoints.ofInode(saved.inode);
  state.checkpoints.keep(saved);
  try {
    await post();
  } catch (error) {
    if (before) state.checkpoints.keep(before);
    else state.checkpoints.forget(saved);
    throw error;
  }
}

/** A format that was recognised and gives nothing for so many records in a row is not the one that the file is in. */
const mostBarren = 100;
/** Of a file full of records that cannot be read the log tells one now and then. */
const troubleEveryMs = 60_000;

/** Says in the log what could not be read, and of a file that gives nothing but such records that it is not read. */
function tellTrouble(state: State, file: FollowedFile, { barren, trouble }: PassResult): void {
  const { source, format } = file;
  const path = shownPath(file.path);
  if (trouble && state.steady() - file.troubleToldAt >= troubleEveryMs) {
    file.troubleToldAt = state.steady();
    state.log.warn('skipped an unreadable record', { source, path, ...trouble });
  }
  file.barren = barren.throughout ? file.barren + barren.atEnd : barren.atEnd;
  file.problem =
    file.barren < mostBarren
      ? undefined
      : `${path}: read as ${format?.name ?? 'text'}, but the last ${mostBarren} records or more gave no event; ` +
        'expected exported Windows events (see the table of formats in the README)';
}

/** By this a file that has not changed is known at the next start without being opened. */
function lookOf({ more, position }: PassResult, { size, changedMs }: Look): Partial<FileCheckpoint> {
  return { modifiedMs: changedMs, ...(!more && position.offset <= size && { sizeRead: size }) };
}

/** After a restart most files are as they were: with hundreds of them their checkpoints need not be saved again. */
function bringsNothing(state: State, file: FollowedFile, pass: PassResult, checkpoint: FileCheckpoint): boolean {
  if (!file.isPosted || file.history || pass.more || file.format?.kind !== 'text' || file.former) return false;
  if (pass.decoded.length + pass.ignored + Object.keys(pass.unreadable).length > 0) return false;
  if (pass.position.offset !== file.postedOffset || pass.position.skipping === true) return false;
  const known = state.checkpoints.ofInode(file.inode);
  return known?.sizeRead === checkpoint.sizeRead && known?.modifiedMs === checkpoint.modifiedMs;
}

/** While the ledger cannot be saved this waits, and the lag grows; a stop does not wait for it. */
export function postBatch(state: State, batch: Batch): Promise<void> {
  if (state.pace.isStopped()) return Promise.resolve();
  const timer = setInterval(() => {
    lookAtSizes(state);
  }, sizesMs);
  let stay = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    stay = state.pace.onStop(resolve);
  });
  return Promise.race([state.post(batch), stopped]).finally(() => {
    clearInterval(timer);
    stay();
  });
}

const sizesMs = 1_000;

function lookAtSizes(state: State): void {
  for (const file of state.hot) {
    file.handle
      ?.stat()
      .then(({ size }) => {
        file.seenSize = size;
        noteLag(state, file);
      })
      .catch(() => undefined);
  }
}

type Sorted = Pick<PassResult, 'unreadable'> & {
  readonly evidence: Evidence[];
  readonly ignored: number;
  readonly counted: number;
  readonly repeated: number;
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
  const origin = { server: serverOf(each), history };
  const outcomes = { ignored: pass.ignored, counted: 0, repeated: 0 };
  const unreadable = { ...pass.unreadable };
  for (const record of pass.decoded) {
    try {
      if (record.kind === 'event') {
        const found = classify(record, options);
        if (found) evidence.push(found);
        else outcomes.ignored++;
      } else if (record.kind === 'shipped_line') outcomes[state.joined.readShipped(record, origin, evidence)]++;
      else if (state.joined.read(record, origin, evidence)) outcomes.counted++;
      else outcomes.ignored++;
    } catch (error) {
      const { reason } = unreadableOf(error);
      unreadable[reason] = (unreadable[reason] ?? 0) + 1;
    }
  }
  return { evidence, ...outcomes, unreadable };
}

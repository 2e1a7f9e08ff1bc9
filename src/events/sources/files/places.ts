/**
 * Notes where each file stands before anything of it is read: one that rotation renames or moves while the exporter is
 * down is known by that, and is no file that nobody asked for.
 */
import type { FileCheckpoint } from '../../../model/batch.js';
import type { FollowedFile } from './followed.js';
import { keepWhile, postBatch } from './posting.js';
import type { State } from './state.js';
import { checkpointOf } from './tracked-file.js';

/** To be called before files are read. */
export async function notePlaces(state: State): Promise<void> {
  for (const file of state.hot) if (isWithoutPlace(state, file)) await notePlace(state, file);
}

function isWithoutPlace(state: State, file: FollowedFile): boolean {
  return !state.fresh.has(file) && file.problem === undefined && !state.checkpoints.ofInode(file.inode);
}

async function notePlace(state: State, file: FollowedFile): Promise<void> {
  const { source, history } = file;
  const place: FileCheckpoint = { ...checkpointOf(file), modifiedMs: file.writtenMs };
  await keepWhile(state, place, () =>
    postBatch(state, {
      source,
      evidence: [],
      ignored: 0,
      unreadable: {},
      checkpoint: place,
      history,
      // It has not been read.
      behind: true,
      lagging: true,
    }),
  ).catch(() => undefined); // reading comes next, fails as well and says so
}

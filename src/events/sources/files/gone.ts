/** Checkpoints of deleted files: kept for a while, because a file may come back. */
import type { FileCheckpoint } from '../../../model/batch.js';
import type { State } from './state.js';

/** So many of them are kept, the latest. */
const mostGone = 10_000;

/**
 * Forgets the checkpoints of files that none of the sources has found, beyond the latest. Those of a source that cannot be
 * looked at in full are kept, whatever their number: its files may all be there.
 */
export function forgetGone(state: State): void {
  const unsure = new Set<string>();
  for (const { source, scans, problems, hanging } of state.found.values())
    if (scans === 0 || problems.length > 0 || hanging.size > 0) unsure.add(source.name);
  const gone: FileCheckpoint[] = [];
  for (const each of state.checkpoints.all())
    if (!state.files.has(each.inode) && !unsure.has(each.source)) gone.push(each);
  if (gone.length <= mostGone * 1.1) return;
  const forgotten = gone.slice(0, gone.length - mostGone);
  for (const each of forgotten) state.checkpoints.forget(each);
  state.forget?.(forgotten);
}

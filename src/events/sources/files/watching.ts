/**
 * Learns from the system that names in a folder have changed, so that a scan need not wait for its time.
 *
 * Only names matter here: files themselves are not watched, their growth is the business of the stat timer. chokidar
 * would look at a file on each append, which costs more than reading it; so it is left with folders, and what the system
 * says of names in them is taken raw.
 */
import path from 'node:path';
import { watch } from 'chokidar';
import { watchedFolder, type Found } from './find-files.js';
import type { NameWatcher } from './followed.js';
import type { State } from './state.js';

/** chokidar looks at every file of a folder with each change in it; with more of them the scans alone do. */
const mostFiles = 1_000;

/** To be called when a scan has found the folder to answer: on a mount that hangs a watch would hang the whole process. */
export function watchPattern(state: State, pattern: string, found: Found): void {
  const known = state.watchers.get(pattern);
  const isMuch = found.paths.length > mostFiles;
  if (isMuch || state.pace.isStopped()) {
    void known?.watcher.close();
    state.watchers.delete(pattern);
    return;
  }
  const { folder, depth } = watchedFolder(pattern, found.by);
  if (known?.folder === folder || folder === path.parse(folder).root) return;
  void known?.watcher.close();
  state.watchers.set(pattern, { folder, watcher: watchNames(state, folder, depth) });
}

function watchNames(state: State, folder: string, depth: number | undefined): NameWatcher {
  const watcher = watch(folder, {
    ignoreInitial: true,
    ignored: (_path, stats) => stats?.isFile() === true,
    ...(depth !== undefined && { depth }),
  });
  for (const name of ['addDir', 'unlinkDir'] as const) watcher.on(name, state.pace.scanSoon);
  watcher.on('raw', (event) => {
    if (event !== 'change') state.pace.scanSoon();
  });
  watcher.on('error', (error) => {
    state.log.warn('cannot watch a folder; it is looked at every second or so all the same', { error: String(error) });
  });
  return watcher;
}

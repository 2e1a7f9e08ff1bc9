/**
 * Learns from the system that names in a folder have changed, so that a scan need not wait for its time.
 *
 * Only names matter here: files themselves are not watched, their growth is the business of the stat timer. chokidar
 * lists a folder and looks at every file in it after each append to any of them, which costs far more than reading what was
 * appended; so it is left with folders within folders, and what the system says of names in them is taken raw.
 */
import { watch } from 'node:fs';
import path from 'node:path';
import { watchedFolder, type Found } from './find-files.js';
import type { NameWatcher } from './followed.js';
import type { State } from './state.js';

/** With more files scans take longer than what a notice would save. */
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
  state.watchers.delete(pattern);
  const gone = (): boolean => state.watchers.delete(pattern);
  const watcher = depth === 0 ? watchFolder(state, folder, gone) : watchTree(state, folder, depth);
  if (watcher) state.watchers.set(pattern, { folder, watcher });
}

/** @param gone called when the folder is no longer there: the scan that finds it again watches it again */
function watchFolder(state: State, folder: string, gone: () => void): NameWatcher | undefined {
  try {
    const watcher = watch(folder, (event, name) => {
      if (event === 'change') return;
      state.pace.scanSoon();
      if (name !== path.basename(folder)) return;
      watcher.close();
      gone();
    });
    watcher.on('error', (error) => {
      watcher.close();
      tell(state, error);
    });
    return {
      close: () => {
        watcher.close();
        return Promise.resolve();
      },
    };
  } catch (error) {
    // That it is not there is said by the scan.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    tell(state, error);
    return { close: () => Promise.resolve() };
  }
}

/** @param depth undefined for all below it */
function watchTree(state: State, folder: string, depth: number | undefined): NameWatcher {
  let isClosed = false;
  const watching = import('chokidar').then((chokidar) => {
    if (isClosed) return undefined;
    const watcher = chokidar.watch(folder, {
      ignoreInitial: true,
      ignored: (_path, stats) => stats?.isFile() === true,
      ...(depth !== undefined && { depth }),
    });
    for (const name of ['addDir', 'unlinkDir'] as const) watcher.on(name, state.pace.scanSoon);
    watcher.on('raw', (event) => {
      if (event !== 'change') state.pace.scanSoon();
    });
    watcher.on('error', (error) => {
      tell(state, error);
    });
    return watcher;
  });
  return {
    close: async () => {
      isClosed = true;
      await (await watching)?.close();
    },
  };
}

function tell({ log }: State, error: unknown): void {
  log.warn('cannot watch a folder; it is polled about every second instead', { error: String(error) });
}

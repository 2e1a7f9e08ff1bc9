/** Statuses with times that hold although the clock was wrong when they were noted. */
import type { Reloader, ReloadStatus } from '../config/reload.js';
import type { SourceStatus } from '../model/status.js';
import { timeKeeper } from '../runtime/noted-time.js';
import { isTold } from './configured-sources.js';
import { clocks, type Inlets } from './parts.js';

export function sourcesIn(inlets: Inlets): () => SourceStatus[] {
  const timeOf = timeKeeper(clocks);
  return () =>
    (inlets.followed?.statuses() ?? [])
      .filter(isTold)
      .map((status) => ({ ...status, lastRecordAt: timeOf(status.source, status.lastRecordAt) }));
}

export function statusOf(reloader: Reloader): () => ReloadStatus {
  const timeOf = timeKeeper(clocks);
  return () => {
    const status = reloader.status();
    return { ...status, successAt: timeOf('', status.successAt) ?? status.successAt };
  };
}

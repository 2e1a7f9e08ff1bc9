/** The status of each source. */
import type { SourceStatus } from '../../../model/status.js';
import { hangingProblem, problemOfFile } from './problems.js';
import { hangsMs, isScanStuck, isSilent, lagOf, type SourceState, type State } from './state.js';
import type { FollowedFile } from './followed.js';

export function statusOf(state: State, each: SourceState): SourceStatus {
  const troubles = hangingIn(each);
  let [readable, lagBytes, behindSince] = [0, 0, Infinity];
  const standstills = state.progress.standstills(each.source.name);
  const problems = [...troubles, ...standstills.map(({ text }) => text), ...each.problems];
  for (const file of each.files) {
    const problem = problemOfFile(file);
    if (problem === undefined && !isSilent(file.waiting, hangsMs)) readable++;
    if (problem !== undefined && !file.isRotated) problems.push(problem);
  }
  for (const file of each.behind) {
    lagBytes += lagOf(file);
    behindSince = Math.min(behindSince, file.behindSince ?? Infinity);
  }
  const mayIdle = each.source.mayBeEmpty === true && each.scans > 0 && problems.length === 0;
  return {
    source: each.source.name,
    up:
      (readable > 0 || mayIdle) &&
      troubles.length === 0 &&
      standstills.length === 0 &&
      !each.problems.some((problem) => problem.includes('permission denied')),
    detail: problems[0] ?? `reading ${readable} file${readable === 1 ? '' : 's'}`,
    lastRecordAt: each.lastRecordAt,
    lagBytes,
    lagSeconds: behindSince === Infinity ? 0 : (state.steady() - behindSince) / 1000,
    stalledSeconds: (standstills[0]?.ms ?? 0) / 1000,
    bytesRead: each.bytesRead,
  };
}

/** What does not answer, a sentence each. */
function hangingIn(each: SourceState): string[] {
  const troubles: string[] = [];
  if (isScanStuck(each, hangsMs)) troubles.push(hangingProblem(each.source.name));
  for (const [path, waiting] of each.hanging) if (isSilent(waiting, hangsMs)) troubles.push(hangingProblem(path));
  for (const file of each.files)
    if (file.workingSince !== undefined && isSilent(file.waiting, hangsMs)) troubles.push(hangingProblem(file.path));
  return troubles;
}

/** Says once in the log what hangs, and once that it answers again. */
export function tellHanging(state: State): void {
  const hanging = new Map<string, string>();
  for (const each of state.found.values())
    for (const problem of hangingIn(each)) hanging.set(problem, each.source.name);
  for (const [problem, source] of hanging) {
    if (!state.told.has(problem)) state.log.warn('cannot read', { source, problem });
    state.told.add(problem);
  }
  for (const problem of state.told) {
    if (hanging.has(problem)) continue;
    state.told.delete(problem);
    state.log.info('the file system answers again', { was: problem });
  }
}

/** True once every source was looked at and read to its end, but for what the system does not answer. */
export function isReadToEnd(state: State): boolean {
  for (const each of state.found.values()) if (isFirstScanned(each)) return false;
  for (const file of state.hot)
    if (file.size !== file.seenSize && file.problem === undefined && !isSilent(file.waiting, hangsMs)) return false;
  return state.fresh.size === 0;
}

/** True while the first read of a source goes on. What cannot be read does not keep the history of the others back. */
export function isReadingHistory(state: State): boolean {
  for (const each of state.found.values()) if (isFirstScanned(each)) return true;
  for (const file of state.hot) if (isUnreadHistory(file)) return true;
  return false;
}

function isFirstScanned(each: SourceState): boolean {
  return each.scans === 0 && !isScanStuck(each, hangsMs) && each.problems.length === 0;
}

function isUnreadHistory(file: FollowedFile): boolean {
  return file.history && file.problem === undefined && file.size !== file.seenSize && !isSilent(file.waiting, hangsMs);
}

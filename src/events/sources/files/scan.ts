/** Scans for files: which exist, which are new, which have changed, which are gone. */
import { FileHangs } from '../../../runtime/file-gate.js';
import { shownPath } from './file-names.js';
import { notWaiting } from './file-system.js';
import { findFiles, type Found } from './find-files.js';
import { hangingProblem, problemOf, problemOfFile } from './problems.js';
import { forgetGone } from './gone.js';
import { scanRotated, type Around } from './rotated-files.js';
import { searchLost } from './lost-files.js';
import { unlessSlow, type SourceState, type State } from './state.js';
import type { FollowedFile } from './followed.js';
import { meet, notePresent, type Findings } from './take-up.js';
import { watchPattern } from './watching.js';

/** Begins a scan of every source that is not being scanned, and waits for those that the system does not keep waiting. */
export async function scan(state: State): Promise<void> {
  for (const each of state.found.values()) {
    if (state.pace.isStopped()) return;
    each.scanning ??= scanSource(state, each)
      .catch((error: unknown) => {
        reportProblems(state, each, [problemOf(error, each.source.name)]);
      })
      .finally(() => (each.scanning = undefined));
    await unlessSlow(each.scanning, each.waiting);
  }
}

async function scanSource(state: State, each: SourceState): Promise<void> {
  const findings: Findings = { present: new Set(), problems: [] };
  let answered = 0;
  for (const pattern of each.source.paths) {
    const finder = { system: state.system, waiting: each.waiting, place: pattern };
    const found = await findFiles(pattern, finder).catch((error: unknown): Found | undefined => {
      findings.problems.push(error instanceof FileHangs ? hangingProblem(pattern) : problemOf(error, pattern));
      return undefined;
    });
    if (state.pace.isStopped()) return;
    if (!found) continue;
    answered++;
    if (found.problem !== undefined && !(found.isEmpty && each.source.mayBeEmpty))
      findings.problems.push(found.problem);
    watchPattern(state, pattern, found);
    await lookAtFound(state, each, { pattern, found, findings });
  }
  if (state.pace.isStopped()) return;
  const isWhole = answered === each.source.paths.length;
  endScan(state, each, findings, !isWhole || each.hanging.size > 0);
  if (isWhole) each.scans++;
}

/** What rotation has made of files comes first: it is older. */
async function lookAtFound(state: State, each: SourceState, around: Around): Promise<void> {
  const { pattern, found, findings } = around;
  const folders = await scanRotated(state, each, around);
  for (const path of found.paths) {
    if (state.pace.isStopped()) return;
    await lookAtPath(state, each, path, { findings, pattern, isListed: found.by !== 'name' });
  }
  for (const folder of folders) await searchLost(state, each, around, folder);
}

function endScan(state: State, each: SourceState, { present, problems }: Findings, isHanging: boolean): void {
  reportProblems(state, each, problems);
  for (const file of state.fresh) if (file.source === each.source.name) state.fresh.delete(file);
  // What a folder that does not answer holds is not gone.
  if (isHanging) for (const inode of each.present) present.add(inode);
  for (const inode of each.present) {
    const file = present.has(inode) ? undefined : state.files.get(inode);
    file?.finders.delete(each.source.name);
    if (file?.finders.size !== 0) continue;
    file.goneAt ??= state.steady();
    state.hot.add(file);
  }
  each.present = present;
  state.progress.keepOnly({ has: (inode) => isPresent(state, inode) });
  if (!isHanging && problems.length === 0) forgetGone(state);
}

function isPresent(state: State, inode: string): boolean {
  return [...state.found.values()].some(({ present }) => present.has(inode));
}

type Look = { readonly findings: Findings; readonly pattern: string; readonly isListed: boolean };

/** Looks at one path; one that does not answer is left behind, and looked at again when it has answered. */
async function lookAtPath(state: State, each: SourceState, path: string, look: Look): Promise<void> {
  if (each.hanging.has(path)) return;
  const waiting = notWaiting();
  const work = lookAt(state, each, path, { ...look, waiting });
  each.hanging.set(path, waiting);
  const ended = unlessSlow(work, waiting);
  void work.finally(() => each.hanging.delete(path));
  await ended;
}

async function lookAt(
  state: State,
  each: SourceState,
  path: string,
  { findings, pattern, isListed, waiting }: Look & { readonly waiting: FollowedFile['waiting'] },
): Promise<void> {
  try {
    const facts = await state.system.facts(path, pattern, waiting);
    if (facts.isFolder) return;
    if (facts.problem !== undefined) {
      findings.problems.push(`${shownPath(path)}: ${facts.problem}`);
      return;
    }
    const file = await meet(state, each, path, { facts, waiting, isRotated: false });
    notePresent(file, each, findings);
    const problem = problemOfFile(file);
    if (problem !== undefined) findings.problems.push(problem);
  } catch (error) {
    // A name that was listed a moment ago is gone by now.
    if (isListed && (error as NodeJS.ErrnoException).code === 'ENOENT') return;
    if (!(error instanceof FileHangs)) findings.problems.push(problemOf(error, path));
  }
}

function reportProblems(state: State, each: SourceState, problems: readonly string[]): void {
  for (const problem of problems) {
    if (!each.problems.includes(problem)) state.log.warn('cannot read', { source: each.source.name, problem });
  }
  if (each.problems.length > 0 && problems.length === 0) state.log.info('readable again', { source: each.source.name });
  each.problems = problems;
}

/** Looks for files that disappeared while they were being read: by identity, then by their first bytes. */
import path from 'node:path';
import type { FileCheckpoint } from '../../../model/batch.js';
import { keyOfCheckpoint } from '../../../model/checkpoint-key.js';
import { type FileFacts, notWaiting } from './file-system.js';
import { type Around, factsOf, type Folder, meetRotated } from './rotated-files.js';
import { isPassedBy, membersOf, passBy } from './rotation.js';
import { drop, type SourceState, type State } from './state.js';
import { meet } from './take-up.js';

/**
 * A file that was read by its name and has none of its names now is looked for in its folder: by inode, then by content.
 * To be called when the files themselves have been looked at.
 */
export async function searchLost(state: State, each: SourceState, around: Around, there: Folder): Promise<void> {
  const lost = lostFiles(state, each, there.bases, around.findings.present);
  if (lost.length === 0) return;
  const left = new Set(lost);
  const byInode = new Map(lost.map((checkpoint) => [checkpoint.inode, checkpoint]));
  const others: { path: string; facts: FileFacts }[] = [];
  // What carries the name of a base is met as what rotation has made of it: now, or when renames let it be met.
  const members = new Set(
    membersOf(there.folder, there.names, { bases: there.bases, found: new Set() }).map(({ path: at }) => at),
  );
  for (const name of there.names) {
    const at = path.join(there.folder, name);
    const facts = there.bases.has(at)
      ? undefined
      : await factsOf(state, each, around.pattern, at).catch(() => undefined);
    if (!facts || around.findings.present.has(facts.inode)) continue;
    const known = byInode.get(facts.inode);
    if (known && left.delete(known)) await meetLost(state, each, around, { path: at, facts });
    else if (!members.has(at)) others.push({ path: at, facts });
  }
  const newest = [...left].sort((a, b) => (b.modifiedMs ?? 0) - (a.modifiedMs ?? 0))[0];
  if (newest) await searchByContent(state, each, around, { lost: newest, others });
}

function lostFiles(
  state: State,
  { source, rotation }: SourceState,
  bases: ReadonlySet<string>,
  present: ReadonlySet<string>,
): FileCheckpoint[] {
  const lost: FileCheckpoint[] = [];
  for (const base of bases) {
    for (const each of state.checkpoints.ofPath(base)) {
      const key = keyOfCheckpoint(each);
      if (each.source !== source.name || present.has(each.inode) || rotation.searched.has(key)) continue;
      rotation.searched.add(key);
      lost.push(each);
    }
  }
  return lost;
}

async function meetLost(
  state: State,
  each: SourceState,
  around: Around,
  at: { path: string; facts: FileFacts },
): Promise<void> {
  each.rotation.strays.add(at.path);
  await meetRotated(state, each, around, at);
}

/** Files with other names are opened up to this number, the newest first. */
const mostOpened = 50;

async function searchByContent(
  state: State,
  each: SourceState,
  around: Around,
  { lost, others }: { readonly lost: FileCheckpoint; readonly others: { path: string; facts: FileFacts }[] },
): Promise<void> {
  const candidates = others
    .filter(({ facts }) => facts.size >= lost.offset && facts.changedMs >= (lost.modifiedMs ?? Infinity))
    .filter(({ facts }) => !state.files.has(facts.inode) && !isPassedBy(each.rotation, facts))
    .sort((a, b) => b.facts.changedMs - a.facts.changedMs)
    .slice(0, mostOpened);
  for (const { path: at, facts } of candidates) {
    const meeting = { facts, waiting: notWaiting(), isRotated: false };
    const file = await meet(state, each, at, meeting).catch(() => undefined);
    if (file?.isCopy === true) {
      await meetLost(state, each, around, { path: at, facts });
      return;
    }
    if (file) drop(state, file);
    passBy(each.rotation, facts);
  }
}

/** Finds and takes up what rotation has made of the files of a source that are read by their names. */
import path from 'node:path';
import { FileHangs } from '../../../runtime/file-gate.js';
import { shownPath } from './file-names.js';
import { type FileFacts, notWaiting } from './file-system.js';
import { type Found, isTemporary, matcherOf } from './find-files.js';
import {
  byAge,
  firstWritesKnown,
  formerNames,
  isBornSince,
  isPassedBy,
  type Member,
  membersOf,
  passBy,
} from './rotation.js';
import { drop, type SourceState, type State } from './state.js';
import { type Findings, meet, notePresent } from './take-up.js';

export type Around = { readonly pattern: string; readonly found: Found; readonly findings: Findings };

type Seen = Member & { readonly facts: FileFacts };

/** Bases of globs whose files are gone are remembered up to this number. */
const mostBases = 20_000;

/**
 * To be called before the files themselves are looked at, so that older content is read first.
 * @returns the folders they are in
 */
export async function scanRotated(state: State, each: SourceState, around: Around): Promise<Folder[]> {
  const { found, pattern } = around;
  const folders: Folder[] = [];
  if (found.by === 'folder') return folders;
  for (const [folder, bases] of basesByFolder(state, each, pattern, found)) {
    if (state.pace.isStopped()) break;
    try {
      const entries = await state.system.list(folder, pattern, each.waiting);
      const names = entries.filter(({ isFolder, name }) => !isFolder && !isTemporary(name)).map(({ name }) => name);
      const there = { folder, names, bases };
      await scanFolder(state, each, around, there);
      folders.push(there);
    } catch {
      // A folder that is not there, or does not answer: the source says so itself.
    }
  }
  return folders;
}

function basesByFolder(
  state: State,
  each: SourceState,
  pattern: string,
  { by, paths }: Found,
): Map<string, Set<string>> {
  const { bases } = each.rotation;
  if (by === 'name' && paths.length === 0) bases.add(path.resolve(pattern));
  if (each.scans === 0) rememberPaths(state, each, { by, paths, pattern });
  for (const each of paths) bases.add(each);
  while (bases.size > mostBases + paths.length) bases.delete(bases.values().next().value ?? '');
  const byFolder = new Map<string, Set<string>>();
  for (const base of bases) {
    const folder = path.dirname(base);
    const there = byFolder.get(folder);
    if (there) there.add(base);
    else byFolder.set(folder, new Set([base]));
  }
  return byFolder;
}

/** Where files of the source were when they were last read: under their own names, or those that they had come to. */
function rememberPaths(
  state: State,
  { source, rotation }: SourceState,
  { by, paths, pattern }: Pick<Found, 'by' | 'paths'> & { readonly pattern: string },
): void {
  const found = new Set(paths);
  const isMeant = by === 'glob' ? matcherOf(pattern) : undefined;
  for (const known of state.checkpoints.all()) {
    if (known.source !== source.name || found.has(known.path)) continue;
    if (isMeant) rotation.bases.add(ownName(known.path, isMeant));
    if (known.inode !== '') rotation.strays.add(known.path);
  }
}

/** The name under which a glob finds a file: it may have been read last under the one that rotation gave it. */
function ownName(at: string, isMeant: (at: string) => boolean): string {
  if (isMeant(at)) return at;
  const folder = path.dirname(at);
  for (const former of formerNames(path.basename(at)))
    if (isMeant(path.join(folder, former))) return path.join(folder, former);
  return at;
}

export type Folder = {
  readonly folder: string;
  readonly names: readonly string[];
  readonly bases: ReadonlySet<string>;
};

async function scanFolder(state: State, each: SourceState, around: Around, there: Folder): Promise<void> {
  const { rotation } = each;
  const found = new Set(around.found.paths);
  const members: Seen[] = [];
  for (const member of membersOf(there.folder, there.names, { bases: there.bases, found })) {
    const facts = await factsOf(state, each, around.pattern, member.path);
    if (facts) members.push({ ...member, facts });
  }
  const { name } = each.source;
  let known: ReadonlyMap<string, number> | undefined;
  const since = (base: string): number | undefined =>
    (known ??= firstWritesKnown(state.checkpoints, name, there)).get(base);
  for (const member of members.sort(byAge)) await meetMember(state, each, around, { ...member, since });
  for (const stray of rotation.strays)
    if (path.dirname(stray) === there.folder) await meetStray(state, each, around, stray);
  for (const base of there.bases) rotation.looked.add(base);
}

export async function factsOf(
  state: State,
  each: SourceState,
  place: string,
  at: string,
): Promise<FileFacts | undefined> {
  try {
    const facts = await state.system.facts(at, place, each.waiting);
    return facts.problem === undefined ? facts : undefined;
  } catch (error) {
    if (error instanceof FileHangs) throw error;
    return undefined;
  }
}

async function meetMember(
  state: State,
  each: SourceState,
  around: Around,
  member: Seen & { readonly since: (base: string) => number | undefined },
): Promise<void> {
  const { rotation, source } = each;
  const { facts, base } = member;
  if (!state.files.has(facts.inode)) {
    if (isPassedBy(rotation, facts)) return;
    const isFirstLook = !rotation.looked.has(base);
    const look = { isFirstLook, since: isFirstLook ? member.since(base) : undefined };
    if (!isBornSince(facts, state.checkpoints, look)) {
      passBy(rotation, facts);
      return;
    }
    if (member.isCompressed) {
      passBy(rotation, facts);
      state.log.warn(
        'a rotated file was compressed before it was read; delay compression by one cycle (delaycompress)',
        {
          source: source.name,
          path: shownPath(member.path),
        },
      );
      return;
    }
  }
  await meetRotated(state, each, around, member);
}

/** Something else that carries the name, a list of offsets or a lock, is not the source's problem. */
export async function meetRotated(
  state: State,
  each: SourceState,
  { findings }: Around,
  { path: at, facts }: { path: string; facts: FileFacts },
): Promise<void> {
  const isKnown = state.files.has(facts.inode);
  const file = await meet(state, each, at, { facts, waiting: notWaiting(), isRotated: true }).catch(() => undefined);
  if (!file) return;
  if (!isKnown && file.problem !== undefined) {
    passBy(each.rotation, facts);
    drop(state, file);
    return;
  }
  if (!isKnown)
    state.log.info('continuing in a rotated file', {
      source: each.source.name,
      path: shownPath(at),
      from: file.position.offset,
    });
  notePresent(file, each, findings);
}

async function meetStray(state: State, each: SourceState, around: Around, at: string): Promise<void> {
  const facts = await factsOf(state, each, around.pattern, at);
  if (facts && (state.files.has(facts.inode) || state.checkpoints.ofInode(facts.inode)?.path === at))
    await meetRotated(state, each, around, { path: at, facts });
  else each.rotation.strays.delete(at);
}

/**
 * What rotation has made of files that are read by their names: `events.ndjson.1`, `events.ndjson-20260115`,
 * `events-20260115.ndjson`. Whatever stood beside a file when it was first read is not touched; whatever has been born
 * since and carries its name is read, oldest first, and so is the file itself under its new name.
 */
import path from 'node:path';
import { isTemporary } from './find-files.js';
import type { FileFacts } from './file-system.js';
import type { Checkpoints } from './checkpoints.js';

export type Rotation = {
  /** Paths that files are or were read by. */
  readonly bases: Set<string>;
  /** Those whose surroundings have been looked at. */
  readonly looked: Set<string>;
  /** What stood there before, and what has been told of. */
  readonly passedBy: Set<string>;
  /** Checkpoints whose files have been looked for in the whole folder, by their keys. */
  readonly searched: Set<string>;
  /** Where files were found under names that are not theirs. */
  readonly strays: Set<string>;
};

export function createRotation(): Rotation {
  return { bases: new Set(), looked: new Set(), passedBy: new Set(), searched: new Set(), strays: new Set() };
}

/** A file beside one that is read by its name, whose name it carries. */
export type Member = { readonly path: string; readonly base: string; readonly isCompressed: boolean };

const compressed = /\.(?:gz|bz2|xz|zst|lz4|zip|7z|z)$/i;
/** `events-20260115.ndjson`: a date or a number before the ending. */
const numbered = /^(.+?)[._-]\d[\d._T:-]*(\.\w+)$/;
const separators = new Set(['.', '-', '_']);

/**
 * @param names of all files in a folder
 * @param bases paths in that folder
 * @param found paths that are read by their names
 */
export function membersOf(
  folder: string,
  names: readonly string[],
  { bases, found }: { readonly bases: ReadonlySet<string>; readonly found: ReadonlySet<string> },
): Member[] {
  return names.flatMap((name) => {
    const at = path.join(folder, name);
    if (isTemporary(name) || found.has(at)) return [];
    const isCompressed = compressed.test(name);
    const base = baseOf(folder, name, bases);
    return base === undefined ? [] : [{ path: at, base, isCompressed }];
  });
}

function baseOf(folder: string, name: string, bases: ReadonlySet<string>): string | undefined {
  for (const former of formerNames(name)) {
    const base = path.join(folder, former);
    if (bases.has(base)) return base;
  }
  return undefined;
}

/** Names from which rotation may have made this one, the longest first, so that each file belongs to one. */
export function* formerNames(name: string): Generator<string> {
  for (let end = name.length - 1; end > 0; end--) if (separators.has(name.charAt(end))) yield name.slice(0, end);
  const [, stem = '', ending = ''] = numbered.exec(name.replace(compressed, '')) ?? [];
  if (stem !== '') yield stem + ending;
}

/** An inode may be another file later: that one was both made and written at another time. */
function identitiesOf({ inode, bornMs, changedMs }: FileFacts): string[] {
  return [`${inode} made ${bornMs}`, `${inode} written ${changedMs}`];
}

export function isPassedBy({ passedBy }: Rotation, facts: FileFacts): boolean {
  return identitiesOf(facts).some((each) => passedBy.has(each));
}

export function passBy({ passedBy }: Rotation, facts: FileFacts): void {
  for (const each of identitiesOf(facts)) passedBy.add(each);
}

/**
 * When the oldest file of each base that is known, under any of its names, was last written: what was written later and is
 * not known has been born since. The newest would not do: after quick renames it may be known before the one that it follows.
 */
export function firstWritesKnown(
  checkpoints: Checkpoints,
  source: string,
  { folder, bases }: { readonly folder: string; readonly bases: ReadonlySet<string> },
): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const { source: reader, path: at, modifiedMs } of checkpoints.all()) {
    if (reader !== source || modifiedMs === undefined || path.dirname(at) !== folder) continue;
    const base = bases.has(at) ? at : baseOf(folder, path.basename(at), bases);
    if (base !== undefined) first.set(base, Math.min(modifiedMs, first.get(base) ?? Infinity));
  }
  return first;
}

/**
 * Whether a file that nobody follows is to be read: it is known, or it has been born since its base was first read.
 * @param isFirstLook at the surroundings of its base: then only the time of its last write tells
 */
export function isBornSince(
  facts: FileFacts,
  checkpoints: Checkpoints,
  { isFirstLook, since }: { readonly isFirstLook: boolean; readonly since: number | undefined },
): boolean {
  if (!isFirstLook || checkpoints.ofInode(facts.inode)) return true;
  return since !== undefined && facts.changedMs >= since;
}

/** Oldest first: by the last write, then by birth; of two that the clock cannot tell apart the higher number is older. */
export function byAge(a: { path: string; facts: FileFacts }, b: { path: string; facts: FileFacts }): number {
  return (
    a.facts.changedMs - b.facts.changedMs ||
    a.facts.bornMs - b.facts.bornMs ||
    b.path.localeCompare(a.path, 'en', { numeric: true })
  );
}

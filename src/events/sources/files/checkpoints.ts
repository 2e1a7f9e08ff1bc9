/** Finds among tens of thousands of checkpoints the few that may belong to a file: by inode, by path, by first bytes. */
import { keyOfCheckpoint } from '../../../model/checkpoint-key.js';
import type { FileCheckpoint, Fingerprint } from '../../../model/batch.js';

export type Checkpoints = {
  readonly ofInode: (inode: string) => FileCheckpoint | undefined;
  /** Of the files last seen under this path. */
  readonly ofPath: (path: string) => readonly FileCheckpoint[];
  /**
   * Those whose first bytes are those of a file, the one that was read furthest first, and no more than are worth a look.
   * @param hashOf hash of so many first bytes; undefined when there are not as many
   */
  readonly withHead: (hashOf: (length: number) => string | undefined) => readonly FileCheckpoint[];
  /** Takes the place of the one before with the same key. */
  readonly keep: (checkpoint: FileCheckpoint) => void;
  readonly forget: (checkpoint: FileCheckpoint) => void;
  /** All, the one that was kept last at the end. */
  readonly all: () => Iterable<FileCheckpoint>;
};

/** Files that begin alike in as many ways are no copies of one another. */
const mostCandidates = 100;

export function createCheckpoints(saved: Iterable<FileCheckpoint>): Checkpoints {
  const byKey = new Map<string, FileCheckpoint>();
  const byPath = new Map<string, Set<FileCheckpoint>>();
  const byHead = new Map<number, Map<string, Set<FileCheckpoint>>>();

  const forget = (key: string): void => {
    const known = byKey.get(key);
    if (!known) return;
    byKey.delete(key);
    removeFrom(byPath, known.path, known);
    const ofLength = byHead.get(known.head.length);
    if (ofLength) removeFrom(ofLength, known.head.hash, known);
    if (ofLength?.size === 0) byHead.delete(known.head.length);
  };
  const keep = (checkpoint: FileCheckpoint): void => {
    const key = keyOfCheckpoint(checkpoint);
    forget(key);
    byKey.set(key, checkpoint);
    addTo(byPath, checkpoint.path, checkpoint);
    const { length, hash } = checkpoint.head;
    if (length === 0) return;
    const ofLength = byHead.get(length) ?? new Map<string, Set<FileCheckpoint>>();
    byHead.set(length, ofLength);
    addTo(ofLength, hash, checkpoint);
  };
  for (const each of saved) keep(each);
  return {
    ofInode: (inode) => byKey.get(inode),
    ofPath: (path) => [...(byPath.get(path) ?? [])],
    withHead: (hashOf) => {
      const found: FileCheckpoint[] = [];
      for (const [length, ofLength] of byHead) {
        const hash = hashOf(length);
        if (hash !== undefined) found.push(...(ofLength.get(hash) ?? []));
      }
      return found.sort((a, b) => b.offset - a.offset).slice(0, mostCandidates);
    },
    keep,
    forget: (checkpoint) => {
      forget(keyOfCheckpoint(checkpoint));
    },
    all: () => byKey.values(),
  };
}

/** A hash for a number of first bytes, counted out once for each length that is asked for. */
export function hashesOf(head: Buffer, fingerprintOf: (bytes: Buffer) => Fingerprint) {
  const hashes = new Map<number, string>();
  return (length: number): string | undefined => {
    if (length > head.length) return undefined;
    const hash = hashes.get(length) ?? fingerprintOf(head.subarray(0, length)).hash;
    hashes.set(length, hash);
    return hash;
  };
}

function addTo<Value>(map: Map<string, Set<Value>>, key: string, value: Value): void {
  const known = map.get(key);
  if (known) known.add(value);
  else map.set(key, new Set([value]));
}

function removeFrom<Value>(map: Map<string, Set<Value>>, key: string, value: Value): void {
  const known = map.get(key);
  known?.delete(value);
  if (known?.size === 0) map.delete(key);
}

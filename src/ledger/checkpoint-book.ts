/**
 * The checkpoints of all files, logs and topics that were ever read, and their saved form.
 *
 * There may be tens of thousands, of which a few change between two saves: they are kept in blocks, and only a block with
 * a change is rewritten. Which are dropped is said by those who look for the files: nobody else knows which exist.
 */
import * as z from 'zod';
import { keyOfCheckpoint } from '../model/checkpoint-key.js';
import type { Checkpoint } from '../model/batch.js';
import { createTextSnapshots } from './text-snapshots.js';

const fingerprint = z.strictObject({ length: z.int().min(0), hash: z.string() });

const fileCheckpoint = z.strictObject({
  source: z.string(),
  path: z.string(),
  inode: z.string(),
  head: fingerprint,
  tail: fingerprint,
  history: z.boolean(),
  offset: z.int().min(0),
  skipping: z.boolean().optional(),
  memory: z.unknown().optional(),
  modifiedMs: z.number().optional(),
  sizeRead: z.int().min(0).optional(),
});

const logCheckpoint = z.strictObject({
  source: z.string(),
  channel: z.string(),
  bookmark: z.string(),
  recordId: z.int().min(0),
  time: z.number().optional(),
});

const topicCheckpoint = z.strictObject({
  source: z.string(),
  cluster: z.string(),
  topic: z.string(),
  topicId: z.string(),
  history: z.boolean(),
  partitions: z.array(z.strictObject({ partition: z.int().min(0), nextOffset: z.int().min(0) })),
});

export const savedCheckpoint = z.union([fileCheckpoint, logCheckpoint, topicCheckpoint]);

export type CheckpointBook = {
  /** Whether one of the same file or log is kept. */
  readonly has: (checkpoint: Checkpoint) => boolean;
  /** Takes the place of the one before of the same file or log. */
  readonly keep: (checkpoint: Checkpoint) => void;
  readonly forget: (checkpoint: Checkpoint) => void;
  readonly all: () => Checkpoint[];
  /** What was kept and forgotten since it was asked before: JSON texts, and keys. */
  readonly takeChanges: () => { readonly put: string[]; readonly drop: string[] };
  /**
   * As they are now, as JSON, in pieces that belong between commas and are made when they are asked for. Takes the place of
   * those that were not read to their end.
   */
  readonly texts: () => Iterable<Buffer>;
};

type Block = { readonly jsonByKey: Map<string, string>; bytes: Buffer | undefined };

const blockSize = 256;

export function createCheckpointBook(saved: readonly Checkpoint[] = []): CheckpointBook {
  const checkpoints = new Map<string, { checkpoint: Checkpoint; readonly block: Block }>();
  const blocks = new Set<Block>();
  /** Has room. */
  let open = newBlock();
  const changed = new Set<string>();
  const snapshots = createTextSnapshots(bytesOf);

  const blockWithRoom = (): Block => {
    if (open.jsonByKey.size >= blockSize) open = newBlock();
    blocks.add(open);
    return open;
  };
  const keep = (checkpoint: Checkpoint): void => {
    const key = keyOfCheckpoint(checkpoint);
    changed.add(key);
    const block = checkpoints.get(key)?.block ?? blockWithRoom();
    snapshots.changes(block);
    block.jsonByKey.set(key, JSON.stringify(checkpoint));
    block.bytes = undefined;
    checkpoints.set(key, { checkpoint, block });
  };
  for (const each of saved) keep(each);
  changed.clear();
  return {
    has: (checkpoint) => checkpoints.has(keyOfCheckpoint(checkpoint)),
    keep,
    forget: (checkpoint) => {
      const key = keyOfCheckpoint(checkpoint);
      const block = checkpoints.get(key)?.block;
      if (!block) return;
      snapshots.changes(block);
      changed.add(key);
      checkpoints.delete(key);
      block.jsonByKey.delete(key);
      block.bytes = undefined;
      if (block.jsonByKey.size === 0) blocks.delete(block);
    },
    takeChanges: () => {
      const [put, drop]: [string[], string[]] = [[], []];
      for (const key of changed) {
        const json = checkpoints.get(key)?.block.jsonByKey.get(key);
        if (json === undefined) drop.push(key);
        else put.push(json);
      }
      changed.clear();
      return { put, drop };
    },
    all: () => [...checkpoints.values()].map(({ checkpoint }) => checkpoint),
    texts: () => snapshots.begin(blocks),
  };
}

function bytesOf(block: Block): Buffer {
  return (block.bytes ??= Buffer.from([...block.jsonByKey.values()].join(',\n')));
}

function newBlock(): Block {
  return { jsonByKey: new Map(), bytes: undefined };
}

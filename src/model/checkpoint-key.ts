/** By what the checkpoint of a file or a log is known, in the books and where files are read. */
import type { Checkpoint, FileCheckpoint } from './batch.js';

/**
 * The channel of a live log; the IDs of a topic and its cluster; of a file its inode, or its first bytes once the file of that inode has been written anew
 * and what was read may live on as a copy only.
 */
export function keyOfCheckpoint(checkpoint: Checkpoint): string {
  if ('channel' in checkpoint) return `channel ${checkpoint.channel}`;
  if ('topicId' in checkpoint) return `topic ${checkpoint.cluster} ${checkpoint.topicId}`;
  const { inode, head } = checkpoint;
  return inode === '' ? `written anew ${head.length} ${head.hash}` : inode;
}

/** What was read of a file that has been written anew: known by its content alone from now on. */
export function withoutInode(checkpoint: FileCheckpoint): FileCheckpoint {
  return { ...checkpoint, inode: '' };
}

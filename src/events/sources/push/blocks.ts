/** The memory in which pushed bytes wait: one bounded stock of blocks for all senders. */

/** Small, for whoever sends slowly holds on to one. */
const blockBytes = 16 * 1024;

export type Stock = {
  /** @returns undefined when all blocks are in use */
  readonly take: () => Buffer | undefined;
  readonly give: (block: Buffer) => void;
  /** Makes it larger when it holds less. */
  readonly holdAtLeast: (bytes: number) => void;
};

/** Blocks are made when they are needed and used again. */
export function createStock(mostBytes: number): Stock {
  const free: Buffer[] = [];
  let most = Math.floor(mostBytes / blockBytes);
  let left = most;
  return {
    holdAtLeast: (bytes) => {
      const more = Math.max(0, Math.ceil(bytes / blockBytes) - most);
      most += more;
      left += more;
    },
    take: () => {
      const block = free.pop();
      if (block || left === 0) return block;
      left--;
      return Buffer.allocUnsafeSlow(blockBytes);
    },
    give: (block) => {
      free.push(block);
    },
  };
}

/** Bytes of one sender, copied: what comes in crumbs would hold on to far more than it is. */
export type Gathered = {
  /** @returns false when the stock is used up */
  readonly add: (chunk: Buffer) => boolean;
  readonly length: () => number;
  readonly parts: () => readonly Buffer[];
  /** Gives all blocks back; the parts must not be used any more. */
  readonly release: () => void;
};

export function createGathered(stock: Stock): Gathered {
  const blocks: Buffer[] = [];
  let length = 0;
  return {
    add: (chunk) => {
      for (let at = 0; at < chunk.length;) {
        const block = length === blocks.length * blockBytes ? stock.take() : blocks.at(-1);
        if (!block) return false;
        if (block !== blocks.at(-1)) blocks.push(block);
        const copied = chunk.copy(block, length % blockBytes, at);
        length += copied;
        at += copied;
      }
      return true;
    },
    length: () => length,
    parts: () => blocks.map((block, place) => block.subarray(0, Math.min(blockBytes, length - place * blockBytes))),
    release: () => {
      for (const block of blocks.splice(0)) stock.give(block);
      length = 0;
    },
  };
}

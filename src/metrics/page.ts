/**
 * The text of a scrape in pieces that are kept while nothing in them changes: a scrape costs what has changed since
 * the last one, is never put together in one go, and is shared by all who read it at a time.
 */
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { createBreath } from '../runtime/breath.js';
import { familyHead, type Family } from './exposition.js';

/** Bytes of a page that may be sent more than once; they never change. */
export type Piece = {
  readonly bytes: Buffer;
  /** The same as blocks of deflate that end on a byte and are not the last of their stream. */
  readonly deflated: () => Promise<Buffer>;
};

/** Many items with the same metric families. */
export type TableOptions<Item> = {
  readonly families: readonly Family[];
  /** The lines of one item, one text for each family. */
  readonly linesOf: (item: Item) => readonly string[];
  /** Whatever the lines depend on: they are rewritten when one of these is not the same as before. */
  readonly dependsOn: (item: Item) => readonly unknown[];
};

export type Table<Item> = (items: readonly Item[]) => Promise<readonly (Piece | string)[]>;

/** Items whose lines are kept together. */
const itemsInBlock = 500;
/** Shorter texts are joined with their neighbours: they are sooner written again than kept. */
const leastPieceBytes = 4 * 1024;

type Block = { readonly facts: readonly unknown[]; readonly texts: readonly (Piece | string)[] };

/** @returns a function that gives the text of all items, family by family */
export function createTable<Item>(options: TableOptions<Item>): Table<Item> {
  const blocks: Block[] = [];
  return async (items) => {
    const breathe = createBreath();
    const shown: Block[] = [];
    for (let from = 0; from < items.length; from += itemsInBlock) {
      await breathe();
      const members = items.slice(from, from + itemsInBlock);
      const facts = members.flatMap(options.dependsOn);
      const known = blocks[shown.length];
      const block = known && isSame(known.facts, facts) ? known : blockOf(options, members, facts);
      blocks[shown.length] = block;
      shown.push(block);
    }
    blocks.length = shown.length;
    return options.families.flatMap((family, index) => [
      familyHead(family),
      ...shown.map(({ texts }) => texts[index] ?? ''),
    ]);
  };
}

function blockOf<Item>(options: TableOptions<Item>, items: readonly Item[], facts: readonly unknown[]): Block {
  const lines = items.map(options.linesOf);
  const texts = options.families.map((_, family) => {
    const text = lines.map((each) => each[family] ?? '').join('');
    return text.length < leastPieceBytes ? text : pieceOf(text);
  });
  return { facts, texts };
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}

/** A whole page, to be sent as often as it is asked for while it is the newest. */
export type Page = {
  readonly plain: readonly Buffer[];
  readonly gzipped: () => Promise<readonly Buffer[]>;
};

export function pageOf(parts: readonly (Piece | string)[]): Page {
  const pieces = joined(parts);
  let packed: Promise<readonly Buffer[]> | undefined;
  return { plain: pieces.map(({ bytes }) => bytes), gzipped: () => (packed ??= gzipOf(pieces)) };
}

/** Texts that stand side by side become one piece. */
function joined(parts: readonly (Piece | string)[]): Piece[] {
  const pieces: Piece[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') pieces.push(pieceOf(text));
    text = '';
  };
  for (const part of parts) {
    if (typeof part === 'string') text += part;
    else {
      flush();
      pieces.push(part);
    }
  }
  flush();
  return pieces;
}

// -------------------------------------------------------------------------------------------------- gzip

const gzipHead = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** A block of deflate without content that says that it is the last one. */
const lastBlock = Buffer.from([3, 0]);
const chunkBytes = 64 * 1024;

async function gzipOf(pieces: readonly Piece[]): Promise<Buffer[]> {
  const { deflated, sum, length } = await deflatedOf(pieces);
  const end = Buffer.alloc(8);
  end.writeUInt32LE(sum, 0);
  end.writeUInt32LE(length % 2 ** 32, 4);
  return inChunks([gzipHead, ...deflated, end]);
}

/** A whole stream of deflate, and what gzip and zip say of what is in it: its CRC-32 and its length in bytes. */
export type Deflated = { readonly deflated: readonly Buffer[]; readonly sum: number; readonly length: number };

/** One stream of all pieces; each is compressed by itself, so that one that is kept is compressed once. */
export async function deflatedOf(pieces: readonly Piece[]): Promise<Deflated> {
  const breathe = createBreath();
  const deflated: Buffer[] = [];
  let [sum, length] = [0, 0];
  for (const piece of pieces) {
    await breathe();
    deflated.push(await piece.deflated());
    sum = crc32(piece.bytes, sum);
    length += piece.bytes.length;
  }
  return { deflated: [...deflated, lastBlock], sum, length };
}

function inChunks(buffers: readonly Buffer[]): Buffer[] {
  const chunks: Buffer[] = [];
  let [chunk, bytes]: [Buffer[], number] = [[], 0];
  for (const buffer of buffers) {
    chunk.push(buffer);
    bytes += buffer.length;
    if (bytes < chunkBytes) continue;
    chunks.push(Buffer.concat(chunk));
    [chunk, bytes] = [[], 0];
  }
  return [...chunks, Buffer.concat(chunk)];
}

const deflate = promisify(deflateRaw);
const deflateOptions = { level: 1, finishFlush: constants.Z_FULL_FLUSH };

export function pieceOf(text: string): Piece {
  const bytes = Buffer.from(text);
  let deflated: Promise<Buffer> | undefined;
  return { bytes, deflated: () => (deflated ??= deflate(bytes, deflateOptions)) };
}

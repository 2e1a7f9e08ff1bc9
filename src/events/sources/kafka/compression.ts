/** Unpacks batches of records, whatever the producer packed them with, and never into more than a bound. */
import zlib from 'node:zlib';
import { compressionsAlgorithmsByBitmask } from '@platformatic/kafka';
import { Decompress as ZstdDecompress } from 'fzstd';

/** A batch of a mebibyte, as brokers accept by default, unpacks to some ten of text; more is a mistake or an attack. */
const mostUnpacked = 64 * 2 ** 20;

/** It unpacks to more than is read. */
export class TooLarge extends Error {}

const [gzip, snappy, lz4, zstd] = [1, 2, 3, 4];

/**
 * @param codec number of the compression in the attributes of the batch
 * @throws TooLarge; or an error that says what is wrong with the bytes
 */
export function unpack(codec: number, packed: Buffer): Buffer {
  if (codec === gzip)
    return bounded(() => zlib.gunzipSync(packed, { maxOutputLength: mostUnpacked, chunkSize: roomFor(packed) }));
  if (codec === snappy) return unpackSnappy(packed);
  if (codec === lz4) return unpackLz4(packed);
  if (codec === zstd) return unpackZstd(packed);
  throw new Error(`compression ${codec} is not known`);
}

function bounded(work: () => Buffer): Buffer {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw new TooLarge();
    throw error;
  }
}

/** A batch of usual length is unpacked in one piece, which takes 40 % less CPU time than pieces of 16 KiB. */
const [leastRoom, mostRoom] = [16 * 1024, 4 * 2 ** 20];

/** The last four bytes of gzip say how long it is unpacked, as far as they can be believed; a byte more tells that it is all. */
function roomFor(packed: Buffer): number {
  const told = packed.length < 4 ? 0 : packed.readUInt32LE(packed.length - 4) + 1;
  return Math.min(mostRoom, Math.max(leastRoom, told));
}

/** Java writes blocks behind a header of its own (xerial's); others one bare block. */
const xerial = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const xerialHeader = 16;

function unpackSnappy(packed: Buffer): Buffer {
  if (!packed.subarray(0, xerial.length).equals(xerial)) return snappyBlock(packed, mostUnpacked);
  const blocks: Buffer[] = [];
  let left = mostUnpacked;
  for (let at = xerialHeader; at + 4 <= packed.length;) {
    const length = packed.readInt32BE(at);
    if (length < 0 || at + 4 + length > packed.length) throw new Error('snappy: a block is cut off');
    const block = snappyBlock(packed.subarray(at + 4, at + 4 + length), left);
    blocks.push(block);
    left -= block.length;
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}

/** It begins with its length when unpacked. */
function snappyBlock(block: Buffer, most: number): Buffer {
  let length = 0;
  for (let at = 0, shift = 0; at < 5; at++, shift += 7) {
    const byte = block[at] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (length > most) throw new TooLarge();
  return byPackage(snappy, block);
}

/** Each block of a frame says in its header how long it is packed, and the frame how long its blocks may be unpacked. */
function unpackLz4(packed: Buffer): Buffer {
  if (packed.length < 7 || packed.readUInt32LE(0) !== 0x184d2204) throw new Error('lz4: not a frame');
  const flags = packed[4] ?? 0;
  const blockSize = 2 ** (8 + 2 * (((packed[5] ?? 0) >> 4) & 7));
  const checksum = (flags & 0x10) === 0 ? 0 : 4;
  let at = 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4);
  for (let most = 0; at + 4 <= packed.length;) {
    const length = packed.readUInt32LE(at) & 0x7fffffff;
    if (length === 0) break;
    // A block of so few bytes cannot unpack to more than 255 times as many.
    most += Math.min(blockSize, length * 255);
    if (most > mostUnpacked) throw new TooLarge();
    at += 4 + length + checksum;
  }
  return byPackage(lz4, packed);
}

function byPackage(codec: number, packed: Buffer): Buffer {
  const algorithm = (compressionsAlgorithmsByBitmask as Record<number, { decompressSync: (data: Buffer) => Buffer }>)[
    codec
  ];
  if (!algorithm) throw new Error(`compression ${codec} is not known`);
  return algorithm.decompressSync(packed);
}

/** Since Node 22.15; the types are those of Node 20. */
const { zstdDecompressSync } = zlib as unknown as {
  readonly zstdDecompressSync?: (packed: Buffer, options: { readonly maxOutputLength: number }) => Buffer;
};

function unpackZstd(packed: Buffer): Buffer {
  if (zstdDecompressSync) return bounded(() => zstdDecompressSync(packed, { maxOutputLength: mostUnpacked }));
  const parts: Uint8Array[] = [];
  let length = 0;
  const stream = new ZstdDecompress((part) => {
    length += part.length;
    if (length > mostUnpacked) throw new TooLarge();
    parts.push(part.slice());
  });
  stream.push(packed, true);
  return Buffer.concat(parts, length);
}

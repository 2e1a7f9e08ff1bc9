/** The header of a chunk (64 KiB) of the binary log: can it be believed, and what does it say. Its IDs are claims. */
import { crc32 } from 'node:zlib';
import { uint64 } from './values.js';

export const chunkSize = 65_536;
export const chunkHeaderSize = 512;

export const smallestRecord = 28;
export const mostRecords = Math.floor((chunkSize - chunkHeaderSize) / smallestRecord);
const chunkSignature = 'ElfChnk\0';
/** IDs in a chunk follow one another; an export of a selection keeps gaps. More than this is not a chunk. */
const idSpan = 0x1_0000_0000;

/**
 * What the header of a slot says.
 *
 * `empty`: nothing was written here yet. `sound`: the header can be believed. `broken`: it cannot, but records may
 * still be found behind it.
 */
export type ChunkHeader = {
  readonly kind: 'empty' | 'sound' | 'broken';
  /** Record IDs of the first and last record, as claimed: only the records tell what has been read. */
  readonly first: number;
  readonly last: number;
  /** Records end here; what follows is left over from an earlier use of the slot. */
  readonly free: number;
  /** Where the last record stands, as claimed. */
  readonly lastAt: number;
  /** How many records there should be. */
  readonly promised: number;
  /** Changes with every byte of header and records; in a file without checksums with what the header says. */
  readonly seal: number;
};

/**
 * Reads the first 512 bytes of a slot.
 * @param checksums false when the file says that it was written without them
 */
export function headerOf(bytes: Buffer, checksums: boolean): ChunkHeader {
  const free = bytes.readUInt32LE(48);
  const [first, last] = [uint64(bytes, 24), uint64(bytes, 32)];
  const promised = uint64(bytes, 16) - uint64(bytes, 8) + 1;
  const claims = { first, last, free, lastAt: bytes.readUInt32LE(44), promised: clamp(promised, 0, mostRecords) };
  const header = { ...claims, seal: crc32(bytes.subarray(0, 128)) };
  if (bytes.toString('latin1', 0, 8) !== chunkSignature) {
    return { ...header, kind: bytes.readUInt32LE(0) === 0 && isZero(bytes) ? 'empty' : 'broken' };
  }
  if (checksums && headerChecksum(bytes) !== bytes.readUInt32LE(124)) return { ...header, kind: 'broken' };
  const ordered = first <= last && Number.isSafeInteger(last) && last - first < idSpan;
  // A slot that is used again is empty and says so of its IDs too; where only the end is missing, records may stand.
  if (free <= chunkHeaderSize) return { ...header, kind: ordered && last > 0 ? 'broken' : 'empty' };
  return { ...header, kind: ordered && free <= chunkSize ? 'sound' : 'broken' };
}

/** Over the header without its last 8 bytes of the first 128, and the tables of names and templates. */
function headerChecksum(bytes: Buffer): number {
  return crc32(bytes.subarray(128, chunkHeaderSize), crc32(bytes.subarray(0, 120)));
}

function isZero(bytes: Buffer): boolean {
  return bytes.subarray(0, chunkHeaderSize).every((byte) => byte === 0);
}

function clamp(value: number, low: number, high: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(value, low), high) : low;
}

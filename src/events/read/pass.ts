/** One bounded pass over one text file: from a position to the last whole record, decoding only what may matter. */
import { hash } from 'node:crypto';
import type { Fingerprint, Position } from '../../model/batch.js';
import type { PassResult, ReadableFile } from '../formats/format.js';
import { cutRecords } from './cut.js';
import type { PassOptions } from './id-filter.js';
import { ShortRecords } from './short-records.js';
import { rawLength, utf8Of } from './text.js';

/** Reads at most this many bytes a pass, so that scrapes and probes are never late. */
export const passBytes = 4 * 1024 * 1024;

/**
 * So many bytes before the position are read again to prove that the file is still the one read before: several records,
 * for the ends of two may be alike and only their times, at the beginning, differ.
 */
const tailBytes = 4_096;

export type TextPass = PassResult & {
  readonly tail: Fingerprint;
  /** Gaps in the record IDs, with those of the passes before. */
  readonly gaps: number;
};

export type Reader = (file: ReadableFile, from: Position, options: PassOptions) => Promise<TextPass | 'replaced'>;

/**
 * Creates a reader that reuses one buffer; its passes must not overlap.
 * Invariant 3: the position returned never stands beyond a record that is not in the result, and half a record at
 * the end stays unread.
 * @returns `replaced` when the bytes before the position are not those of the pass before: truncated and rewritten
 */
export function createReader(size = passBytes): Reader {
  const buffer = Buffer.allocUnsafe(size + tailBytes);
  const short = new ShortRecords();
  return async (file, from, options) => {
    const before = options.tail.length;
    const { bytesRead } = await file.read(buffer, 0, before + size, from.offset - before);
    if (fingerprintOf(buffer.subarray(0, Math.min(before, bytesRead))).hash !== options.tail.hash) return 'replaced';
    const raw = buffer.subarray(before, bytesRead);
    const bytes = utf8Of(raw, options.encoding);
    short.begin(bytes);
    const cut = cutRecords(bytes, short, from.skipping === true, raw.length < size, options);
    const read = rawLength(bytes, cut.consumed, options.encoding);
    const offset = from.offset + read;
    const end = before + read;
    return {
      decoded: cut.decoded,
      ignored: cut.ignored,
      unreadable: cut.unreadable,
      barren: cut.barren,
      trouble: cut.trouble && { ...cut.trouble, at: from.offset + rawLength(bytes, cut.trouble.at, options.encoding) },
      rest: cut.skipping ? 'long' : cut.rest,
      runs: cut.runs.runs(),
      gaps: cut.runs.gaps(),
      position: cut.skipping ? { offset, skipping: true } : { offset },
      tail: fingerprintOf(buffer.subarray(Math.max(0, end - tailBytes), end)),
      more: read > 0 && (cut.isCutShort || raw.length === size),
    };
  };
}

/** Hash of some bytes; nothing at all hashes to the empty text. */
export function fingerprintOf(bytes: Buffer): Fingerprint {
  return { length: bytes.length, hash: bytes.length === 0 ? '' : hash('sha1', bytes).slice(0, 16) };
}

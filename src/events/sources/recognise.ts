/** Tells from the first bytes of a file how its records are written. */
import type { Fingerprint } from '../../model.js';
import { formats, type Format } from '../formats.js';
import { fingerprintOf } from '../read-pass.js';
import { encodingOf, type Encoding } from '../text.js';
import { shownPath } from './file-names.js';

/** So much of a file is looked at. */
export const headBytes = 64 * 1024;
/** So many first bytes tell which file it is. */
export const fingerprintBytes = 1024;

export type Recognised = {
  /** Undefined until enough has been written to tell. */
  readonly format: Format | undefined;
  readonly encoding: Encoding;
  readonly head: Fingerprint;
  /** The byte order mark, before the first record. */
  readonly mark: Fingerprint;
  /** Sentence for a person when it is clear that this cannot be read. */
  readonly problem: string | undefined;
};

/** Finds encoding and format from the first records; an empty or short beginning is not judged yet. */
export function recogniseHead(bytes: Buffer, path: string): Recognised {
  const binary = formats.find((format) => format.kind === 'binary' && format.recognises(bytes));
  const { encoding, markLength } = encodingOf(bytes);
  const text = new TextDecoder(encoding).decode(bytes).trimStart();
  const format = binary ?? formats.find((each) => each.kind === 'text' && each.recognises(text));
  return {
    format,
    encoding,
    head: fingerprintOf(bytes.subarray(0, fingerprintBytes)),
    mark: fingerprintOf(bytes.subarray(0, markLength)),
    problem: format || !isTelling(bytes, text) ? undefined : problemOfContent(shownPath(path), bytes),
  };
}

/** Enough to say that a format is unknown: a whole line, or 4 KiB. */
function isTelling(bytes: Buffer, text: string): boolean {
  return bytes.length >= 4096 || text.includes('\n') || isBinary(bytes);
}

function problemOfContent(path: string, bytes: Buffer): string {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return `${path}: compressed (gzip), which is not read; unpack it`;
  return isBinary(bytes)
    ? `${path}: binary content that is not an event log; expected exported events as text or .evtx`
    : `${path}: no known format; expected exported Windows events (see the table of formats in the README)`;
}

function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, 512).some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27));
}

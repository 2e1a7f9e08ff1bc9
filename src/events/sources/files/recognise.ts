/** Detects from the first bytes of a file how its records are written. */
import type { Fingerprint } from '../../../model/batch.js';
import type { Format, TextFormat } from '../../formats/format.js';
import { formats } from '../../formats/formats.js';
import { framedAsWritten } from '../../formats/run-together.js';
import { fingerprintOf } from '../../read/pass.js';
import { encodingOf, hasBareReturns, type Encoding } from '../../read/text.js';
import { foreignProblem, isBinary, unknownProblem } from './foreign-content.js';

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
  const foreign = foreignProblem(path, bytes);
  const { encoding, markLength } = encodingOf(bytes);
  const text = new TextDecoder(encoding).decode(bytes).trimStart();
  const format = foreign === undefined ? formatOf(bytes, text) : undefined;
  const isUnknown = !format && foreign === undefined && isTelling(bytes, text);
  return {
    format,
    encoding,
    head: fingerprintOf(bytes.subarray(0, fingerprintBytes)),
    mark: fingerprintOf(bytes.subarray(0, markLength)),
    problem: isUnknown ? unknownProblem(path, bytes, text) : foreign,
  };
}

function formatOf(bytes: Buffer, text: string): Format | undefined {
  const binary = formats.find((format) => format.kind === 'binary' && format.recognises(bytes));
  if (binary) return binary;
  const found = formats.find((each): each is TextFormat => each.kind === 'text' && each.recognises(text));
  return found && framedAsWritten(found, Buffer.from(text), 0);
}

/** Enough to say that a format is unknown: a whole line, or 4 KiB. */
function isTelling(bytes: Buffer, text: string): boolean {
  return bytes.length >= 4096 || text.includes('\n') || hasBareReturns(text) || isBinary(bytes);
}

/** Decides from the bytes of a record whether it may contain an event ID of interest. */
import type { Fingerprint } from '../../model/batch.js';
import type { TextFormat } from '../formats/format.js';
import { numberAt, placesOf } from './marks.js';
import type { Encoding } from './text.js';

export type PassOptions = {
  readonly format: TextFormat;
  readonly encoding: Encoding;
  /** Hash of the bytes right before the position. */
  readonly tail: Fingerprint;
  /** Whether an event ID is of any interest. */
  readonly wanted: (eventId: number) => boolean;
  /** Setting of the source; see the run collector. */
  readonly unfiltered?: boolean | undefined;
  /** Gaps in record IDs that the passes before have found, where those were short. */
  readonly gapsBefore?: number | undefined;
};

/**
 * The byte filter: `dull` when every event ID found in the record is of no interest. Of a record without a mark, or with
 * something else than digits at it, nothing is known: the decoder decides.
 */
export function idFilter(
  options: Pick<PassOptions, 'format' | 'wanted'>,
  bytes: Buffer,
): (start: number, end: number) => 'dull' | 'wanted' | undefined {
  const { idMark } = options.format;
  if (!idMark) return () => undefined;
  const next = placesOf(bytes, idMark);
  let at = next(0);
  return (start, end) => {
    let found = false;
    while (at >= 0 && at < start) at = next(start);
    while (at >= 0 && at < end) {
      const id = numberAt(bytes, at, idMark);
      if (id < 0) return undefined;
      if (options.wanted(id)) return 'wanted';
      found = true;
      at = next(at + 1);
    }
    return found ? 'dull' : undefined;
  };
}

/** What a format is, of text records or of a file that it reads itself. */
import type { Decoded, UnreadableReason } from '../../model/records.js';
import type { Position } from '../../model/batch.js';
import type { Mark } from '../read/marks.js';
import type { RecordMarks } from '../read/record-marks.js';
import type { RunFound } from '../read/record-runs.js';
import type { Framing, WaitingRest } from '../read/text.js';

/**
 * A format made of text records. Framing and encodings are not its business: it is handed whole records as strings.
 *
 * `lines`: a record is a line. `xml`: a record ends with `</Event>`. `json`: a record is an object at the top level
 * or an element of an array at the top level, over as many lines as it likes.
 */
export type TextFormat = {
  readonly name: string;
  readonly kind: 'text';
  readonly framing: Framing;
  /** Is this how an export of this format begins? `head` is the first record, or the first 64 KiB of a longer one. */
  readonly recognises: (head: string) => boolean;
  /**
   * Where the event ID stands in the bytes of a record: digits right after `after` (a blank and a quote may stand
   * between) or right before `before`. A record whose ID is found and is of no interest is dropped without decoding;
   * one without the mark is decoded. The mark must not be able to stand inside a value.
   */
  readonly idMark?: Mark;
  /** Where a dropped record has its record ID and the names of its log, under the same condition. */
  readonly recordMarks?: RecordMarks;
  /** A sound record may give nothing at all, as most rows of the transport logs do. */
  readonly mayGiveNothing?: true;
  /** One record to its events (a batching carrier has several). Throws `UnreadableRecord`. */
  readonly decode: (record: string) => readonly Decoded[];
  /**
   * The same for a record that stands as UTF-8 in `bytes` from `start` to `end`: for formats that read the bytes
   * faster than a string could be made of them. Strings of the result do not hold on to `bytes`.
   */
  readonly decodeBytes?: (bytes: Buffer, start: number, end: number) => readonly Decoded[];
};

/** The first record of a pass that could not be read. */
export type Trouble = {
  /** Offset in bytes. */
  readonly at: number;
  readonly reason: UnreadableReason;
  /** What was expected and what was found. */
  readonly message: string;
};

/** As much of an open file as reading needs. */
export type ReadableFile = {
  readonly read: (
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ) => Promise<{ readonly bytesRead: number }>;
  readonly stat: () => Promise<{ readonly size: number }>;
};

/** A pass ends with the next look at the clock: to enter an event takes longer than to decode it, and all of a pass are entered in one go. */
export const mostEvents = 1_500;

/** What one bounded piece of reading gave. */
export type PassResult = {
  readonly decoded: readonly Decoded[];
  /** Records dropped by their bytes. */
  readonly ignored: number;
  readonly unreadable: Readonly<Partial<Record<UnreadableReason, number>>>;
  /** Records in a row, at the end of the pass, of which not even the event ID could be told; whether that is all of them. */
  readonly barren: { readonly atEnd: number; readonly throughout: boolean };
  readonly trouble?: Trouble | undefined;
  /** Why what is left at the end of the file is no mere half of a record. */
  readonly rest?: WaitingRest | undefined;
  /** Record IDs of all records read; absent when they cannot be told. */
  readonly runs?: readonly RunFound[] | undefined;
  /** Where the next pass goes on. */
  readonly position: Position;
  /** False when the end of what can be read now was reached. */
  readonly more: boolean;
};

/** A format that reads the file itself, because its records are not text. */
export type BinaryFormat = {
  readonly name: string;
  readonly kind: 'binary';
  readonly recognises: (head: Buffer) => boolean;
  /**
   * Reads on from `position` for at most about 4 MiB or 50 ms.
   * @param wanted whether an event ID is of any interest
   */
  readonly pass: (file: ReadableFile, position: Position, wanted: (eventId: number) => boolean) => Promise<PassResult>;
};

export type Format = TextFormat | BinaryFormat;

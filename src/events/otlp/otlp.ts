/** OTLP logs, as protobuf or JSON, to Windows events: of a request over HTTP, or of the value of a Kafka record. */
import type { Decoded, UnreadableReason } from '../../model/records.js';
import type { Steps } from '../../runtime/breath.js';
import { unreadableOf, UnreadableRecord } from '../decode/unreadable.js';
import { maxRecordBytes } from '../read/text.js';
import { isHiddenInJson, logOfJson, recordsOfJson } from './json.js';
import {
  decodedOfLog,
  isLong,
  longMayMatter,
  type LogRecord,
  mayMatterOrBeLine,
  type RecordSpan,
} from './log-record.js';
import { isHiddenInProtobuf, logOfProtobuf, recordsOfProtobuf } from './protobuf.js';

export type OtlpEncoding = 'protobuf' | 'json';

/** What a request gave; every record of it is in exactly one of the three. */
export type OtlpBatch = {
  readonly decoded: Decoded[];
  /** Records that cannot be of interest, by their bytes, or that are no Windows events. */
  ignored: number;
  readonly unreadable: Partial<Record<UnreadableReason, number>>;
  /** What is wrong with the first record that could not be read. */
  trouble: string | undefined;
};

const encodings: Readonly<
  Record<
    OtlpEncoding,
    {
      /** Undefined while it searches: work can be laid down there. */
      readonly records: (bytes: Buffer) => Iterable<RecordSpan | undefined>;
      readonly log: (bytes: Buffer, span: RecordSpan) => LogRecord;
      /** Whether there may be more in it than its bytes show, which stand in `text` as latin1. */
      readonly isHidden: (bytes: Buffer, span: RecordSpan, text: string) => boolean;
    }
  >
> = {
  protobuf: { records: recordsOfProtobuf, log: logOfProtobuf, isHidden: isHiddenInProtobuf },
  json: { records: recordsOfJson, log: logOfJson, isHidden: isHiddenInJson },
};

/** Far more than any sender puts into one request. */
export const mostRecords = 200_000;

export function emptyOtlpBatch(): OtlpBatch {
  return { decoded: [], ignored: 0, unreadable: {}, trouble: undefined };
}

/**
 * Reads an ExportLogsServiceRequest; `finish` of runtime/breath.ts does it in one go. An unreadable record is counted and
 * stepped over. Strings of the result do not hold on to `bytes`.
 * @param batch is filled step by step; what was decoded may be taken out of it between two steps
 * @throws UnreadableRecord when the request itself is none: `damaged`, `not_json`, `wrong_shape`, or `too_large` for more
 * than 200,000 records; the batch holds what stood before that
 */
export function* readOtlp(bytes: Buffer, encoding: OtlpEncoding, batch = emptyOtlpBatch()): Steps<OtlpBatch> {
  const { records, log, isHidden } = encodings[encoding];
  let count = 0;
  for (const span of records(bytes)) {
    if (span !== undefined) {
      if (++count > mostRecords)
        throw new UnreadableRecord(
          'too_large',
          `more than ${mostRecords} log records in one request; send smaller ones`,
        );
      const text = bytes.toString('latin1', span.start, span.end);
      const matters = isLong(span) ? yield* longMayMatter(bytes, span, mayMatterOrBeLine) : mayMatterOrBeLine(text);
      if (matters || isHidden(bytes, span, text)) take(batch, () => decodedOfLog(log(bytes, span)), span);
      else batch.ignored++;
    }
    yield;
  }
  return batch;
}

function take(batch: OtlpBatch, decode: () => readonly Decoded[], { start, end }: RecordSpan): void {
  try {
    if (end - start > maxRecordBytes)
      throw new UnreadableRecord('too_large', `a log record of more than ${maxRecordBytes} bytes`);
    const decoded = decode();
    if (decoded.length === 0) batch.ignored++;
    batch.decoded.push(...decoded);
  } catch (error) {
    const { reason, message } = unreadableOf(error);
    batch.unreadable[reason] = (batch.unreadable[reason] ?? 0) + 1;
    batch.trouble ??= message;
  }
}

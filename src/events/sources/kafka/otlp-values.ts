/** Batches of OTLP as values: `otlp_proto`, the default of the Collector, and `otlp_json`. */
import { finish } from '../../../runtime/breath.js';
import { unreadableOf } from '../../decode/unreadable.js';
import type { TextFormat } from '../../formats/format.js';
import { otel, otelDocument } from '../../formats/otel.js';
import { type OtlpEncoding, readOtlp } from '../../otlp/otlp.js';
import { addUnreadable, noteUnreadable, type ValueTally } from './tally.js';

/**
 * A batch of `otlp_proto` is nothing but fields 1 with their lengths, the first of which ends within it. No text begins with a
 * line feed that a length follows: blanks before a record are a line of their own.
 */
export function isOtlpProtobuf(value: Buffer): boolean {
  if (value[0] !== resourceLogsTag) return false;
  let length = 0;
  for (let at = 1, scale = 1; at < Math.min(6, value.length); at++, scale *= 128) {
    const byte = value[at] ?? 0;
    length += (byte & 0x7f) * scale;
    if (byte >= 0x80) continue;
    const end = at + 1 + length;
    return length > 0 && (end === value.length || (end < value.length && value[end] === resourceLogsTag));
  }
  return false;
}

const resourceLogsTag = 0x0a;

export const isOtlpFormat = (format: TextFormat): boolean => format === otel || format === otelDocument;

/** Reads one batch of `otlp_json`, without parsing what cannot matter. @returns false when it is something else */
export function readOtlpJson(text: Buffer, into: ValueTally): boolean {
  try {
    addOtlp(text, 'json', into);
    return true;
  } catch {
    return false;
  }
}

function addOtlp(bytes: Buffer, encoding: OtlpEncoding, into: ValueTally): void {
  const batch = finish(readOtlp(bytes, encoding));
  for (const each of batch.decoded) into.decoded.push(each);
  into.ignored += batch.ignored;
  addUnreadable(into, batch.unreadable, batch.trouble);
}

export function readOtlpProtobuf(value: Buffer, into: ValueTally): void {
  try {
    addOtlp(value, 'protobuf', into);
  } catch (error) {
    const { reason, message } = unreadableOf(error);
    noteUnreadable(into, reason, message);
  }
}

/** Values that no format recognises: somebody else's JSON, or something that nobody can read. */
import { isWholeJson } from '../../decode/json-text.js';
import { noteUnreadable, type ValueTally } from './tally.js';

/**
 * No format recognises it. JSON that is whole is somebody else's, for topics are shared; of what is no JSON nobody can say
 * that it held no event.
 */
export function readStranger(value: Buffer, head: string, into: ValueTally): void {
  if (isBinary(value)) {
    noteUnreadable(into, 'wrong_shape', binaryWords(value));
    return;
  }
  if (/^[{[]/.test(head)) {
    if (isWholeJson(value.toString('utf8'))) into.ignored++;
    else noteUnreadable(into, 'not_json', `expected JSON, got ${JSON.stringify(head.slice(0, 60))}`);
    return;
  }
  noteUnreadable(
    into,
    'wrong_shape',
    `no known format: ${JSON.stringify(head.slice(0, 60))}; expected events as in the table of formats in the README`,
  );
}

function isBinary(value: Buffer): boolean {
  return (
    value.subarray(0, 512).some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) || !startsAsText(value)
  );
}

/** No text of UTF-8 begins with a byte from the middle of a character, or with one that never stands in it. */
function startsAsText(value: Buffer): boolean {
  const first = value[0] ?? 0;
  return first < 0x80 || (first >= 0xc2 && first <= 0xf4);
}

/** MessagePack begins with a map or an array: Fluent Bit's `format msgpack`. Source: MessagePack specification. */
function binaryWords(value: Buffer): string {
  const first = value[0] ?? 0;
  const isMessagePack = (first >= 0x80 && first <= 0x9f) || (first >= 0xdc && first <= 0xdf);
  if (isMessagePack) return 'MessagePack, which is not read; set the format of the shipper to json';
  if (first === 0)
    return 'a value of a schema registry (Avro, Protobuf), which is not read; ship JSON without a registry';
  if (first === 0x1f && value[1] === 0x8b)
    return 'gzip within a value, which is not read; let Kafka compress (compression of the producer)';
  return 'binary content, which is not read; ship JSON, XML or OTLP';
}

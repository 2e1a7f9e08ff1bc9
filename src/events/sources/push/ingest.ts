/** Reads a text of any format of files that was pushed as a whole, with the reader that reads files. */
import type { Decoded, UnreadableReason } from '../../../model/records.js';
import { isWanted } from '../../classify.js';
import { UnreadableRecord } from '../../decode/unreadable.js';
import type { PassResult, ReadableFile, TextFormat } from '../../formats/format.js';
import { createReader, type Reader } from '../../read/pass.js';
import { encodingOf } from '../../read/text.js';
import { headBytes, recogniseHead } from '../files/recognise.js';

type Ingested = {
  readonly decoded: Decoded[];
  ignored: number;
  readonly unreadable: Partial<Record<UnreadableReason, number>>;
  trouble: string | undefined;
};

export type Ingester = (bytes: Buffer, shownName: string) => Promise<Ingested>;

/** Its calls must not overlap. Strings of what it gives do not hold on to the bytes. */
export function createIngester(): Ingester {
  let reader: Reader | undefined;
  return async (bytes, shownName) => {
    const ingested: Ingested = { decoded: [], ignored: 0, unreadable: {}, trouble: undefined };
    const begin = encodingOf(bytes).markLength;
    if (isBlank(bytes, begin)) return ingested;
    const { format, encoding } = formatOf(bytes, shownName);
    reader ??= createReader();
    const end = Buffer.from('\n', encoding === 'utf-8' ? 'utf8' : 'utf16le');
    const file = inMemory(bytes, encoding === 'utf-16be' ? end.swap16() : end);
    let position: { readonly offset: number; readonly skipping?: boolean } = { offset: begin };
    let tail = noTail;
    for (;;) {
      const pass = await reader(file, position, { format, encoding, tail, wanted: isWanted, unfiltered: false });
      if (pass === 'replaced') throw new UnreadableRecord('decoder_failed', 'the bytes changed while they were read');
      take(ingested, pass);
      ({ position, tail } = pass);
      if (!pass.more) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Nothing follows: half a record at the end stays half.
    if (position.offset < bytes.length && !isBlank(bytes, position.offset)) {
      ingested.unreadable.damaged = (ingested.unreadable.damaged ?? 0) + 1;
      ingested.trouble ??= 'the last record has no end';
    }
    return ingested;
  };
}

const noTail = { length: 0, hash: '' };

function take(ingested: Ingested, pass: PassResult): void {
  for (const each of pass.decoded) ingested.decoded.push(each);
  ingested.ignored += pass.ignored;
  for (const [reason, count] of Object.entries(pass.unreadable) as [UnreadableReason, number][])
    ingested.unreadable[reason] = (ingested.unreadable[reason] ?? 0) + count;
  ingested.trouble ??= pass.trouble?.message;
}

/** @throws UnreadableRecord `wrong_shape` with what it is and what is expected */
function formatOf(
  bytes: Buffer,
  shownName: string,
): { format: TextFormat; encoding: ReturnType<typeof encodingOf>['encoding'] } {
  const head = Buffer.concat([bytes.subarray(0, headBytes), lineEnd]);
  const { format, encoding, problem } = recogniseHead(head, shownName);
  if (format?.kind === 'text') return { format, encoding };
  throw new UnreadableRecord(
    'wrong_shape',
    format
      ? `${shownName}: a binary event log; send text, or have the exporter read the file`
      : (problem ?? `${shownName}: no known format; expected exported Windows events`),
  );
}

const lineEnd = Buffer.from('\n');

function isBlank(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at++) if ((bytes[at] ?? 0) > 32) return false;
  return true;
}

/** With a line end behind the last line, which senders leave out. */
function inMemory(bytes: Buffer, end: Buffer): ReadableFile {
  const size = bytes.length + end.length;
  return {
    read: (buffer, offset, length, position) => {
      const from = Math.min(position, bytes.length);
      const body = bytes.copy(buffer, offset, from, Math.min(bytes.length, from + length));
      const behind = Math.min(end.length, Math.max(0, position - bytes.length));
      const atEnd = from + body === bytes.length;
      const more = atEnd ? end.copy(buffer, offset + body, behind, Math.min(end.length, behind + length - body)) : 0;
      return Promise.resolve({ bytesRead: body + more });
    },
    stat: () => Promise.resolve({ size }),
  };
}

/** Reads a text of any format of files that was pushed as a whole, with the reader that reads files. */
import type { UnreadableReason } from '../../../model/records.js';
import { isWanted } from '../../classify.js';
import { UnreadableRecord } from '../../decode/unreadable.js';
import type { PassResult, ReadableFile, TextFormat } from '../../formats/format.js';
import { createReader, type Reader } from '../../read/pass.js';
import { encodingOf, hasBareReturns, maxRecordBytes } from '../../read/text.js';
import { bareReturns } from '../files/foreign-content.js';
import { headBytes, recogniseHead } from '../files/recognise.js';
import type { Pushed } from './entry.js';

type Ingested = {
  readonly unreadable: Partial<Record<UnreadableReason, number>>;
  trouble: string | undefined;
};

/** @param enter takes a part; the next one is read when it resolves */
export type Ingester = (
  bytes: Buffer,
  shownName: string,
  enter: (part: Pushed) => Promise<unknown>,
) => Promise<Ingested>;

/** Its calls must not overlap. Strings of what it gives do not hold on to the bytes. */
export function createIngester(): Ingester {
  let reader: Reader | undefined;
  return async (bytes, shownName, enter) => {
    const ingested: Ingested = { unreadable: {}, trouble: undefined };
    const { markLength } = encodingOf(bytes);
    const begin = await firstRecordAt(bytes, markLength);
    if (begin === undefined) return ingested;
    const { format, encoding } = formatOf(bytes, markLength, begin, shownName);
    reader ??= createReader(passBytes);
    const end = Buffer.from('\n', encoding === 'utf-8' ? 'utf8' : 'utf16le');
    const file = inMemory(bytes, encoding === 'utf-16be' ? end.swap16() : end);
    let position: { readonly offset: number; readonly skipping?: boolean } = { offset: begin };
    let tail = noTail;
    for (;;) {
      const pass = await reader(file, position, { format, encoding, tail, wanted: isWanted, unfiltered: false });
      if (pass === 'replaced') throw new UnreadableRecord('decoder_failed', 'the bytes changed while they were read');
      note(ingested, pass);
      await enter(pass);
      ({ position, tail } = pass);
      if (!pass.more) break;
      await turn();
    }
    // Nothing follows: half a record at the end stays half.
    if (position.offset < bytes.length && (await firstRecordAt(bytes, position.offset)) !== undefined) {
      const half = { damaged: 1 };
      note(ingested, { unreadable: half, trouble: { message: 'the last record has no end' } });
      await enter({ decoded: [], ignored: 0, unreadable: half });
    }
    return ingested;
  };
}

/** The longest record in UTF-16, and more; less than of a file, for the text is in memory already. */
const passBytes = 3 * maxRecordBytes;

const noTail = { length: 0, hash: '' };

function note(
  ingested: Ingested,
  {
    unreadable,
    trouble,
  }: Pick<PassResult, 'unreadable'> & { readonly trouble?: { readonly message: string } | undefined },
): void {
  for (const [reason, count] of Object.entries(unreadable) as [UnreadableReason, number][])
    ingested.unreadable[reason] = (ingested.unreadable[reason] ?? 0) + count;
  ingested.trouble ??= trouble?.message;
}

/** @throws UnreadableRecord `wrong_shape` with what it is and what is expected */
function formatOf(
  bytes: Buffer,
  markLength: number,
  begin: number,
  shownName: string,
): { format: TextFormat; encoding: ReturnType<typeof encodingOf>['encoding'] } {
  const parts = [bytes.subarray(0, markLength), bytes.subarray(begin, begin + headBytes), lineEnd];
  const { format, encoding, problem } = recogniseHead(Buffer.concat(parts), shownName);
  if (format?.kind === 'text') {
    // All of it would be one line, of which only the beginning is looked at.
    if (format.framing === 'lines' && hasBareReturns(bytes))
      throw new UnreadableRecord('wrong_shape', `${shownName}: ${bareReturns}`);
    return { format, encoding };
  }
  throw new UnreadableRecord(
    'wrong_shape',
    format
      ? `${shownName}: a binary event log; send text, or have the exporter read the file`
      : (problem ?? `${shownName}: no known format; expected exported Windows events`),
  );
}

const lineEnd = Buffer.from('\n');

/** The first byte behind the blanks, at a whole unit of UTF-16 from there; undefined when nothing else follows. */
async function firstRecordAt(bytes: Buffer, from: number): Promise<number | undefined> {
  for (let at = from; at < bytes.length; at++) {
    if ((bytes[at] ?? 0) > 32) return at - ((at - from) % 2);
    if ((at & 0xfffff) === 0xfffff) await turn();
  }
  return undefined;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
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

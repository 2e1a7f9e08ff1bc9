/**
 * Reads a text of any format of files that was pushed as a whole, with the reader that reads files; lines of JSON one by one,
 * since an aggregator sends those of several shippers together.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { isWanted } from '../../classify.js';
import { UnreadableRecord } from '../../decode/unreadable.js';
import type { ReadableFile, TextFormat } from '../../formats/format.js';
import { createReader, type Reader } from '../../read/pass.js';
import { type Encoding, encodingOf, findEndFor, hasBareReturns, maxRecordBytes } from '../../read/text.js';
import { bareReturns } from '../files/foreign-content.js';
import { headBytes, recogniseHead } from '../files/recognise.js';
import type { Pushed } from './entry.js';
import { createLineIngester, type Ingested } from './ingest-lines.js';

/** @param enter takes a part; the next one is read when it resolves */
export type Ingester = (
  bytes: Buffer,
  shownName: string,
  enter: (part: Pushed) => Promise<unknown>,
) => Promise<Ingested>;

/** Its calls must not overlap. Strings of what it gives do not hold on to the bytes. */
export function createIngester(): Ingester {
  let reader: Reader | undefined;
  const ingestLines = createLineIngester();
  return async (bytes, shownName, enter) => {
    const ingested: Ingested = { trouble: undefined };
    const { markLength } = encodingOf(bytes);
    const begin = await firstRecordAt(bytes, markLength);
    if (begin === undefined) return ingested;
    const found = formatOf(bytes, markLength, begin, shownName);
    if (isByLines(bytes, begin, found)) return ingestLines(bytes, begin, enter, found.problem);
    if (!found.format) throw found.problem;
    const { format, encoding } = found;
    reader ??= createReader(passBytes);
    const end = Buffer.from('\n', encoding === 'utf-8' ? 'utf8' : 'utf16le');
    const file = inMemory(bytes, encoding === 'utf-16be' ? end.swap16() : end);
    let position: { readonly offset: number; readonly skipping?: boolean } = { offset: begin };
    let tail = noTail;
    for (;;) {
      const pass = await reader(file, position, { format, encoding, tail, wanted: isWanted, unfiltered: false });
      if (pass === 'replaced') throw new UnreadableRecord('decoder_failed', 'the bytes changed while they were read');
      ingested.trouble ??= pass.trouble?.message;
      await enter(pass);
      ({ position, tail } = pass);
      if (!pass.more) break;
      await turn();
    }
    // Nothing follows: half a record at the end stays half.
    if (position.offset < bytes.length && (await firstRecordAt(bytes, position.offset)) !== undefined) {
      ingested.trouble ??= 'the last record has no end';
      await enter({ decoded: [], ignored: 0, unreadable: { damaged: 1 } });
    }
    return ingested;
  };
}

/** The longest record in UTF-16, and more; less than of a file, for the text is in memory already. */
const passBytes = 3 * maxRecordBytes;

const noTail = { length: 0, hash: '' };

type Known = { readonly format: TextFormat; readonly encoding: Encoding; readonly problem: undefined };
/** No format recognises it: `wrong_shape` with what it is and what is expected. */
type Unknown = { readonly format: undefined; readonly encoding: Encoding; readonly problem: UnreadableRecord };

function formatOf(bytes: Buffer, markLength: number, begin: number, shownName: string): Known | Unknown {
  const parts = [bytes.subarray(0, markLength), bytes.subarray(begin, begin + headBytes), lineEnd];
  const { format, encoding, problem } = recogniseHead(Buffer.concat(parts), shownName);
  const refused = (why: string): Unknown => {
    return { format: undefined, encoding, problem: new UnreadableRecord('wrong_shape', `${shownName}: ${why}`) };
  };
  if (format?.kind === 'binary') return refused('a binary event log; send text, or have the exporter read the file');
  if (!format)
    return problem === undefined
      ? refused('no known format; expected exported Windows events')
      : { format: undefined, encoding, problem: new UnreadableRecord('wrong_shape', problem) };
  // All of it would be one line, of which only the beginning is looked at.
  if (format.framing === 'lines' && hasBareReturns(bytes)) return refused(bareReturns);
  return { format, encoding, problem: undefined };
}

/** Objects of JSON, one a line; the first may be cut off, which makes it look like the beginning of a document. */
function isByLines(bytes: Buffer, begin: number, { format, encoding }: Known | Unknown): boolean {
  if (encoding !== 'utf-8' || bytes[begin] !== openBrace || hasBareReturns(bytes)) return false;
  return format?.framing !== 'json' || endOfObject(bytes, begin) < 0;
}

const openBrace = 0x7b;
const endOfObject = findEndFor('json');

const lineEnd = Buffer.from('\n');

/** The first byte behind the blanks, at a whole unit of UTF-16 from there; undefined when nothing else follows. */
async function firstRecordAt(bytes: Buffer, from: number): Promise<number | undefined> {
  for (let at = from; at < bytes.length; at++) {
    if ((bytes[at] ?? 0) > 32) return at - ((at - from) % 2);
    if ((at & 0xfffff) === 0xfffff) await turn();
  }
  return undefined;
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

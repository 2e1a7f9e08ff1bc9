/**
 * The form of the journal beside the saved ledger: an entry a line, each with a checksum and its length before the JSON.
 * The checksum covers where the entry stands, so that one missing before it is found out. What a kill leaves unfinished at
 * the end is told from what is damaged.
 */
import { createHash } from 'node:crypto';

export type JournalText = {
  /** Whole entries up to the first that is not. */
  readonly entries: readonly Buffer[];
  /** `unfinished`: the last entry was being written when the process was killed, or the power went; nobody was shown it. */
  readonly end: 'whole' | 'unfinished' | 'damaged';
  /** Bytes of the whole entries. */
  readonly length: number;
};

const newLine = 0x0a;
const lineEnd = Buffer.of(newLine);
const digestLength = 16;

/**
 * @param json without a line break
 * @param at bytes before it in the journal
 */
export function entryLine(json: string | Buffer, at: number): Buffer {
  const length = `${Buffer.byteLength(json)} `;
  const digest = digestOf(`${at} ${length}`, json);
  return Buffer.concat([Buffer.from(`${digest} ${length}`), Buffer.from(json), lineEnd]);
}

export function readEntries(bytes: Buffer): JournalText {
  const entries: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(newLine, at);
    const json = end === -1 ? undefined : jsonOf(bytes.subarray(at, end), at);
    if (json === undefined) {
      const isCut = end === -1 && isUnfinished(bytes.subarray(at));
      return { entries, end: isCut ? 'unfinished' : 'damaged', length: at };
    }
    entries.push(json);
    at = end + 1;
  }
  return { entries, end: 'whole', length: at };
}

function jsonOf(line: Buffer, at: number): Buffer | undefined {
  const { head, payload } = partsOf(line);
  if (payload.length !== head?.length) return undefined;
  const rest = line.subarray(digestLength + 1);
  // The first journals had no place in their checksums.
  return head.digest === digestOf(`${at} `, rest) || head.digest === digestOf('', rest) ? payload : undefined;
}

function partsOf(line: Buffer): { head: { digest: string; length: number } | undefined; payload: Buffer } {
  const [start, digest = '', length = ''] = /^([0-9a-f]{16}) (\d{1,15}) /.exec(line.toString('latin1', 0, 40)) ?? [];
  if (start === undefined) return { head: undefined, payload: line };
  return { head: { digest, length: Number(length) }, payload: line.subarray(start.length) };
}

/** Cut off within an entry, or room that the file system had made for it and never filled. */
function isUnfinished(rest: Buffer): boolean {
  const { head, payload } = partsOf(rest);
  if (head) return payload.length <= head.length;
  return (
    /^(?:[0-9a-f]{0,16}|[0-9a-f]{16} \d{0,15})$/.test(rest.toString('latin1', 0, 40)) ||
    rest.every((byte) => byte === 0)
  );
}

function digestOf(place: string, rest: string | Buffer): string {
  return createHash('sha256').update(place).update(rest).digest('hex').slice(0, digestLength);
}

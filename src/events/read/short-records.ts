/**
 * Counts short garbage without decoding it again. Lines of two bytes come in millions, and an error for each costs a
 * hundred times what reading it does: what a short record gave is known when its bytes come again in the same pass. Where
 * hardly any comes again it is no longer looked for.
 */
import { unreadableReasons, type UnreadableReason } from '../../model/records.js';

/** What a record gave that holds no event. `barren`: it is one of the format all the same. */
export type Outcome = UnreadableReason | 'ignored' | 'barren';

/** Longer ones are not kept. */
export const shortRecordBytes = 128;
/** Records that are new are looked for so many times in a pass, and for each that came again two times more. */
const mostNew = 512;
const newForEachKnown = 2;

const outcomes: readonly Outcome[] = ['ignored', 'barren', ...unreadableReasons];
/** One place for each hash: what comes later takes the place of what was there, and is decoded when it comes again. */
const places = 4_096;
/** A line of so many blanks is left to the search for line ends, which is faster, and knows lines that are too long. */
const mostBlanks = 4_096;
const stretchBytes = 64 * 1024;

const [lineFeed, space, nul] = [0x0a, 0x20, 0];

/** Belongs to a reader, whose passes do not overlap. */
export class ShortRecords {
  private bytes: Buffer = Buffer.alloc(0);
  private readonly starts = new Int32Array(places);
  /** Length of the known record plus one; 0 where nothing is known. */
  private readonly lengths = new Uint8Array(places);
  private readonly codes = new Uint8Array(places);
  private readonly tally = new Uint32Array(outcomes.length);
  private isEmpty = true;
  private chances = mostNew;

  /** Forgets everything: another pass, other bytes. */
  begin(bytes: Buffer): void {
    this.bytes = bytes;
    if (!this.isEmpty) this.lengths.fill(0);
    this.isEmpty = true;
    this.chances = mostNew;
  }

  /** Keeps what the record from `start` to `end` gave, when it is short. */
  keep(start: number, end: number, outcome: Outcome): void {
    if (end - start > shortRecordBytes || this.chances <= 0) return;
    const place = this.placeOf(start, end);
    this.starts[place] = start;
    this.lengths[place] = end - start + 1;
    this.codes[place] = outcomes.indexOf(outcome);
    this.isEmpty = false;
  }

  find(start: number, end: number): Outcome | undefined {
    if (this.isEmpty || end - start > shortRecordBytes || this.chances <= 0) return undefined;
    const code = this.codeAt(this.placeOf(start, end), start, end);
    this.chances += code < 0 ? -1 : newForEachKnown;
    return outcomes[code];
  }

  /**
   * How many times the bytes from `start` to `end` come again right behind themselves, within some 64 KiB: the record that
   * they are, with all that divides it from the one before, ends as often.
   */
  timesAgain(start: number, end: number): number {
    const { bytes } = this;
    const length = end - start;
    const stop = Math.min(bytes.length, end + stretchBytes);
    let at = end;
    while (at < stop && bytes[at] === bytes[at - length]) at++;
    return Math.floor((at - end) / length);
  }

  /**
   * Steps over lines that are blank or known, at most some 64 KiB of them.
   * @returns where the first other line begins; `count` is told what was stepped over
   */
  stepOverLines(from: number, count: (outcome: Outcome, times: number) => void): number {
    const stop = Math.min(this.bytes.length, from + stretchBytes);
    let line = from;
    for (let next = line; line < stop && next >= 0;) {
      next = this.lineAt(line);
      if (next >= 0) line = next;
    }
    for (const [code, outcome] of outcomes.entries()) {
      const times = this.tally[code] ?? 0;
      if (times > 0) count(outcome, times);
    }
    this.tally.fill(0);
    return line;
  }

  /**
   * Takes the line at `line` into the tally. NUL bytes in a line are the end of what a crash left of another one.
   * @returns the place after it; -1 when it is not whole, too long or not known
   */
  private lineAt(line: number): number {
    const { bytes } = this;
    const stop = Math.min(bytes.length, line + mostBlanks);
    let crashed = false;
    let start = this.behindBlanks(line, stop);
    if (start < stop && bytes[start] === lineFeed) return start + 1;
    if (this.isEmpty || this.chances <= 0) return -1;
    let hash = 0;
    for (let at = start; at < stop && at - start < shortRecordBytes; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === nul) {
        crashed = true;
        start = this.behindBlanks(at, stop);
        hash = 0;
        // Blanks to the end of the line: there is no record behind the crash, kept as an empty one of that outcome.
        if (bytes[start] === lineFeed) return this.take(hash, start + 1, start + 1, false);
        at = start - 1;
        continue;
      }
      hash = mix(hash, byte);
      if (byte === lineFeed) return this.take(hash, start, at + 1, crashed);
    }
    return -1;
  }

  private take(hash: number, start: number, end: number, crashed: boolean): number {
    const code = this.codeAt(hash & (places - 1), start, end);
    if (code < 0) return -1;
    this.chances += newForEachKnown;
    this.tally[code] = (this.tally[code] ?? 0) + 1;
    if (crashed) this.tally[damaged] = (this.tally[damaged] ?? 0) + 1;
    return end;
  }

  private behindBlanks(from: number, stop: number): number {
    let at = from;
    while (at < stop && (this.bytes[at] ?? 0) <= space && this.bytes[at] !== lineFeed) at++;
    return at;
  }

  /** The outcome known of the same bytes; -1 when there is none. */
  private codeAt(place: number, start: number, end: number): number {
    const { bytes } = this;
    if (this.lengths[place] !== end - start + 1) return -1;
    const known = this.starts[place] ?? 0;
    for (let n = 0; n < end - start; n++) if (bytes[known + n] !== bytes[start + n]) return -1;
    return this.codes[place] ?? -1;
  }

  private placeOf(start: number, end: number): number {
    let hash = 0;
    for (let at = start; at < end; at++) hash = mix(hash, this.bytes[at] ?? 0);
    return hash & (places - 1);
  }
}

const damaged = outcomes.indexOf('damaged');

function mix(hash: number, byte: number): number {
  const mixed = Math.imul(hash ^ byte, 0x01_00_01_93);
  return mixed ^ (mixed >>> 15);
}

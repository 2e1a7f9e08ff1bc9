/**
 * Which record IDs the values of a topic have brought, by log. They come in any order, so they are taken down as they are:
 * what follows what is for the ledger to find out.
 */
import type { SpreadLog, WindowsEvent } from '../../model/records.js';
import { holds, type MarkReader, type Span } from './record-marks.js';
import type { RunFound } from './record-runs.js';

/** Below this a log may have been cleared lately: the time of one such record is looked for. */
const lowId = 1_000;

/** So many logs are told by their bytes. */
const mostRecent = 8;

/** A log with its names as written, and as bytes. */
type Log = {
  readonly computer: string;
  readonly channel: string;
  readonly computerBytes: Buffer;
  readonly channelBytes: Buffer;
  readonly ids: number[];
  until: number | undefined;
  low: SpreadLog['low'];
};

export type SpreadFound = Pick<Log, 'computer' | 'channel' | 'ids' | 'until' | 'low'>;

/** Of what is entered in one go. */
export class SpreadCollector {
  /** True once the IDs of a value could not be told. */
  isBroken = false;
  private readonly logs = new Map<string, Log>();
  /** Some of them, each once. */
  private recent: Log[] = [];

  /**
   * Notes a record that was dropped by its bytes.
   * @param at when it came, by the clock of Kafka
   * @param timeOf looks for the time at which it was logged
   * @returns false when its ID cannot be told by its bytes
   */
  drop(bytes: Buffer, { recordId, computer, channel }: MarkReader, span: Span, at: number, timeOf: TimeOf): boolean {
    const [start, end] = span;
    const id = recordId(start, end);
    const server = id < 0 ? undefined : computer(start, end);
    const name = server && channel(start, end);
    if (!server || !name) return false;
    const log = this.knownOf(bytes, server, name) ?? this.logOf(textAt(bytes, server), textAt(bytes, name));
    note(log, id, id, at, timeOf);
    return true;
  }

  /** Notes a record that was decoded. */
  take({ computer, channel, recordId, time }: WindowsEvent, at: number): void {
    if (recordId !== undefined) note(this.logOf(computer, channel), recordId, recordId, at, () => time);
  }

  /** Notes the records of a value of several. */
  takeRun({ computer, channel, first, last, firstAt }: RunFound, at: number): void {
    note(this.logOf(computer, channel), first, last, at, () => firstAt);
  }

  found(): readonly SpreadFound[] {
    return [...this.logs.values()];
  }

  /** Records of several servers come by turns: their names are compared as bytes. */
  private knownOf(bytes: Buffer, computer: Span, channel: Span): Log | undefined {
    for (const log of this.recent)
      if (holds(bytes, computer, log.computerBytes) && holds(bytes, channel, log.channelBytes)) return log;
    return undefined;
  }

  private logOf(computer: string, channel: string): Log {
    for (const log of this.recent) if (log.computer === computer && log.channel === channel) return log;
    const key = `${computer}\n${channel}`;
    let log = this.logs.get(key);
    if (!log) {
      const [computerBytes, channelBytes] = [Buffer.from(computer), Buffer.from(channel)];
      log = { computer, channel, computerBytes, channelBytes, ids: [], until: undefined, low: undefined };
      this.logs.set(key, log);
    }
    this.recent = [log, ...this.recent].slice(0, mostRecent);
    return log;
  }
}

function textAt(bytes: Buffer, [start, end]: Span): string {
  return bytes.toString('utf8', start, end);
}

type TimeOf = () => number | undefined;

function note(log: Log, first: number, last: number, at: number, timeOf: TimeOf): void {
  const { ids } = log;
  if (ids[ids.length - 1] === first - 1) ids[ids.length - 1] = last;
  else ids.push(first, last);
  if (at > (log.until ?? -Infinity)) log.until = at;
  if (first > lowId || log.low) return;
  const loggedAt = timeOf();
  if (loggedAt !== undefined) log.low = { id: first, at: loggedAt };
}

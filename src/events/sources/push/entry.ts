/** Enters what senders push, and resolves when it is on disk: only then are they answered. */
import type { Batch, LogCheckpoint } from '../../../model/batch.js';
import type { Evidence } from '../../../model/evidence.js';
import type { Decoded, ShippedLine, TransportRow, UnreadableReason } from '../../../model/records.js';
import { serverLabelOf } from '../../../model/label.js';
import { createBreath } from '../../../runtime/breath.js';
import { classify } from '../../classify.js';
import { unreadableOf } from '../../decode/unreadable.js';
import type { RowOrigin } from '../../transport/servers.js';
import type { Sessions } from '../../transport/sessions.js';
import { serverOfLine } from '../../transport/shipped-lines.js';
import type { Reading } from '../source.js';

/** A part of what one request or window brought. */
export type Pushed = {
  readonly decoded: readonly Decoded[];
  readonly ignored: number;
  readonly unreadable: Readonly<Partial<Record<UnreadableReason, number>>>;
};

type Entered = {
  /** Whether it has brought anything that is to be saved. */
  readonly isNews: boolean;
  /** Records of the part that could not be read, those found before among them, and why the first of the others was not. */
  readonly unreadable: number;
  readonly problem: string | undefined;
};

export type Entry = {
  /**
   * Enters a part of a request or window; nothing of it is kept here. Resolves when the next part may come.
   * @param server of records that do not name theirs; empty when nobody has said it
   * @param mayName whether a record may be of this server; absent: any
   */
  readonly enter: (part: Pushed, server: string, mayName?: (server: string) => boolean) => Promise<Entered>;
  /** Resolves when all that was entered by now is on disk, however long that takes. @throws when the exporter ends before */
  readonly saved: () => Promise<void>;
  /** True while what was entered is not saved in time: nothing more is taken. */
  readonly isLate: () => boolean;
};

/** The ledger lags or fails. */
export class Late extends Error {}

/** A save takes a fraction of a second; senders wait longer than this for an answer. */
const inTimeMs = 5_000;
/** A little less: whoever comes right after the first answer of that kind is told the same, and does not wait as long again. */
const lateMs = 4_500;
/** So much is decoded, and then entered, in one go. */
export const mostAtOnce = 1_000;
/** For so long after the first record of all that a source brings is what is old no news: senders bring their backlog. */
const historyMs = 10 * 60_000;

export function createEntry(source: string, reading: Reading, joined: Sessions | undefined): Entry {
  const { steady = () => performance.now() } = reading;
  const breathe = createBreath();
  const trouble = troubleLog(source, reading);
  const waiting = new Set<{ readonly since: number }>();
  const postAll = createPosting(source, reading, joined);
  const noting = async (done: Promise<void>): Promise<void> => {
    const wait = { since: steady() };
    waiting.add(wait);
    await done.finally(() => waiting.delete(wait));
  };
  return {
    isLate: () => {
      const [oldest] = waiting;
      return oldest !== undefined && steady() - oldest.since > lateMs;
    },
    enter: async ({ decoded, ignored, unreadable }, server, mayName) => {
      let problem: string | undefined;
      const told = (message: string): void => {
        problem ??= message;
        trouble(message);
      };
      const sorted: Sorted = {
        evidence: [],
        rows: [],
        ignored,
        unreadable: { ...unreadable },
        unread: 0,
        trouble: told,
      };
      for (const record of decoded) {
        sortRecord(sorted, record, { server, reading, mayName });
        const pause = breathe();
        if (pause) await pause;
      }
      await noting(postAll(sorted, server));
      return { isNews: sorted.evidence.length + sorted.rows.length > 0, unreadable: sorted.unread, problem };
    },
    saved: () => noting(reading.saved()),
  };
}

type Posting = (sorted: Sorted, server: string) => Promise<void>;

/** Posts what was sorted, some of it at a time. */
function createPosting(source: string, reading: Reading, joined: Sessions | undefined): Posting {
  const { now } = reading;
  const breathe = createBreath();
  let first = firstHeard(source, reading);

  const place = (): { readonly checkpoint: LogCheckpoint; readonly history: boolean } => {
    first ??= now();
    const checkpoint = { source, channel: channelOf(source), bookmark: '', recordId: 0, time: first };
    return { checkpoint, history: now() - first < historyMs };
  };
  const post = async (part: Part): Promise<void> => {
    await reading.post({ source, ...part, ...place(), unfiltered: false });
    const pause = breathe();
    if (pause) await pause;
  };
  /** Rows and the sessions that they change are posted in one go: nothing may be awaited between the two. */
  const postRows = async (sorted: Sorted, server: string): Promise<void> => {
    if (!joined) return;
    const { rows } = sorted;
    const name = server === '' ? '' : serverLabelOf(server);
    const told = rows.find(({ kind }) => kind === 'connectivity_row');
    if (told?.kind === 'connectivity_row') joined.logFound(name, told.at);
    for (let from = 0; from < rows.length; from += mostAtOnce) {
      const origin = { server: name, history: place().history };
      const read = readRows(joined, rows.slice(from, from + mostAtOnce), origin, sorted.trouble);
      sorted.unread += sumOf(read.unreadable);
      await post({ ...read, sessions: joined.changes() });
    }
  };
  return async (sorted, server) => {
    const { evidence, ignored, unreadable } = sorted;
    sorted.unread = sumOf(unreadable);
    await post({ evidence: evidence.slice(0, mostAtOnce), ignored, unreadable });
    for (let from = mostAtOnce; from < evidence.length; from += mostAtOnce)
      await post({ evidence: evidence.slice(from, from + mostAtOnce), ignored: 0, unreadable: {} });
    await postRows(sorted, server);
  };
}

/** Of a sender full of records that cannot be read the log tells one now and then. */
const troubleEveryMs = 60_000;

function troubleLog(source: string, { log, steady = () => performance.now() }: Reading): (problem: string) => void {
  let toldAt = -Infinity;
  return (problem) => {
    if (steady() - toldAt < troubleEveryMs) return;
    toldAt = steady();
    log.warn('skipped an unreadable record', { source, problem });
  };
}

type Part = Pick<Batch, 'evidence' | 'ignored' | 'unreadable' | 'counted' | 'repeated' | 'sessions'>;

type Sorted = {
  readonly evidence: Evidence[];
  readonly rows: (TransportRow | ShippedLine)[];
  ignored: number;
  readonly unreadable: Partial<Record<UnreadableReason, number>>;
  /** Those and the rows that could not be read. */
  unread: number;
  readonly trouble: (problem: string) => void;
};

function readRows(
  joined: Sessions,
  rows: Sorted['rows'],
  origin: RowOrigin,
  trouble: (problem: string) => void,
): Pick<Part, 'evidence' | 'ignored' | 'counted' | 'repeated' | 'unreadable'> {
  const evidence: Evidence[] = [];
  const counts = { ignored: 0, counted: 0, repeated: 0 };
  const unreadable: Sorted['unreadable'] = {};
  for (const row of rows)
    try {
      if (row.kind === 'shipped_line') counts[joined.readShipped(row, origin, evidence)]++;
      else if (joined.read(row, origin, evidence)) counts.counted++;
      else counts.ignored++;
    } catch (error) {
      const { reason, message } = unreadableOf(error);
      addOne(unreadable, reason);
      trouble(message);
    }
  return { evidence, ...counts, unreadable };
}

type Naming = {
  readonly server: string;
  readonly reading: Reading;
  readonly mayName: ((server: string) => boolean) | undefined;
};

function sortRecord(sorted: Sorted, record: Decoded, { server, reading, mayName }: Naming): void {
  try {
    if (record.kind !== 'event') {
      const isBelieved = record.kind !== 'shipped_line' || (mayName?.(serverOfLine(record, server)) ?? true);
      if (isBelieved) sorted.rows.push(record);
      else addOne(sorted.unreadable, 'wrong_shape');
      return;
    }
    const { knownConnectors, nameOf } = reading;
    const found = classify(record, { server, knownConnectors, nameOf });
    if (!found) sorted.ignored++;
    else if (mayName && !mayName(found.server)) addOne(sorted.unreadable, 'wrong_shape');
    else sorted.evidence.push(found);
  } catch (error) {
    const { reason, message } = unreadableOf(error);
    addOne(sorted.unreadable, reason);
    sorted.trouble(message);
  }
}

export function sumOf(unreadable: Pushed['unreadable']): number {
  return Object.values(unreadable).reduce((sum, count) => sum + count, 0);
}

function addOne(counts: Sorted['unreadable'], reason: UnreadableReason): void {
  counts[reason] = (counts[reason] ?? 0) + 1;
}

/** Milliseconds since 1970 UTC; kept where the places of live logs are, under a name that no channel has. */
function firstHeard(source: string, { checkpoints }: Reading): number | undefined {
  const channel = channelOf(source);
  return checkpoints()
    .map((each) => ('channel' in each && each.channel === channel ? each.time : undefined))
    .find((time) => time !== undefined);
}

function channelOf(source: string): string {
  return `pushed to ${source}`;
}

/** @throws Late when it takes too long: then it may be sent again, and record IDs tell what came twice */
export async function inTime<Result>(done: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Late('what was sent is not saved yet'));
    }, inTimeMs);
  });
  // It goes on: when it fails later nobody waits for it any more.
  done.catch(() => undefined);
  return Promise.race([done, late]).finally(() => {
    clearTimeout(timer);
  });
}

/**
 * Remembers which records were counted, so that a second delivery is not a second event (invariant 5).
 *
 * Windows numbers the records of each log of each computer upwards; a cleared log starts over, so the time belongs to
 * the key. Memory is bounded: of each log the latest records are known one by one; what is older than those counts as
 * delivered before, because shippers and exports repeat what they have, and a log that was never read has no record
 * older than its own first.
 */
import * as z from 'zod';
import type { RecordKey } from '../model/records.js';
import type { Immutable } from '../runtime/immutable.js';
import { createKnownRecords, type KnownRecords } from './known-records.js';
import { noPlace, type Place } from './linked-line.js';
import { createLogsByUse, type LogsByUse } from './logs-by-use.js';
import { blockLength, blockText, pairsOf } from './record-block.js';
import { secondOf } from './record-seconds.js';
import { type Floors, isBelow, liftFloor } from './seen-floor.js';
import { createTextSnapshots } from './text-snapshots.js';

export type SeenRecords = {
  /**
   * Notes a record. A record without an ID is always new: nothing tells a second delivery from a second event.
   * @returns false when it was noted before
   */
  readonly note: (key: RecordKey) => boolean;
  /**
   * While something lags, what it brings may be older than all that is known one by one and new all the same: what is let go of
   * meanwhile is no reason to take it for delivered before.
   */
  readonly hold: (isLagging: boolean) => void;
  /** What was noted under one name of a server was of another, which may have logs of its own. */
  readonly rename: (from: string, to: string) => void;
  /** The saved form: one JSON text a log, the same text object while nothing changed. */
  readonly texts: () => readonly string[];
  /** The same as they are now, made when they are asked for, while notes go on. Takes the place of one that was not read to its end. */
  readonly snapshot: () => Iterable<string>;
};

/** One log of one server as saved: `floor` is the newest ID and second let go; `blocks`: `id:second` pairs, base 36, as differences; seconds as in `record-seconds.ts`. */
export const savedRecords = z.strictObject({
  server: z.string(),
  channel: z.string(),
  floor: z.tuple([z.int(), z.int()]).optional(),
  blocks: z.array(z.string()),
});
export type SavedRecords = Immutable<z.infer<typeof savedRecords>>;

export type SeenOptions = {
  /** Milliseconds since 1970 UTC. @default Date.now */
  readonly now?: () => number;
  /** Records known one by one: of one log, and of all logs together. */
  readonly perLog?: number;
  readonly inAll?: number;
  /** Logs known at all; the one without a new record for the longest goes first. */
  readonly logs?: number;
};

/** Carriers cut or round the time: whole seconds on old servers, seven digits on new ones. */
const toleranceSeconds = 1;

/** `pairs`: ID and second of each record in turn. A block that is full is kept as its text alone, a third of their size. */
type Block = { pairs: number[] | undefined; text: string | undefined };
type Log = Floors & {
  readonly server: string;
  readonly channel: string;
  readonly blocks: Block[];
  /** The same records to look up; an ID comes several times where a cleared log, or a carrier that numbers nothing, used it again. */
  readonly known: KnownRecords;
  /** Records in the blocks. */
  count: number;
  text: string | undefined;
  readonly place: Place<Log>;
};

export function createSeenRecords(saved: readonly SavedRecords[], options: SeenOptions = {}): SeenRecords {
  const { now = Date.now, perLog = 65_536, inAll = 262_144, logs: mostLogs = 4_096 } = options;
  const logs = createLogsByUse<Log>();
  for (const each of saved) logs.use(restore(each));
  let total = logs.all().reduce((sum, log) => sum + log.count, 0);
  let latest: Log | undefined;
  let isLagging = false;
  const snapshots = createTextSnapshots(textOf);
  return {
    hold: (lags) => {
      isLagging = lags;
      for (const log of lags ? [] : logs.all()) {
        if (!log.held) continue;
        snapshots.changes(log);
        log.floor = log.held;
        log.held = log.text = undefined;
      }
    },
    note: (key) => {
      if (key.recordId === undefined || !Number.isSafeInteger(key.recordId)) return true;
      const channel = channelOf(key);
      const log = logs.get(key.server, channel) ?? freshLog(key.server, channel);
      const second = secondOf(key);
      if (isKnown(log, key.recordId, second, now())) return false;
      if (log !== latest) {
        logs.use(log);
        latest = log;
        if (logs.size() > mostLogs) total -= dropFirst(logs);
      }
      snapshots.changes(log);
      add(log, key.recordId, second);
      total++;
      if (log.count > perLog) total -= dropOldest(log, now(), isLagging);
      else if (total > inAll) {
        const most = largest(logs);
        snapshots.changes(most);
        total -= dropOldest(most, now(), isLagging);
      }
      return true;
    },
    rename: (from, to) => {
      for (const log of logs.all()) {
        if (log.server !== from) continue;
        logs.drop(log);
        const before = logs.get(to, log.channel);
        const moved = joined(before ?? freshLog(to, log.channel), log, now());
        total += moved.count - (before ? before.count : 0) - log.count;
        logs.use(moved);
        while (moved.count > perLog) total -= dropOldest(moved, now(), isLagging);
      }
      latest = undefined;
    },
    texts: () => logs.all().map(textOf),
    snapshot: () => snapshots.begin(logs.all()),
  };
}

/** A carrier that leaves the channel out means the Application log. */
function channelOf(key: { readonly channel: string }): string {
  return key.channel === '' ? 'application' : key.channel;
}

function freshLog(server: string, channel: string): Log {
  return {
    server,
    channel,
    floor: undefined,
    held: undefined,
    blocks: [],
    known: createKnownRecords(),
    count: 0,
    text: undefined,
    place: noPlace(),
  };
}

function isNoted(log: Log, id: number, second: number): boolean {
  return log.known.has(id, second, toleranceSeconds);
}

function isKnown(log: Log, id: number, second: number, now: number): boolean {
  if (isNoted(log, id, second)) return true;
  return isBelow(log, id, second, now);
}

function add(log: Log, id: number, second: number): void {
  log.known.add(id, second);
  log.count++;
  let block = log.blocks.at(-1);
  if (!block?.pairs) log.blocks.push((block = { pairs: [], text: undefined }));
  const pairs = (block.pairs ??= []);
  pairs.push(id, second);
  block.text = undefined;
  log.text = undefined;
  if (pairs.length < 2 * blockLength) return;
  // Written now and not with the next save, which would have many to write in one go.
  block.text = blockText(pairs);
  block.pairs = undefined;
}

function* pairsIn({ pairs, text }: Block): Generator<[id: number, second: number]> {
  const numbers = pairs ?? pairsOf(text ?? '');
  for (let at = 0; at < numbers.length; at += 2) yield [numbers[at] ?? 0, numbers[at + 1] ?? Number.NaN];
}

/** Lets go of the block that was noted first. @returns how many records that were */
function dropOldest(log: Log, now: number, isLagging: boolean): number {
  const before = log.count;
  for (const [id, second] of pairsIn(log.blocks.shift() ?? { pairs: [], text: undefined })) {
    log.known.remove(id, second);
    log.count--;
    liftFloor(log, [id, second], now, isLagging);
  }
  log.text = undefined;
  return before - log.count;
}

/** A log of its own: the records of both, the first one's first. */
function joined(into: Log, from: Log, now: number): Log {
  const log = freshLog(into.server, into.channel);
  for (const { floor, held, blocks } of [into, from]) {
    for (const block of blocks)
      for (const [id, second] of pairsIn(block)) if (!isNoted(log, id, second)) add(log, id, second);
    if (floor) liftFloor(log, floor, now, false);
    if (held) liftFloor(log, held, now, true);
  }
  return log;
}

/** @returns how many records are no longer known */
function dropFirst(logs: LogsByUse<Log>): number {
  const first = logs.oldest();
  if (!first) return 0;
  logs.drop(first);
  return first.count;
}

function largest(logs: LogsByUse<Log>): Log {
  return logs.all().reduce((most, log) => (log.count > most.count ? log : most));
}

function textOf(log: Log): string {
  log.text ??= JSON.stringify({
    server: log.server,
    channel: log.channel,
    floor: log.floor,
    blocks: log.blocks.map((block) => (block.text ??= blockText(block.pairs ?? []))),
  } satisfies SavedRecords);
  return log.text;
}

function restore(saved: SavedRecords): Log {
  const log = freshLog(saved.server, saved.channel);
  log.floor = saved.floor;
  for (const text of saved.blocks)
    for (const [id, second] of pairsIn({ pairs: undefined, text })) if (!Number.isNaN(id)) add(log, id, second);
  return log;
}

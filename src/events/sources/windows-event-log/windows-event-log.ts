/**
 * Follows live Windows logs, each through a reader in a process of its own: starts it, enters what it tells, starts it
 * again when it ends. Records and the place behind them are entered together, so a crash anywhere loses nothing and
 * counts nothing twice.
 */
import os from 'node:os';
import type { Log } from '../../../runtime/log.js';
import type {
  Batch,
  Checkpoint,
  Evidence,
  LogCheckpoint,
  SourceStatus,
  UnreadableReason,
} from '../../../model/model.js';
import { classify } from '../../classify.js';
import { eventXml } from '../../formats/event-xml.js';
import { unreadableOf } from '../../decode/unreadable.js';
import type { Followed } from '../files/files.js';
import type { Place, ReaderLine } from './log-api.js';
import { startReader, type RunningReader } from './reader-process.js';

export type WindowsLogOptions = {
  /** Each is a source of its own, labelled with its name. */
  readonly channels: readonly string[];
  readonly checkpoints: () => readonly Checkpoint[];
  /** Resolves when reading may go on; evidence and bookmark are entered together. */
  readonly post: (batch: Batch) => Promise<void>;
  readonly knownConnectors: () => readonly string[];
  /** The one name of a Send connector, as the transport logs have taught it. */
  readonly nameOf?: ((connector: string) => string) | undefined;
  readonly log: Log;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** A clock that only goes forward, for durations: nobody sets it. Milliseconds. @default performance.now */
  readonly steady?: (() => number) | undefined;
  readonly start?: typeof startReader;
  readonly timing?: Partial<typeof defaultTiming>;
};

const defaultTiming = {
  /** Pause before a reader that ended is started again; doubled each time that it tells nothing. */
  leastPauseMs: 1_000,
  mostPauseMs: 60_000,
  /** A reader that says nothing for so long hangs. */
  silentMs: 180_000,
  /** A reader that was asked to end is given this time. */
  endMs: 5_000,
};

type Channel = WindowsLogOptions & {
  readonly steady: () => number;
  readonly channel: string;
  readonly times: typeof defaultTiming;
  place: Place | undefined;
  /** Until all of a log that was never read has been read once. */
  history: boolean;
  /** True once a reader has told of the log: until then nobody can say that it is read. */
  heard: boolean;
  drained: boolean;
  problem: string | undefined;
  /** By the steady clock. */
  behindSince: number | undefined;
  lastRecordAt: number | undefined;
  bytesRead: number;
  restarts: number;
  reopened: number;
  bookmarksLost: number;
  pauseMs: number;
  stopped: boolean;
  reader: RunningReader | undefined;
  wake: (() => void) | undefined;
};

/** Follows all channels until stopped. Only Windows has them. */
export function followWindowsLogs(options: WindowsLogOptions): Followed {
  const channels = options.channels.map((channel) => createChannel(options, channel));
  const running = channels.map((each) => run(each));
  return {
    statuses: () => channels.map(statusOf),
    caughtUp: () => channels.every((each) => each.drained),
    // A log that cannot be read holds nobody else's history back.
    readingHistory: () => channels.some((each) => each.history && !each.drained && each.problem === undefined),
    stop: async () => {
      for (const each of channels) {
        each.stopped = true;
        each.reader?.stop();
        each.wake?.();
      }
      const late = setTimeout(() => {
        for (const each of channels) each.reader?.kill();
      }, channels[0]?.times.endMs);
      await Promise.all(running);
      clearTimeout(late);
    },
  };
}

function createChannel(options: WindowsLogOptions, channel: string): Channel {
  const isOurs = (each: Checkpoint): each is LogCheckpoint => 'channel' in each && each.channel === channel;
  const place = options.checkpoints().find(isOurs);
  const times = { ...defaultTiming, ...options.timing };
  return {
    ...options,
    steady: options.steady ?? (() => performance.now()),
    channel,
    times,
    place,
    history: place === undefined,
    heard: false,
    drained: false,
    problem: undefined,
    behindSince: undefined,
    lastRecordAt: undefined,
    bytesRead: 0,
    restarts: 0,
    reopened: 0,
    bookmarksLost: 0,
    pauseMs: times.leastPauseMs,
    stopped: false,
    reader: undefined,
    wake: undefined,
  };
}

async function run(state: Channel): Promise<void> {
  while (!state.stopped) {
    const why = await readOnce(state);
    if (isStopped(state)) return;
    state.restarts++;
    setProblem(state, `the reader ${why}`);
    state.log.warn('the reader of a Windows log ended; it is started again', {
      source: state.channel,
      problem: why,
      seconds: state.pauseMs / 1000,
    });
    await sleep(state, state.pauseMs);
    state.pauseMs = Math.min(state.times.mostPauseMs, state.pauseMs * 2);
  }
}

/** Reads the flag anew: it changes while something is awaited. */
function isStopped(state: Channel): boolean {
  return state.stopped;
}

/** Runs one reader to its end. @returns how it ended */
async function readOnce(state: Channel): Promise<string> {
  const { channel, place, start = startReader } = state;
  const reader = start({ channel, after: place && placeOf(place) });
  state.reader = reader;
  let why: string | undefined;
  let watch: NodeJS.Timeout | undefined;
  const listen = (): void => {
    watch = setTimeout(() => {
      why = `said nothing for ${state.times.silentMs / 1000} seconds`;
      reader.kill();
    }, state.times.silentMs);
  };
  listen();
  try {
    for await (const line of reader.lines) {
      clearTimeout(watch);
      // The reader waits while we do: its silence now is ours.
      if (!isStopped(state)) await take(state, line);
      listen();
    }
  } catch (error) {
    why = `told something that cannot be used: ${error instanceof Error ? error.message : String(error)}`;
    reader.kill();
  }
  clearTimeout(watch);
  const late = setTimeout(reader.kill, state.times.endMs);
  const how = await reader.ended;
  clearTimeout(late);
  state.reader = undefined;
  return why ?? how;
}

function placeOf({ bookmark, recordId, time }: Place): Place {
  return { bookmark, recordId, time };
}

function sleep(state: Channel, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    state.wake = () => {
      clearTimeout(timer);
      resolve();
    };
    if (state.stopped) state.wake();
  });
}

async function take(state: Channel, text: string): Promise<void> {
  const line = JSON.parse(text) as ReaderLine;
  state.heard ||= line.kind === 'records' || line.kind === 'drained';
  if (line.kind === 'records') {
    state.behindSince ??= state.steady();
    await enter(state, line);
  } else if (line.kind === 'drained') {
    setProblem(state, undefined);
    Object.assign(state, { drained: true, history: false, behindSince: undefined, pauseMs: state.times.leastPauseMs });
  } else if (line.kind === 'down') setProblem(state, line.detail);
  else {
    state.reopened++;
    if (line.kind === 'bookmark_lost') state.bookmarksLost++;
    state.log.warn('the Windows log is subscribed to anew', { source: state.channel, problem: line.detail });
  }
}

function setProblem(state: Channel, problem: string | undefined): void {
  const { problem: before, channel: source, log } = state;
  if (problem !== undefined && problem !== before) log.warn('cannot read', { source, problem });
  if (problem === undefined && before !== undefined) log.info('readable again', { source });
  state.problem = problem;
}

async function enter(state: Channel, line: Extract<ReaderLine, { kind: 'records' }>): Promise<void> {
  const { channel, history } = state;
  const sorted = sortOut(state, line.events);
  const checkpoint: LogCheckpoint = { source: channel, channel, ...placeOf(line) };
  const damaged = line.damaged + (sorted.unreadable.damaged ?? 0);
  state.place = checkpoint;
  state.lastRecordAt = state.now();
  state.bytesRead += line.events.reduce((sum, xml) => sum + Buffer.byteLength(xml), 0);
  await state.post({
    source: channel,
    evidence: sorted.evidence,
    ignored: sorted.ignored + line.dropped,
    unreadable: { ...sorted.unreadable, ...(damaged > 0 && { damaged }) },
    checkpoint,
    history,
    // The query leaves records out: the numbers between are no sign of loss.
    unfiltered: false,
    behind: true,
  });
}

type Sorted = {
  readonly evidence: Evidence[];
  ignored: number;
  readonly unreadable: Partial<Record<UnreadableReason, number>>;
};

function sortOut(state: Channel, events: readonly string[]): Sorted {
  const sorted: Sorted = { evidence: [], ignored: 0, unreadable: {} };
  const options = { server: os.hostname(), knownConnectors: state.knownConnectors, nameOf: state.nameOf };
  for (const xml of events) {
    try {
      for (const record of eventXml.decode(xml)) {
        const found = record.kind === 'event' ? classify(record, options) : undefined;
        if (found) sorted.evidence.push(found);
        else sorted.ignored++;
      }
    } catch (error) {
      const { reason } = unreadableOf(error);
      sorted.unreadable[reason] = (sorted.unreadable[reason] ?? 0) + 1;
    }
  }
  return sorted;
}

function statusOf(state: Channel): SourceStatus {
  const { channel, heard, drained, problem } = state;
  const unread = heard ? 'the log has not been read to its end yet' : 'its reader has told nothing yet';
  const text = problem ?? (drained ? 'the live log is followed' : unread);
  return {
    source: channel,
    up: heard && problem === undefined,
    detail: `${channel}: ${text}`,
    lastRecordAt: state.lastRecordAt,
    lagBytes: 0,
    lagSeconds: state.behindSince === undefined ? 0 : (state.steady() - state.behindSince) / 1000,
    // Its reader has a watch of its own: one that is deaf or says nothing is started again, and down meanwhile.
    stalledSeconds: 0,
    bytesRead: state.bytesRead,
    subscription: { restarts: state.restarts, reopened: state.reopened, bookmarksLost: state.bookmarksLost },
  };
}

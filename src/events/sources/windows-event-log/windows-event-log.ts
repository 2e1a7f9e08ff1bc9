/**
 * Follows live Windows logs, each through a reader in a process of its own: starts it, enters what it tells, starts it
 * again when it ends. Records and the place behind them are entered together, so a crash anywhere loses nothing and
 * counts nothing twice.
 */
import type { Checkpoint, LogCheckpoint } from '../../../model/batch.js';
import type { Followed } from '../source.js';
import { type Channel, defaultTiming, type WindowsLogOptions } from './channel.js';
import type { Place, ReaderLine } from './log-api.js';
import { startReader } from './reader-process.js';
import { sortOut } from './sort-out.js';
import { createStanding } from './standing.js';

/** Follows all channels until stopped. Only Windows has them. */
export function followWindowsLogs(options: WindowsLogOptions): Followed {
  const channels = options.channels.map((channel) => createChannel(options, channel));
  const running = channels.map((each) => run(each));
  return {
    statuses: () => channels.map(({ standing }) => standing.status()),
    caughtUp: () => channels.every(({ standing }) => standing.isDrained()),
    // A log that cannot be read holds nobody else's history back.
    readingHistory: () => channels.some(({ standing }) => standing.isHistory() && standing.problem() === undefined),
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
  const { log, now, steady = () => performance.now() } = options;
  return {
    ...options,
    channel,
    times,
    standing: createStanding({ channel, isNew: place === undefined, log, now, steady }),
    place,
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
    state.standing.restarted();
    state.standing.down(`the reader ${why}`);
    state.log.warn('the reader of a Windows log exited; restarting it', {
      source: state.channel,
      problem: why,
      seconds: state.pauseMs / 1000,
    });
    await sleep(state, state.pauseMs);
    state.pauseMs = Math.min(state.times.mostPauseMs, state.pauseMs * 2);
  }
}

/** Reads the flag again: it changes while something is awaited. */
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
    why = `reported something that cannot be used: ${error instanceof Error ? error.message : String(error)}`;
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
  const { standing, channel: source, log } = state;
  const line = JSON.parse(text) as ReaderLine;
  if (line.kind === 'records') await enter(state, line);
  else if (line.kind === 'drained') {
    standing.drained();
    state.pauseMs = state.times.leastPauseMs;
  } else if (line.kind === 'down') standing.down(line.detail);
  else {
    standing.reopened(line.kind === 'bookmark_lost');
    log.warn('resubscribed to the Windows log', { source, problem: line.detail });
  }
}

async function enter(state: Channel, line: Extract<ReaderLine, { kind: 'records' }>): Promise<void> {
  const { channel, standing } = state;
  const sorted = sortOut(state, line.events);
  const checkpoint: LogCheckpoint = { source: channel, channel, ...placeOf(line) };
  const damaged = line.damaged + (sorted.unreadable.damaged ?? 0);
  state.place = checkpoint;
  standing.records(line.events.reduce((sum, xml) => sum + Buffer.byteLength(xml), 0));
  await state.post({
    source: channel,
    evidence: sorted.evidence,
    ignored: sorted.ignored + line.dropped,
    unreadable: { ...sorted.unreadable, ...(damaged > 0 && { damaged }) },
    checkpoint,
    history: standing.isHistory(),
    // The query leaves records out: the numbers between are no sign of loss.
    unfiltered: false,
    behind: true,
  });
}

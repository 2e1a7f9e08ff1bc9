/** One connection of a sender: its windows, one after the other, acknowledged when they are saved. */
import type { Socket } from 'node:net';
import type { Log } from '../../../runtime/log.js';
import { createBreath } from '../../../runtime/breath.js';
import { createGathered } from '../push/blocks.js';
import { type Entry, mostAtOnce } from '../push/entry.js';
import { Bomb } from '../push/inflate.js';
import { stock, unpacker } from '../push/memory.js';
import type { Tally } from '../push/tally.js';
import { createFrameReader, type Frame, Malformed, NoRoom } from './frames.js';
import { openWindow, type Window } from './window.js';

export type Receiver = {
  readonly source: string;
  readonly entry: Entry;
  readonly tally: Tally;
  readonly log: Log;
  readonly isDraining: () => boolean;
};

/** Who sends, by its certificate. */
export type Sender = {
  readonly name: string;
  /** The only server that its records may be of; undefined: any. */
  readonly server: string | undefined;
  readonly mayName: ((server: string) => boolean) | undefined;
};

const [mostRecordBytes, mostPackedBytes] = [1024 * 1024, 4 * 1024 * 1024];
/** So many windows of one sender wait for their save while the next is read. */
const mostInFlight = 2;
/** A sender gives up after 30 seconds without a word. */
const aliveMs = 5_000;
/** A frame that has begun is whole within this time. */
const frameMs = 60_000;

type State = {
  readonly socket: Socket;
  readonly receiver: Receiver;
  readonly sender: Sender;
  window: Window | undefined;
  /** Whether the window has brought anything that is to be saved. */
  isNews: boolean;
  /** Compressed frames of the window. */
  packed: number;
  /** True while what came is being read and entered. */
  isTaking: boolean;
  inFlight: number;
  /** Acknowledgements go out in the order of their windows. */
  acknowledged: Promise<void>;
  wake: (() => void) | undefined;
};

/** Resolves when the connection has ended. Never rejects. */
export async function serveSender(socket: Socket, receiver: Receiver, sender: Sender): Promise<void> {
  const state: State = {
    socket,
    receiver,
    sender,
    window: undefined,
    isNews: false,
    packed: 0,
    isTaking: false,
    inFlight: 0,
    acknowledged: Promise.resolve(),
    wake: undefined,
  };
  const body = createGathered(stock);
  const reader = createFrameReader(body, { record: mostRecordBytes, packed: mostPackedBytes });
  let late: NodeJS.Timeout | undefined;
  socket.once('close', () => state.wake?.());
  const alive = setInterval(() => {
    if (state.inFlight > 0 || state.isTaking) acknowledge(state, 0);
  }, aliveMs);
  try {
    // What ends reading leaves the socket open: the acknowledgement is still to be sent.
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      state.isTaking = true;
      for (const frame of reader.read(chunk)) {
        await take(state, frame);
        await untilRoom(state);
        if (receiver.isDraining() && !state.window) break;
      }
      await enterPart(state);
      state.isTaking = false;
      clearTimeout(late);
      if (reader.isWithin()) late = setTimeout(() => socket.destroy(new Malformed(tooSlow)), frameMs);
      if (receiver.isDraining() && !state.window) break;
    }
  } catch (error) {
    tell(state, error);
  } finally {
    clearTimeout(late);
    body.release();
    await state.acknowledged.catch(() => undefined);
    clearInterval(alive);
    socket.end();
    socket.destroySoon();
  }
}

const tooSlow = `expected the rest of a frame within ${frameMs / 1000} seconds`;

async function take(state: State, frame: Frame): Promise<void> {
  if (frame.type === 'window') {
    if (state.window) throw new Malformed('expected the rest of a window, got another window');
    // Some senders announce nothing; there is nothing to acknowledge then.
    if (frame.size === 0) return;
    state.window = openWindow(frame.size);
    state.isNews = false;
    state.packed = 0;
    return;
  }
  if (frame.type === 'record') {
    await takeRecord(state, frame.sequence, Buffer.concat(frame.payload));
    return;
  }
  const { window } = state;
  if (!window) throw new Malformed('expected a window before its records');
  if (++state.packed > window.size) throw new Malformed('more compressed frames than records in a window');
  await unpacker.unpack(frame.payload, 'deflate', (bytes) => takePacked(state, bytes));
}

/** The frames within a compressed one, which are all records. */
async function takePacked(state: State, bytes: Buffer): Promise<void> {
  const breathe = createBreath();
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] !== 0x32 || bytes[at + 1] !== 0x4a || at + 10 > bytes.length)
      throw new Malformed('expected whole records in a compressed frame');
    const length = bytes.readUInt32BE(at + 6);
    if (length > mostRecordBytes || at + 10 + length > bytes.length)
      throw new Malformed(`expected whole records of at most ${mostRecordBytes} bytes in a compressed frame`);
    const taken = takeRecord(state, bytes.readUInt32BE(at + 2), bytes.subarray(at + 10, at + 10 + length));
    if (taken) await taken;
    at += 10 + length;
    const pause = breathe();
    if (pause) await pause;
  }
}

/** @returns nothing when the next record can be taken at once */
function takeRecord(state: State, sequence: number, payload: Buffer): Promise<void> | undefined {
  const { window } = state;
  if (!window) throw new Malformed('expected a window before its records');
  window.take(sequence, payload);
  if (window.isWhole()) return endWindow(state, window);
  return window.decoded() < mostAtOnce ? undefined : enterPart(state);
}

/** Enters what the window has brought by now: a sender that is slow holds on to nothing. */
async function enterPart(state: State): Promise<void> {
  const { window, receiver, sender } = state;
  if (!window) return;
  const { isNews } = await receiver.entry.enter(window.part(), sender.server ?? '', sender.mayName);
  state.isNews ||= isNews;
}

async function endWindow(state: State, window: Window): Promise<void> {
  const { entry, tally, log, source } = state.receiver;
  await enterPart(state);
  state.window = undefined;
  tally.took(window.bytes());
  const trouble = window.trouble();
  if (trouble !== undefined)
    log.warn('skipped an unreadable record', { source, sender: state.sender.name, problem: trouble });
  state.inFlight++;
  // What holds nothing that counts has nothing to be saved.
  const saved = state.isNews ? entry.saved() : undefined;
  const before = state.acknowledged;
  state.acknowledged = Promise.all([before, saved]).then(() => {
    acknowledge(state, window.last());
    tally.count('accepted');
    state.inFlight--;
    state.wake?.();
  });
  // Without an acknowledgement the sender sends it again, over another connection.
  state.acknowledged.catch(() => state.socket.destroy());
}

/** Resolves when the next window may be read. */
async function untilRoom(state: State): Promise<void> {
  while (state.inFlight >= mostInFlight && !state.socket.destroyed)
    await new Promise<void>((resolve) => {
      state.wake = resolve;
    });
}

function acknowledge({ socket }: State, sequence: number): void {
  if (!socket.writable) return;
  const frame = Buffer.from([0x32, 0x41, 0, 0, 0, 0]);
  frame.writeUInt32BE(sequence, 2);
  socket.write(frame);
}

/** What a sender did wrong; that it has gone is nothing to say. */
function tell({ receiver, sender }: State, error: unknown): void {
  const { source, log, tally } = receiver;
  if (error instanceof NoRoom) {
    tally.count('busy');
    return;
  }
  const problem = problemOf(error);
  if (problem === undefined) return;
  tally.count(error instanceof Bomb ? 'too_large' : 'unreadable');
  log.warn('closing the connection of a sender', { source, sender: sender.name, problem });
}

function problemOf(error: unknown): string | undefined {
  if (error instanceof Malformed || error instanceof Bomb) return error.message;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return code.startsWith('Z_') ? `a compressed frame that cannot be unpacked: ${message}` : undefined;
}

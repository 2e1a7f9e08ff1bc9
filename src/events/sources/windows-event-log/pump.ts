/**
 * Reads a live log for as long as it runs, through whatever happens to the log: the rules of the subscription, apart
 * from Windows itself.
 *
 * EvtNext moves on even when it fails, so after any failure the subscription is built again behind the last record that
 * was told. A bookmark that is of no use means the oldest record, never only the future: the ledger knows what it has
 * counted.
 */
import { eventOfXml } from '../../decode/event-xml.js';
import type { LogApi, Place, ReaderLine, ReaderRequest, Subscription } from './log-api.js';
import { isOfProvider, queryFor } from './query.js';
import { errorNumbers, isEnd, isLostBookmark, WindowsError } from './windows-error.js';

export type PumpOptions = ReaderRequest & {
  readonly api: LogApi;
  /** Resolves when more may be told. */
  readonly tell: (line: ReaderLine) => Promise<void>;
  readonly stopped: () => boolean;
  readonly sleep: (ms: number) => Promise<void>;
  /** A clock that only goes forward, milliseconds. */
  readonly clock: () => number;
  readonly timing?: Partial<Timing>;
};

export type Timing = {
  /** Records are asked for without a signal after this time: a signal may get lost. */
  readonly waitMs: number;
  /** How often our place is compared with the newest record. */
  readonly watchMs: number;
  /** A line is told at least this often. */
  readonly aliveMs: number;
};

const defaultTiming: Timing = { waitMs: 1_000, watchMs: 120_000, aliveMs: 15_000 };
const maxBatch = 128;
const maxPauseMs = 60_000;
/** After so many rounds of the watch without a step forward the subscription is deaf. */
const deafRounds = 2;

type State = PumpOptions & {
  readonly query: string;
  readonly time: Timing;
  place: Place | undefined;
  batch: number;
  failures: number;
  up: boolean;
  toldAt: number;
  watchAt: number;
  /** Place at the last round of the watch, how often it has stood still since, and whether it was reopened for that. */
  watched: { readonly recordId: number | undefined; readonly rounds: number; readonly reopened: boolean };
};

/** Reads until stopped. */
export async function pump(options: PumpOptions): Promise<void> {
  const time = { ...defaultTiming, ...options.timing };
  const state: State = {
    ...options,
    query: queryFor(options.channel),
    time,
    place: options.after,
    batch: maxBatch,
    failures: 0,
    up: false,
    toldAt: options.clock(),
    watchAt: options.clock() + time.watchMs,
    watched: { recordId: options.after?.recordId, rounds: 0, reopened: false },
  };
  while (!state.stopped()) {
    let subscription: Subscription | undefined;
    try {
      subscription = await open(state);
      await readOn(state, subscription);
    } catch (error) {
      if (!(error instanceof WindowsError)) throw error;
      subscription?.close();
      subscription = undefined;
      await recover(state, error);
    } finally {
      subscription?.close();
    }
  }
}

async function open(state: State): Promise<Subscription> {
  const { api, channel, query, place } = state;
  if (place && (await isNumberedAnew(state, place))) return api.subscribe(channel, query, undefined);
  try {
    return api.subscribe(channel, query, place?.bookmark);
  } catch (error) {
    if (!place || !(error instanceof WindowsError) || !isLostBookmark(error)) throw error;
    await loseBookmark(state, `record ${place.recordId} is no longer in the log (${error.message})`);
    return api.subscribe(channel, query, undefined);
  }
}

/**
 * A log that was cleared may be numbered from 1 again and have come past our number: a strict subscription would find a
 * record of that number and leave out all before it.
 */
async function isNumberedAnew(state: State, place: Place): Promise<boolean> {
  const xml = state.api.newest(state.channel, `*[System[(EventRecordID=${place.recordId})]]`);
  const found = xml === undefined ? undefined : identityOf(xml);
  if (found === undefined || isSame(found, place)) return false;
  await loseBookmark(state, `record ${place.recordId} is a different one than before: the log was cleared`);
  return true;
}

async function loseBookmark(state: State, why: string): Promise<void> {
  state.place = undefined;
  await tell(state, { kind: 'bookmark_lost', detail: `${why}; reading begins at the oldest record` });
}

async function readOn(state: State, subscription: Subscription): Promise<void> {
  await drain(state, subscription);
  while (!state.stopped()) {
    await subscription.wait(state.time.waitMs);
    // Before the drain: a record that comes during it sets the signal again. After it, that signal would be lost.
    subscription.reset();
    await drain(state, subscription);
    if (state.clock() >= state.watchAt && (await isDeaf(state))) return;
  }
}

async function drain(state: State, subscription: Subscription): Promise<void> {
  let read = false;
  while (!state.stopped()) {
    const records = nextOf(state, subscription);
    if (records.length === 0) break;
    read = true;
    await tellRecords(state, subscription, records);
    state.batch = Math.min(maxBatch, state.batch + 1);
  }
  if (state.stopped()) return;
  state.failures = 0;
  if (!state.up || read || state.clock() - state.toldAt >= state.time.aliveMs) await tell(state, { kind: 'drained' });
  state.up = true;
}

function nextOf(state: State, subscription: Subscription): readonly (string | undefined)[] {
  try {
    return subscription.next(state.batch);
  } catch (error) {
    if (error instanceof WindowsError && isEnd(error)) return [];
    throw error;
  }
}

async function tellRecords(
  state: State,
  subscription: Subscription,
  records: readonly (string | undefined)[],
): Promise<void> {
  const shown = records.filter((xml) => xml !== undefined);
  const events = shown.filter(isOfProvider);
  const bookmark = subscription.bookmark();
  const last = identityOf(records.at(-1) ?? '') ?? { recordId: numberIn(bookmark), time: undefined };
  state.place = { bookmark, ...last };
  const [dropped, damaged] = [shown.length - events.length, records.length - shown.length];
  await tell(state, { kind: 'records', events, dropped, damaged, ...state.place });
}

async function recover(state: State, error: WindowsError): Promise<void> {
  state.failures++;
  if (error.code === errorNumbers.RPC_S_INVALID_BOUND && state.batch > 1) {
    state.batch = Math.floor(state.batch / 2);
    await tell(state, { kind: 'reopened', detail: `${error.message} (${state.batch})` });
    return;
  }
  if (state.up && state.failures === 1) {
    await tell(state, { kind: 'reopened', detail: error.message });
    return;
  }
  state.up = false;
  await tell(state, { kind: 'down', detail: error.message });
  await state.sleep(Math.min(maxPauseMs, 500 * 2 ** Math.min(state.failures, 10)));
}

/**
 * Whether the log has gone on without us: a subscription may fall silent without an error, for instance when the Event
 * Log service was restarted. @throws WindowsError
 */
async function isDeaf(state: State): Promise<boolean> {
  state.watchAt = state.clock() + state.time.watchMs;
  const xml = state.api.newest(state.channel, state.query);
  const newest = xml === undefined ? undefined : identityOf(xml);
  const { place, watched } = state;
  const isCurrent = newest === undefined || (place !== undefined && isSame(newest, place));
  if (isCurrent || place?.recordId !== watched.recordId) {
    state.watched = { recordId: place?.recordId, rounds: 0, reopened: false };
    return false;
  }
  state.watched = { ...watched, rounds: watched.rounds + 1 };
  if (state.watched.rounds < deafRounds) return false;
  const why = `the log has come to record ${newest.recordId} without a notice`;
  const isAnew = place !== undefined && newest.recordId <= place.recordId;
  // Reopened for this before, in vain: our place itself is in doubt.
  if (isAnew || watched.reopened) await loseBookmark(state, why);
  else await tell(state, { kind: 'reopened', detail: why });
  state.watched = { recordId: state.place?.recordId, rounds: 0, reopened: true };
  return true;
}

async function tell(state: State, line: ReaderLine): Promise<void> {
  state.toldAt = state.clock();
  await state.tell(line);
}

type Identity = Omit<Place, 'bookmark'>;

function identityOf(xml: string): Identity | undefined {
  try {
    const { recordId, time } = eventOfXml(xml);
    return recordId === undefined ? undefined : { recordId, time };
  } catch {
    return undefined;
  }
}

function numberIn(bookmark: string): number {
  return Number(/RecordId=['"](\d+)['"]/i.exec(bookmark)?.[1] ?? 0);
}

function isSame(a: Identity, b: Identity): boolean {
  return a.recordId === b.recordId && (a.time === b.time || a.time === undefined || b.time === undefined);
}

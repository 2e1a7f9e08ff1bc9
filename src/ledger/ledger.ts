/**
 * What has been counted and how far each file is read: entered together, saved together, then published.
 *
 * Invariant 1: nothing is shown before it is saved. If a scrape showed 105, the process died and came back with the
 * saved 97, Prometheus would take the fall for a reset and add the whole value again. So readers enter, a save writes
 * what was entered until then, and only after its rename are those values visible.
 */
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { createAvailability, type Availability } from './availability.js';
import { createErrorHours, type ErrorHoursBook } from './error-hours.js';
import { createCheckpointBook, type CheckpointBook } from './checkpoint-book.js';
import { createBounds, otherDestination, type Bounds, type Folded } from './bounds.js';
import { LedgerFileError, type Counter, type SavedLedger, type SavedRow } from './saved.js';
import { ledgerBytes, loadLedgerFile } from './file.js';
import { endFormer, renameRows, renameSessions, sessionKeyOf, underOneName } from './renames.js';
import {
  countersOf,
  freshRow,
  hasCounter,
  isMerelyExpected,
  isWithoutEvidence,
  isSame,
  keyOf,
  never,
  noCounts,
  shownOf,
  valueOf,
  withCounters,
  type Counts,
  type Row,
  type RowName,
} from './rows.js';
import { makeFolder } from '../runtime/make-folder.js';
import type { Batch, Checkpoint, LedgerRow } from '../model/batch.js';
import type { Evidence, RecentError, RelatedEvent } from '../model/evidence.js';
import type { OpenSession, ServerLogs } from '../model/sessions.js';
import type { RecordOutcome, UnreadableReason } from '../model/records.js';
import { credibleTime, isCredible, jumpDetector, trueTime, type Clocks, type Noted } from '../runtime/noted-time.js';
import { createRecordGaps, type RecordGaps } from './record-gaps.js';
import { createRecentErrors, type RecentErrors } from './recent-errors.js';
import { createRelatedRing, type RelatedCount, type RelatedRing } from './related-ring.js';
import { isSameTimes, laterTime, savedTimes, shownTimes } from './row-times.js';
import { createScrapers, type Scraper, type Scrapers } from './scrapers.js';
import { createSeenRecords, type SeenRecords } from './seen-records.js';
import { createServerNames, type DeclaredName, type ServerNames } from './server-names.js';
import { createStateFolder, type StateFolder } from './state-folder.js';
import { lockStateFolder } from './folder-lock.js';
import { replaceFile, type FileOperations } from './replace-file.js';

export type LedgerOptions = {
  /** State folder; made when it is missing. */
  readonly directory: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** A clock that only goes forward, milliseconds; by default `now`, which must then be one. */
  readonly steady?: () => number;
  /** Destinations shown by name, of each Send connector. */
  readonly limit?: number;
  /** A destination without errors for this long is no longer shown; its count is kept. Milliseconds. */
  readonly forgetAfterMs?: number;
  /** Silent destinations whose counts are kept. */
  readonly maxDormant?: number;
  /** True while the first read of a source goes on: what it finds is shown in one piece, when it is complete. */
  readonly readingHistory?: () => boolean;
  readonly operations?: FileOperations;
  /** Told of every row whenever its published value changes, saved rows at the start included. */
  readonly onPublished?: (row: LedgerRow) => void;
  /** Told when what stood under a short name of a server stands under its full one from now on. */
  readonly onServerRenamed?: (short: string, full: string) => void;
  /** Told once when saving fails, and once when it works again. */
  readonly onSaving?: (failing: string | undefined) => void;
  /** Told what was deleted under the ledger, before it is made again. */
  readonly onFolderLost?: (what: string) => void;
};

/** Records of one source by what became of them, since the start. */
type Tally = {
  readonly outcomes: Readonly<Record<RecordOutcome, number>>;
  readonly unreadable: Readonly<Partial<Record<UnreadableReason, number>>>;
};

type Saving = {
  /** Why saving fails at present. */
  readonly failing: string | undefined;
  readonly lastSavedAt: number | undefined;
  readonly saved: number;
  readonly failed: number;
  /** What was wrong with a damaged ledger at the start, and where it was moved to. */
  readonly movedAside: string | undefined;
};

/** The rows as scrapers are shown them. */
export type Scrape = {
  readonly rows: readonly LedgerRow[];
  /** How many series are exposed at their previous value. */
  readonly held: number;
  /** To be told when a scraper has the whole answer. Resolves when what it was the last to see is let go and saved. */
  readonly readBy: (scraper: string) => Promise<void>;
};

export type Ledger = {
  /** Published rows: never more than what is safely on disk. */
  readonly rows: () => readonly LedgerRow[];
  /** Notes that a scraper asks: new series wait for it once it has read a whole answer. */
  readonly asks: (scraper: string) => void;
  /** Published rows as scrapers see them: a new one at its previous value until every active scraper has read it. */
  readonly scrape: () => Scrape;
  /** Who has read the metrics, and when last. */
  readonly scrapers: () => readonly Scraper[];
  readonly checkpoints: () => readonly Checkpoint[];
  /** Drops checkpoints of files that have been gone for long. */
  readonly forget: (checkpoints: readonly Checkpoint[]) => void;
  /** Sessions of the transport logs that are open after all that was entered. */
  readonly sessions: () => readonly (OpenSession | ServerLogs)[];
  readonly tallies: () => ReadonlyMap<string, Tally>;
  /** Missing records by source, as saved. */
  readonly missed: () => ReadonlyMap<string, number>;
  readonly folded: () => Folded;
  /** Errors of destinations that are no longer shown, for totals over a connector: those never fall. */
  readonly dormantErrors: (connector: string) => number;
  /** How many destinations had their last error so long ago that they are no longer shown. */
  readonly silentDestinations: () => number;
  /** Related events by number, as scrapers are shown them: a new one at zero until all have seen it. */
  readonly relatedCounts: () => readonly RelatedCount[];
  /** The last related events of each server, and the errors of the last day, as saved. */
  readonly related: () => readonly RelatedEvent[];
  readonly recent: () => readonly RecentError[];
  /** Notes whether a visit passed; saved with the next save, a minute later at most. */
  readonly visited: Availability['note'];
  /** Shares of the visits that passed, and the last outages. No counter that a scraper sees: shown before it is saved. */
  readonly availability: Availability['of'];
  /** Errors of a connector by reason and hour, for a week. */
  readonly errorHours: ErrorHoursBook['of'];
  readonly saving: () => Saving;
  /** The time of a record read within the last hour that stands in the future: the clocks differ. Milliseconds. */
  readonly aheadAt: () => number | undefined;
  /**
   * Shows these at zero before their first evidence, in place of those named before: the first error is then an increase.
   * Not while history is read, for it is no news (invariant 13).
   */
  readonly expect: (rows: readonly RowName[]) => void;
  /** The one name of a server, by any of its names. */
  readonly nameOfServer: (name: string) => string;
  /**
   * Notes names of servers that others than records tell, and which short names stand for which full ones, in place of what
   * was said of that before. All in lower case.
   */
  readonly knowServers: (names: readonly string[], declared: readonly DeclaredName[]) => void;
  /** Enters a batch. Resolves when reading may go on: at once as a rule, later when saving lags or fails. */
  readonly post: (batch: Batch) => Promise<void>;
  /** Resolves when all that was entered by now is on disk, for senders that are told so. @throws when it ends unsaved */
  readonly saved: () => Promise<void>;
  /** Saves what was entered and ends. */
  readonly close: () => Promise<void>;
};

/** On the very first read of a source older events are history: counted, but not observed now (invariant 13). */
const historyMs = 15 * 60_000;
/** Readers may run ahead of the save by so many batches. */
const batchesAhead = 64;
/** A checkpoint alone is saved within this time: reading ignored records again does no harm. */
const lazySaveMs = 2_000;
/** Saving takes at most about a fifth of the time. */
const pauseFactor = 4;
const retryMs = 1_000;
/** Whether visits passed is saved within this time: a crash takes back a minute of it at most. */
const visitsSavedMs = 60_000;
const sweepMs = 60_000;
/** A clock that was set is believed after this long; until then nothing goes dormant by it. */
const settleMs = 10 * 60_000;
/** For so long a record from the future is spoken of. */
const aheadMs = 3_600_000;
/** More servers than any organisation has; what stands under further short names stays there. */
const mostShortNames = 10_000;
/** Silent destinations whose counts are kept; beyond it the one that has been silent longest starts over at zero. */
const maxDormant = 20_000;

/** What has a row of its own. */
type Counted = Exclude<Evidence, RelatedEvent>;

type State = LedgerOptions & {
  readonly folder: StateFolder;
  readonly clocks: Clocks;
  readonly hasJumped: () => boolean;
  /** When the clock was last found to be set, and when times from the file were put right, by the steady clock. */
  jumpedAt: number;
  mending: { readonly rows: Set<Row>; readonly at: number };
  /** The latest record that stands in the future, as it is dated. */
  ahead: Noted | undefined;
  readonly file: string;
  readonly rowsByKey: Map<string, Row>;
  /** Entered since the last save, saved but not yet published, and held back from scrapers. */
  readonly dirty: Set<Row>;
  readonly unpublished: Set<Row>;
  readonly held: Set<Row>;
  /** Not shown, the longest silent first. */
  readonly dormant: Set<Row>;
  readonly checkpoints: CheckpointBook;
  /** Open sessions as JSON, by the key that the reader gave them. */
  readonly sessionsByKey: Map<string, string>;
  readonly tallyBySource: Map<string, MutableTally>;
  readonly seen: SeenRecords;
  readonly related: RelatedRing;
  readonly recent: RecentErrors;
  readonly availability: Availability;
  readonly errorHours: ErrorHoursBook;
  /** What the file on disk says of these two, and the births of counters that not every scraper has seen at zero. */
  shownHappenings: Happenings;
  readonly relatedHeld: Map<string, HeldCount>;
  readonly gaps: RecordGaps;
  /** What the file on disk says of missed records. */
  missed: ReadonlyMap<string, number>;
  readonly scrapers: Scrapers;
  readonly bounds: Bounds;
  readonly names: ServerNames;
  /** How often a server has got a fuller name. */
  renames: number;
  /** Of one label, under which something was told. */
  readonly shortNames: Set<string>;
  /** Shown without evidence, by key; `expectationDue` when that is still to be done. */
  expected: ReadonlyMap<string, RowName>;
  expectationDue: boolean;
  saving: Saving;
  savedAt: Noted | undefined;
  /** Batches entered since the last save began. */
  unsaved: number;
  /** Batches entered since the start, and how many of them are on disk. */
  batches: number;
  batchesSaved: number;
  /** When the next save is due; undefined when there is nothing to save. */
  dueAt: number | undefined;
  /** No save before this: a long save is followed by a long pause. */
  restUntil: number;
  /** When silent destinations are looked for next. */
  sweepAt: number;
  closing: boolean;
  /** Nothing is saved any more. */
  ended: boolean;
  wakeSaver: (() => void) | undefined;
  waiting: (() => void)[];
};

/** What scrapers are shown of a counter of related events: until all have seen it under the former names, or at this value. */
type HeldCount = { readonly value: number; readonly birth: number; readonly former?: readonly RelatedCount[] };

type Happenings = {
  readonly version: number;
  readonly counts: readonly RelatedCount[];
  readonly related: readonly RelatedEvent[];
  readonly recent: readonly RecentError[];
};

type MutableTally = {
  outcomes: Record<RecordOutcome, number>;
  unreadable: Partial<Record<UnreadableReason, number>>;
};

/**
 * Opens the ledger of a state folder. A damaged or foreign file is moved aside, never replaced by zeros in silence.
 * @throws LedgerFileError for a file of a newer version; an error that names the process when another exporter uses the
 * folder; the error of the system when the folder cannot be used
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const file = path.join(options.directory, 'ledger.json');
  await makeFolder(options.directory).catch((error: unknown) => {
    const why = `${options.directory}: the state folder cannot be made: ${(error as Error).message}`;
    throw new Error(`${why}; name another one with --state.directory`, { cause: error });
  });
  const lock = await lockStateFolder(options.directory);
  const { saved, movedAside } = await load(file, options.now()).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  const state = createState(options, file, saved, movedAside, createStateFolder(file, lock, options.onFolderLost));
  for (const row of saved?.rows ?? []) restoreRow(state, row);
  for (const each of saved?.sessions ?? []) state.sessionsByKey.set(sessionKeyOf(each), JSON.stringify(each));
  learnServers(state, new Set(namesIn(saved)));
  const running = keepSaving(state);
  const watch = setInterval(() => void lookAfterFolder(state), folderLookMs).unref();
  return {
    rows: () => publishedRows(state),
    asks: state.scrapers.asks,
    scrape: () => scrape(state),
    scrapers: () => state.scrapers.all(),
    checkpoints: state.checkpoints.all,
    forget: (checkpoints) => {
      checkpoints.forEach(state.checkpoints.forget);
    },
    sessions: () => [...state.sessionsByKey.values()].map((json) => JSON.parse(json) as OpenSession | ServerLogs),
    tallies: () => state.tallyBySource,
    missed: () => state.missed,
    folded: () => state.bounds.folded(),
    dormantErrors: (connector) => dormantErrors(state, connector),
    silentDestinations: () => [...state.dormant].filter(({ saved }) => saved?.lastErrorAt !== undefined).length,
    relatedCounts: () => shownRelatedCounts(state),
    related: () => state.shownHappenings.related,
    visited: (visit) => {
      state.availability.note(visit);
      saveWithin(state, visitsSavedMs);
    },
    availability: state.availability.of,
    errorHours: state.errorHours.of,
    recent: () => state.shownHappenings.recent.filter(({ at }) => isCredible(at, state.now())),
    saving: () => ({ ...state.saving, lastSavedAt: state.savedAt && trueTime(state.savedAt, state.clocks) }),
    aheadAt: () => (state.ahead && state.clocks.steady() - state.ahead.steadyAt < aheadMs ? state.ahead.at : undefined),
    expect: expectRows.bind(undefined, state),
    nameOfServer: state.names.nameOf,
    knowServers: (names, declared) => {
      knowServers(state, names, declared);
    },
    post: (batch) => post(state, batch),
    saved: () => untilSaved(state),
    close: async () => {
      state.closing = true;
      state.wakeSaver?.();
      clearInterval(watch);
      await running;
      await lock.release();
    },
  };
}

async function load(
  file: string,
  now: number,
): Promise<{ readonly saved: SavedLedger | undefined; readonly movedAside: string | undefined }> {
  try {
    return { saved: await loadLedgerFile(file), movedAside: undefined };
  } catch (error) {
    if (!(error instanceof LedgerFileError) || error.kind !== 'damaged') throw error;
    const aside = `${file}.damaged-${new Date(now).toISOString().replace(/[:.]/g, '')}`;
    await rename(file, aside);
    return { saved: undefined, movedAside: `${error.message}; moved to ${aside}` };
  }
}

function createState(
  options: LedgerOptions,
  file: string,
  saved: SavedLedger | undefined,
  movedAside: string | undefined,
  folder: StateFolder,
): State {
  const missed = new Map(saved?.missed.map(({ source, records }) => [source, records]));
  const related = createRelatedRing({ events: saved?.related ?? [], counts: saved?.relatedCounts ?? [] });
  const recent = createRecentErrors(saved?.recent ?? []);
  const clocks = { now: options.now, steady: options.steady ?? options.now };
  return {
    ...options,
    folder,
    clocks,
    hasJumped: jumpDetector(clocks),
    jumpedAt: -Infinity,
    mending: { rows: new Set(), at: clocks.steady() + settleMs },
    ahead: undefined,
    file,
    rowsByKey: new Map(),
    dirty: new Set(),
    unpublished: new Set(),
    held: new Set(),
    dormant: new Set(),
    checkpoints: createCheckpointBook(saved?.checkpoints),
    sessionsByKey: new Map(),
    tallyBySource: new Map(),
    seen: createSeenRecords(saved?.seen ?? [], { now: options.now }),
    related,
    recent,
    availability: createAvailability(saved?.availability ?? [], options.now),
    errorHours: createErrorHours(saved?.errorHours ?? [], options.now),
    relatedHeld: new Map(),
    shownHappenings: happeningsOf(related, recent),
    gaps: createRecordGaps(saved?.logs ?? [], { steady: clocks.steady, now: options.now, missed }),
    missed,
    scrapers: createScrapers(saved?.scrapers ?? [], clocks),
    bounds: createBounds(options.limit ?? 2_000),
    names: createServerNames(saved?.servers),
    renames: 0,
    shortNames: new Set(),
    expected: new Map(),
    expectationDue: false,
    saving: { failing: undefined, lastSavedAt: undefined, saved: 0, failed: 0, movedAside },
    savedAt: undefined,
    unsaved: 0,
    batches: 0,
    batchesSaved: 0,
    dueAt: undefined,
    restUntil: 0,
    sweepAt: 0,
    closing: false,
    ended: false,
    wakeSaver: undefined,
    waiting: [],
  };
}

/** A saved row is shown at its saved value before the first read; what was missed meanwhile comes as one step. */
function restoreRow(state: State, { shown, former, toldElsewhere, ...written }: SavedRow): void {
  const times = savedTimes(written, state.clocks);
  const mended = shownTimes(times, state.clocks);
  const saved = isSameTimes(written, mended) ? written : { ...written, ...mended };
  const json = JSON.stringify({ ...written, shown, former, toldElsewhere } satisfies SavedRow);
  const row: Row = { ...freshRow(saved, times), saved, json, toldElsewhere: { ...toldElsewhere } };
  // Not at once: it may be the clock of now that is wrong, as at many a boot.
  if (saved !== written) state.mending.rows.add(row);
  state.rowsByKey.set(keyOf(saved), row);
  row.history = row.savedHistory = withCounters(saved, Object.entries(shown ?? {}) as [Counter, number][]);
  const isAttempt = saved.lastErrorAt === undefined && saved.lastAttemptAt !== undefined;
  row.dormant = isSilent(state, saved) || !isSame(state.bounds.place(saved, isAttempt), saved);
  if (row.dormant) {
    keepDormant(state, row);
    return;
  }
  row.published = saved;
  if (former) row.former = { rows: former, birth: state.scrapers.birth() };
  state.onPublished?.(saved);
  for (const counter of countersOf(saved)) hold(state, row, counter, row.history);
}

// ------------------------------------------------------------------------------------------------- entering

async function post(state: State, batch: Batch): Promise<void> {
  const news = enter(state, batch);
  state.unsaved++;
  state.batches++;
  // Whoever waits for the save waits for no longer than it takes.
  saveWithin(state, news || state.unsaved > batchesAhead ? 0 : lazySaveMs);
  // Invariant 4: while the ledger cannot be saved nothing is read on. The files are the buffer.
  while ((state.saving.failing !== undefined || state.unsaved > batchesAhead) && !state.closing) {
    await new Promise<void>((resolve) => state.waiting.push(resolve));
  }
}

async function untilSaved(state: State): Promise<void> {
  const wanted = state.batches;
  if (state.batchesSaved >= wanted) return;
  saveWithin(state, 0);
  while (state.batchesSaved < wanted) {
    if (state.ended) throw new Error('the exporter ended before it could save');
    await new Promise<void>((resolve) => state.waiting.push(resolve));
  }
}

function saveWithin(state: State, ms: number): void {
  const dueAt = Math.max(state.restUntil, performance.now() + ms);
  if (state.dueAt !== undefined && state.dueAt <= dueAt) return;
  state.dueAt = dueAt;
  state.wakeSaver?.();
}

/** Counts, marks and checkpoint in one go: nothing can come between them. @returns whether there is anything to show */
function enter(state: State, batch: Batch): boolean {
  const tally = tallyOf(state, batch.source);
  let news = false;
  heedClock(state);
  learnServers(state, serversOf(batch));
  for (const each of batch.evidence) {
    const told = ofOneServer(state, each);
    const isNew = !('key' in told) || state.seen.note(told.key);
    const dated = datedCredibly(state, told);
    if ('key' in dated) tally.outcomes[outcomeOf(dated, isNew)]++;
    if (isNew && dated.kind === 'related_event') state.related.note(dated);
    else if (isNew) enterEvidence(state, dated as Counted, batch.history || ('history' in dated && dated.history));
    news ||= isNew;
  }
  tally.outcomes.counted += batch.counted ?? 0;
  tally.outcomes.ignored += batch.ignored;
  for (const [reason, count] of Object.entries(batch.unreadable) as [UnreadableReason, number][]) {
    tally.outcomes.unreadable += count;
    tally.unreadable[reason] = (tally.unreadable[reason] ?? 0) + count;
  }
  if (noteRecordIds(state, batch)) news = true;
  if (batch.former) state.checkpoints.keep(batch.former);
  if (batch.checkpoint) state.checkpoints.keep(batch.checkpoint);
  for (const change of batch.sessions ?? []) {
    const { key, json } = underOneName(change, state.names.nameOf);
    noteShort(state, key.split('\n', 1)[0] ?? '');
    if (json === undefined) state.sessionsByKey.delete(key);
    else state.sessionsByKey.set(key, json);
  }
  return news;
}

function knowServers(state: State, names: readonly string[], declared: readonly DeclaredName[]): void {
  const before = state.names.known();
  for (const short of state.names.declare(declared)) renameServer(state, short);
  learnServers(state, new Set(names));
  // A restart needs what the inventory said also when nothing is counted meanwhile.
  if (state.names.known() !== before) saveWithin(state, lazySaveMs);
}

/** What a batch tells of servers goes before what it counts: the fuller name holds from its first record on. */
function learnServers(state: State, names: ReadonlySet<string>): void {
  for (const name of names) {
    const short = state.names.learn(name);
    if (short !== undefined) renameServer(state, short);
    else noteShort(state, name);
  }
}

function serversOf({ runs = [], evidence }: Batch): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { server } of runs) names.add(server);
  for (const { server } of evidence) names.add(server);
  return names;
}

/** Names under which something may stand that a fuller name is not known of: of all others there is nothing to carry over. */
function noteShort({ shortNames }: State, name: string): void {
  if (!name.includes('.') && shortNames.size < mostShortNames) shortNames.add(name);
}

/** All that is known of a server goes on under its full name. */
function renameServer(state: State, short: string): void {
  if (!state.shortNames.delete(short)) return;
  const full = state.names.nameOf(short);
  state.renames++;
  for (const row of renameRows(state, short, full)) if (row.published) state.onPublished?.(row.published);
  renameHappenings(state, short, full);
  state.seen.rename(short, full);
  state.gaps.rename(short, full);
  renameSessions(state.sessionsByKey, short, state.names.nameOf);
  expectRows(state, [...state.expected.values()]);
  state.onServerRenamed?.(short, full);
  saveWithin(state, 0);
}

/** Names of servers in a saved ledger, which may be of an exporter that did not put them together. */
function namesIn(saved: SavedLedger | undefined): string[] {
  const parts = [saved?.rows, saved?.relatedCounts, saved?.related, saved?.recent, saved?.sessions, saved?.logs];
  return [...parts, saved?.seen].flatMap((part) => (part ?? []).map(({ server }) => server));
}

function ofOneServer<Told extends Evidence>(state: State, told: Told): Told {
  const server = state.names.nameOf(told.server);
  if (server === told.server) return told;
  return { ...told, server, ...('key' in told && { key: { ...told.key, server } }) };
}

/** No record is later than now: what says so was dated by a clock that is wrong. */
function datedCredibly<Dated extends Evidence>(state: State, evidence: Dated): Dated {
  const now = state.now();
  const at = credibleTime(evidence.at, now);
  if (at === evidence.at) return evidence;
  if (Number.isFinite(evidence.at)) state.ahead = { at: evidence.at ?? now, steadyAt: state.clocks.steady() };
  return { ...evidence, at };
}

function outcomeOf({ kind }: Evidence, isNew: boolean): RecordOutcome {
  if (!isNew) return 'duplicate';
  return kind === 'related_event' ? 'related' : 'counted';
}

function noteRecordIds(state: State, batch: Batch): boolean {
  const { source, unfiltered, behind = false, missed = 0 } = batch;
  const runs = batch.runs?.map((run) => ({ ...run, server: state.names.nameOf(run.server) }));
  // A batch without a checkpoint comes from no file, and tells nothing of record IDs.
  if (batch.checkpoint) state.gaps.note({ source, runs, unfiltered, behind });
  if (missed > 0) state.gaps.miss(source, missed);
  return missed > 0;
}

function enterEvidence(state: State, evidence: Counted, history: boolean): void {
  if (evidence.kind !== 'connection_attempt') state.recent.note(evidence, state.now());
  const row = rowFor(state, evidence);
  const now = state.now();
  noteHour(state, row, evidence, now);
  const counter = counterOf(evidence);
  const isHistory = history && evidence.at !== undefined && evidence.at < now - historyMs;
  if (isHistory) row.history = raised(row.history, counter);
  if (history) row.awaitsHistory = true;
  const readAt = isHistory ? evidence.at : now;
  const { entered, times } = row;
  // An attempt alone is no error.
  if (counter === 'attempts') {
    row.times = { ...times, lastAttemptAt: laterTime(times.lastAttemptAt, readAt, state.clocks) };
  } else {
    const lastErrorAt = laterTime(times.lastErrorAt, evidence.at ?? now, state.clocks);
    const lastObservedAt = laterTime(times.lastObservedAt, readAt, state.clocks);
    row.times = { ...times, lastErrorAt, lastObservedAt };
  }
  row.entered = {
    ...entered,
    ...raised(entered, counter),
    ...shownTimes(row.times, state.clocks),
    // The first name stays: many hosts may share an address, and a label that changes is a new series.
    ...(evidence.kind !== 'connection_error' && { host: entered.host ?? evidence.host }),
  };
  state.dirty.add(row);
}

/** Under the name of its row: names of connectors that come from logs are bounded there. */
function noteHour({ errorHours }: State, { entered }: Row, evidence: Counted, now: number): void {
  if (evidence.kind === 'connection_attempt') return;
  const reason = evidence.kind === 'connection_failure' ? evidence.reason : undefined;
  errorHours.note(entered.connector, reason, evidence.at ?? now);
}

function counterOf(evidence: Counted): Counter {
  if (evidence.kind === 'connection_error') return 'errors';
  return evidence.kind === 'connection_attempt' ? 'attempts' : evidence.reason;
}

function raised({ errors, attempts, failures }: Counts, counter: Counter): Counts {
  if (counter === 'errors') return { errors: errors + 1, attempts, failures };
  if (counter === 'attempts') return { errors, attempts: attempts + 1, failures };
  return { errors, attempts, failures: { ...failures, [counter]: (failures[counter] ?? 0) + 1 } };
}

/** The row of a destination, or the row `other` of its connector when the limit is reached. */
function rowFor(state: State, { server, connector, destination, kind }: Counted): Row {
  const wanted = { server, connector, destination };
  const known = state.rowsByKey.get(keyOf(wanted));
  if (known && !known.dormant) return known;
  const isAttempt = kind === 'connection_attempt';
  const place = state.bounds.place(wanted, isAttempt);
  if (!isSame(place, wanted) && !isAttempt) state.bounds.fold(wanted);
  const row = state.rowsByKey.get(keyOf(place));
  if (row) {
    row.dormant = false;
    state.dormant.delete(row);
    return row;
  }
  const fresh = freshRow({ ...place, ...noCounts, ...never });
  state.rowsByKey.set(keyOf(place), fresh);
  return fresh;
}

function tallyOf(state: State, source: string): MutableTally {
  const known = state.tallyBySource.get(source);
  if (known) return known;
  const fresh = { outcomes: { counted: 0, related: 0, ignored: 0, duplicate: 0, unreadable: 0 }, unreadable: {} };
  state.tallyBySource.set(source, fresh);
  return fresh;
}

// --------------------------------------------------------------------------------------------------- saving

async function keepSaving(state: State): Promise<void> {
  while (!state.closing) {
    await untilDue(state);
    if (state.dueAt !== undefined) await saveOnce(state);
  }
  // What was entered while that save ran.
  if (state.dueAt !== undefined) await saveOnce(state);
  state.ended = true;
  release(state);
}

function untilDue(state: State): Promise<void> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const check = (): void => {
      clearTimeout(timer);
      const wait = state.dueAt === undefined ? undefined : state.dueAt - performance.now();
      if (state.closing || (wait !== undefined && wait <= 0)) {
        state.wakeSaver = undefined;
        resolve();
      } else if (wait !== undefined) timer = setTimeout(check, wait);
    };
    state.wakeSaver = check;
    check();
  });
}

type Snapshot = {
  readonly text: Buffer;
  readonly saves: readonly {
    readonly row: Row;
    readonly value: LedgerRow;
    readonly history: Counts;
    readonly seen: readonly Counter[];
    readonly names: number;
  }[];
  readonly batches: number;
  readonly renames: number;
  readonly missed: ReadonlyMap<string, number>;
  readonly happenings: Happenings;
};

/** Saves what is entered by now; what is entered meanwhile waits for the next save. */
async function saveOnce(state: State): Promise<void> {
  const started = performance.now();
  try {
    // Before anything is taken: what is entered while it runs belongs to this save.
    await state.folder.ready();
  } catch (error) {
    noteFailed(state, error);
    return;
  }
  const { text, saves, batches, renames, missed, happenings } = takeSnapshot(state);
  try {
    await replaceFile(state.file, text, state.operations);
    state.folder.noteSaved();
    for (const { row, value, history, seen, names } of saves) {
      // Renamed meanwhile: the next save says what it is now.
      if (row.names !== names) continue;
      Object.assign(row, { saved: value, savedHistory: history });
      state.unpublished.add(row);
      for (const counter of seen) letGo(state, row, counter);
    }
    state.missed = missed;
    state.batchesSaved = batches;
    if (state.renames === renames) showHappenings(state, happenings);
    publish(state);
    noteSaved(state, performance.now() - started);
  } catch (error) {
    for (const { row, names } of saves) if (row.names === names) state.dirty.add(row);
    noteFailed(state, error);
  }
}

/**
 * The file to be and what it says, taken in one go (invariant 2): were a batch entered in between, the file would hold its
 * place and its record IDs without its counts, and a crash before the next save would lose these for good.
 */
function takeSnapshot(state: State): Snapshot {
  const rows = [...state.dirty];
  state.gaps.settle();
  for (const row of rows) row.json = jsonOf(row);
  state.dirty.clear();
  state.unsaved = 0;
  state.dueAt = undefined;
  return {
    text: textOf(state),
    saves: rows.map((row) => ({
      row,
      value: row.entered,
      history: row.history,
      seen: seenIn(row),
      names: row.names,
    })),
    batches: state.batches,
    renames: state.renames,
    missed: new Map(state.gaps.missed()),
    happenings: happeningsOf(state.related, state.recent, state.shownHappenings),
  };
}

/** What was deleted under us is saved again, also when nothing is read; what may not be written is found out. */
async function lookAfterFolder(state: State): Promise<void> {
  if (await state.folder.isWhole()) return;
  saveWithin(state, 0);
}

const folderLookMs = 5_000;

/** A row as it is saved, with the series that scrapers have yet to read at their previous value. */
function jsonOf(row: Row): string {
  const { entered, published, held, history, former, toldElsewhere } = row;
  const before = countersOf(entered).flatMap((counter): [Counter, number][] => {
    const known = held?.get(counter);
    if (known?.seen ?? (published && hasCounter(published, counter) && !known)) return [];
    const value = known?.value ?? valueOf(history, counter);
    return value === valueOf(entered, counter) ? [] : [[counter, value]];
  });
  const shown = before.length === 0 ? undefined : Object.fromEntries(before);
  const told = Object.keys(toldElsewhere).length === 0 ? undefined : toldElsewhere;
  return JSON.stringify({ ...entered, shown, toldElsewhere: told, former: former?.rows } satisfies SavedRow);
}

function textOf(state: State): Buffer {
  return ledgerBytes(state.now(), {
    rows: [...state.rowsByKey.values()].filter((row) => row.json !== '').map((row) => row.json),
    checkpoints: state.checkpoints.texts(),
    seen: state.seen.texts(),
    scrapers: state.scrapers.all().map((each) => JSON.stringify(each)),
    logs: state.gaps.texts(),
    missed: [...state.gaps.missed()].map(([source, records]) => JSON.stringify({ source, records })),
    sessions: state.sessionsByKey.values(),
    related: state.related.texts(),
    relatedCounts: state.related.counts().map((each) => JSON.stringify(each)),
    recent: state.recent.texts(),
    availability: state.availability.texts(),
    errorHours: state.errorHours.texts(),
    servers: state.names.known().map((each) => JSON.stringify(each)),
  });
}

function happeningsOf(related: RelatedRing, recent: RecentErrors, before?: Happenings): Happenings {
  const version = related.version() + recent.version();
  if (before?.version === version) return before;
  return { version, counts: related.counts(), related: related.events(), recent: recent.all() };
}

function showHappenings(state: State, happenings: Happenings): void {
  if (state.shownHappenings === happenings) return;
  const known = new Set(state.shownHappenings.counts.map(nameOfCount));
  for (const each of happenings.counts) {
    const name = nameOfCount(each);
    if (!known.has(name)) state.relatedHeld.set(name, { value: 0, birth: state.scrapers.birth() });
  }
  state.shownHappenings = happenings;
}

/** As rows: what is shown stands still until all have seen it, then begins under the full name, and then goes on. */
function renameHappenings(state: State, from: string, to: string): void {
  const before = new Map(state.shownHappenings.counts.map((each) => [nameOfCount(each), each]));
  const wasTold = state.scrapers.all().length > 0;
  const shownOfCount = (each: RelatedCount): number => state.relatedHeld.get(nameOfCount(each))?.value ?? each.count;
  for (const each of [...before.values()].filter(({ server }) => server === from)) {
    const name = nameOfCount({ ...each, server: to });
    const known = before.get(name);
    const told = known && wasTold ? shownOfCount(each) : 0;
    const value = known ? shownOfCount(known) : shownOfCount(each);
    const former = [{ ...each, count: shownOfCount(each) }, ...(known ? [{ ...known, count: value }] : [])];
    before.delete(nameOfCount(each));
    state.relatedHeld.delete(nameOfCount(each));
    before.set(name, { ...each, server: to, count: (known?.count ?? 0) + each.count - told });
    state.relatedHeld.set(name, { value, birth: state.scrapers.birth(), ...(wasTold && { former }) });
    if (told > 0) state.related.forget(each, told);
  }
  state.related.rename(from, to);
  state.recent.rename(from, to);
  state.shownHappenings = { ...state.shownHappenings, counts: [...before.values()] };
}

function nameOfCount({ server, provider, eventId }: RelatedCount): string {
  return `${server}\n${provider}\n${eventId}`;
}

/** Invariant 6 for these counters too: `increase()` sees nothing of a series that is born at one. */
function shownRelatedCounts(state: State): RelatedCount[] {
  const seenByAll = state.scrapers.seenByAll();
  for (const [name, { birth, former, value }] of state.relatedHeld) {
    if (birth > seenByAll) continue;
    if (former) state.relatedHeld.set(name, { value, birth: state.scrapers.birth() });
    else state.relatedHeld.delete(name);
  }
  return state.shownHappenings.counts.flatMap((each) => {
    const held = state.relatedHeld.get(nameOfCount(each));
    return held?.former ?? [held ? { ...each, count: held.value } : each];
  });
}

function noteSaved(state: State, tookMs: number): void {
  if (state.saving.failing !== undefined) state.onSaving?.(undefined);
  state.saving = { ...state.saving, failing: undefined, saved: state.saving.saved + 1 };
  state.savedAt = { at: state.now(), steadyAt: state.clocks.steady() };
  state.restUntil = performance.now() + Math.min(tookMs * pauseFactor, lazySaveMs);
  if (state.dueAt !== undefined) state.dueAt = Math.max(state.dueAt, state.restUntil);
  else state.dueAt = gapsDueAt(state);
  release(state);
}

/** A gap in the record IDs counts when it has been open for long, also when nothing is read meanwhile. */
function gapsDueAt(state: State): number | undefined {
  const at = state.gaps.dueAt();
  return at === undefined ? undefined : Math.max(state.restUntil, performance.now() + at - state.clocks.steady());
}

function noteFailed(state: State, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (state.saving.failing !== message) state.onSaving?.(message);
  state.saving = { ...state.saving, failing: message, failed: state.saving.failed + 1 };
  state.dueAt = performance.now() + retryMs;
}

function release(state: State): void {
  const waiting = state.waiting;
  state.waiting = [];
  for (const resume of waiting) resume();
}

// ----------------------------------------------------------------------------------------------- publishing

/** Shows what is saved. History waits until all of it is read, so that its series are born at their whole value. */
function publish(state: State): void {
  heedClock(state);
  const reading = state.readingHistory?.() ?? false;
  if (state.expectationDue && !reading) showExpected(state);
  const former = formerKeys(state);
  for (const row of state.unpublished) {
    // The series of that name are still those of another row.
    if (!row.published && former.has(keyOf(row.entered))) continue;
    if (row.awaitsHistory && (reading || row.history !== row.savedHistory)) continue;
    state.unpublished.delete(row);
    row.awaitsHistory = false;
    if (!row.saved) continue;
    if ((!row.published || isWithoutEvidence(row.published)) && isSilent(state, row.saved)) {
      // First read of what was long ago: not shown, as after a restart. What was entered since has a save of its own.
      if (row.saved === row.entered) rest(state, row);
      continue;
    }
    // A new series is first shown as it was before its news: at zero, or at what history says.
    for (const counter of countersOf(row.saved)) {
      if (!row.published || !hasCounter(row.published, counter)) hold(state, row, counter, row.history);
    }
    row.published = row.saved;
    state.onPublished?.(row.saved);
  }
}

/** Under which scrapers are still shown what stands under a fuller name by now. */
function formerKeys({ held }: State): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { former, entered } of held)
    for (const row of former?.rows ?? []) if (row.server !== entered.server) keys.add(keyOf(row));
  return keys;
}

/** Under the one name that each server has by now. */
function expectRows(state: State, rows: readonly RowName[]): void {
  const named = rows.map((row) => ({ ...row, server: state.names.nameOf(row.server) }));
  for (const { server } of named) noteShort(state, server);
  state.expected = new Map(named.map((row) => [keyOf(row), row]));
  state.expectationDue = true;
}

/** Rows without evidence exist exactly while they are expected; they are not saved. */
function showExpected(state: State): void {
  const former = formerKeys(state);
  state.expectationDue = [...state.expected.keys()].some((key) => former.has(key));
  for (const [key, row] of state.rowsByKey) {
    if (!isMerelyExpected(row)) continue;
    if (state.expected.has(key)) continue;
    state.rowsByKey.delete(key);
    state.held.delete(row);
    state.bounds.release(row.entered);
  }
  for (const [key, name] of state.expected) {
    if (state.rowsByKey.has(key) || former.has(key) || !isSame(state.bounds.place(name), name)) continue;
    const row = freshRow({ ...name, ...noCounts, ...never });
    row.saved = row.published = row.entered;
    state.rowsByKey.set(key, row);
    hold(state, row, 'errors', noCounts);
  }
}

function publishedRows(state: State): LedgerRow[] {
  publish(state);
  sweep(state);
  return [...state.rowsByKey.values()].flatMap((row) => row.published ?? []);
}

function dormantErrors(state: State, connector: string): number {
  let errors = 0;
  for (const { saved } of state.dormant) if (saved?.connector === connector) errors += saved.errors;
  return errors;
}

function scrape(state: State): Scrape {
  publish(state);
  sweep(state);
  noteSeen(state);
  const births = state.scrapers.births();
  const rows: LedgerRow[] = [];
  let heldBack = 0;
  for (const row of state.rowsByKey.values()) {
    const shown = shownOf(row);
    heldBack += shown.behind;
    rows.push(...shown.rows);
  }
  const readBy = async (scraper: string): Promise<void> => {
    state.scrapers.hasRead(scraper, births);
    noteSeen(state);
    while (!state.closing && [...state.held].some((row) => seenIn(row).length > 0))
      await new Promise<void>((resolve) => state.waiting.push(resolve));
  };
  return { rows, held: heldBack, readBy };
}

function hold(state: State, row: Row, counter: Counter, before: Counts): void {
  row.held ??= new Map();
  row.held.set(counter, { value: valueOf(before, counter), birth: state.scrapers.birth(), seen: false });
  state.held.add(row);
}

/** Series that all scrapers have read at their previous value: those with news are released when that is saved. */
function noteSeen(state: State): void {
  const seenByAll = state.scrapers.seenByAll();
  for (const row of state.held) {
    if (row.former) {
      if (row.former.birth > seenByAll) continue;
      endFormer(row, state.scrapers.birth);
      state.dirty.add(row);
      saveWithin(state, 0);
    }
    for (const [counter, held] of row.held ?? []) {
      if (held.seen || held.birth > seenByAll) continue;
      if (held.value === valueOf(row.entered, counter)) {
        letGo(state, row, counter);
        continue;
      }
      held.seen = true;
      state.dirty.add(row);
      saveWithin(state, 0);
    }
  }
}

/** Series of a row that all have seen, which is not saved yet. */
function seenIn(row: Row): Counter[] {
  return [...(row.held ?? [])].filter(([, held]) => held.seen).map(([counter]) => counter);
}

function letGo(state: State, row: Row, counter: Counter): void {
  row.held?.delete(counter);
  if (row.held?.size !== 0) return;
  row.held = undefined;
  state.held.delete(row);
}

/** Destinations silent for long go dormant (invariant 7): no longer shown, value kept for their return. */
function sweep(state: State): void {
  const now = state.clocks.steady();
  if (now < state.sweepAt || now - state.jumpedAt < settleMs) return;
  state.sweepAt = now + sweepMs;
  for (const row of state.rowsByKey.values()) {
    // What is being saved or waits to be seen stays until it is.
    if (!row.published || row.saved !== row.entered || row.held || !isSilent(state, row.entered)) continue;
    rest(state, row);
  }
}

/** Is no longer shown, or never was; all that it counted is history when it returns. */
function rest(state: State, row: Row): void {
  row.history = row.savedHistory = row.entered;
  row.published = undefined;
  row.held = undefined;
  state.held.delete(row);
  keepDormant(state, row);
  state.bounds.release(row.entered);
}

/** When the clock was set, every time is looked at again; nothing is forgotten by a clock that is wrong for a moment. */
function heedClock(state: State): void {
  if (state.hasJumped()) {
    state.jumpedAt = state.clocks.steady();
    for (const row of state.rowsByKey.values()) mendTimes(state, row);
    for (const row of state.dormant) if (!isSilent(state, row.entered)) wake(state, row);
  }
  if (state.mending.rows.size === 0 || state.clocks.steady() < state.mending.at) return;
  for (const row of state.mending.rows) if (!row.dormant) state.dirty.add(row);
  state.mending.rows.clear();
  saveWithin(state, 0);
}

function mendTimes(state: State, row: Row): void {
  const times = shownTimes(row.times, state.clocks);
  if (isSameTimes(times, row.entered)) return;
  row.entered = { ...row.entered, ...times };
  // What is not shown is published only when it wakes.
  if (row.dormant) row.saved = row.entered;
  else state.dirty.add(row);
  saveWithin(state, 0);
}

/** It was taken for silent by a clock that was wrong. */
function wake(state: State, row: Row): void {
  const isAttempt = row.entered.lastErrorAt === undefined;
  if (!isSame(state.bounds.place(row.entered, isAttempt), row.entered)) return;
  row.dormant = false;
  state.dormant.delete(row);
  state.unpublished.add(row);
}

function keepDormant(state: State, row: Row): void {
  row.dormant = true;
  state.dormant.add(row);
  const [oldest] = state.dormant;
  if (!oldest || state.dormant.size <= (state.maxDormant ?? maxDormant)) return;
  state.dormant.delete(oldest);
  state.rowsByKey.delete(keyOf(oldest.entered));
}

function isSilent(state: State, row: LedgerRow): boolean {
  if (state.forgetAfterMs === undefined || row.destination === otherDestination) return false;
  const lastAt = latest(row.lastObservedAt, row.lastAttemptAt);
  return lastAt !== undefined && state.now() - lastAt > state.forgetAfterMs;
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

/** What the pages show, worked out from both books as plain data; knows nothing of HTML or HTTP. */
import type { Backlog } from '../health/backlog.js';
import { sortedInSteps, type Steps } from '../runtime/breath.js';
import { recentMs, type DiagnosedPair } from '../diagnosis/diagnosis.js';
import type { DestinationAvailability } from '../ledger/availability.js';
import type { ErrorHours } from '../ledger/error-hours.js';
import type { Outcome } from '../board/board.js';
import type {
  LedgerRow,
  OwnHost,
  PathReport,
  PingReport,
  ProbeResult,
  Reason,
  RecentError,
  RelatedEvent,
  SourceStatus,
  StepName,
} from '../model/model.js';

/** The ledger as the pages read it. */
export type LedgerView = {
  readonly rows: () => readonly LedgerRow[];
  /** Errors counted under the destination `other`, and the latest destinations that are, newest last. */
  readonly folded?: () => {
    readonly errors: number;
    readonly latest: readonly { readonly connector: string; readonly destination: string }[];
  };
  /** Related events that are kept, and the errors of the last day. */
  readonly related?: () => readonly RelatedEvent[];
  readonly recent?: () => readonly RecentError[];
  /** Errors of a connector by reason and hour, for a week. */
  readonly errorHours?: (connector: string) => readonly ErrorHours[];
  /** How many visits of a destination passed, and its last outages; undefined when it was not visited within 30 days. */
  readonly availability?: (destination: string) => DestinationAvailability | undefined;
  /** Trouble with saving: why it fails (undefined when it works), and when it last worked (ms since 1970 UTC). */
  readonly saving: () => {
    readonly failing: string | undefined;
    readonly lastSavedAt: number | undefined;
    /** What was wrong with a damaged ledger at the start, and where it is now. */
    readonly movedAside?: string | undefined;
  };
};

/** One visit; a step that failed without deciding the outcome is its warning. */
export type Visit = ProbeResult & { readonly warning?: { readonly step: StepName; readonly reason: Reason } };

/** What the board knows of one destination; the part of it that pages show. Times are milliseconds since 1970 UTC. */
export type BoardEntry = {
  readonly destination: string;
  readonly latest: Visit;
  readonly lastGood: Visit | undefined;
  readonly lastFailed: Visit | undefined;
  readonly lastSuccessAt: number | undefined;
  readonly failingSince: number | undefined;
  /** Visits made so far. */
  readonly probes: number;
  readonly failedInARow: number;
  readonly passingSince?: number | undefined;
  /** The latest visits in short, oldest first. */
  readonly outcomes?: readonly Outcome[];
  readonly ping?: PingReport | undefined;
  readonly path?: PathReport | undefined;
};

export type { Outcome };

/** The board as the pages read it. */
export type BoardView = {
  readonly entry: (destination: string) => BoardEntry | undefined;
  readonly entries: () => readonly BoardEntry[];
  /** Visits that are kept, newest first; failed ones may be kept longer than good ones. */
  readonly history: (destination: string) => readonly Visit[];
};

/** Whether the exporter does its job, with a sentence for everything that is missing. */
export type Ready = { readonly ready: boolean; readonly why: readonly string[] };

/** Everything a page may read. */
export type Books = {
  readonly ledger: LedgerView;
  readonly board: BoardView;
  readonly sources: () => readonly SourceStatus[];
  /** What is to be probed, whether it was already or not. */
  readonly targets?: () => readonly { readonly destination: string }[];
  /** A sentence when this destination is never probed; undefined when it is. */
  readonly notProbed: (destination: string) => string | undefined;
  /** One word and one sentence for every pair with an error within the last hour; worked out one by one as they are read. */
  readonly diagnoses: () => Iterable<DiagnosedPair>;
  readonly ready: () => Ready;
  /** What is not seen, or not in force, though the exporter does its job: a sentence each. */
  readonly notices?: () => readonly string[];
  /** What can be typed where this exporter runs. */
  readonly ownHost?: () => OwnHost;
  /** What the sources have not read yet, where it is much. */
  readonly backlog?: () => Backlog | undefined;
};

/**
 * How a row stands, worst first.
 *
 * `unreachable`: the probe gets no connection. `refusing`: it gets one, and SMTP or TLS fails. `intermittent`: the probe
 * passes, but Exchange logged an error within `recentMs`; `recovered`: and it came through since. `unprobed_errors`: such an error, and nobody probes.
 */
export const rowStates = [
  'unreachable',
  'refusing',
  'intermittent',
  'unprobed_errors',
  'recovered',
  'waiting',
  'not_probed',
  'reachable',
] as const;
export type RowState = (typeof rowStates)[number];

/** One line of the status table: a Send connector of a server and a destination, or a destination without errors. */
export type Row = {
  /** Undefined when the destination is probed but no connector ever failed on it. */
  readonly server: string | undefined;
  readonly connector: string | undefined;
  readonly destination: string;
  readonly errors: number;
  /** What the transport logs tell: attempts to connect, and failures by reason. */
  readonly attempts: number;
  readonly failures: LedgerRow['failures'];
  readonly lastErrorAt: number | undefined;
  readonly entry: BoardEntry | undefined;
  /** Sentence; undefined when the destination is probed. */
  readonly notProbed: string | undefined;
  /** Present when it erred within the last hour. */
  readonly diagnosis: DiagnosedPair | undefined;
  /** Errors of the last day. */
  readonly recent: readonly RecentError[];
  readonly state: RowState;
};

export { recentMs };

/** Both books joined by destination, latest error first. */
export function* rowsOf(books: Books, now: number): Steps<Row[]> {
  const told = yield* toldOf(books);
  const rows: Row[] = [];
  const known = new Set<string>();
  for (const row of books.ledger.rows()) {
    yield;
    if (isBlank(row)) continue;
    known.add(row.destination);
    rows.push(joined(books, row, now, told));
  }
  const probed = [...books.board.entries(), ...(books.targets?.() ?? [])];
  for (const { destination } of probed) {
    yield;
    if (known.size === known.add(destination).size) continue;
    rows.push(joined(books, { destination }, now, told));
  }
  return yield* sortedInSteps(rows, byLatestError);
}

/** A connector that delivers anywhere stands at zero before its first error: a series to count from, and nothing to show. */
function isBlank({ destination, errors, lastErrorAt, lastAttemptAt }: LedgerRow): boolean {
  return destination === 'other' && errors === 0 && lastErrorAt === undefined && lastAttemptAt === undefined;
}

type Told = {
  readonly diagnoses: ReadonlyMap<string, DiagnosedPair>;
  readonly recent: ReadonlyMap<string, readonly RecentError[]>;
};

function* toldOf(books: Books): Steps<Told> {
  const recent = new Map<string, RecentError[]>();
  for (const error of books.ledger.recent?.() ?? []) {
    const known = recent.get(pairKey(error));
    if (known) known.push(error);
    else recent.set(pairKey(error), [error]);
  }
  const diagnoses = new Map<string, DiagnosedPair>();
  for (const each of books.diagnoses()) {
    yield;
    diagnoses.set(pairKey(each), each);
  }
  return { diagnoses, recent };
}

function pairKey({ server = '', connector = '', destination }: Partial<LedgerRow> & { destination: string }): string {
  return `${server}\n${connector}\n${destination}`;
}

function joined(books: Books, from: Partial<LedgerRow> & { destination: string }, now: number, told: Told): Row {
  const facts = {
    server: from.server,
    connector: from.connector,
    destination: from.destination,
    errors: from.errors ?? 0,
    attempts: from.attempts ?? 0,
    failures: from.failures ?? {},
    lastErrorAt: from.lastErrorAt ?? from.lastObservedAt,
    entry: books.board.entry(from.destination),
    notProbed: books.notProbed(from.destination),
    diagnosis: told.diagnoses.get(pairKey(from)),
    recent: told.recent.get(pairKey(from)) ?? [],
  };
  const observedAt = from.lastObservedAt ?? from.lastErrorAt;
  const state = stateOf(facts, observedAt !== undefined && now - observedAt < recentMs);
  return { ...facts, state: state === 'intermittent' && facts.diagnosis?.word === 'recovered' ? 'recovered' : state };
}

function stateOf(row: Pick<Row, 'entry' | 'notProbed'>, recentError: boolean): RowState {
  // A visit from before probing was switched off or forbidden says nothing about now.
  const latest = row.notProbed === undefined ? row.entry?.latest : undefined;
  if (latest === undefined || latest.reason === 'blocked_by_policy') {
    if (recentError) return 'unprobed_errors';
    return row.notProbed === undefined && latest === undefined ? 'waiting' : 'not_probed';
  }
  if (latest.success) return recentError ? 'intermittent' : 'reachable';
  return latest.failedStep === 'dns' || latest.failedStep === 'tcp' ? 'unreachable' : 'refusing';
}

/** Rows with the latest error first; rows without any error after them, the ones with failing probes first. */
function byLatestError(a: Row, b: Row): number {
  return (
    (b.lastErrorAt ?? -1) - (a.lastErrorAt ?? -1) ||
    rowStates.indexOf(a.state) - rowStates.indexOf(b.state) ||
    byText(a.destination, b.destination) ||
    byText(a.connector ?? '', b.connector ?? '') ||
    byText(a.server ?? '', b.server ?? '')
  );
}

// Comparing code units is 20 times faster than localeCompare, and numbers in addresses gain nothing from a language.
function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

// ------------------------------------------------------------------------------------------------- choosing rows

export const sortKeys = ['last', 'errors', 'state', 'destination', 'connector', 'server'] as const;
export type SortKey = (typeof sortKeys)[number];

/** What a reader asked the table for; all of it lives in the address of the page. */
export type Choice = {
  readonly search: string;
  readonly state: RowState | 'trouble' | undefined;
  readonly server: string | undefined;
  readonly sort: SortKey;
  readonly reversed: boolean;
  /** From 1; `all` shows every row on one page. */
  readonly page: number | 'all';
};

/** Reads a choice from query parameters; whatever is not understood falls back to its default. */
export function choiceOf(query: URLSearchParams): Choice {
  const state = query.get('state');
  const page = query.get('page');
  const server = query.get('server')?.slice(0, 200);
  return {
    search: (query.get('q') ?? '').trim().slice(0, 200),
    state: state === 'trouble' ? state : rowStates.find((known) => known === state),
    server: server === '' ? undefined : server,
    sort: sortKeys.find((known) => known === query.get('sort')) ?? 'last',
    reversed: query.get('dir') === 'reverse',
    page: page === 'all' ? page : Math.max(1, Math.min(1e6, Math.trunc(Number(page)) || 1)),
  };
}

/** States that need somebody. */
export const troubles: readonly RowState[] = ['unreachable', 'refusing', 'intermittent', 'unprobed_errors'];

/** The rows that fit the choice, in its order; all pages of them. `rows` come in the order of `rowsOf`. */
export function* chosenRows(rows: readonly Row[], choice: Choice): Steps<Row[]> {
  const words = choice.search.toLowerCase().split(/\s+/).filter(Boolean);
  const kept: Row[] = [];
  for (const row of rows) {
    yield;
    if (fits(row, choice, words)) kept.push(row);
  }
  const order = orders[choice.sort];
  // The sort is stable, so equal rows keep the latest error on top.
  const sorted = order ? yield* sortedInSteps(kept, order) : kept;
  return choice.reversed ? sorted.reverse() : sorted;
}

function fits(row: Row, { state, server }: Choice, words: readonly string[]): boolean {
  if (state !== undefined && (state === 'trouble' ? !troubles.includes(row.state) : row.state !== state)) return false;
  if (server !== undefined && row.server !== server) return false;
  if (words.length === 0) return true;
  const text = searchText(row);
  return words.every((word) => text.includes(word));
}

const orders: Record<SortKey, ((a: Row, b: Row) => number) | undefined> = {
  last: undefined,
  errors: (a, b) => b.errors - a.errors,
  state: (a, b) => rowStates.indexOf(a.state) - rowStates.indexOf(b.state),
  destination: (a, b) => byText(a.destination, b.destination),
  connector: (a, b) => byText(a.connector ?? '\uffff', b.connector ?? '\uffff'),
  server: (a, b) => byText(a.server ?? '\uffff', b.server ?? '\uffff'),
};

function searchText(row: Row): string {
  const latest = row.entry?.latest;
  const text = [row.connector, row.server, row.destination, latest?.host, latest?.reason, latest?.failedStep];
  return text.filter(Boolean).join('\n').toLowerCase();
}

/**
 * How many destinations stand in each state: each once, in the worst state of its rows. The headline and the numbers below
 * it both come from here.
 */
export function countsOf(rows: readonly Row[]): Record<RowState, number> {
  const worst = new Map<string, number>();
  for (const { destination, state } of rows) {
    const rank = rowStates.indexOf(state);
    if (rank < (worst.get(destination) ?? Infinity)) worst.set(destination, rank);
  }
  const counts = Object.fromEntries(rowStates.map((state) => [state, 0])) as Record<RowState, number>;
  for (const rank of worst.values()) {
    const state = rowStates[rank];
    if (state) counts[state] += 1;
  }
  return counts;
}

/** The row in the worst state, and of several the one that has been in trouble longest: a newer error changes nothing. */
export function worstOf(rows: readonly Row[]): Row | undefined {
  let worst: Row | undefined;
  for (const row of rows) if (!worst || byTrouble(row, worst) < 0) worst = row;
  return worst;
}

function byTrouble(a: Row, b: Row): number {
  return (
    rowStates.indexOf(a.state) - rowStates.indexOf(b.state) ||
    compared(troubleSince(a), troubleSince(b)) ||
    byText(a.destination, b.destination) ||
    byText(a.connector ?? '', b.connector ?? '') ||
    byText(a.server ?? '', b.server ?? '')
  );
}

/** Since when the probe fails; where it does not, the first error that is kept. */
function troubleSince({ state, entry, recent }: Row): number {
  if (state === 'unreachable' || state === 'refusing') return entry?.failingSince ?? entry?.latest.at ?? Infinity;
  return recent.reduce((first, { at }) => Math.min(first, at), Infinity);
}

function compared(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Rows that fit all the labels an alert gave; labels that are absent fit every row. A server may have got its full name since. */
export function rowsFor(
  rows: readonly Row[],
  labels: { server?: string; connector?: string; destination?: string },
): Row[] {
  const server = labels.server?.toLowerCase();
  const isKnown = rows.some((row) => row.server === server);
  return rows.filter(
    (row) =>
      (server === undefined || row.server === server || (!isKnown && row.server?.startsWith(`${server}.`) === true)) &&
      (labels.connector === undefined || row.connector === labels.connector) &&
      (labels.destination === undefined || row.destination === labels.destination),
  );
}

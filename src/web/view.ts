/** What the pages show, worked out from both books as plain data; knows nothing of HTML or HTTP. */
import type { BoardEntry } from '../board/board.js';
import type { Outcome } from '../board/outcomes.js';
import { type DiagnosedPair, recentMs } from '../diagnosis/diagnosis.js';
import type { LedgerRow } from '../model/batch.js';
import type { RecentError } from '../model/evidence.js';
import { sortedInSteps, type Steps } from '../runtime/breath.js';
import type { Books } from './books.js';

export type { Outcome };

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
  const probed = [...books.board.entries(), ...books.targets()];
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
  for (const error of books.ledger.recent()) {
    const known = recent.get(pairKey(error));
    if (known) known.push(error);
    else recent.set(pairKey(error), [error]);
  }
  const diagnoses = new Map<string, DiagnosedPair>();
  for (const each of books.diagnoses()) {
    yield;
    if (each) diagnoses.set(pairKey(each), each);
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
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
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

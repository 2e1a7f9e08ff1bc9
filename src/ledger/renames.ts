/**
 * Carries what stands under a short name of a server over to its full one, so that nobody who scrapes loses or doubles a
 * count (docs/server-names.md).
 *
 * `increase()` sees what is added to a series between two of its samples. So the series of the old name stand still at what
 * they show until every scraper has read that; then they end, and those of the full name begin at the same values; and what
 * has come meanwhile is added when every scraper has read these. Where the full name had the series already, that one goes
 * on from what it shows: what the old one told is not told again.
 */
import type { Bounds } from './bounds.js';
import type { Counter } from './saved.js';
import {
  countersOf,
  freshRow,
  hasCounter,
  isMerelyExpected,
  keyOf,
  never,
  noCounts,
  showRow,
  valueOf,
  withCounters,
  type Counts,
  type Held,
  type Row,
} from './row.js';
import type { LedgerRow } from '../model/batch.js';
import { keyOfShipped, type JoinState, type SessionChange } from '../model/sessions.js';
import { laterTimes } from './row-times.js';

export type RowBook = {
  readonly rowsByKey: Map<string, Row>;
  readonly dirty: Set<Row>;
  readonly unpublished: Set<Row>;
  readonly awaiting: Set<Row>;
  readonly held: Set<Row>;
  readonly dormant: Set<Row>;
  readonly mending: Set<Row>;
  readonly bounds: Bounds;
  readonly scrapers: { readonly birth: () => number; readonly all: () => readonly unknown[] };
};

/** Has all rows of a server stand under its fuller name. @returns those that are shown there */
export function renameRows(book: RowBook, from: string, to: string): Row[] {
  const renamed: Row[] = [];
  for (const row of [...book.rowsByKey.values()]) {
    if (row.entered.server !== from) continue;
    book.rowsByKey.delete(keyOf(row.entered));
    const name = { ...row.entered, server: to };
    if (isMerelyExpected(row)) {
      // The inventory expects it under the full name from now on.
      leave(book, row);
      book.bounds.release(row.entered);
      continue;
    }
    const into = book.rowsByKey.get(keyOf(name)) ?? freshRow({ ...name, ...noCounts, ...never, host: undefined });
    book.rowsByKey.set(keyOf(name), into);
    moveRow(book, row, into);
    renamed.push(into);
  }
  return renamed;
}

function moveRow(book: RowBook, from: Row, into: Row): void {
  const isNew = isMerelyExpected(into) && into.published === undefined;
  const isShown = !from.dormant || (!isNew && !into.dormant);
  if (!from.dormant) book.bounds.move(from.entered, isNew || into.dormant ? into.entered : undefined);
  const [intoKnown, fromKnown] = [into, from].map((row) => row.published ?? (row.dormant ? row.saved : undefined));
  if (book.scrapers.all().length > 0 && from.published) {
    const shown: LedgerRow[] = [];
    for (const row of [from, into]) showRow(row, shown);
    const rows = new Map(shown.map((row) => [row.server, row]));
    into.former = { rows: [...rows.values()], birth: book.scrapers.birth() };
  }
  if (isShown && (intoKnown ?? fromKnown))
    holdSums(book, { row: into, known: intoKnown }, { row: from, known: fromKnown });
  Object.assign(into, {
    entered: sumOf(into.entered, from.entered),
    times: laterTimes(into.times, from.times),
    saved: sumOfKnown(into, into.saved, from.saved),
    published: isShown ? sumOfKnown(into, intoKnown, fromKnown) : undefined,
    history: countsOf(into.history, from.history),
    savedHistory: countsOf(into.savedHistory, from.savedHistory),
    awaitsHistory: into.awaitsHistory || from.awaitsHistory,
    dormant: !isShown,
    names: into.names + 1,
  });
  into.isKept ||= from.isKept;
  // What is being written of both was written before.
  into.snapshot = Math.max(into.snapshot, from.snapshot);
  from.names++;
  if (isShown) book.dormant.delete(into);
  else book.dormant.add(into);
  if (book.unpublished.has(from)) book.unpublished.add(into);
  if (book.awaiting.has(from)) book.awaiting.add(into);
  if (book.mending.has(from)) book.mending.add(into);
  leave(book, from);
  book.dirty.add(into);
}

type Known = { readonly row: Row; readonly known: LedgerRow | undefined };

/** Each series goes on from the values that scrapers see of it, and no more is shown until all have seen these. */
function holdSums(book: RowBook, into: Known, from: Known): void {
  const held = new Map<Counter, Held>();
  const wasTold = book.scrapers.all().length > 0;
  const toldElsewhere = { ...into.row.toldElsewhere };
  const seen = ({ row, known }: Known, counter: Counter): number =>
    row.held?.get(counter)?.value ?? (known ? valueOf(known, counter) : 0);
  const counters = [into, from].flatMap(({ known }) => (known ? countersOf(known) : []));
  for (const counter of new Set(counters)) {
    const before = seen(from, counter);
    const hasSeries = into.known !== undefined && hasCounter(into.known, counter);
    const told = hasSeries ? (wasTold ? before : 0) : (from.row.toldElsewhere[counter] ?? 0);
    if (told > 0) toldElsewhere[counter] = (toldElsewhere[counter] ?? 0) + told;
    held.set(counter, { value: seen(into, counter) + before, birth: book.scrapers.birth(), seen: false });
  }
  Object.assign(into.row, { held, toldElsewhere });
  book.held.add(into.row);
}

/** All that scrapers were shown of the former names is read: now the series of the full name are born. */
export function endFormer(row: Row, birth: () => number): void {
  row.former = undefined;
  for (const held of row.held?.values() ?? []) held.birth = birth();
}

function leave({ dirty, unpublished, awaiting, held, dormant, mending }: RowBook, row: Row): void {
  for (const rows of [dirty, unpublished, awaiting, held, dormant, mending]) rows.delete(row);
}

function sumOfKnown({ entered }: Row, a: LedgerRow | undefined, b: LedgerRow | undefined): LedgerRow | undefined {
  const { server } = entered;
  if (a && b) return sumOf(a, b);
  return a ?? (b && { ...b, server });
}

/** Under the name of the first. */
function sumOf(a: LedgerRow, b: LedgerRow): LedgerRow {
  const host = a.host ?? b.host;
  return {
    ...a,
    ...countsOf(a, b),
    lastErrorAt: later(a.lastErrorAt, b.lastErrorAt),
    lastObservedAt: later(a.lastObservedAt, b.lastObservedAt),
    lastAttemptAt: later(a.lastAttemptAt, b.lastAttemptAt),
    ...(host !== undefined && { host }),
  };
}

function countsOf(a: Counts, b: Counts): Counts {
  const counters = ['errors', 'attempts', ...Object.keys({ ...a.failures, ...b.failures })] as Counter[];
  return withCounters(
    noCounts,
    counters.map((counter) => [counter, valueOf(a, counter) + valueOf(b, counter)]),
  );
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

/** As the reader of the transport logs makes it. */
export function sessionKeyOf(saved: JoinState): string {
  if ('path' in saved) return keyOfShipped(saved);
  return 'session' in saved ? `${saved.server}\n${saved.session}` : saved.server;
}

/** The same change under the one name of its server. */
export function underOneName({ key, json }: SessionChange, nameOf: (server: string) => string): SessionChange {
  const [told = '', ...session] = key.split('\n');
  const server = nameOf(told);
  if (server === told) return { key, json };
  return {
    key: [server, ...session].join('\n'),
    json: json && JSON.stringify({ ...(JSON.parse(json) as JoinState), server }),
  };
}

/** Open sessions go on under the fuller name; the reader of the transport logs does the same. */
export function renameSessions(jsonByKey: Map<string, string>, from: string, nameOf: (server: string) => string): void {
  for (const [key, json] of [...jsonByKey]) {
    if (key !== from && !key.startsWith(`${from}\n`)) continue;
    jsonByKey.delete(key);
    const { key: renamed } = underOneName({ key, json: undefined }, nameOf);
    if (!jsonByKey.has(renamed)) jsonByKey.set(renamed, underOneName({ key, json }, nameOf).json ?? json);
  }
}

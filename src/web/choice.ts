/** What a reader chose to see: a filter, an order, and the rows that it leaves. */
import { sortedInSteps, type Steps } from '../runtime/breath.js';
import { byText, type Row, type RowState, rowStates } from './view.js';

const sortKeys = ['last', 'errors', 'state', 'destination', 'connector', 'server'] as const;

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

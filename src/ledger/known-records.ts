/**
 * The records of one log that are known one by one, in order of ID and time, on pages of numbers that are written over:
 * a book that fills takes little memory and leaves little garbage.
 */
import {
  endsBefore,
  idAt,
  joined,
  mostOnPage,
  type Page,
  pageOf,
  pairsOn,
  placeOn,
  putOn,
  secondAt,
  takeFrom,
  untimed,
} from './record-page.js';
import { sameAs } from './record-seconds.js';

export type KnownRecords = {
  /**
   * @param second of `record-seconds.ts`; NaN when the time is not known: it is the same as any other, and any other as it
   * @param tolerance seconds by which times of the same record may differ
   */
  readonly has: (id: number, second: number, tolerance: number) => boolean;
  readonly add: (id: number, second: number) => void;
  readonly remove: (id: number, second: number) => void;
};

/** Pages in ascending order, none of them empty, and the last ID on each: to find a page by these alone is much faster. */
type Book = { readonly pages: Page[]; readonly ends: number[] };

export function createKnownRecords(): KnownRecords {
  const book: Book = { pages: [], ends: [] };
  return {
    has: (id, second, tolerance) => {
      const first = book.pages[pageFor(book, id, untimed)];
      const at = first ? placeOn(first, id, untimed) : 0;
      if (!first || idAt(first, at) !== id) return false;
      const earliest = secondAt(first, at);
      if (Number.isNaN(second) || earliest === untimed) return true;
      for (const [from, to] of sameAs(second, tolerance)) if (isKnownBetween(book, id, from, to)) return true;
      return false;
    },
    add: (id, second) => {
      add(book, id, Number.isNaN(second) ? untimed : second);
    },
    remove: (id, second) => {
      remove(book, id, Number.isNaN(second) ? untimed : second);
    },
  };
}

function isKnownBetween(book: Book, id: number, from: number, to: number): boolean {
  const page = book.pages[pageFor(book, id, from)];
  const nearest = page ? placeOn(page, id, from) : 0;
  return page !== undefined && idAt(page, nearest) === id && secondAt(page, nearest) <= to;
}

/** Which page is the first that ends with this pair or one after it; the last page when there is none. */
function pageFor({ pages, ends }: Book, id: number, second: number): number {
  let low = 0;
  let high = ends.length - 1;
  // Nearly always what comes is newer than all that is known.
  if (high > 0 && (ends[high] ?? 0) < id) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    const end = ends[middle] ?? 0;
    const page = end === id ? pages[middle] : undefined;
    if (end < id || (page && endsBefore(page, id, second))) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts pages in the place of some that stand one after the other. */
function replace({ pages, ends }: Book, number: number, count: number, ...by: readonly Page[]): void {
  pages.splice(number, count, ...by);
  ends.splice(number, count, ...by.map((page) => idAt(page, page.count - 1)));
}

function add(book: Book, id: number, second: number): void {
  let number = pageFor(book, id, second);
  let page = book.pages[number];
  let at = page ? placeOn(page, id, second) : 0;
  // What comes in order leaves full pages behind it.
  if (!page || at === mostOnPage) {
    replace(book, number + 1, 0, pageOf(new Float64Array([id, second])));
    return;
  }
  if (page.count === mostOnPage) {
    const kept = Math.max(at, mostOnPage / 2);
    makeRoom(book, number, page, kept);
    if (at > kept) [number, at, page] = [number + 1, at - kept, book.pages[number + 1] ?? page];
  }
  putOn(page, at, id, second);
  if (at === page.count - 1) book.ends[number] = id;
}

/** Moves what is behind the first `kept` pairs of a page to the next one, or to one between where that has no room. */
function makeRoom(book: Book, number: number, page: Page, kept: number): void {
  const moved = pairsOn(page, kept);
  page.count = kept;
  const next = book.pages[number + 1];
  if (next && next.count + moved.length / 2 < mostOnPage)
    replace(book, number, 2, page, pageOf(joined([moved, pairsOn(next)])));
  else replace(book, number, 1, page, pageOf(moved));
}

function remove(book: Book, id: number, second: number): void {
  const number = pageFor(book, id, second);
  const page = book.pages[number];
  const at = page ? placeOn(page, id, second) : 0;
  if (!page || idAt(page, at) !== id || secondAt(page, at) !== second) return;
  takeFrom(page, at);
  if (page.count === 0) replace(book, number, 1);
  else if (at === page.count) book.ends[number] = idAt(page, at - 1);
  if (!joinNext(book, number)) joinNext(book, number - 1);
}

/** Neighbours that together fill half a page become one: there are never many pages with little on them. */
function joinNext(book: Book, number: number): boolean {
  const [page, next] = [book.pages[number], book.pages[number + 1]];
  if (!page || !next || page.count + next.count > mostOnPage / 2) return false;
  replace(book, number, 2, pageOf(joined([pairsOn(page), pairsOn(next)])));
  return true;
}

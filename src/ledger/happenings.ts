/**
 * Related events by number, the last of them, and the errors of the last day: shown as the file on disk says them, and
 * their counters as scrapers may see them (invariant 6: `increase()` sees nothing of a series that is born at one).
 */
import type { RecentErrors } from './recent-errors.js';
import type { RelatedCount, RelatedRing } from './related-ring.js';
import type { Scrapers } from './scrapers.js';
import type { RecentError, RelatedEvent } from '../model/evidence.js';

export type Happenings = {
  /** What the file will say when a save that is taken now is done. */
  readonly take: () => Told;
  /** The file says this from now on. */
  readonly show: (told: Told) => void;
  /** As rows: what is shown stands still until all have seen it, then begins under the full name, and then goes on. */
  readonly rename: (from: string, to: string) => void;
  /** A new counter is at zero until all have seen it. */
  readonly counts: () => readonly RelatedCount[];
  readonly related: () => readonly RelatedEvent[];
  readonly recent: () => readonly RecentError[];
};

type Told = {
  readonly version: number;
  readonly counts: readonly RelatedCount[];
  readonly related: readonly RelatedEvent[];
  readonly recent: readonly RecentError[];
};

/** What scrapers are shown of a counter: until all have seen it under the former names, or at this value. */
type HeldCount = { readonly value: number; readonly birth: number; readonly former?: readonly RelatedCount[] };

type Book = {
  readonly ring: RelatedRing;
  readonly errors: RecentErrors;
  readonly scrapers: Scrapers;
  readonly held: Map<string, HeldCount>;
  shown: Told;
};

export function createHappenings(ring: RelatedRing, errors: RecentErrors, scrapers: Scrapers): Happenings {
  const book: Book = { ring, errors, scrapers, held: new Map(), shown: toldBy(ring, errors) };
  return {
    take: () => toldBy(ring, errors, book.shown),
    show: (told) => {
      show(book, told);
    },
    rename: (from, to) => {
      rename(book, from, to);
    },
    counts: () => shownCounts(book),
    related: () => book.shown.related,
    recent: () => book.shown.recent,
  };
}

function toldBy(ring: RelatedRing, errors: RecentErrors, before?: Told): Told {
  const version = ring.version() + errors.version();
  if (before?.version === version) return before;
  return { version, counts: ring.counts(), related: ring.events(), recent: errors.all() };
}

function show(book: Book, told: Told): void {
  if (book.shown === told) return;
  const known = new Set(book.shown.counts.map(nameOf));
  for (const each of told.counts) {
    const name = nameOf(each);
    if (!known.has(name)) book.held.set(name, { value: 0, birth: book.scrapers.birth() });
  }
  book.shown = told;
}

function rename(book: Book, from: string, to: string): void {
  const { ring, errors, scrapers, held } = book;
  const before = new Map(book.shown.counts.map((each) => [nameOf(each), each]));
  const wasTold = scrapers.all().length > 0;
  const shownOf = (each: RelatedCount): number => held.get(nameOf(each))?.value ?? each.count;
  for (const each of [...before.values()].filter(({ server }) => server === from)) {
    const name = nameOf({ ...each, server: to });
    const known = before.get(name);
    const told = known && wasTold ? shownOf(each) : 0;
    const value = known ? shownOf(known) : shownOf(each);
    const former = [{ ...each, count: shownOf(each) }, ...(known ? [{ ...known, count: value }] : [])];
    before.delete(nameOf(each));
    held.delete(nameOf(each));
    before.set(name, { ...each, server: to, count: (known?.count ?? 0) + each.count - told });
    held.set(name, { value, birth: scrapers.birth(), ...(wasTold && { former }) });
    if (told > 0) ring.forget(each, told);
  }
  ring.rename(from, to);
  errors.rename(from, to);
  book.shown = { ...book.shown, counts: [...before.values()] };
}

function nameOf({ server, provider, eventId }: RelatedCount): string {
  return `${server}\n${provider}\n${eventId}`;
}

function shownCounts({ scrapers, held, shown }: Book): RelatedCount[] {
  const seenByAll = scrapers.seenByAll();
  for (const [name, { birth, former, value }] of held) {
    if (birth > seenByAll) continue;
    if (former) held.set(name, { value, birth: scrapers.birth() });
    else held.delete(name);
  }
  return shown.counts.flatMap((each) => {
    const heldBack = held.get(nameOf(each));
    return heldBack?.former ?? [heldBack ? { ...each, count: heldBack.value } : each];
  });
}

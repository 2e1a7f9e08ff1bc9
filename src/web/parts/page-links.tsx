/** Links to the pages of a long list; which page is shown lives in the address. */
import type { VNode } from 'preact';

type PageLinksProps = {
  readonly number: number | 'all';
  readonly pages: number;
  readonly addressOf: (number: number | 'all') => string;
  readonly label: string;
  /** Whether everything on one page is offered. */
  readonly all?: boolean;
};

/** Nothing where all fits on one page. */
export function PageLinks({ number, pages, addressOf, label, all = false }: PageLinksProps): VNode | null {
  if (pages < 2) return null;
  return (
    <nav class="pages" aria-label={label}>
      {placesOf(number, pages).map((place, index) =>
        place === undefined ? (
          <span key={`gap ${index}`}>…</span>
        ) : (
          <PageLink key={place} place={place} number={number} addressOf={addressOf} />
        ),
      )}
      {all ? <PageLink place="all" number={number} addressOf={addressOf} /> : null}
    </nav>
  );
}

type PageLinkProps = Pick<PageLinksProps, 'number' | 'addressOf'> & { readonly place: number | 'all' };

function PageLink({ place, number, addressOf }: PageLinkProps): VNode {
  return (
    <a href={addressOf(place)} {...(place === number ? { 'aria-current': 'page' } : {})}>
      {place === 'all' ? 'All' : place}
    </a>
  );
}

/** The first, the last and those around the one shown; undefined stands for a gap. */
function placesOf(number: number | 'all', pages: number): (number | undefined)[] {
  const middle = number === 'all' ? 1 : number;
  const shown = Array.from({ length: pages }, (_, index) => index + 1).filter(
    (place) => place === 1 || place === pages || Math.abs(place - middle) <= 3,
  );
  return shown.flatMap((place, index) => (place - (shown[index - 1] ?? 0) > 1 ? [undefined, place] : [place]));
}

/** The part of a list that stands on one page. */
export type Slice<Item> = { readonly items: readonly Item[]; readonly number: number; readonly pages: number };

/** A page beyond the last shows the last. */
export function sliceOf<Item>(all: readonly Item[], size: number, wanted: number): Slice<Item> {
  const pages = Math.max(1, Math.ceil(all.length / size));
  const number = Math.min(Math.max(1, wanted), pages);
  return { items: all.slice((number - 1) * size, number * size), number, pages };
}

/** The number of a page as a query names it; whatever is not understood is the first. */
export function numberIn(query: URLSearchParams, key: string): number {
  return Math.max(1, Math.min(1e6, Math.trunc(Number(query.get(key))) || 1));
}

/** The address with one more value in its query; none for the first page. */
export function addressOfPage(address: string, key: string, number: number | 'all'): string {
  if (number === 1) return address;
  return `${address}${address.includes('?') ? '&' : '?'}${key}=${number}`;
}

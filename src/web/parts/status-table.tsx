/** The table of the status page with its filters, its order and its pages; all of that lives in the address. */
import type { VNode } from 'preact';
import { Choosable, SearchField, ServerField } from './filter-fields.js';
import type { PageContext } from '../pages/page.js';
import { PageLinks } from './page-links.js';
import { RowTable, type Sorting } from './row-table.js';
import { rowStates, type Row } from '../view.js';
import type { Choice, SortKey } from '../choice.js';
import { stateWords } from './words.js';

const pageSize = 250;

export function Filters({ page, rows, choice }: { page: PageContext; rows: readonly Row[]; choice: Choice }): VNode {
  const filtered = choice.search !== '' || choice.state !== undefined || choice.server !== undefined;
  return (
    <form class="filters" method="get" action={page.links.page('/')} role="search" aria-label="Filter the table">
      <SearchField value={choice.search} placeholder="Connector, destination, reason" />
      <label>
        <span>State</span>
        <select name="state">
          <option value="">Every state</option>
          <Choosable value="trouble" text="Needs attention" chosen={choice.state} />
          {rowStates.map((state) => (
            <Choosable key={state} value={state} text={stateWords[state].word} chosen={choice.state} />
          ))}
        </select>
      </label>
      <ServerField servers={rows.flatMap((row) => row.server ?? [])} chosen={choice.server} />
      {choice.sort === 'last' ? null : <input type="hidden" name="sort" value={choice.sort} />}
      {choice.reversed ? <input type="hidden" name="dir" value="reverse" /> : null}
      <button type="submit">Show</button>
      {filtered ? <a href={page.links.page('/')}>Clear</a> : null}
    </form>
  );
}

type TableProps = { page: PageContext; rows: readonly Row[]; all: number; choice: Choice };

export function Table({ page, rows, all, choice }: TableProps): VNode {
  if (rows.length === 0) {
    return (
      <p class="empty">
        {all === 0
          ? 'Rows appear here with the first error that is read or the first destination that is probed.'
          : 'No row fits this filter.'}
      </p>
    );
  }
  const pages = Math.ceil(rows.length / pageSize);
  const number = choice.page === 'all' ? 'all' : Math.min(choice.page, pages);
  const shown = number === 'all' ? rows : rows.slice((number - 1) * pageSize, number * pageSize);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Send connectors and destinations">
        <RowTable
          rows={shown}
          page={page}
          caption={captionOf(shown.length, rows.length, all)}
          sorting={sortingOf(page, choice)}
        />
      </div>
      <PageLinks
        number={number}
        pages={pages}
        addressOf={(other) => addressOf(page, { ...choice, page: other })}
        label="Pages of the table"
        all
      />
    </>
  );
}

function captionOf(shown: number, fitting: number, all: number): string {
  const rows = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'}`;
  const of = fitting === all ? rows(all) : `${rows(fitting)} of ${all.toLocaleString('en')}`;
  return `Send connectors and destinations: ${shown === fitting ? of : `${shown} on this page, ${of}`}`;
}

/** Numbers and times start with the greatest, texts with A; asking for the same column again turns it round. */
function sortingOf(page: PageContext, choice: Choice): Sorting {
  const descendingFirst: readonly SortKey[] = ['last', 'errors'];
  return (key) => {
    const current = choice.sort === key;
    const descending = descendingFirst.includes(key) !== (current && choice.reversed);
    return {
      href: addressOf(page, { ...choice, sort: key, reversed: current && !choice.reversed, page: 1 }),
      direction: current ? (descending ? 'descending' : 'ascending') : undefined,
    };
  };
}

/** The address of the status page that shows this choice. */
function addressOf(page: PageContext, choice: Choice): string {
  const query = new URLSearchParams();
  if (choice.search !== '') query.set('q', choice.search);
  if (choice.state !== undefined) query.set('state', choice.state);
  if (choice.server !== undefined) query.set('server', choice.server);
  if (choice.sort !== 'last') query.set('sort', choice.sort);
  if (choice.reversed) query.set('dir', 'reverse');
  if (choice.page !== 1) query.set('page', String(choice.page));
  const text = query.toString();
  return page.links.page('/') + (text === '' ? '' : `?${text}`);
}

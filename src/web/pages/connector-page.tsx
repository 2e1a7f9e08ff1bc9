/** `/connectors/:name`: one Send connector with all its servers and destinations. */
import type { VNode } from 'preact';
import { Name } from '../parts/name.js';
import { visibleText } from '../../runtime/visible-text.js';
import { Live } from '../parts/layout.js';
import { notFound } from './error-page.js';
import { wellFormed } from '../parts/links.js';
import type { Answer, Page, PageContext } from './page.js';
import { addressOfPage, numberIn, PageLinks, sliceOf } from '../parts/page-links.js';
import { StateBadge } from '../parts/pieces.js';
import { ErrorPlots } from '../parts/error-plot.js';
import { Explained } from '../parts/explained.js';
import { happeningsAround } from '../parts/happenings.js';
import { nearMinutes, TimeLine } from '../parts/time-line.js';
import { NextStep, RowTable } from '../parts/row-table.js';
import { Situation } from './destination-page.js';
import { worstOf, type Row } from '../view.js';
import { headlineOf, stateWords } from '../parts/words.js';

export const connectorPage: Page = {
  path: '/connectors{/:name}',
  needsRows: true,
  show(page, { params, query }): Answer {
    const name = params.name ?? query.get('name');
    if (name === null)
      return { status: 302, title: 'Send connectors', section: 'status', body: <p />, redirect: page.links.page('/') };
    const rows = page.rows.filter(
      (row) => row.connector !== undefined && wellFormed(row.connector) === wellFormed(name),
    );
    const worst = worstOf(rows);
    if (!worst)
      return notFound(
        page,
        <>
          No Send connector called <Name>{name}</Name> has logged an error.
        </>,
      );
    const here = page.links.connector(name);
    const body = (
      <Live id="now">
        <Head name={name} rows={rows} worst={worst} page={page} />
        <ErrorPlots hours={page.ledger.errorHours(rows[0]?.connector ?? name)} now={page.now} />
        <h2>Servers and destinations</h2>
        <Destinations
          rows={rows}
          page={page}
          number={numberIn(query, 'page')}
          addressOf={(number) => addressOfPage(here, 'page', number)}
        />
        <h2>Time line of its errors and the events within {nearMinutes} minutes of them</h2>
        <TimeLine
          happenings={happeningsAround(rows, page)}
          page={page}
          label="Time line, newest first"
          paging={{
            size: 10,
            number: numberIn(query, 'line'),
            addressOf: (number) => addressOfPage(here, 'line', number),
          }}
          all
        />
      </Live>
    );
    return { status: 200, title: `${visibleText(name)}: ${stateWords[worst.state].word}`, section: 'status', body };
  },
};

type HeadProps = {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly worst: Row;
  readonly page: PageContext;
};

function Head({ name, rows, worst, page }: HeadProps): VNode {
  const errors = rows.reduce((sum, row) => sum + row.errors, 0);
  const headline = headlineOf(rows);
  return (
    <section class={`hero ${headline.tone}`}>
      <p class="kicker">Send connector</p>
      <h1>
        <span>
          <Name>{name}</Name>
        </span>{' '}
        <StateBadge state={worst.state} />
      </h1>
      <p>
        {headline.text} {errors.toLocaleString('en')} {errors === 1 ? 'error' : 'errors'} counted in all.
      </p>
      <p>
        <code>
          <Name>{worst.destination}</Name>
        </code>
        : <Situation row={worst} page={page} /> <NextStep row={worst} page={page} />
      </p>
      <Explained row={worst} page={page} />
    </section>
  );
}

type DestinationsProps = {
  readonly rows: readonly Row[];
  readonly page: PageContext;
  readonly number: number;
  readonly addressOf: (number: number | 'all') => string;
};

function Destinations({ rows, page, number: wanted, addressOf }: DestinationsProps): VNode {
  const { items, number, pages } = sliceOf(rows, 10, wanted);
  const part = pages === 1 ? '' : `: ${items.length} of ${rows.length.toLocaleString('en')} on this page`;
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Destinations of this Send connector">
        <RowTable lean rows={items} page={page} caption={`Its servers and destinations, latest error first${part}`} />
      </div>
      <PageLinks number={number} pages={pages} addressOf={addressOf} label="Pages of the destinations" />
    </>
  );
}

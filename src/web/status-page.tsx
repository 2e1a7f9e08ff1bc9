/** `/`: what is broken in one sentence, then every Send connector and destination. */
import type { VNode } from 'preact';
import { Live } from './layout.js';
import type { Answer, Page, PageContext } from './page.js';
import { Banner, InlineMoment, Sources } from './pieces.js';
import { NextStep, RowTable, type Sorting } from './row-table.js';
import { choiceOf, chosenRows, countsOf, rowsOf, rowStates, type Choice, type Row, type SortKey } from './view.js';
import { headlineOf, isoOf, clockOf, reasonWords, stateWords } from './words.js';

const pageSize = 250;

export const statusPage: Page = {
  path: '/',
  show(page, { query }): Answer {
    const rows = rowsOf(page, page.now);
    const choice = choiceOf(query);
    const headline = headlineOf(rows);
    const body = (
      <>
        <Live id="now">
          <Banners page={page} />
          <Headline page={page} rows={rows} />
        </Live>
        <Filters page={page} rows={rows} choice={choice} />
        <Live id="rows">
          <Table page={page} rows={chosenRows(rows, choice)} all={rows.length} choice={choice} />
        </Live>
        <h2 id="sources-title">Sources</h2>
        <Live id="sources">
          <Sources sources={page.sources()} now={page.now} />
        </Live>
      </>
    );
    return { status: 200, title: headline.text.replace(/\.$/, ''), section: 'status', body };
  },
};

/** Trouble of the exporter itself stands above all else: below it no number can be trusted. */
function Banners({ page }: { page: PageContext }): VNode {
  const ready = page.ready();
  const down = page.sources().filter((source) => !source.up);
  return (
    <>
      <SavingBanner page={page} />
      {down.length === 0 ? null : (
        <Banner
          tone="warn"
          title={down.length === 1 ? 'A source cannot be read.' : `${down.length} sources cannot be read.`}
        >
          New errors may be missing here. <a href="#sources-title">See the sources</a>
          <Guide page={page} name="SendConnectorSourceStalled" source={down[0]?.source} />
        </Banner>
      )}
      {ready.ready ? null : (
        <Banner tone="warn" title="The exporter is not ready.">
          {ready.why.join(' ')}
        </Banner>
      )}
    </>
  );
}

function SavingBanner({ page }: { page: PageContext }): VNode | null {
  const { failing, lastSavedAt } = page.ledger.saving();
  if (failing === undefined) return null;
  return (
    <Banner tone="bad" title="The counts below stand still: they cannot be saved.">
      {failing.replace(/\.?$/, '.')}{' '}
      {lastSavedAt === undefined ? null : (
        <>
          Last saved at <InlineMoment at={lastSavedAt} now={page.now} />.{' '}
        </>
      )}
      Reading has stopped so that nothing is counted twice; the log files keep what is not read yet. Free the disk or
      repair the state folder, and it goes on by itself
      <Guide page={page} name="StateNotSaved" source={undefined} />
    </Banner>
  );
}

/** The end of a sentence, with a link to the runbook where it is installed. */
function Guide({ page, name, source }: { page: PageContext; name: string; source: string | undefined }): VNode {
  return page.runbooks.has(name) ? (
    <>
      {', or follow '}
      <a href={page.links.runbook(name, { source })}>the runbook</a>.
    </>
  ) : (
    <>.</>
  );
}

function Headline({ page, rows }: { page: PageContext; rows: readonly Row[] }): VNode {
  const { tone, text, latest } = headlineOf(rows);
  const symbol = { bad: '✖', warn: '▲', good: '✔', quiet: '○' }[tone];
  return (
    <section class={`hero ${tone}`} aria-labelledby="headline">
      <h1 id="headline">
        <i aria-hidden="true">{symbol}</i> <span>{text}</span>
      </h1>
      {latest === undefined ? null : (
        <p>
          Latest: <Latest page={page} row={latest} /> <NextStep row={latest} page={page} />
        </p>
      )}
      {rows.length === 0 ? <FirstSteps page={page} /> : <Counts page={page} rows={rows} />}
    </section>
  );
}

function Latest({ page, row }: { page: PageContext; row: Row }): VNode {
  const latest = row.state === 'unreachable' || row.state === 'refusing' ? row.entry?.latest : undefined;
  const since = latest === undefined ? row.lastErrorAt : (row.entry?.failingSince ?? latest.at);
  return (
    <>
      <b>
        {row.connector === undefined ? '' : `${row.connector} → `}
        <a href={page.links.destination(row.destination)}>{row.destination}</a>
      </b>
      {latest ? `, ${reasonWords[latest.reason ?? 'other'].what} since ` : ', last error at '}
      {since === undefined ? 'an unknown time' : <time dateTime={isoOf(since)}>{clockOf(since, page.now)}</time>}.
    </>
  );
}

function FirstSteps({ page }: { page: PageContext }): VNode {
  return (
    <p>
      Exchange writes event 2002 only when the logging level of SmtpSend is High or Expert:{' '}
      <code>{'Set-EventLogLevel "<server>\\MSExchangeTransport\\SmtpSend" -Level High'}</code>. Until then an empty page
      is no proof of health. <a href={page.links.page('/runbooks')}>Runbooks</a>
    </p>
  );
}

function Counts({ page, rows }: { page: PageContext; rows: readonly Row[] }): VNode {
  const counts = countsOf(rows);
  return (
    <ul class="counts" aria-label="Rows by state">
      {rowStates
        .filter((state) => counts[state] > 0)
        .map((state) => (
          <li key={state}>
            <a class={`b ${stateWords[state].tone}`} href={`${page.links.page('/')}?state=${state}`}>
              <b>{counts[state]}</b> {stateWords[state].word.toLowerCase()}
            </a>
          </li>
        ))}
    </ul>
  );
}

// ------------------------------------------------------------------------------------------------------ the table

function Filters({ page, rows, choice }: { page: PageContext; rows: readonly Row[]; choice: Choice }): VNode {
  const servers = [...new Set(rows.flatMap((row) => row.server ?? []))].sort();
  const filtered = choice.search !== '' || choice.state !== undefined || choice.server !== undefined;
  return (
    <form class="filters" method="get" action={page.links.page('/')} role="search" aria-label="Filter the table">
      <label>
        <span>Search</span>
        <input
          type="search"
          name="q"
          value={choice.search}
          maxLength={200}
          placeholder="Connector, destination, reason"
        />
      </label>
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
      {servers.length < 2 && choice.server === undefined ? null : (
        <label>
          <span>Server</span>
          <select name="server">
            <option value="">Every server</option>
            {servers.map((server) => (
              <Choosable key={server} value={server} text={server} chosen={choice.server} />
            ))}
          </select>
        </label>
      )}
      {choice.sort === 'last' ? null : <input type="hidden" name="sort" value={choice.sort} />}
      {choice.reversed ? <input type="hidden" name="dir" value="reverse" /> : null}
      <button type="submit">Show</button>
      {filtered ? <a href={page.links.page('/')}>Clear</a> : null}
    </form>
  );
}

function Choosable({ value, text, chosen }: { value: string; text: string; chosen: string | undefined }): VNode {
  return (
    <option value={value} selected={value === chosen}>
      {text}
    </option>
  );
}

type TableProps = { page: PageContext; rows: readonly Row[]; all: number; choice: Choice };

function Table({ page, rows, all, choice }: TableProps): VNode {
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
      {pages > 1 ? <Pages page={page} choice={choice} number={number} pages={pages} /> : null}
    </>
  );
}

function captionOf(shown: number, fitting: number, all: number): string {
  const rows = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'}`;
  const of = fitting === all ? rows(all) : `${rows(fitting)} of ${all.toLocaleString('en')}`;
  return `Send connectors and destinations: ${shown === fitting ? of : `${shown} on this page, ${of}`}`;
}

function Pages({
  page,
  choice,
  number,
  pages,
}: {
  page: PageContext;
  choice: Choice;
  number: number | 'all';
  pages: number;
}): VNode {
  const numbers = [...Array.from({ length: pages }, (_, index) => index + 1), 'all' as const];
  return (
    <nav class="pages" aria-label="Pages of the table">
      {numbers.map((other) => (
        <a
          key={other}
          href={addressOf(page, { ...choice, page: other })}
          {...(other === number ? { 'aria-current': 'page' } : {})}
        >
          {other === 'all' ? 'All' : other}
        </a>
      ))}
    </nav>
  );
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

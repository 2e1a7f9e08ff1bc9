/** `/runbooks/:name`: what to do, with the live state of whatever the alert named on top. */
import type { VNode } from 'preact';
import { Name } from '../parts/name.js';
import { OneVisit, Situation } from './destination-page.js';
import { notFound } from './error-page.js';
import { Explained } from '../parts/explained.js';
import { happeningsAround } from '../parts/happenings.js';
import { Live } from '../parts/layout.js';
import { contextKeys, contextOf, reasonLink, type Context } from '../parts/links.js';
import type { Answer, Page, PageContext } from './page.js';
import { PingSays } from '../parts/path-panel.js';
import { InlineMoment, StateBadge } from '../parts/pieces.js';
import { Sources } from '../parts/sources.js';
import { RowTable } from '../parts/row-table.js';
import { nearMinutes, TimeLine } from '../parts/time-line.js';
import { rowsFor } from '../choice.js';
import type { Row } from '../view.js';
import { reasonWords, stateWords } from '../parts/words.js';

export const runbookPage: Page = {
  path: '/runbooks/:name',
  needsRows: true,
  show(page, { params, query }): Answer {
    const context = contextFrom(query);
    const name = params.name ?? '';
    const runbook = page.runbooks.show(name, context, page.links);
    if (!runbook)
      return notFound(
        page,
        <>
          There is no runbook called <Name>{name}</Name>.
        </>,
      );
    const body = (
      <div class="book">
        <article>
          <p class="kicker">Runbook</p>
          <h1>{runbook.title}</h1>
          <Live id="now">
            <LiveState page={page} context={context} />
          </Live>
          <div class="prose" dangerouslySetInnerHTML={{ __html: runbook.html }} />
        </article>
        {runbook.headings.length < 2 ? null : (
          <nav class="contents" aria-label="On this page">
            <p class="kicker">On this page</p>
            {runbook.headings.map(({ id, text }) => (
              <a key={id} href={`#${id}`}>
                {text}
              </a>
            ))}
          </nav>
        )}
      </div>
    );
    return { status: 200, title: runbook.title, section: 'runbooks', body };
  },
};

/** The README of the folder where there is one, since Git hosts show it in the same place; else a plain list. */
export const runbookIndexPage: Page = {
  path: '/runbooks',
  needsRows: false,
  show(page): Answer {
    const readme = page.runbooks.show('README', {}, page.links);
    const body = (
      <article>
        <p class="kicker">What to do</p>
        <h1>{readme?.title ?? 'Runbooks'}</h1>
        {readme ? <div class="prose" dangerouslySetInnerHTML={{ __html: readme.html }} /> : <RunbookList page={page} />}
      </article>
    );
    return { status: 200, title: 'Runbooks', section: 'runbooks', body };
  },
};

function RunbookList({ page }: { page: PageContext }): VNode {
  const { list } = page.runbooks;
  if (list.length === 0) return <p class="empty">No runbooks are installed beside this exporter.</p>;
  return (
    <ul class="index">
      {list.map(({ name, title, summary }) => (
        <li key={name}>
          <a href={page.links.runbook(name)}>{title}</a>
          {title === name ? null : <small>{name}</small>}
          <p>{summary}</p>
        </li>
      ))}
    </ul>
  );
}

// Anybody can write a link: values are bounded here and escaped wherever they are shown.
function contextFrom(query: URLSearchParams): Context {
  const pairs = contextKeys.flatMap((key) => {
    const value = query.get(key)?.slice(0, 512);
    return value === undefined || value === '' ? [] : [[key, value] as const];
  });
  return Object.fromEntries(pairs);
}

function LiveState({ page, context }: { page: PageContext; context: Context }): VNode | null {
  if (context.source !== undefined) {
    const sources = page.sources().filter((source) => source.source === context.source);
    return sources.length === 0 ? <Unknown context={context} /> : <Sources sources={sources} now={page.now} />;
  }
  const { server, connector, destination } = context;
  if (server === undefined && connector === undefined && destination === undefined) return null;
  const rows = rowsFor(page.rows, {
    ...(server === undefined ? {} : { server }),
    ...(connector === undefined ? {} : { connector }),
    ...(destination === undefined ? {} : { destination }),
  });
  const [first, ...others] = rows;
  if (!first) return <Unknown context={context} />;
  return (
    <>
      <NowPanel row={first} page={page} />
      {others.length === 0 ? null : (
        <details>
          <summary>{`${others.length} more ${others.length === 1 ? 'row fits' : 'rows fit'} this alert`}</summary>
          <div class="scroll" tabIndex={0} role="region" aria-label="More rows">
            <RowTable rows={others.slice(0, 100)} page={page} caption="Latest error first" />
          </div>
        </details>
      )}
    </>
  );
}

function NowPanel({ row, page }: { row: Row; page: PageContext }): VNode {
  const latest = row.entry?.latest;
  return (
    <section class={`hero now ${stateWords[row.state].tone}`} aria-label="Live state">
      <p class="kicker">Right now</p>
      <h2>
        {row.connector === undefined ? null : (
          <>
            <a href={page.links.connector(row.connector)}>
              <Name>{row.connector}</Name>
            </a>{' '}
            →{' '}
          </>
        )}
        <a href={page.links.destination(row.destination)}>
          <Name>{row.destination}</Name>
        </a>{' '}
        <StateBadge state={row.state} />
      </h2>
      <Explained row={row} page={page} />
      <p>
        <Situation row={row} page={page} />
      </p>
      {row.entry?.ping ? <PingSays ping={row.entry.ping} page={page} named /> : null}
      <p>
        <b>
          {row.errors.toLocaleString('en')} {row.errors === 1 ? 'error' : 'errors'}
        </b>
        {row.server === undefined ? null : (
          <>
            {' '}
            logged by <Name>{row.server}</Name>
          </>
        )}
        {row.lastErrorAt === undefined ? (
          '.'
        ) : (
          <>
            , the last at <InlineMoment at={row.lastErrorAt} now={page.now} />.
          </>
        )}{' '}
        <GoToReason row={row} page={page} />
      </p>
      {latest && row.notProbed === undefined ? (
        <OneVisit title="Latest visit" visit={latest} page={page} context={contextOf(row)} />
      ) : null}
      <RelatedSays row={row} page={page} />
    </section>
  );
}

/** Microsoft's second user action for event 2002: what stands right before and after it. */
function RelatedSays({ row, page }: { row: Row; page: PageContext }): VNode | null {
  const related = happeningsAround([row], page).filter(({ kind }) => kind === 'related');
  if (row.recent.length === 0) return null;
  return (
    <>
      <h3>{`Events within ${nearMinutes} minutes of its errors`}</h3>
      {related.length === 0 ? (
        <p class="muted">None of those that are known to explain errors.</p>
      ) : (
        <TimeLine
          happenings={related.slice(0, 5)}
          page={page}
          label="Related events"
          paging={{ size: 5, number: 1, addressOf: () => page.links.page('/events') }}
        />
      )}
    </>
  );
}

function GoToReason({ row, page }: { row: Row; page: PageContext }): VNode | null {
  const latest = row.notProbed === undefined ? row.entry?.latest : undefined;
  const reason = latest?.reason ?? latest?.warning?.reason;
  if (reason === undefined || !page.runbooks.has('reasons')) return null;
  return (
    <a class="next" href={reasonLink(page.links, reason, contextOf(row))}>
      What to do about “{reasonWords[reason].what}”
    </a>
  );
}

function Unknown({ context }: { context: Context }): VNode {
  return (
    <section class="hero now quiet" aria-label="Live state">
      <p class="kicker">Right now</p>
      <p>
        This exporter does not know{' '}
        {contextKeys.flatMap((key) =>
          context[key] === undefined
            ? []
            : [
                <code key={key}>
                  {`${key}=`}
                  <Name>{context[key] ?? ''}</Name>
                </code>,
                ' ',
              ],
        )}
        together. The alert may come from another exporter, or the pair has been silent for so long that it is no longer
        shown.
      </p>
    </section>
  );
}

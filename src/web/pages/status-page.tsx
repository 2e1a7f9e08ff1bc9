/** `/`: what is broken in one sentence, then every Send connector and destination. */
import type { VNode } from 'preact';
import { Name } from '../parts/name.js';
import { visibleText } from '../../runtime/visible-text.js';
import type { Backlog } from '../../health/backlog.js';
import type { Steps } from '../../runtime/breath.js';
import { Folded } from '../parts/folded.js';
import { Live } from '../parts/layout.js';
import type { Answer, Page, PageContext } from './page.js';
import { Banner, InlineMoment } from '../parts/pieces.js';
import { Sources } from '../parts/sources.js';
import { Explained } from '../parts/explained.js';
import { NextStep } from '../parts/row-table.js';
import { Filters, Table } from '../parts/status-table.js';
import { choiceOf, chosenRows } from '../choice.js';
import { countsOf, rowStates, type Row } from '../view.js';
import { bytesOf, clockOf, durationOf, headlineOf, isoOf, reasonWords, stateWords } from '../parts/words.js';

export const statusPage: Page = {
  path: '/',
  needsRows: true,
  *show(page, { query }): Steps<Answer> {
    const { rows } = page;
    const choice = choiceOf(query);
    const headline = headlineOf(rows);
    yield;
    const chosen = yield* chosenRows(rows, choice);
    const body = (
      <>
        <Live id="now">
          <Banners page={page} rows={rows} />
          <Headline page={page} rows={rows} />
        </Live>
        <Filters page={page} rows={rows} choice={choice} />
        <Live id="rows">
          <Table page={page} rows={chosen} all={rows.length} choice={choice} />
          <Folded page={page} />
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
function Banners({ page, rows }: { page: PageContext; rows: readonly Row[] }): VNode {
  const ready = page.ready();
  const down = page.sources().filter((source) => !source.up);
  return (
    <>
      <SavingBanner page={page} />
      <MovedAsideBanner page={page} />
      {down.length === 0 ? null : (
        <Banner
          tone="warn"
          title={down.length === 1 ? 'A source cannot be read.' : `${down.length} sources cannot be read.`}
        >
          New errors may be missing here. <a href="#sources-title">See the sources</a>
          <Guide page={page} name="SendConnectorSourceStalled" source={down[0]?.source} />
        </Banner>
      )}
      <BacklogBanner page={page} rows={rows} />
      {ready.ready ? null : (
        <Banner tone="warn" title="The exporter is not ready.">
          {ready.why.join(' ')}
        </Banner>
      )}
      <Notices notices={page.notices()} />
    </>
  );
}

function Notices({ notices }: { notices: readonly string[] }): VNode | null {
  if (notices.length === 0) return null;
  return (
    <details class="notices">
      <summary>{notices.length === 1 ? 'One thing to know' : `${notices.length} things to know`}</summary>
      <ul>
        {notices.map((notice) => (
          <li>{visibleText(notice)}</li>
        ))}
      </ul>
    </details>
  );
}

/** What is shown below is true but not complete yet. If there is nothing yet, the headline says so. */
function BacklogBanner({ page, rows }: { page: PageContext; rows: readonly Row[] }): VNode | null {
  const backlog = page.backlog();
  if (!backlog || headlineOf(rows).worst === undefined) return null;
  return (
    <Banner tone="warn" title={`${readingOf(backlog)}.`}>
      Errors in there are counted as they are read; the newest may come last.
    </Banner>
  );
}

/** `Reading 768 MiB, about 40 s left` */
function readingOf({ leftBytes, secondsLeft }: Backlog): string {
  const left = secondsLeft === undefined ? '' : `, about ${durationOf(Math.max(1, secondsLeft))} left`;
  return `Reading ${bytesOf(leftBytes)}${left}`;
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
      Reading has stopped so that nothing is counted twice; the log files keep what is not read yet. Free disk space or
      repair the state folder, and it resumes by itself
      <Guide page={page} name="StateNotSaved" source={undefined} />
    </Banner>
  );
}

/** Until the next start: whoever looks at the counts must know that they started over, or stand lower than they did. */
function MovedAsideBanner({ page }: { page: PageContext }): VNode | null {
  const { movedAside, startedOver } = page.ledger.saving();
  if (movedAside === undefined) return null;
  return (
    <Banner
      tone="warn"
      title={
        startedOver
          ? 'Counting started over: the saved ledger could not be read.'
          : 'Part of the saved ledger could not be read.'
      }
    >
      {movedAside.replace(/\.?$/, '.')} What the logs still hold is counted again, as history.
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
  const backlog = page.backlog();
  const found = headlineOf(rows);
  // That nothing was found yet says nothing while most is unread.
  const unread = { tone: 'quiet', text: `${backlog ? readingOf(backlog) : ''}.`, worst: undefined } as const;
  const { tone, text, worst } = backlog && found.worst === undefined ? unread : found;
  const symbol = { bad: '✖', warn: '▲', good: '✔', quiet: '○' }[tone];
  return (
    <section class={`hero ${tone}`} aria-labelledby="headline">
      <h1 id="headline">
        <i aria-hidden="true">{symbol}</i> <span>{text}</span>
      </h1>
      {worst === undefined ? null : (
        <>
          <p>
            {whyThis(worst, rows)}
            <Worst page={page} row={worst} /> <NextStep row={worst} page={page} />
          </p>
          <Explained row={worst} page={page} />
        </>
      )}
      {rows.length === 0 ? <FirstSteps page={page} /> : <Counts page={page} rows={rows} />}
    </section>
  );
}

/** Only what the probe finds failing is bad now, and has lasted; errors that nobody looked after are past. */
function whyThis({ state }: Row, rows: readonly Row[]): string {
  const failing = rows.filter((row) => row.state === 'unreachable' || row.state === 'refusing').length;
  if (failing > 0) return failing > 1 ? 'Worst, and longest: ' : rows.length > 1 ? 'Worst: ' : '';
  return rows.filter((row) => row.state === state).length > 1 ? 'First among them: ' : '';
}

function Worst({ page, row }: { page: PageContext; row: Row }): VNode {
  const latest = row.state === 'unreachable' || row.state === 'refusing' ? row.entry?.latest : undefined;
  const since = latest === undefined ? row.lastErrorAt : (row.entry?.failingSince ?? latest.at);
  return (
    <>
      <b>
        {row.connector === undefined ? null : (
          <>
            <Name>{row.connector}</Name>
            {' → '}
          </>
        )}
        <a href={page.links.destination(row.destination)}>
          <Name>{row.destination}</Name>
        </a>
      </b>
      {latest
        ? `, ${reasonWords[latest.reason ?? 'other'].what} since `
        : row.errors === 1
          ? ' had one error at '
          : ', last error at '}
      {since === undefined ? 'an unknown time' : <time dateTime={isoOf(since)}>{clockOf(since, page.now)}</time>}.
    </>
  );
}

function FirstSteps({ page }: { page: PageContext }): VNode {
  return (
    <p>
      Exchange writes event 2002 only when the logging level of SmtpSend is High or Expert:{' '}
      <code>{'Set-EventLogLevel "<server>\\MSExchangeTransport\\SmtpSend" -Level High'}</code>. Until then an empty page
      does not prove that mail flows. <a href={page.links.page('/runbooks')}>Runbooks</a>
    </p>
  );
}

function Counts({ page, rows }: { page: PageContext; rows: readonly Row[] }): VNode {
  const counts = countsOf(rows);
  return (
    <ul class="counts" aria-label="Destinations by state">
      {rowStates
        .filter((state) => counts[state] > 0)
        .map((state) => (
          <li key={state}>
            <a class={`b ${stateWords[state].tone}`} href={`${page.links.page('/')}?state=${state}`}>
              <b>{counts[state]}</b>{' '}
              {stateWords[state].word.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}
            </a>
          </li>
        ))}
    </ul>
  );
}

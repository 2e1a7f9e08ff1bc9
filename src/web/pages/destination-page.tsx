/** `/destinations/:id`: everything known of one destination. */
import type { VNode } from 'preact';
import { Name, Sentence } from '../parts/name.js';
import { visibleText } from '../../runtime/visible-text.js';
import { AvailabilityFacts } from '../parts/availability-facts.js';
import { Live } from '../parts/layout.js';
import { contextOf, wellFormed, type Context } from '../parts/links.js';
import { notFound } from './error-page.js';
import type { Answer, Page, PageContext } from './page.js';
import { InlineMoment, StateBadge, Steps, Transcript } from '../parts/pieces.js';
import { VisitHistory } from '../parts/visit-history.js';
import { Explained } from '../parts/explained.js';
import { happeningsAround } from '../parts/happenings.js';
import { PathPanel } from '../parts/path-panel.js';
import { addressOfPage, numberIn } from '../parts/page-links.js';
import { StepPlot } from '../parts/step-plot.js';
import { nearMinutes, TimeLine } from '../parts/time-line.js';
import { ErringConnectors } from '../parts/erring-connectors.js';
import { NextStep } from '../parts/row-table.js';
import { worstOf, type Row } from '../view.js';
import type { BoardEntry } from '../../board/board.js';
import type { ProbeResult } from '../../model/probes.js';
import { originWords, reasonWords, sentenceOf, stateWords, stepWords } from '../parts/words.js';

export const destinationPage: Page = {
  path: '/destinations{/:name}',
  needsRows: true,
  show(page, { params, query }): Answer {
    const name = params.name ?? query.get('name');
    if (name === null)
      return { status: 302, title: 'Destinations', section: 'status', body: <p />, redirect: page.links.page('/') };
    const rows = page.rows.filter((row) => wellFormed(row.destination) === wellFormed(name));
    const worst = worstOf(rows);
    if (!worst)
      return notFound(
        page,
        <>
          No destination is called <Name>{name}</Name>.
        </>,
      );
    return {
      status: 200,
      title: `${visibleText(name)}: ${stateWords[worst.state].word}`,
      section: 'status',
      body: <Body page={page} rows={rows} worst={worst} query={query} />,
    };
  },
};

type BodyProps = {
  readonly page: PageContext;
  readonly rows: readonly Row[];
  readonly worst: Row;
  readonly query: URLSearchParams;
};

/** The evidence first: the verdict, what each step did, and what was said; then how it came to that. */
function Body({ page, rows, worst, query }: BodyProps): VNode {
  const { destination, entry } = worst;
  const context = contextOf(worst);
  return (
    <Live id="now">
      <section class={`hero ${stateWords[worst.state].tone}`}>
        <p class="kicker">Destination</p>
        <h1>
          <code>
            <Name>{destination}</Name>
          </code>{' '}
          <StateBadge state={worst.state} />
        </h1>
        <p>
          <Situation row={worst} page={page} /> <NextStep row={worst} page={page} />
        </p>
        <Explained row={worst} page={page} />
      </section>
      {entry ? <Facts entry={entry} now={page.now} /> : null}
      <AvailabilityFacts availability={page.ledger.availability(destination)} now={page.now} />
      {entry ? (
        <>
          <h2>Steps of the latest visits</h2>
          <StepPlot destination={destination} outcomes={entry.outcomes} now={page.now} />
          <LastVisits entry={entry} page={page} context={context} />
        </>
      ) : null}
      <h2>Time line: errors, what stands within {nearMinutes} minutes of them, and visits</h2>
      <TimeLine
        happenings={happeningsAround(rows, page, page.board.history(destination))}
        page={page}
        label="Time line, newest first"
        paging={{
          size: 10,
          number: numberIn(query, 'line'),
          addressOf: (number) => addressOfPage(page.links.destination(destination), 'line', number),
        }}
      />
      <h2>Send connectors with errors on it</h2>
      <ErringConnectors rows={rows} page={page} destination={destination} />
      {entry ? <PathPanel ping={entry.ping} path={entry.path} page={page} /> : null}
      {entry ? <KeptVisits visits={page.board.history(destination)} page={page} context={context} /> : null}
    </Live>
  );
}

/** What the probe and the ledger say of a row, in two sentences. */
export function Situation({ row, page }: { row: Row; page: PageContext }): VNode {
  const { entry } = row;
  const latest = entry?.latest;
  const failing = row.state === 'unreachable' || row.state === 'refusing';
  return (
    <>
      {failing && latest ? (
        <>
          The probe fails{latest.failedStep === undefined ? '' : ` at ${stepWords[latest.failedStep]}`}:{' '}
          <b>{reasonWords[latest.reason ?? 'other'].what}</b>, since{' '}
          <InlineMoment at={entry.failingSince ?? latest.at} now={page.now} />.{' '}
        </>
      ) : null}
      {row.diagnosis ? null : (
        <Sentence text={sentenceOf(row, page.now)} names={[row.connector, row.destination, row.server]} />
      )}
    </>
  );
}

function Facts({ entry, now }: { entry: BoardEntry; now: number }): VNode {
  const { facts } = entry.latest;
  const expiry = facts.certificateExpiresAt;
  const addresses = facts.addresses ?? [];
  return (
    <dl class="facts">
      <Fact name="Known because">{originWords[entry.latest.origin]}</Fact>
      {facts.address === undefined ? null : <Fact name="Address">{facts.address}</Fact>}
      {addresses.length > 1 ? <Fact name="All addresses">{addresses.join(', ')}</Fact> : null}
      <Fact name="Visits so far">{visitsSoFar(entry)}</Fact>
      <Fact name="Last success">
        {entry.lastSuccessAt === undefined ? 'never' : <InlineMoment at={entry.lastSuccessAt} now={now} />}
      </Fact>
      {entry.failingSince === undefined ? null : (
        <Fact name="Failing since">
          <InlineMoment at={entry.failingSince} now={now} />
        </Fact>
      )}
      {facts.tlsVersion === undefined ? null : (
        <Fact name="TLS">{[facts.tlsVersion, facts.tlsCipher].filter(Boolean).join(', ')}</Fact>
      )}
      {expiry === undefined ? null : (
        <Fact name={expiry < now ? 'Certificate expired' : 'Certificate expires'}>
          <InlineMoment at={expiry} now={now} />
        </Fact>
      )}
    </dl>
  );
}

function visitsSoFar({ probes, failedInARow }: BoardEntry): string {
  const all = probes.toLocaleString('en');
  return failedInARow === 0 ? all : `${all}, the last ${failedInARow.toLocaleString('en')} failed`;
}

function Fact({ name, children }: { name: string; children: VNode | string | undefined }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

type VisitsProps = { readonly entry: BoardEntry; readonly page: PageContext; readonly context: Context };

function LastVisits({ entry, page, context }: VisitsProps): VNode {
  return (
    <div class="pair">
      <OneVisit title="Last failed visit" visit={entry.lastFailed} page={page} context={context} />
      <OneVisit title="Last good visit" visit={entry.lastGood} page={page} context={context} />
    </div>
  );
}

type KeptVisitsProps = {
  readonly visits: readonly ProbeResult[];
  readonly page: PageContext;
  readonly context: Context;
};

/** Folded away: the time line has them already, those with one result as one. */
function KeptVisits({ visits, page, context }: KeptVisitsProps): VNode | null {
  if (visits.length === 0) return null;
  return (
    <details>
      <summary>{visits.length === 1 ? 'The visit that is kept' : `Each of the ${visits.length} visits kept`}</summary>
      <VisitHistory visits={visits} page={page} context={context} />
    </details>
  );
}

type OneVisitProps = { title: string; visit: ProbeResult | undefined; page: PageContext; context: Context };

/** One visit with its steps and its conversation. */
export function OneVisit({ title, visit, page, context }: OneVisitProps): VNode {
  return (
    <section class="panel">
      <h3>
        {title}{' '}
        {visit ? (
          <small>
            <InlineMoment at={visit.at} now={page.now} />
          </small>
        ) : null}
      </h3>
      {visit ? (
        <>
          <Steps visit={visit} page={page} context={context} />
          <Transcript visit={visit} label={`${title}: conversation`} />
        </>
      ) : (
        <p class="muted">None so far.</p>
      )}
    </section>
  );
}

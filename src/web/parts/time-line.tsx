/** The time line: what happened before, at and after each error, newest first. */
import type { VNode } from 'preact';
import { Name, Said } from './name.js';
import type { ErrorMoment } from './error-moments.js';
import { nearMs, type Happening } from './happenings.js';
import { PageLinks, sliceOf } from './page-links.js';
import type { PageContext } from '../pages/page.js';
import { Moment, ReasonWords } from './pieces.js';
import { clockOf, reasonWords, stepWords, tookOf } from './words.js';

/** How long the line is on one page, and where its other pages are. */
type Paging = {
  readonly size: number;
  readonly number: number;
  readonly addressOf: (number: number | 'all') => string;
};

type TimeLineProps = {
  readonly happenings: readonly Happening[];
  readonly page: PageContext;
  readonly label: string;
  readonly paging: Paging;
  readonly all?: boolean;
};

export function TimeLine({ happenings, page, label, paging, all = false }: TimeLineProps): VNode {
  if (happenings.length === 0)
    return <p class="muted">Nothing is kept: no error within the last day, and no visit yet.</p>;
  const { items, number, pages } = sliceOf(happenings, paging.size, paging.number);
  const first = (number - 1) * paging.size + 1;
  return (
    <>
      <ol class="line" aria-label={label}>
        {items.map((happening, index) => (
          <Entry key={index} happening={happening} page={page} all={all} />
        ))}
      </ol>
      {pages === 1 ? null : (
        <div class="paged">
          <PageLinks number={number} pages={pages} addressOf={paging.addressOf} label="Pages of the time line" />
          <span class="muted">
            {first.toLocaleString('en')} to {(first + items.length - 1).toLocaleString('en')} of{' '}
            {happenings.length.toLocaleString('en')}, newest first
          </span>
        </div>
      )}
    </>
  );
}

function Entry({ happening, page, all }: { happening: Happening; page: PageContext; all: boolean }): VNode {
  const { at } = happening;
  return (
    <li class={toneOf(happening)}>
      <Moment at={at} now={page.now} />
      <div>
        {happening.kind === 'error' ? (
          <ErrorWords error={happening.error} page={page} all={all} />
        ) : happening.kind === 'visit' ? (
          <VisitWords happening={happening} page={page} />
        ) : (
          <RelatedWords happening={happening} />
        )}
      </div>
    </li>
  );
}

function toneOf(happening: Happening): string {
  if (happening.kind === 'error') return 'bad error';
  if (happening.kind === 'visit') return happening.visit.success ? 'good' : 'bad';
  return happening.means?.clears ? 'good related' : 'warn related';
}

type ErrorWordsProps = { readonly error: ErrorMoment; readonly page: PageContext; readonly all: boolean };

function ErrorWords({ error, page, all }: ErrorWordsProps): VNode {
  const { server, connector, destination, reasons } = error;
  return (
    <>
      <b>{nameOf(error)}</b>
      {reasons.map((reason, index) => (
        <span key={reason}>
          {index === 0 ? ': ' : ', '}
          <ReasonWords reason={reason} page={page} context={{ server, connector, destination }} />
        </span>
      ))}{' '}
      <small>
        <a href={page.links.connector(connector)}>
          <Name>{connector}</Name>
        </a>
        {all ? (
          <>
            {' → '}
            <a href={page.links.destination(destination)}>
              <Name>{destination}</Name>
            </a>
          </>
        ) : null}{' '}
        on <Name>{server}</Name>
      </small>
    </>
  );
}

/** `Event 2002 × 3`; an event and the failures of its moment are one error. */
function nameOf({ events, failures }: ErrorMoment): string {
  const times = (count: number): string => (count > 1 ? ` × ${count.toLocaleString('en')}` : '');
  return events > 0 ? `Event 2002${times(events)}` : `Connection failure${times(failures)}`;
}

type VisitWordsProps = { happening: Extract<Happening, { kind: 'visit' }>; page: PageContext };

function VisitWords({ happening: { visit, count, since }, page }: VisitWordsProps): VNode {
  const { destination } = visit;
  return (
    <>
      <b>Probe {visit.success ? 'passed' : 'failed'}</b>
      {count > 1 ? ` × ${count}, since ${clockOf(since, page.now)}${visit.success ? '' : ':'}` : ''}{' '}
      {visit.success ? null : (
        <>
          {visit.failedStep === undefined ? '' : `${stepWords[visit.failedStep]}: `}
          <ReasonWords reason={visit.reason ?? 'other'} page={page} context={{ destination }} />
        </>
      )}
      {visit.warning ? ` with a warning: ${reasonWords[visit.warning.reason].what}` : ''}
      {count === 1 ? ` in ${tookOf(visit.seconds)}` : ''}
    </>
  );
}

function RelatedWords({ happening: { event, means } }: { happening: Extract<Happening, { kind: 'related' }> }): VNode {
  return (
    <>
      <b>
        <Name>{event.provider}</Name> {event.eventId}
      </b>{' '}
      {means?.what ?? 'related event'}{' '}
      <span class="muted">
        on <Name>{event.server}</Name>
      </span>
      {event.text === '' ? null : (
        <q>
          <Said>{event.text}</Said>
        </q>
      )}
      {means ? <small>{means.suggests}</small> : null}
    </>
  );
}

/** For headings: how near is near. */
export const nearMinutes = nearMs / 60_000;

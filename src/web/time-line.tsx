/** The time line: what happened before, at and after each error, newest first. */
import type { VNode } from 'preact';
import { nearMs, type Happening } from './happenings.js';
import type { PageContext } from './page.js';
import { Moment, ReasonWords } from './pieces.js';
import { clockOf, reasonWords, stepWords, tookOf } from './words.js';

type TimeLineProps = { happenings: readonly Happening[]; page: PageContext; label: string; all?: boolean };

const shownAtMost = 200;

export function TimeLine({ happenings, page, label, all = false }: TimeLineProps): VNode {
  if (happenings.length === 0)
    return <p class="muted">Nothing is kept: no error within the last day, and no visit yet.</p>;
  const shown = happenings.slice(0, shownAtMost);
  return (
    <>
      <ol class="line" aria-label={label}>
        {shown.map((happening, index) => (
          <Entry key={index} happening={happening} page={page} all={all} />
        ))}
      </ol>
      {shown.length < happenings.length ? (
        <p class="muted">
          The latest {shown.length} of {happenings.length.toLocaleString('en')} are shown.
        </p>
      ) : null}
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

function ErrorWords({
  error,
  page,
  all,
}: {
  error: Extract<Happening, { kind: 'error' }>['error'];
  page: PageContext;
  all: boolean;
}): VNode {
  const { server, connector, destination, reason, count } = error;
  return (
    <>
      <b>{reason === undefined ? 'Event 2002' : 'Connection failure'}</b>
      {count > 1 ? ` × ${count.toLocaleString('en')}` : ''} {all ? null : `on ${server}`}{' '}
      {reason === undefined ? null : (
        <ReasonWords reason={reason} page={page} context={{ server, connector, destination }} />
      )}
      <small>
        <a href={page.links.connector(connector)}>{connector}</a>
        {' → '}
        <a href={page.links.destination(destination)}>{destination}</a>
        {all ? ` on ${server}` : ''}
      </small>
    </>
  );
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
        {event.provider} {event.eventId}
      </b>{' '}
      {means?.what ?? 'related event'} <span class="muted">on {event.server}</span>
      {event.text === '' ? null : <q>{event.text}</q>}
      {means ? <small>{means.suggests}</small> : null}
    </>
  );
}

/** For headings: how near is near. */
export const nearMinutes = nearMs / 60_000;

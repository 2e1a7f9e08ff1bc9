/** `/events`: errors of the last day and the related events that are kept, of all servers, with filters. */
import type { VNode } from 'preact';
import { Choosable, SearchField, ServerField } from '../parts/filter-fields.js';
import { happeningsOf, relatedNear, type Happening } from '../parts/happenings.js';
import { Live } from '../parts/layout.js';
import type { Answer, Page, PageContext } from './page.js';
import { addressOfPage, numberIn } from '../parts/page-links.js';
import { TimeLine } from '../parts/time-line.js';

const kinds = ['all', 'errors', 'related', 'near'] as const;
const kindWords: Record<(typeof kinds)[number], string> = {
  all: 'Errors and related events',
  errors: 'Errors only',
  related: 'Related events only',
  near: 'Errors, and related events within 5 minutes of one',
};

type Choice = { readonly search: string; readonly server: string; readonly kind: (typeof kinds)[number] };

export const eventsPage: Page = {
  path: '/events',
  needsRows: false,
  show(page, { query }): Answer {
    const choice: Choice = {
      search: (query.get('q') ?? '').trim().slice(0, 200),
      server: (query.get('server') ?? '').slice(0, 300),
      kind: kinds.find((known) => known === query.get('kind')) ?? 'all',
    };
    const chosen = chosenOf(page, choice);
    const body = (
      <>
        <h1>Events</h1>
        <p class="muted">
          Errors and failures of the last day, and the events around them that are known to explain errors. Microsoft's
          advice for event 2002: look at what stands right before and right after.
        </p>
        <Filters page={page} choice={choice} />
        <Live id="events">
          <TimeLine
            happenings={chosen}
            page={page}
            label="Errors and related events, newest first"
            paging={{
              size: 100,
              number: numberIn(query, 'page'),
              addressOf: (other) => addressOf(page, choice, other),
            }}
            all
          />
        </Live>
      </>
    );
    return { status: 200, title: 'Events', section: 'events', body };
  },
};

function chosenOf({ ledger }: PageContext, { search, server, kind }: Choice): Happening[] {
  const errors = ledger.recent();
  const related = ledger.related();
  const shown = happeningsOf({
    errors: kind === 'related' ? [] : errors,
    related: kind === 'errors' ? [] : kind === 'near' ? relatedNear(related, errors) : related,
    visits: [],
  });
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return shown.filter((each) => {
    const text = textOf(each).toLowerCase();
    return (server === '' || serverOf(each) === server) && words.every((word) => text.includes(word));
  });
}

function serverOf(happening: Happening): string | undefined {
  if (happening.kind === 'error') return happening.error.server;
  return happening.kind === 'related' ? happening.event.server : undefined;
}

function textOf(happening: Happening): string {
  if (happening.kind === 'error') {
    const { server, connector, destination, events, reasons } = happening.error;
    return [server, connector, destination, ...(events > 0 ? ['2002'] : []), ...reasons].join('\n');
  }
  if (happening.kind === 'visit') return happening.visit.destination;
  const { server, provider, eventId, text } = happening.event;
  return [server, provider, String(eventId), text, happening.means?.what].join('\n');
}

/** The address of this page with these filters. */
function addressOf(page: PageContext, { search, server, kind }: Choice, number: number | 'all'): string {
  const query = new URLSearchParams();
  if (search !== '') query.set('q', search);
  if (server !== '') query.set('server', server);
  if (kind !== 'all') query.set('kind', kind);
  const text = query.toString();
  return addressOfPage(`${page.links.page('/events')}${text === '' ? '' : `?${text}`}`, 'page', number);
}

function Filters({ page, choice }: { page: PageContext; choice: Choice }): VNode {
  const all = [...page.ledger.recent(), ...page.ledger.related()];
  const filtered = choice.search !== '' || choice.server !== '' || choice.kind !== 'all';
  return (
    <form class="filters" method="get" action={page.links.page('/events')} role="search" aria-label="Filter the events">
      <SearchField value={choice.search} placeholder="Connector, destination, event ID" />
      <label>
        <span>Show</span>
        <select name="kind">
          {kinds.map((kind) => (
            <Choosable key={kind} value={kind} text={kindWords[kind]} chosen={choice.kind} />
          ))}
        </select>
      </label>
      <ServerField
        servers={all.map(({ server }) => server)}
        chosen={choice.server === '' ? undefined : choice.server}
      />
      <button type="submit">Show</button>
      {filtered ? <a href={page.links.page('/events')}>Clear</a> : null}
    </form>
  );
}

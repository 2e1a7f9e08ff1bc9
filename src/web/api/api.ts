/** `/api/v1`: what the pages show, as JSON of a published schema. Times are ISO 8601 in UTC. */
import type { RecentError, RelatedEvent } from '../../model/evidence.js';
import type { PathReport, PingReport, ProbeResult, VisitFacts } from '../../model/probes.js';
import { relatedKindOf } from '../../model/related-events.js';
import { type InMaking, many } from '../parts/long-list.js';
import type { DestinationAvailability } from '../../ledger/availability.js';
import type { Counted } from '../../ledger/count-ring.js';
import type { PageContext } from '../pages/page.js';
import type { Row } from '../view.js';
import { sentenceOf } from '../parts/words.js';
import type { Answers } from './answers.js';
import { sourceOf } from './source-answer.js';
import { timeOf } from './time.js';

type Answer<Body> =
  | { readonly status: 200; readonly body: InMaking<Body> }
  | { readonly status: 404; readonly body: { readonly error: 'not found'; readonly destination: string } };
type ApiRequest = { readonly params: Readonly<Record<string, string>>; readonly query: URLSearchParams };
type Route<Name extends keyof Answers> = {
  readonly path: string;
  /** The definition in the schema that its answers fit. */
  readonly name: Name;
  /** Whether it reads the rows. */
  readonly needsRows: boolean;
  readonly answer: (page: PageContext, request: ApiRequest) => Answer<Answers[Name]>;
};

/** Every route; a new one is a function, its answer in answers.ts, and a line here. */
export const apiRoutes: readonly { readonly [Name in keyof Answers]: Route<Name> }[keyof Answers][] = [
  { path: '/api/v1/status', name: 'status', needsRows: true, answer: (page) => found(statusOf(page)) },
  {
    path: '/api/v1/connectors',
    name: 'connectors',
    needsRows: true,
    answer: (page) => found({ connectors: connectorsOf(page) }),
  },
  {
    path: '/api/v1/destinations',
    name: 'destinations',
    needsRows: true,
    answer: (page) => found({ destinations: destinationsOf(page) }),
  },
  { path: '/api/v1/destinations/:id/visits', name: 'visits', needsRows: false, answer: visitsOf },
  {
    path: '/api/v1/events',
    name: 'events',
    needsRows: false,
    answer: (page, { query }) => found(eventsOf(page, query)),
  },
];

function found<Body>(body: Body) {
  return { status: 200 as const, body };
}

type Made<Name extends keyof Answers> = InMaking<Answers[Name]>;
type Item<List> = List extends readonly (infer One)[] ? One : never;
type Pair = Item<Answers['status']['pairs']>;
type Destination = Item<Answers['destinations']['destinations']>;
type ShownVisit = Item<Answers['visits']['visits']>;
type Event = Item<Answers['events']['events']>;

export function statusOf(page: PageContext): Made<'status'> {
  const { ready, why } = page.ready();
  const { failing, lastSavedAt } = page.ledger.saving();
  return {
    at: new Date(page.now).toISOString(),
    version: page.version,
    ready,
    notReadyBecause: why,
    notices: page.notices(),
    saving: { failing: failing ?? null, lastSavedAt: timeOf(lastSavedAt) },
    sources: page.sources().map(sourceOf),
    pairs: many(page.rows, (row) => pairOf(row, page.now)),
  };
}

function pairOf(row: Row, now: number): Pair {
  return {
    server: row.server ?? null,
    connector: row.connector ?? null,
    destination: row.destination,
    state: row.state,
    errors: row.errors,
    lastErrorAt: timeOf(row.lastErrorAt),
    diagnosis: row.diagnosis?.word ?? null,
    sentence: row.diagnosis?.sentence ?? sentenceOf(row, now),
    since: timeOf(row.diagnosis?.since),
  };
}

export function connectorsOf(page: PageContext): Made<'connectors'>['connectors'] {
  const byName = new Map<string, Row[]>();
  for (const row of page.rows) {
    if (row.connector === undefined) continue;
    const known = byName.get(row.connector);
    if (known) known.push(row);
    else byName.set(row.connector, [row]);
  }
  return many(byName, ([connector, rows]) => ({
    connector,
    errors: rows.reduce((sum, { errors }) => sum + errors, 0),
    pairs: many(rows, (row) => pairOf(row, page.now)),
  }));
}

export function destinationsOf(page: PageContext): Made<'destinations'>['destinations'] {
  const names = new Set(page.rows.map(({ destination }) => destination));
  return many(names, (destination): InMaking<Destination> => {
    const entry = page.board.entry(destination);
    return {
      destination,
      host: entry?.latest.host ?? null,
      origin: entry?.latest.origin ?? null,
      notProbedBecause: page.notProbed(destination) ?? null,
      probes: entry?.probes ?? 0,
      success: entry === undefined ? null : entry.latest.success,
      failedStep: entry?.latest.failedStep ?? null,
      reason: entry?.latest.reason ?? null,
      failingSince: timeOf(entry?.failingSince),
      lastSuccessAt: timeOf(entry?.lastSuccessAt),
      availability: availabilityOf(page.ledger.availability(destination)),
      ping: entry?.ping ? pingOf(entry.ping) : null,
      path: entry?.path ? pathOf(entry.path) : null,
    };
  });
}

function pingOf({ at, program, state, sent, received, rttSeconds, detail }: PingReport): Destination['ping'] {
  return { at: timeOf(at), program, state, sent, received, rttSeconds, detail };
}

function pathOf({ at, program, state, reached, hops, detail }: PathReport): InMaking<Destination['path']> {
  return { at: timeOf(at), program, state, reached, hops, detail };
}

/** Shares of 0 to 1; null where nothing was visited. */
function availabilityOf(known: DestinationAvailability | undefined): Destination['availability'] {
  if (!known) return null;
  const share = ({ passed, all }: Counted) => ({ visits: all, passed, ratio: all === 0 ? null : passed / all });
  const outages = known.outages.map(({ from, until }) => ({ from: timeOf(from), until: timeOf(until) }));
  return { day: share(known.day), week: share(known.week), month: share(known.month), outages };
}

function visitsOf(page: PageContext, { params }: ApiRequest): Answer<Answers['visits']> {
  const destination = params.id ?? '';
  const isNamed = (each: { readonly destination: string }): boolean => each.destination === destination;
  const isKnown = page.board.entry(destination) ?? page.ledger.rows().find(isNamed) ?? page.targets().find(isNamed);
  if (!isKnown) return { status: 404, body: { error: 'not found', destination } };
  return found({ destination, visits: many(page.board.history(destination), visitOf) });
}

export function visitOf(visit: ProbeResult): InMaking<ShownVisit> {
  const { id, destination, host, origin, at, seconds, success, failedStep, reason, warning, steps, transcript } = visit;
  return {
    id,
    destination,
    host,
    origin,
    at: timeOf(at),
    seconds,
    success,
    failedStep: failedStep ?? null,
    reason: reason ?? null,
    warning,
    steps,
    facts: factsOf(visit.facts),
    transcript,
  };
}

function factsOf(facts: VisitFacts): InMaking<ShownVisit['facts']> {
  const { address, addresses, tlsVersion, tlsCipher, certificateExpiresAt, leafExpiresAt, certificate } = facts;
  return {
    address,
    addresses,
    tlsVersion,
    tlsCipher,
    certificateExpiresAt: timeOf(certificateExpiresAt),
    leafExpiresAt: leafExpiresAt === undefined ? undefined : timeOf(leafExpiresAt),
    certificate: certificate && { ...certificate, earliestSentEndsAt: timeOf(certificate.earliestSentEndsAt) },
  };
}

/** `server`, `connector` and `destination` in the query choose; a related event has a server only. */
export function eventsOf({ ledger }: PageContext, query = new URLSearchParams()): Made<'events'> {
  const chosen = (key: string, value: string | undefined): boolean => !query.has(key) || query.get(key) === value;
  const errors = ledger
    .recent()
    .filter(
      ({ server, connector, destination }) =>
        chosen('server', server) && chosen('connector', connector) && chosen('destination', destination),
    );
  const related = ledger.related().filter(({ server }) => chosen('server', server));
  const told = [
    ...errors.map((error) => ({ at: error.until, shown: () => errorOf(error) })),
    ...related.flatMap((event) => (event.at === undefined ? [] : [{ at: event.at, shown: () => relatedOf(event) }])),
  ];
  return {
    events: many(
      told.sort((a, b) => b.at - a.at),
      ({ shown }) => shown(),
    ),
  };
}

function errorOf({ reason, at, until, server, connector, destination, count }: RecentError): Event {
  return {
    kind: 'error',
    at: timeOf(at),
    until: timeOf(until),
    server,
    connector,
    destination,
    count,
    reason: reason ?? null,
  };
}

function relatedOf({ at, server, provider, eventId, text, connector }: RelatedEvent): Event {
  const means = relatedKindOf(provider, eventId);
  return {
    kind: 'related',
    at: timeOf(at),
    server,
    provider,
    eventId,
    text,
    connector: connector ?? null,
    what: means?.what ?? null,
    suggests: means?.suggests ?? null,
  };
}

/** `/api/v1`: what the pages show, as JSON of a published schema. Times are ISO 8601 in UTC. */
import type { RecentError, RelatedEvent } from '../../model/evidence.js';
import { relatedKindOf } from '../../model/related-events.js';
import { many } from '../parts/long-list.js';
import type { DestinationAvailability } from '../../ledger/availability.js';
import type { Counted } from '../../ledger/count-ring.js';
import type { PageContext } from '../pages/page.js';
import type { Row } from '../view.js';
import type { Visit } from '../books.js';
import { sentenceOf } from '../parts/words.js';

type ApiAnswer = { readonly status: number; readonly body: unknown };
type ApiRequest = { readonly params: Readonly<Record<string, string>>; readonly query: URLSearchParams };
export type ApiRoute = {
  readonly path: string;
  /** Whether it reads the rows. */
  readonly needsRows: boolean;
  /** Long lists in the body are made by `many`. */
  readonly answer: (page: PageContext, request: ApiRequest) => ApiAnswer;
};

/** Every route; a new one is a function and a line here, and its shape in the schema. */
export const apiRoutes: readonly ApiRoute[] = [
  { path: '/api/v1/status', needsRows: true, answer: (page) => found(statusOf(page)) },
  { path: '/api/v1/connectors', needsRows: true, answer: (page) => found({ connectors: connectorsOf(page) }) },
  { path: '/api/v1/destinations', needsRows: true, answer: (page) => found({ destinations: destinationsOf(page) }) },
  { path: '/api/v1/destinations/:id/visits', needsRows: false, answer: visitsOf },
  { path: '/api/v1/events', needsRows: false, answer: (page, { query }) => found(eventsOf(page, query)) },
];

function found(body: unknown): ApiAnswer {
  return { status: 200, body };
}

export function statusOf(page: PageContext) {
  const { ready, why } = page.ready();
  const { failing, lastSavedAt } = page.ledger.saving();
  return {
    at: timeOf(page.now),
    version: page.version,
    ready,
    notReadyBecause: why,
    notices: page.notices?.() ?? [],
    saving: { failing: failing ?? null, lastSavedAt: timeOf(lastSavedAt) },
    sources: page.sources().map((source) => ({ ...source, lastRecordAt: timeOf(source.lastRecordAt) })),
    pairs: many(page.rows, (row) => pairOf(row, page.now)),
  };
}

function pairOf(row: Row, now: number) {
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

export function connectorsOf(page: PageContext) {
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

export function destinationsOf(page: PageContext) {
  const names = new Set(page.rows.map(({ destination }) => destination));
  return many(names, (destination) => {
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
      availability: availabilityOf(page.ledger.availability?.(destination)),
      ping: entry?.ping ? { ...entry.ping, at: timeOf(entry.ping.at) } : null,
      path: entry?.path ? { ...entry.path, at: timeOf(entry.path.at) } : null,
    };
  });
}

/** Shares of 0 to 1; null where nothing was visited. */
function availabilityOf(known: DestinationAvailability | undefined) {
  if (!known) return null;
  const share = ({ passed, all }: Counted) => ({ visits: all, passed, ratio: all === 0 ? null : passed / all });
  const outages = known.outages.map(({ from, until }) => ({ from: timeOf(from), until: timeOf(until) }));
  return { day: share(known.day), week: share(known.week), month: share(known.month), outages };
}

function visitsOf(page: PageContext, { params }: ApiRequest): ApiAnswer {
  const destination = params.id ?? '';
  const isNamed = (each: { readonly destination: string }): boolean => each.destination === destination;
  const isKnown = page.board.entry(destination) ?? page.ledger.rows().find(isNamed) ?? page.targets?.().find(isNamed);
  if (!isKnown) return { status: 404, body: { error: 'not found', destination } };
  return found({ destination, visits: many(page.board.history(destination), visitOf) });
}

export function visitOf(visit: Visit) {
  const { certificateExpiresAt, leafExpiresAt, certificate, ...facts } = visit.facts;
  return {
    ...visit,
    at: timeOf(visit.at),
    failedStep: visit.failedStep ?? null,
    reason: visit.reason ?? null,
    facts: {
      ...facts,
      certificateExpiresAt: timeOf(certificateExpiresAt),
      ...(leafExpiresAt !== undefined && { leafExpiresAt: timeOf(leafExpiresAt) }),
      ...(certificate && {
        certificate: { ...certificate, earliestSentEndsAt: timeOf(certificate.earliestSentEndsAt) },
      }),
    },
  };
}

/** `server`, `connector` and `destination` in the query choose; a related event has a server only. */
export function eventsOf({ ledger }: PageContext, query = new URLSearchParams()) {
  const chosen = (key: string, value: string | undefined): boolean => !query.has(key) || query.get(key) === value;
  const errors = (ledger.recent?.() ?? []).filter(
    ({ server, connector, destination }) =>
      chosen('server', server) && chosen('connector', connector) && chosen('destination', destination),
  );
  const related = (ledger.related?.() ?? []).filter(({ server }) => chosen('server', server));
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

function errorOf({ reason, at, until, ...error }: RecentError) {
  return { kind: 'error', at: timeOf(at), until: timeOf(until), ...error, reason: reason ?? null };
}

function relatedOf({ at, server, provider, eventId, text, connector }: RelatedEvent) {
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

function timeOf(at: number | undefined): string | null {
  if (at === undefined) return null;
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

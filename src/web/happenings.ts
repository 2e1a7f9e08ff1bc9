/** One time line of errors, related events and visits, worked out as plain data. */
import { relatedKindOf, type RelatedKind } from '../related-events.js';
import type { RecentError, RelatedEvent } from '../model.js';
import type { PageContext } from './page.js';
import type { Row, Visit } from './view.js';

export type Happening =
  | { readonly kind: 'error'; readonly at: number; readonly error: RecentError }
  | {
      readonly kind: 'related';
      readonly at: number;
      readonly event: RelatedEvent;
      readonly means: RelatedKind | undefined;
    }
  | { readonly kind: 'visit'; readonly at: number; readonly visit: Visit };

/** Microsoft's second user action: look at the events right before and after. */
export const nearMs = 5 * 60_000;

export type Told = {
  readonly errors: readonly RecentError[];
  readonly related: readonly RelatedEvent[];
  readonly visits: readonly Visit[];
};

/** Everything, newest first. */
export function happeningsOf({ errors, related, visits }: Told): Happening[] {
  const all: Happening[] = [
    ...errors.map((error): Happening => ({ kind: 'error', at: error.until, error })),
    ...related.flatMap((event): Happening[] =>
      event.at === undefined
        ? []
        : [{ kind: 'related', at: event.at, event, means: relatedKindOf(event.provider, event.eventId) }],
    ),
    ...visits.map((visit): Happening => ({ kind: 'visit', at: visit.at, visit })),
  ];
  return all.sort((a, b) => b.at - a.at);
}

/** The related events of the servers of these errors that stand within five minutes of one of them. */
export function relatedNear(related: readonly RelatedEvent[], errors: readonly RecentError[]): RelatedEvent[] {
  return related.filter(
    ({ server, at }) =>
      at !== undefined &&
      errors.some((error) => error.server === server && at >= error.at - nearMs && at <= error.until + nearMs),
  );
}

/** What is told of these rows: their errors, the related events near them, and visits. */
export function happeningsAround(
  rows: readonly Row[],
  { ledger }: PageContext,
  visits: readonly Visit[] = [],
): Happening[] {
  const errors = rows.flatMap(({ recent }) => recent);
  return happeningsOf({ errors, related: relatedNear(ledger.related?.() ?? [], errors), visits });
}

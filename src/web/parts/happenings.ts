/** One time line of errors, related events and visits, worked out as plain data. */
import { relatedKindOf } from '../../model/related-events.js';
import type { RelatedKind } from '../../model/related-providers.js';
import type { RecentError, RelatedEvent } from '../../model/evidence.js';
import { momentsOf, type ErrorMoment } from './error-moments.js';
import type { PageContext } from '../pages/page.js';
import type { Row } from '../view.js';
import type { ProbeResult } from '../../model/probes.js';

export type Happening =
  | { readonly kind: 'error'; readonly at: number; readonly error: ErrorMoment }
  | {
      readonly kind: 'related';
      readonly at: number;
      readonly event: RelatedEvent;
      readonly means: RelatedKind | undefined;
    }
  /** Visits that follow one another with the same result are one entry; `since` is the start of the first of them. */
  | {
      readonly kind: 'visit';
      readonly at: number;
      readonly visit: ProbeResult;
      readonly count: number;
      readonly since: number;
    };

/** Microsoft's second user action: look at the events right before and after. */
export const nearMs = 5 * 60_000;

export type Told = {
  readonly errors: readonly RecentError[];
  readonly related: readonly RelatedEvent[];
  readonly visits: readonly ProbeResult[];
};

/** Everything, newest first; one entry for each error. */
export function happeningsOf({ errors, related, visits }: Told): Happening[] {
  const all: Happening[] = [
    ...momentsOf(errors).map((error): Happening => ({ kind: 'error', at: error.until, error })),
    ...related.flatMap((event): Happening[] =>
      event.at === undefined
        ? []
        : [{ kind: 'related', at: event.at, event, means: relatedKindOf(event.provider, event.eventId) }],
    ),
    ...visits.map((visit): Happening => ({ kind: 'visit', at: visit.at, visit, count: 1, since: visit.at })),
  ];
  return together(all.sort((a, b) => b.at - a.at));
}

function together(all: readonly Happening[]): Happening[] {
  const found: Happening[] = [];
  for (const each of all) {
    const last = found.at(-1);
    if (last?.kind === 'visit' && each.kind === 'visit' && isSameResult(last.visit, each.visit))
      found[found.length - 1] = { ...last, count: last.count + 1, since: each.since };
    else found.push(each);
  }
  return found;
}

function isSameResult(a: ProbeResult, b: ProbeResult): boolean {
  return (
    a.destination === b.destination &&
    a.success === b.success &&
    a.failedStep === b.failedStep &&
    a.reason === b.reason &&
    a.warning?.reason === b.warning?.reason
  );
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
  visits: readonly ProbeResult[] = [],
): Happening[] {
  const errors = rows.flatMap(({ recent }) => recent);
  return happeningsOf({ errors, related: relatedNear(ledger.related(), errors), visits });
}

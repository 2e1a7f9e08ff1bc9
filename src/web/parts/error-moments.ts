/** Errors as a person counts them: an event 2002 and the connection failures of the same moment are one error. */
import type { Reason } from '../../model/words.js';
import type { RecentError } from '../../model/evidence.js';

export type ErrorMoment = {
  readonly server: string;
  readonly connector: string;
  readonly destination: string;
  /** Time of the first and of the last of them, milliseconds since 1970 UTC. */
  readonly at: number;
  readonly until: number;
  /** Events 2002, and failures that the transport logs tell of. */
  readonly events: number;
  readonly failures: number;
  /** Of the failures, each once. */
  readonly reasons: readonly Reason[];
};

/** Exchange writes the event and the row of the log for one failure one right after the other, by one clock. */
const sameMomentMs = 10_000;

/** In no order. */
export function momentsOf(errors: readonly RecentError[]): ErrorMoment[] {
  const byPair = new Map<string, RecentError[]>();
  for (const error of errors) {
    const pair = `${error.server}\n${error.connector}\n${error.destination}`;
    const known = byPair.get(pair);
    if (known) known.push(error);
    else byPair.set(pair, [error]);
  }
  return [...byPair.values()].flatMap(momentsOfPair);
}

function momentsOfPair(errors: readonly RecentError[]): ErrorMoment[] {
  const inOrder = [...errors].sort((a, b) => a.at - b.at);
  const moments = inOrder.filter(({ reason }) => reason === undefined).map(momentOf);
  const alone: ErrorMoment[] = [];
  let next = 0;
  for (const failure of inOrder) {
    if (failure.reason === undefined) continue;
    while ((moments[next]?.until ?? Infinity) < failure.at - sameMomentMs) next++;
    const event = moments[next];
    if (event && event.at <= failure.until + sameMomentMs) moments[next] = joined(event, momentOf(failure));
    else alone.push(momentOf(failure));
  }
  return [...moments, ...alone];
}

function momentOf({ server, connector, destination, at, until, reason, count }: RecentError): ErrorMoment {
  const [events, failures] = reason === undefined ? [count, 0] : [0, count];
  return { server, connector, destination, at, until, events, failures, reasons: reason === undefined ? [] : [reason] };
}

function joined(event: ErrorMoment, failure: ErrorMoment): ErrorMoment {
  return {
    ...event,
    at: Math.min(event.at, failure.at),
    until: Math.max(event.until, failure.until),
    failures: event.failures + failure.failures,
    reasons: [...new Set([...event.reasons, ...failure.reasons])],
  };
}

/**
 * Up to when a topic has been read: what came into Kafka until then was seen in every partition. Partitions are read at
 * paces of their own, so an ID that is missing in one of them may be in another that lags.
 */

/** Of one partition. */
export type Passing = {
  /** All that came into Kafka by then was read, by a clock that only goes forward. */
  at: number;
  /** Where the partition ended at a time after that. */
  ahead: { readonly at: number; readonly end: number } | undefined;
};

export function nothingPassed(): Passing {
  return { at: -Infinity, ahead: undefined };
}

/** @param at when the broker was asked, and @param end what it answered */
export function noteEnd(passing: Passing, at: number, end: number, nextOffset: number): void {
  passing.ahead ??= { at, end };
  notePassed(passing, nextOffset);
  passing.ahead ??= { at, end };
  notePassed(passing, nextOffset);
}

/** To be called when reading has got on. */
export function notePassed(passing: Passing, nextOffset: number): void {
  if (!passing.ahead || nextOffset < passing.ahead.end) return;
  passing.at = passing.ahead.at;
  passing.ahead = undefined;
}

/** Of a topic: what is missing of what was read by `settledAt` was sent to no partition. */
export type Settling = {
  settledAt: number | undefined;
  /** What was read by then is settled next; and when all partitions had passed that time. */
  since: number;
  passedAt: number | undefined;
};

/** A producer that is not answered sends again, and a broker that was away takes what waited for it. */
const lateMs = 60_000;

export function startSettling(since: number): Settling {
  return { settledAt: undefined, since, passedAt: undefined };
}

/**
 * @param passed the time that every partition has passed
 * @returns whether more is settled than before
 */
export function settle(settling: Settling, passed: number, now: number): boolean {
  if (settling.passedAt === undefined) {
    if (passed >= settling.since) settling.passedAt = now;
    return false;
  }
  if (passed < settling.passedAt + lateMs) return false;
  Object.assign(settling, { settledAt: settling.since, since: now, passedAt: undefined });
  return true;
}

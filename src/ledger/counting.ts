/** What one piece of evidence makes of its row. */
import type { Counts, Row } from './row.js';
import { laterTime, shownTimes } from './row-times.js';
import type { Counter } from './saved.js';
import type { Evidence, RelatedEvent } from '../model/evidence.js';
import type { Clocks } from '../runtime/noted-time.js';

/** What has a row of its own. */
export type Counted = Exclude<Evidence, RelatedEvent>;

/** On the very first read of a source older events are history: counted, but not observed now (invariant 13). */
const historyMs = 15 * 60_000;

/** Counts in place. @param history true for what is read as history, of which only old events are */
export function countIn(row: Row, evidence: Counted, history: boolean, clocks: Clocks): void {
  const now = clocks.now();
  const counter = counterOf(evidence);
  const isHistory = history && evidence.at !== undefined && evidence.at < now - historyMs;
  if (isHistory) row.history = raised(row.history, counter);
  if (history) row.awaitsHistory = true;
  const readAt = isHistory ? evidence.at : now;
  const { entered, times } = row;
  // An attempt alone is no error.
  if (counter === 'attempts') {
    row.times = { ...times, lastAttemptAt: laterTime(times.lastAttemptAt, readAt, clocks) };
  } else {
    const lastErrorAt = laterTime(times.lastErrorAt, evidence.at ?? now, clocks);
    const lastObservedAt = laterTime(times.lastObservedAt, readAt, clocks);
    row.times = { ...times, lastErrorAt, lastObservedAt };
  }
  row.entered = {
    ...entered,
    ...raised(entered, counter),
    ...shownTimes(row.times, clocks),
    // The first name stays: many hosts may share an address, and a label that changes is a new series.
    ...(evidence.kind !== 'connection_error' && { host: entered.host ?? evidence.host }),
  };
}

function counterOf(evidence: Counted): Counter {
  if (evidence.kind === 'connection_error') return 'errors';
  return evidence.kind === 'connection_attempt' ? 'attempts' : evidence.reason;
}

function raised({ errors, attempts, failures }: Counts, counter: Counter): Counts {
  if (counter === 'errors') return { errors: errors + 1, attempts, failures };
  if (counter === 'attempts') return { errors, attempts: attempts + 1, failures };
  return { errors, attempts, failures: { ...failures, [counter]: (failures[counter] ?? 0) + 1 } };
}

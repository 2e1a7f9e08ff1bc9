/** What one piece of evidence changes in its row. */
import type { Counts, Row } from './row.js';
import { noteAttempt, noteError, showTimes } from './row-times.js';
import type { Counter } from './saved.js';
import type { LedgerRow } from '../model/batch.js';
import type { Evidence, RelatedEvent } from '../model/evidence.js';
import type { Clocks } from '../runtime/noted-time.js';

/** What has a row of its own. */
export type Counted = Exclude<Evidence, RelatedEvent>;

/** On the very first read of a source older events are history: counted, but not observed now (invariant 13). */
const historyMs = 15 * 60_000;

/**
 * Counts in place: what a save has taken of the row, or what is shown of it, is another object.
 * @param history true for what is read as history, of which only old events are
 */
export function countIn(row: Row, evidence: Counted, history: boolean, clocks: Clocks): void {
  const now = clocks.now();
  const counter = counterOf(evidence);
  const isHistory = history && evidence.at !== undefined && evidence.at < now - historyMs;
  if (isHistory) raise(ownHistory(row), counter);
  if (history) row.awaitsHistory = true;
  const readAt = isHistory ? evidence.at : now;
  const { times } = row;
  const entered = ownEntered(row);
  raise(entered, counter);
  row.timesDue = true;
  // An attempt alone is no error.
  if (counter === 'attempts') noteAttempt(times, readAt, clocks);
  else noteError(times, evidence.at ?? now, readAt, clocks);
  // Nobody looks at them before they are saved, but for whether there are any.
  if ((counter === 'attempts' ? entered.lastAttemptAt : entered.lastErrorAt) === undefined) settleTimes(row, clocks);
  // The first name stays: many hosts may share an address, and a label that changes is a new series.
  if (evidence.kind !== 'connection_error') entered.host ??= evidence.host;
}

/** Shows the times of all that was entered: to be called before a save or anybody else looks at them. */
export function settleTimes(row: Row, clocks: Clocks): void {
  if (!row.timesDue) return;
  showTimes(ownEntered(row), row.times, clocks);
  row.timesDue = false;
}

/** What was entered, to be changed: a copy where others hold it. */
function ownEntered(row: Row): Changing<LedgerRow> {
  const { entered } = row;
  if (entered !== row.takenEntered && entered !== row.saved && entered !== row.published && entered !== row.history)
    return entered;
  return (row.entered = { ...entered });
}

function ownHistory(row: Row): Changing<Counts> {
  const { history } = row;
  if (history !== row.takenHistory && history !== row.savedHistory && history !== row.entered) return history;
  const { errors, attempts, failures } = history;
  return (row.history = { errors, attempts, failures });
}

function counterOf(evidence: Counted): Counter {
  if (evidence.kind === 'connection_error') return 'errors';
  return evidence.kind === 'connection_attempt' ? 'attempts' : evidence.reason;
}

function raise(counts: Changing<Counts>, counter: Counter): void {
  if (counter === 'errors' || counter === 'attempts') counts[counter]++;
  // Failures by reason are shared by copies of the row.
  else counts.failures = { ...counts.failures, [counter]: (counts.failures[counter] ?? 0) + 1 };
}

type Changing<Of> = { -readonly [Key in keyof Of]: Of[Key] };

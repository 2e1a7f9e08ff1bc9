/** Wording for the closed lists of the model, and the sentences made of it. */
import type { Origin } from '../../model/connectors.js';
import type { Reason } from '../../model/words.js';
import { reasonWords, stepWords } from '../../model/reason-words.js';
import { countsOf, recentMs, worstOf, type Row, type RowState } from '../view.js';
import type { ProbeResult } from '../../model/probes.js';

export { reasonWords, stepWords } from '../../model/reason-words.js';

/** The style puts a symbol before each word by its tone, so that colour is never the only sign. */
export const stateWords: Record<RowState, { readonly word: string; readonly tone: Tone }> = {
  unreachable: { word: 'Unreachable', tone: 'bad' },
  refusing: { word: 'SMTP or TLS fails', tone: 'bad' },
  intermittent: { word: 'Intermittent', tone: 'warn' },
  unprobed_errors: { word: 'Errors, not probed', tone: 'warn' },
  recovered: { word: 'Recovered', tone: 'good' },
  waiting: { word: 'First probe pending', tone: 'quiet' },
  not_probed: { word: 'Not probed', tone: 'quiet' },
  reachable: { word: 'Reachable', tone: 'good' },
};
export type Tone = 'bad' | 'warn' | 'good' | 'quiet';

export const originWords: Record<Origin, string> = {
  observed: 'seen in an event',
  inventory: 'smart host of the inventory',
  configured: 'named in the configuration',
};

/** What a row means, in one sentence: the diagnosis where there is one. */
export function sentenceOf(row: Row, now: number): string {
  if (row.diagnosis) return row.diagnosis.sentence;
  const latest = row.entry?.latest;
  switch (row.state) {
    case 'unreachable':
    case 'refusing':
      return reasonWords[latest?.reason ?? 'other'].suspect;
    case 'intermittent':
      return 'The probe passes although Exchange logged an error: it is intermittent, or only that server is affected.';
    case 'recovered':
      return 'It had errors within the last hour and works again.';
    case 'unprobed_errors':
      return row.notProbed ?? 'Exchange logged an error; no probe has looked yet.';
    case 'waiting':
      return 'In the queue for its first probe.';
    case 'not_probed':
      return row.notProbed ?? 'This destination is not probed.';
    case 'reachable':
      return reachableSentence(row, now);
  }
}

function reachableSentence(row: Row, now: number): string {
  const warning = row.entry?.latest.warning;
  if (warning) return `Mail can flow, but ${warningOf(warning)}.`;
  const quiet = row.lastErrorAt !== undefined && now - row.lastErrorAt < 24 * recentMs;
  return quiet ? 'Recovered: no error within the last hour and the probe passes.' : 'The probe passes.';
}

/** What was not well at a visit that passed: what is not offered has not failed. */
function warningOf({ step, reason }: Failure): string {
  const { what } = reasonWords[reason];
  return reason === 'starttls_not_offered' ? 'no STARTTLS is offered' : `${stepWords[step]} failed: ${what}`;
}

/** The same in a cell: `passes; no STARTTLS offered`. */
export function passesWith({ step, reason }: Failure): string {
  return `passes; ${reason === 'starttls_not_offered' ? 'no STARTTLS offered' : `${stepWords[step]} failed`}`;
}

type Failure = NonNullable<ProbeResult['warning']>;

/** The state of everything in one sentence, and what is worst in a second. */
export type Headline = { readonly tone: Tone; readonly text: string; readonly worst: Row | undefined };

/** Stands still while new errors come in: it counts destinations, and names the worst that has lasted longest. */
export function headlineOf(rows: readonly Row[]): Headline {
  const counts = countsOf(rows);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const { unreachable, refusing, intermittent, unprobed_errors: unprobed, recovered } = counts;
  if (unreachable + refusing > 0)
    return { tone: 'bad', text: brokenSentence(total, unreachable, refusing), worst: worstOf(rows) };
  if (intermittent + unprobed > 0) {
    const probed = unprobed === 0 ? ', although their probes pass' : '';
    const had = intermittent + unprobed;
    const whose = had === 1 ? probed.replace('their probes pass', 'its probe passes') : probed;
    const text = `${ofAll(had, total)} had connection errors within the last hour${whose}.`;
    return { tone: 'warn', text, worst: worstOf(rows) };
  }
  if (recovered > 0) {
    const text = `${ofAll(recovered, total)} had connection errors within the last hour and can be reached again.`;
    return { tone: 'good', text, worst: worstOf(rows) };
  }
  return { ...quietHeadline(counts, total), worst: undefined };
}

function brokenSentence(total: number, unreachable: number, refusing: number): string {
  const refuses = (count: number): string => (count === 1 ? 'fails' : 'fail');
  if (unreachable === 0) return `${ofAll(refusing, total)} ${refuses(refusing)} in SMTP or TLS.`;
  const also = refusing > 0 ? `; ${refusing} more ${refuses(refusing)} in SMTP or TLS` : '';
  return `${ofAll(unreachable, total)} cannot be reached${also}.`;
}

function quietHeadline(
  { reachable, waiting }: Readonly<Record<RowState, number>>,
  total: number,
): { tone: Tone; text: string } {
  if (total === 0) return { tone: 'quiet', text: 'No Send connector errors have been read yet.' };
  if (reachable === 0) {
    const probes = waiting > 0 ? 'The first probes are pending.' : 'Nothing is probed.';
    return { tone: 'quiet', text: `No connection errors within the last hour. ${probes}` };
  }
  const all =
    reachable === total
      ? total === 1
        ? 'The only destination'
        : `All ${total} destinations`
      : ofAll(reachable, total);
  return { tone: 'good', text: `${all} can be reached, and no connection errors within the last hour.` };
}

function ofAll(count: number, total: number): string {
  return `${count} of ${total} ${total === 1 ? 'destination' : 'destinations'}`;
}

// ---------------------------------------------------------------------------------------------------------- times

/** `2026-11-23T08:14:05Z`; for a time out of range the text `unknown time`. */
export function isoOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'unknown time' : date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** `08:14:05 UTC`, with the date before it when that is not the day of `now`. */
export function clockOf(at: number, now: number): string {
  const [day = '', clock = ''] = isoOf(at).replace('Z', '').split('T');
  if (clock === '') return day;
  return isoOf(now).startsWith(day) ? `${clock} UTC` : `${day} ${clock} UTC`;
}

/** `4 min ago`; `in 3 d` for a time to come. */
export function ageOf(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  if (Math.abs(seconds) < 2) return 'just now';
  return seconds < 0 ? `in ${durationOf(-seconds)}` : `${durationOf(seconds)} ago`;
}

/** `45 s`, `4 min`, `3 h`, `12 d`: one unit is enough to decide what to do. */
export function durationOf(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 120 * 60) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** `0.8 ms`, `84 ms`, `30.0 s`. */
export function tookOf(seconds: number): string {
  const ms = seconds * 1000;
  return ms < 1 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${seconds.toFixed(1)} s`;
}

/** `0 B`, `12 KiB`, `3.4 MiB`. */
export function bytesOf(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit] ?? ''}`;
}

/**
 * What the transport logs tell of a pair, for instance `12 of 40 attempts failed (30 %), mostly connection refused`.
 * Failures of a session that was not connected by an attempt known here can be more than the attempts: then no ratio.
 */
export function failuresTextOf({ attempts, failures }: Pick<Row, 'attempts' | 'failures'>): string | undefined {
  const byReason = Object.entries(failures) as [Reason, number][];
  const failed = byReason.reduce((sum, [, count]) => sum + count, 0);
  if (failed === 0) return attempts === 0 ? undefined : `none of ${attempts.toLocaleString('en')} attempts failed`;
  const [mostly] = byReason.reduce((most, each) => (each[1] > most[1] ? each : most));
  const why = `${byReason.length === 1 ? '' : 'mostly '}${reasonWords[mostly].what}`;
  if (attempts < failed) return `${failed.toLocaleString('en')} failed: ${why}`;
  const share = Math.max(1, Math.round((100 * failed) / attempts));
  return `${failed.toLocaleString('en')} of ${attempts.toLocaleString('en')} attempts failed (${share} %): ${why}`;
}

/** Small parts that several pages share: times, badges, the steps of a visit, transcripts. */
import type { VNode } from 'preact';
import { stepNames, type Reason, type SourceStatus, type StepName, type StepResult } from '../model.js';
import { reasonLink, type Context } from './links.js';
import type { PageContext } from './page.js';
import type { RowState, Visit } from './view.js';
import {
  ageOf,
  bytesOf,
  clockOf,
  durationOf,
  isoOf,
  reasonWords,
  stateWords,
  stepWords,
  tookOf,
  type Tone,
} from './words.js';

/** Age first, because that decides; the exact UTC time below it, because that is compared with logs. */
export function Moment({ at, now }: { at: number; now: number }): VNode {
  return (
    <time dateTime={isoOf(at)}>
      {ageOf(at, now)} <small>{clockOf(at, now)}</small>
    </time>
  );
}

/** The same within a sentence: `08:14:05 UTC (4 min ago)`. */
export function InlineMoment({ at, now }: { at: number; now: number }): VNode {
  return (
    <time dateTime={isoOf(at)}>
      {clockOf(at, now)} ({ageOf(at, now)})
    </time>
  );
}

export function StateBadge({ state }: { state: RowState }): VNode {
  const { symbol, word, tone } = stateWords[state];
  return (
    <span class={`b ${tone}`}>
      <i aria-hidden="true">{symbol}</i> {word}
    </span>
  );
}

/** A reason in words, linked to its place in the runbooks. */
export function ReasonWords({
  reason,
  page,
  context,
}: {
  reason: Reason;
  page: PageContext;
  context?: Context;
}): VNode {
  const { what } = reasonWords[reason];
  return page.runbooks.has('reasons') ? (
    <a href={reasonLink(page.links, reason, context)}>{what}</a>
  ) : (
    <span>{what}</span>
  );
}

export function Banner({ tone, title, children }: { tone: Tone; title: string; children?: preactChildren }): VNode {
  return (
    <div class={`banner ${tone}`} role={tone === 'bad' ? 'alert' : 'note'}>
      <strong>{title}</strong> {children}
    </div>
  );
}
type preactChildren = VNode | string | readonly (VNode | string | undefined)[] | undefined;

// --------------------------------------------------------------------------------------------------------- a visit

/** Every question of a visit with its answer; questions that were not asked are shown as such. */
export function Steps({ visit, page, context }: { visit: Visit; page: PageContext; context: Context }): VNode {
  const answered = new Map(visit.steps.map((step) => [step.step, step]));
  return (
    <ol class="steps">
      {stepNames.map((name) => (
        <Step key={name} name={name} result={answered.get(name)} page={page} context={context} />
      ))}
    </ol>
  );
}

type StepProps = { name: StepName; result: StepResult | undefined; page: PageContext; context: Context };

function Step({ name, result, page, context }: StepProps): VNode {
  if (!result) {
    return (
      <li class="quiet">
        <i aria-hidden="true">○</i> <b>{stepWords[name]}</b> <span>not asked</span>
      </li>
    );
  }
  const passed = result.outcome === 'passed';
  return (
    <li class={passed ? 'good' : 'bad'}>
      <i aria-hidden="true">{passed ? '✔' : '✖'}</i> <b>{stepWords[name]}</b>{' '}
      <span>
        {passed ? 'passed' : <ReasonWords reason={result.reason ?? 'other'} page={page} context={context} />} in{' '}
        {tookOf(result.seconds)}
      </span>
      {result.detail === undefined ? null : <q>{result.detail}</q>}
    </li>
  );
}

/** The conversation of a visit as it went over the wire. */
export function Transcript({ visit, label }: { visit: Visit; label: string }): VNode {
  if (visit.transcript.length === 0)
    return <p class="muted">Nothing was said: the visit ended before a conversation.</p>;
  return (
    <pre class="transcript" tabIndex={0} aria-label={label}>
      {visit.transcript.map((line, index) => (
        <span key={index} class={line.direction === '>' ? 'out' : line.direction === '<' ? 'in' : 'note'}>
          {`${`${Math.round(line.ms)} ms`.padStart(9)}  ${line.direction} ${line.text}\n`}
        </span>
      ))}
    </pre>
  );
}

/** Visits newest first, one line each. */
export function VisitHistory({
  visits,
  page,
  context,
}: {
  visits: readonly Visit[];
  page: PageContext;
  context: Context;
}): VNode {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Recent visits">
      <table class="cards">
        <caption>Recent visits, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Result</th>
            <th scope="col">Started</th>
            <th scope="col">Failed step and reason</th>
            <th scope="col" class="n">
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {visits.map((visit) => (
            <tr key={visit.id}>
              <th scope="row" data-label="Result">
                <ResultBadge visit={visit} />
              </th>
              <td data-label="Started">
                <Moment at={visit.at} now={page.now} />
              </td>
              <td data-label="Failed step">
                <FailedStep visit={visit} page={page} context={context} />
              </td>
              <td data-label="Took" class="n">
                {tookOf(visit.seconds)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ResultBadge({ visit }: { visit: Visit }): VNode {
  const [tone, symbol, word] = visit.success
    ? visit.warning
      ? ['warn', '▲', 'Passed, with a warning']
      : ['good', '✔', 'Passed']
    : ['bad', '✖', 'Failed'];
  return (
    <span class={`b ${tone}`}>
      <i aria-hidden="true">{symbol}</i> {word}
    </span>
  );
}

function FailedStep({ visit, page, context }: { visit: Visit; page: PageContext; context: Context }): VNode {
  const failure = visit.success
    ? visit.warning
    : { step: visit.failedStep, reason: visit.reason ?? ('other' as const) };
  if (!failure) return <span class="muted">none</span>;
  return (
    <span>
      {failure.step === undefined ? null : `${stepWords[failure.step]}: `}
      <ReasonWords reason={failure.reason} page={page} context={context} />
    </span>
  );
}

/** One small block per visit, oldest first; the words are in the history below it. */
export function VisitStrip({ visits }: { visits: readonly Visit[] }): VNode {
  const failed = visits.filter((visit) => !visit.success).length;
  return (
    <p class="strip" role="img" aria-label={`Last ${visits.length} visits, ${failed} of them failed`}>
      {[...visits].reverse().map((visit) => (
        <span key={visit.id} class={visit.success ? (visit.warning ? 'warn' : 'good') : 'bad'}></span>
      ))}
    </p>
  );
}

// -------------------------------------------------------------------------------------------------------- sources

/** Where events are read from, and whether that works. */
export function Sources({ sources, now }: { sources: readonly SourceStatus[]; now: number }): VNode {
  if (sources.length === 0) {
    return <p class="muted">No source is configured: this exporter reads no events, it only probes.</p>;
  }
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Sources">
      <table class="cards">
        <caption>Where events are read from</caption>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Source</th>
            <th scope="col">Newest record</th>
            <th scope="col" class="n">
              Still to read
            </th>
            <th scope="col">In words</th>
          </tr>
        </thead>
        <tbody>
          {sources.map((source) => (
            <SourceRow key={source.source} source={source} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SourceRow({ source, now }: { source: SourceStatus; now: number }): VNode {
  return (
    <tr>
      <td data-label="State">
        <span class={`b ${source.up ? 'good' : 'bad'}`}>
          <i aria-hidden="true">{source.up ? '✔' : '✖'}</i> {source.up ? 'Read' : 'Cannot be read'}
        </span>
      </td>
      <th scope="row" data-label="Source">
        <code>{source.source}</code>
      </th>
      <td data-label="Newest record">
        {source.lastRecordAt === undefined ? (
          <span class="muted">none yet</span>
        ) : (
          <Moment at={source.lastRecordAt} now={now} />
        )}
      </td>
      <td data-label="Still to read" class="n">
        {source.lagBytes === 0 ? 'nothing' : `${bytesOf(source.lagBytes)}, for ${durationOf(source.lagSeconds)}`}
      </td>
      <td data-label="In words">{source.detail}</td>
    </tr>
  );
}

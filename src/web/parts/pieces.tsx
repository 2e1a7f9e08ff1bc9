/** Small parts that several pages share: times, badges, the steps of a visit, transcripts. */
import type { ComponentChildren, VNode } from 'preact';
import { endpointOf } from '../../model/endpoint.js';
import type { ProbeResult, StepResult } from '../../model/probes.js';
import { type Reason, stepNames } from '../../model/words.js';
import { visibleText } from '../../runtime/visible-text.js';
import type { PageContext } from '../pages/page.js';
import type { RowState } from '../view.js';
import { type Context, reasonLink } from './links.js';
import { Name, Said } from './name.js';
import { ageOf, clockOf, isoOf, reasonWords, stateWords, stepWords, type Tone, tookOf } from './words.js';

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
  const { word, tone } = stateWords[state];
  return <span class={`b ${tone}`}>{word}</span>;
}

/** Longer names are cut after a few lines in a table, and whole on hover; the others stay lean. */
const longestWhole = 80;

/** A Send connector in a table, linked to its page. */
export function ConnectorLink({ name, page }: { name: string; page: PageContext }): VNode {
  const cut = name.length > longestWhole ? { class: 'long', title: visibleText(name) } : {};
  return (
    <a href={page.links.connector(name)} {...cut}>
      <Name>{name}</Name>
    </a>
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

export function Banner({ tone, title, children }: { tone: Tone; title: string; children: ComponentChildren }): VNode {
  return (
    <div class={`banner ${tone}`} role={tone === 'bad' ? 'alert' : 'note'}>
      <strong>{title}</strong> {children}
    </div>
  );
}

// --------------------------------------------------------------------------------------------------------- a visit

/** Every question of a visit with its answer; what was not asked stands together in the last line. */
export function Steps({ visit, page, context }: { visit: ProbeResult; page: PageContext; context: Context }): VNode {
  const asked = new Set(visit.steps.map((result) => result.step));
  // An address has no name to resolve: saying so on every visit would only distract.
  const address = endpointOf(visit.destination)?.address === true;
  const unasked = stepNames.filter((name) => !asked.has(name) && !(name === 'dns' && address));
  return (
    <ol class="steps">
      {visit.steps.map((result) => (
        <Step key={result.step} result={result} page={page} context={context} />
      ))}
      {unasked.length === 0 ? null : (
        <li class="quiet">
          <i aria-hidden="true">○</i> Not asked: {unasked.map((name) => stepWords[name]).join(', ')}
        </li>
      )}
    </ol>
  );
}

function Step({ result, page, context }: { result: StepResult; page: PageContext; context: Context }): VNode {
  const passed = result.outcome === 'passed';
  return (
    <li class={passed ? 'good' : 'bad'}>
      <i aria-hidden="true">{passed ? '✔' : '✖'}</i> <b>{stepWords[result.step]}</b>{' '}
      <span>
        {passed ? 'passed' : <ReasonWords reason={result.reason ?? 'other'} page={page} context={context} />} in{' '}
        {tookOf(result.seconds)}
      </span>
      {result.detail === undefined ? null : (
        <q>
          <Said>{result.detail}</Said>
        </q>
      )}
    </li>
  );
}

/** The conversation of a visit as it went over the wire. */
export function Transcript({ visit, label }: { visit: ProbeResult; label: string }): VNode {
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

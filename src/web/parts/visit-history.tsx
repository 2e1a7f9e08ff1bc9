/** The visits of a destination as a table. */
import type { VNode } from 'preact';
import type { ProbeResult } from '../../model/probes.js';
import type { PageContext } from '../pages/page.js';
import type { Context } from './links.js';
import { Moment, ReasonWords } from './pieces.js';
import { stepWords, tookOf } from './words.js';

/** The visits that are kept, newest first. */
export function VisitHistory({
  visits,
  page,
  context,
}: {
  visits: readonly ProbeResult[];
  page: PageContext;
  context: Context;
}): VNode {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Visits kept">
      <table class="cards">
        <caption>Visits kept, newest first; failed ones are kept longer than good ones</caption>
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
            <VisitRow key={visit.id} visit={visit} page={page} context={context} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function VisitRow({ visit, page, context }: { visit: ProbeResult; page: PageContext; context: Context }): VNode {
  return (
    <tr>
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
  );
}

function ResultBadge({ visit }: { visit: ProbeResult }): VNode {
  const [tone, word] = visit.success
    ? visit.warning
      ? ['warn', 'Passed, with a warning']
      : ['good', 'Passed']
    : ['bad', 'Failed'];
  return <span class={`b ${tone}`}>{word}</span>;
}

function FailedStep({ visit, page, context }: { visit: ProbeResult; page: PageContext; context: Context }): VNode {
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

/** Small pictures as inline SVG: errors over time, the latest visits as a strip, how long their steps took. */
import type { VNode } from 'preact';
import { stepNames, type RecentError } from '../model.js';
import type { Outcome } from './view.js';
import { clockOf, reasonWords, stepWords, tookOf } from './words.js';

const hourMs = 3_600_000;
const hours = 24;

/** Errors of each of the last 24 hours, oldest first. */
export function hourlyOf(errors: readonly RecentError[], now: number): number[] {
  const counts = new Array<number>(hours).fill(0);
  for (const { until, count } of errors) {
    const index = hours - 1 - Math.floor((now - until) / hourMs);
    if (index >= 0 && index < hours) counts[index] = (counts[index] ?? 0) + count;
  }
  return counts;
}

/** One bar an hour; the height is of the root, so that a single error is seen beside a flood. */
export function ErrorsPlot({ counts }: { counts: readonly number[] }): VNode | null {
  const most = Math.max(...counts);
  if (most <= 0) return null;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const bars = counts
    .map((count, hour) =>
      count === 0 ? '' : `M${hour * 3 + 1} 16v-${Math.max(3, Math.round(Math.sqrt(count / most) * 14))}`,
    )
    .join('');
  const text = `${total.toLocaleString('en')} in 24 hours, ${(counts.at(-1) ?? 0).toLocaleString('en')} in the last one`;
  return (
    <svg class="plot" viewBox="0 0 72 16" width="72" height="16" role="img" aria-label={text}>
      <path d={bars} />
    </svg>
  );
}

/** The latest visits, the newest on the right: a short mark for a good one, a long one for a failed one. */
export function ProbeStrip({ outcomes }: { outcomes: readonly Outcome[] }): VNode | null {
  if (outcomes.length === 0) return null;
  const mark = (good: boolean): string =>
    outcomes
      .map(({ success }, index) => (success === good ? `M${index * 4 + 2} ${good ? '14v-5' : '15v-14'}` : ''))
      .join('');
  const failed = outcomes.filter(({ success }) => !success).length;
  const text = `Last ${outcomes.length} visits: ${outcomes.length - failed} good, ${failed} failed`;
  const width = outcomes.length * 4;
  return (
    <svg class="strip" viewBox={`0 0 ${width} 16`} width={width} height="16" role="img" aria-label={text}>
      <path class="g" d={mark(true)} />
      <path class="f" d={mark(false)} />
    </svg>
  );
}

const [plotHeight, barWidth, gap] = [120, 18, 8];

/** How long each step of the latest visits took, stacked; a failed visit says so below. */
export function TimingsPlot({ outcomes, now }: { outcomes: readonly Outcome[]; now: number }): VNode | null {
  const shown = outcomes.filter(({ seconds }) => seconds.some((each) => each > 0));
  if (shown.length === 0) return null;
  const totals = shown.map(({ seconds }) => seconds.reduce((sum, each) => sum + each, 0));
  const longest = Math.max(...totals);
  const used = stepNames.filter((_, step) => shown.some(({ seconds }) => (seconds[step] ?? 0) > 0));
  const width = shown.length * (barWidth + gap) + gap;
  return (
    <figure class="timings">
      <figcaption>
        How long the steps of the last {shown.length === 1 ? 'visit' : `${shown.length} visits`} took; the longest{' '}
        {tookOf(longest)}
      </figcaption>
      <div class="wide" tabIndex={0} role="region" aria-label="Step timings">
        <svg
          viewBox={`0 0 ${width} ${plotHeight + 16}`}
          width={width}
          height={plotHeight + 16}
          role="img"
          aria-label={wordsOf(shown, now)}
        >
          {shown.map((outcome, index) => (
            <Bar key={outcome.at} outcome={outcome} x={gap + index * (barWidth + gap)} longest={longest} now={now} />
          ))}
        </svg>
      </div>
      <ul class="legend">
        {used.map((step) => (
          <li key={step}>
            <span class={`s-${step}`} aria-hidden="true"></span> {stepWords[step]}
          </li>
        ))}
      </ul>
    </figure>
  );
}

function Bar({ outcome, x, longest, now }: { outcome: Outcome; x: number; longest: number; now: number }): VNode {
  let top = plotHeight;
  const parts = stepNames.flatMap((step, index) => {
    const seconds = outcome.seconds[index] ?? 0;
    if (seconds === 0) return [];
    const height = Math.max(1, (seconds / longest) * (plotHeight - 12));
    top -= height;
    return [<rect key={step} class={`s-${step}`} x={x} y={round(top)} width={barWidth} height={round(height)} />];
  });
  return (
    <g>
      <title>{sentenceOf(outcome, now)}</title>
      {parts}
      <text class={outcome.success ? 'g' : 'f'} x={x + barWidth / 2} y={plotHeight + 13} text-anchor="middle">
        {outcome.success ? '✔' : '✖'}
      </text>
    </g>
  );
}

function wordsOf(outcomes: readonly Outcome[], now: number): string {
  const newest = outcomes.at(-1);
  return newest === undefined ? '' : `Newest: ${sentenceOf(newest, now)}`;
}

function sentenceOf({ at, success, reason, seconds }: Outcome, now: number): string {
  const steps = stepNames.flatMap((step, index) => {
    const took = seconds[index] ?? 0;
    return took > 0 ? [`${stepWords[step]} ${tookOf(took)}`] : [];
  });
  return `${clockOf(at, now)}, ${success ? 'passed' : reasonWords[reason ?? 'other'].what}: ${steps.join(', ')}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

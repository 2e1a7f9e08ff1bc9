/** Small pictures as inline SVG for a table: errors over time, and the latest visits as a strip. */
import type { VNode } from 'preact';
import type { RecentError } from '../../model/evidence.js';
import type { Outcome } from '../view.js';

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

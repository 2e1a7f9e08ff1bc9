/** Errors of a Send connector by reason, over a day and over a week. */
import type { VNode } from 'preact';
import type { ErrorHours } from '../../ledger/error-hours.js';
import { Lanes, type Lane } from './lanes.js';
import { clockOf, reasonWords } from './words.js';

type ErrorPlotsProps = { readonly hours: readonly ErrorHours[]; readonly now: number };

const hourMs = 3_600_000;
/** Reasons with a lane of their own; the rest share one. */
const lanesShown = 6;

/** Nothing without an error within the week. */
export function ErrorPlots({ hours, now }: ErrorPlotsProps): VNode | null {
  if (hours.length === 0) return null;
  return (
    <>
      <h2>Errors by reason</h2>
      <div class="pair">
        <ErrorPlot caption="Last 24 hours, by the hour" hours={hours} bars={24} hoursEach={1} now={now} />
        <ErrorPlot caption="Last 7 days, by 6 hours" hours={hours} bars={28} hoursEach={6} now={now} />
      </div>
    </>
  );
}

type ErrorPlotProps = ErrorPlotsProps & {
  readonly caption: string;
  readonly bars: number;
  readonly hoursEach: number;
};

function ErrorPlot({ hours, now, caption, bars, hoursEach }: ErrorPlotProps): VNode {
  const series = hours.map(({ reason, counts }) => ({
    name: reason === undefined ? 'Event 2002' : sentenceCase(reasonWords[reason].what),
    counts: inBars(counts, bars, hoursEach),
  }));
  const shown = lanesOf(series);
  const most = Math.max(1, ...shown.flatMap(({ counts }) => counts));
  const thisHour = Math.floor(now / hourMs) * hourMs;
  const times = Array.from({ length: bars }, (_, index) => thisHour - ((bars - index) * hoursEach - 1) * hourMs);
  const lanes = shown.map(({ name, counts }): Lane => ({
    name,
    note: `${sumOf(counts).toLocaleString('en')} in all`,
    bars: counts.map((count, index) =>
      count === 0
        ? undefined
        : {
            // Of the root, so that a single error is seen beside a flood.
            height: Math.sqrt(count / most),
            tone: 'bad',
            title: `${count.toLocaleString('en')} from ${clockOf(times[index] ?? now, now)} on`,
          },
    ),
  }));
  return (
    <Lanes
      caption={`${caption}; the highest bar is ${most.toLocaleString('en')}.`}
      lanes={lanes}
      times={times}
      now={now}
    />
  );
}

type Series = { readonly name: string; readonly counts: readonly number[] };

/** The newest hours, so many to a bar. */
function inBars(counts: readonly number[], bars: number, hoursEach: number): number[] {
  const newest = counts.slice(-bars * hoursEach);
  return Array.from({ length: bars }, (_, bar) => sumOf(newest.slice(bar * hoursEach, (bar + 1) * hoursEach)));
}

/** Events first, then the most frequent reasons. */
function lanesOf(series: readonly Series[]): Series[] {
  const inOrder = [...series].sort(
    (a, b) =>
      Number(b.name === 'Event 2002') - Number(a.name === 'Event 2002') ||
      sumOf(b.counts) - sumOf(a.counts) ||
      (a.name < b.name ? -1 : 1),
  );
  if (inOrder.length <= lanesShown) return inOrder;
  const rest = inOrder.slice(lanesShown - 1);
  const counts = (rest[0]?.counts ?? []).map((_, bar) => sumOf(rest.map((each) => each.counts[bar] ?? 0)));
  return [...inOrder.slice(0, lanesShown - 1), { name: `${rest.length} other reasons`, counts }];
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

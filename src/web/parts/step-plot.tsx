/** The latest visits of a destination as a plot: a lane for each step, a bar for each visit. */
import type { VNode } from 'preact';
import { endpointOf } from '../../model/endpoint.js';
import { stepNames, type StepName } from '../../model/words.js';
import { Lanes, type Bar, type Lane } from './lanes.js';
import type { Outcome } from '../view.js';
import { clockOf, reasonWords, stepWords, tookOf } from './words.js';

type StepPlotProps = { readonly destination: string; readonly outcomes: readonly Outcome[]; readonly now: number };

/** Nothing before the first visit that asked anything. */
export function StepPlot({ destination, outcomes, now }: StepPlotProps): VNode | null {
  const shown = outcomes.filter(({ seconds, failed }) => failed.length > 0 || seconds.some((each) => each > 0));
  if (shown.length === 0) return null;
  // An address has no name to resolve.
  const address = endpointOf(destination)?.address === true;
  const steps = stepNames.filter((step) => step !== 'dns' || !address || shown.some((each) => wasAsked(each, step)));
  const visits = shown.length === 1 ? 'The last visit' : `The last ${shown.length} visits`;
  return (
    <Lanes
      caption={`${visits}, step by step. A bar is how long a step took, ${tookOf(shortest)} to ${tookOf(longest)} by powers of ten; a red bar of full height: it failed there.`}
      lanes={steps.map((step) => laneOf(step, shown, now))}
      times={shown.map(({ at }) => at)}
      now={now}
    />
  );
}

function wasAsked({ seconds, failed }: Outcome, step: StepName): boolean {
  return failed.includes(step) || secondsOf(seconds, step) > 0;
}

function secondsOf(seconds: readonly number[], step: StepName): number {
  return seconds[stepNames.indexOf(step)] ?? 0;
}

function laneOf(step: StepName, outcomes: readonly Outcome[], now: number): Lane {
  return { name: stepWords[step], note: noteOf(step, outcomes), bars: outcomes.map((each) => barOf(step, each, now)) };
}

function barOf(step: StepName, outcome: Outcome, now: number): Bar | undefined {
  if (!wasAsked(outcome, step)) return undefined;
  const seconds = secondsOf(outcome.seconds, step);
  const isFailed = outcome.failed.includes(step);
  const why = isFailed && !outcome.success ? reasonWords[outcome.reason ?? 'other'].what : 'failed';
  return {
    height: isFailed ? 1 : heightOf(seconds),
    tone: isFailed ? 'bad' : 'good',
    title: `${clockOf(outcome.at, now)}: ${isFailed ? why : 'passed'} in ${tookOf(seconds)}`,
  };
}

/** Seconds between which a bar grows: a step in a LAN, and the longest that any step is waited for. */
const [shortest, longest] = [0.001, 30];

/** By powers of ten, and never as high as a failure. */
function heightOf(seconds: number): number {
  const share = Math.log(Math.max(seconds, shortest) / shortest) / Math.log(longest / shortest);
  return 0.12 + 0.7 * Math.min(1, share);
}

function noteOf(step: StepName, outcomes: readonly Outcome[]): string {
  const asked = outcomes.filter((each) => wasAsked(each, step));
  const failed = asked.filter((each) => each.failed.includes(step)).length;
  const last = asked.at(-1);
  if (!last) return 'not asked';
  if (failed > 0) return `${failed} of ${asked.length} failed`;
  return `last ${tookOf(secondsOf(last.seconds, step))}`;
}

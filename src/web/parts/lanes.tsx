/** A large plot of lanes above one another: a name, bars over time, and a note at the end of each. */
import type { VNode } from 'preact';
import { clockOf, isoOf } from './words.js';

/** One bar; its height is 0 to 1. */
export type Bar = { readonly height: number; readonly tone: 'good' | 'bad' | 'warn'; readonly title: string };

export type Lane = {
  readonly name: string;
  /** What the lane says as a whole, for people who see no bars: stands at its end. */
  readonly note: string;
  /** From left to right, as many in every lane; undefined where there is nothing to draw. */
  readonly bars: readonly (Bar | undefined)[];
};

type LanesProps = {
  readonly lanes: readonly Lane[];
  readonly caption: string;
  /** Times of the places from left to right, milliseconds since 1970 UTC. */
  readonly times: readonly number[];
  readonly now: number;
};

const laneHeight = 24;

export function Lanes({ lanes, caption, times, now }: LanesProps): VNode {
  return (
    <figure class="lanes">
      <figcaption>{caption}</figcaption>
      {lanes.map((lane) => (
        <div class="lane" key={lane.name}>
          <b>{lane.name}</b>
          <Bars lane={lane} />
          <span class="note">{lane.note}</span>
        </div>
      ))}
      <div class="lane axis">
        <b>Time</b>
        <span class="ticks">
          {ticksOf(times).map((at) => (
            <time key={at} dateTime={isoOf(at)}>
              {tickTextOf(at, now)}
            </time>
          ))}
        </span>
      </div>
    </figure>
  );
}

/** Stretched to the width there is: bars keep their height, and no text is in it that could be squeezed. */
function Bars({ lane: { name, note, bars } }: { lane: Lane }): VNode {
  return (
    <svg
      viewBox={`0 0 ${bars.length * 10} ${laneHeight}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${name}: ${note}`}
    >
      {bars.map((bar, index) => {
        if (bar === undefined) return null;
        const height = Math.max(2, Math.round(Math.min(1, bar.height) * laneHeight));
        return (
          <rect class={bar.tone} x={index * 10 + 1} y={laneHeight - height} width={8} height={height}>
            <title>{bar.title}</title>
          </rect>
        );
      })}
    </svg>
  );
}

/** Whole minutes without seconds, which would only look exact. */
function tickTextOf(at: number, now: number): string {
  const text = clockOf(at, now);
  return at % 60_000 === 0 ? text.replace(':00 UTC', ' UTC') : text;
}

/** At most five times, the first and the last among them, as far from one another as can be. */
function ticksOf(times: readonly number[]): number[] {
  const last = times.length - 1;
  const most = Math.min(4, last);
  const places = Array.from({ length: most + 1 }, (_, index) => (most === 0 ? 0 : Math.round((index * last) / most)));
  return places.flatMap((place) => times[place] ?? []);
}

/** How available a destination was, by the visits that passed, and when it was not. */
import type { VNode } from 'preact';
import type { DestinationAvailability } from '../../ledger/availability.js';
import type { Counted } from '../../ledger/count-ring.js';
import { clockOf, durationOf, isoOf } from './words.js';

type AvailabilityFactsProps = { readonly availability: DestinationAvailability | undefined; readonly now: number };

/** More of them would push the evidence down; the API has all that are kept. */
const outagesShown = 3;

/** Nothing before the first visit. */
export function AvailabilityFacts({ availability, now }: AvailabilityFactsProps): VNode | null {
  if (!availability) return null;
  const { day, week, month, outages } = availability;
  return (
    <dl class="facts availability">
      <Share name="Available, 24 hours" counted={day} />
      <Share name="7 days" counted={week} />
      <Share name="30 days" counted={month} />
      <div>
        <dt>{outages.length === 0 ? 'Outages' : 'Last outages, newest first'}</dt>
        {outages.length === 0 ? <dd>none seen</dd> : null}
        {outages.slice(0, outagesShown).map(({ from, until }) => (
          <dd key={from}>
            <time dateTime={isoOf(from)}>{clockOf(from, now)}</time>
            {until === undefined
              ? `, for ${durationOf(Math.max(0, now - from) / 1000)} so far`
              : `, for ${durationOf((until - from) / 1000)}`}
          </dd>
        ))}
      </div>
    </dl>
  );
}

function Share({ name, counted: { passed, all } }: { name: string; counted: Counted }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b>{all === 0 ? 'no visit' : percentOf(passed, all)}</b>
        {all === 0 ? null : <small>{` ${passed.toLocaleString('en')} of ${all.toLocaleString('en')} visits`}</small>}
      </dd>
    </div>
  );
}

/** Never 100 % while a visit failed, and never 0 % while one passed. */
function percentOf(passed: number, all: number): string {
  if (passed === all) return '100 %';
  if (passed === 0) return '0 %';
  return `${Math.min(99.99, Math.max(0.01, (100 * passed) / all)).toFixed(2)} %`;
}

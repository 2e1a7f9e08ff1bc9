/** How many visits of each destination passed within 1, 7 and 30 days, and its last outages. Bounded and saved. */
import * as z from 'zod';
import { createCountRing, type Counted, type CountRing, savedCounts, type SavedCounts } from './count-ring.js';
import type { Immutable } from '../runtime/immutable.js';
import { keepLatest } from '../runtime/keep-latest.js';
import { createTextSnapshots } from './text-snapshots.js';
import type { ProbeResult } from '../model/probes.js';

export const savedAvailability = z.strictObject({
  destination: z.string(),
  hours: savedCounts,
  days: savedCounts,
  /** Oldest first. */
  outages: z.array(z.strictObject({ from: z.number(), until: z.number().optional() })),
});
export type SavedAvailability = Immutable<z.infer<typeof savedAvailability>>;

/** Times in milliseconds since 1970 UTC; `until` is undefined while it lasts. */
type Outage = SavedAvailability['outages'][number];

export type DestinationAvailability = {
  /** By the hour: the last 24 hours and 7 days; by the day: the last 30. The place that is under way counts. */
  readonly day: Counted;
  readonly week: Counted;
  readonly month: Counted;
  /** Newest first. */
  readonly outages: readonly Outage[];
};

export type Availability = {
  /** A visit that policy forbade asked nothing, and counts for nothing. */
  readonly note: (visit: Pick<ProbeResult, 'destination' | 'at' | 'success' | 'reason'>) => void;
  /** @returns undefined when it was not visited within 30 days */
  readonly of: (destination: string) => DestinationAvailability | undefined;
  /** The saved form: one JSON text each. */
  readonly texts: () => readonly string[];
  /** The same as they are now, made when they are asked for, while notes go on. Takes the place of one that was not read to its end. */
  readonly snapshot: () => Iterable<string>;
};

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const outagesKept = 5;

type Kept = {
  readonly destination: string;
  readonly hours: CountRing;
  readonly days: CountRing;
  outages: Outage[];
  text: string | undefined;
};

/** @param most destinations kept; beyond it the one that was not visited for longest goes */
export function createAvailability(saved: readonly SavedAvailability[], now: () => number, most = 4_000): Availability {
  /** The longest not visited first. */
  const kept = new Map<string, Kept>();
  for (const { destination, hours, days, outages } of saved)
    kept.set(destination, keptOf(destination, outages, hours, days));
  const textAt = (each: Kept): string => (each.text ??= textOf(each, now()));
  const snapshots = createTextSnapshots(textAt);
  const sums = ({ hours, days, outages }: Kept): DestinationAvailability => {
    const [hour, day] = [Math.floor(now() / hourMs), Math.floor(now() / dayMs)];
    return {
      day: hours.sum(hour, 24),
      week: hours.sum(hour, 7 * 24),
      month: days.sum(day, 30),
      outages: [...outages].reverse(),
    };
  };
  return {
    note({ destination, at, success, reason }) {
      if (reason === 'blocked_by_policy') return;
      const known = kept.get(destination) ?? keptOf(destination, []);
      snapshots.changes(known);
      known.hours.add(Math.floor(at / hourMs), success);
      known.days.add(Math.floor(at / dayMs), success);
      noteOutage(known, at, success);
      known.text = undefined;
      keepLatest(kept, destination, known, most);
    },
    of(destination) {
      const known = kept.get(destination);
      const found = known && sums(known);
      return found && found.month.all > 0 ? found : undefined;
    },
    texts: () => [...kept.values()].map(textAt),
    snapshot: () => snapshots.begin(kept.values()),
  };
}

function keptOf(destination: string, outages: readonly Outage[], hours?: SavedCounts, days?: SavedCounts): Kept {
  return {
    destination,
    hours: createCountRing(7 * 24, hours),
    days: createCountRing(30, days),
    outages: outages.slice(-outagesKept),
    text: undefined,
  };
}

/** From the start of the first failed visit to the start of the next that passed. */
function noteOutage(kept: Kept, at: number, success: boolean): void {
  const last = kept.outages.at(-1);
  const isOpen = last !== undefined && last.until === undefined;
  if (success && isOpen) kept.outages[kept.outages.length - 1] = { from: last.from, until: Math.max(last.from, at) };
  if (!success && !isOpen) kept.outages = [...kept.outages, { from: at }].slice(-outagesKept);
}

function textOf({ destination, hours, days, outages }: Kept, now: number): string {
  const saved: SavedAvailability = {
    destination,
    hours: hours.saved(Math.floor(now / hourMs)),
    days: days.saved(Math.floor(now / dayMs)),
    outages,
  };
  return JSON.stringify(saved);
}

/** Errors of each Send connector by reason and hour, for a week: what its page plots. Bounded and saved. */
import * as z from 'zod';
import { createCountRing, type CountRing, savedCounts } from './count-ring.js';
import { createLinkedLine, noPlace, type Place } from './linked-line.js';
import { createTextSnapshots } from './text-snapshots.js';
import type { Immutable } from '../runtime/immutable.js';
import { type Reason, reasons } from '../model/words.js';

/** Errors of one connector for one reason; without a reason they are events 2002. */
export type ErrorHours = {
  readonly reason: Reason | undefined;
  /** By hour, oldest first; the last is under way. */
  readonly counts: readonly number[];
};

export const savedErrorHours = z.strictObject({
  connector: z.string(),
  reason: z.enum(reasons).optional(),
  hours: savedCounts,
});
export type SavedErrorHours = Immutable<z.infer<typeof savedErrorHours>>;

export type ErrorHoursBook = {
  readonly note: (connector: string, reason: Reason | undefined, at: number) => void;
  /** Of the last 7 days; nothing for a reason without an error in them. */
  readonly of: (connector: string) => readonly ErrorHours[];
  /** The saved form: one JSON text each. */
  readonly texts: () => readonly string[];
  /** The same as they are now, made when they are asked for, while notes go on. Takes the place of one that was not read to its end. */
  readonly snapshot: () => Iterable<string>;
};

const hourMs = 3_600_000;
const hoursKept = 7 * 24;

type Kept = Omit<SavedErrorHours, 'hours'> & {
  readonly hours: CountRing;
  text: string | undefined;
  readonly place: Place<Kept>;
};

/** @param most connectors times reasons; beyond it the one without an error for longest goes */
export function createErrorHours(saved: readonly SavedErrorHours[], now: () => number, most = 2_000): ErrorHoursBook {
  const byConnector = new Map<string, Map<Reason | undefined, Kept>>();
  /** The longest without an error first. */
  const line = createLinkedLine<Kept>(({ place }) => place);
  const keptOf = (connector: string, reason: Reason | undefined, hours?: CountRing): Kept => {
    const ofConnector = byConnector.get(connector) ?? new Map<Reason | undefined, Kept>();
    const known = ofConnector.get(reason);
    if (known) return known;
    const ring = hours ?? createCountRing(hoursKept);
    const fresh: Kept = { connector, reason, hours: ring, text: undefined, place: noPlace() };
    byConnector.set(connector, ofConnector.set(reason, fresh));
    line.add(fresh);
    return fresh;
  };
  const drop = (kept: Kept | undefined): void => {
    if (!kept) return;
    const ofConnector = byConnector.get(kept.connector);
    ofConnector?.delete(kept.reason);
    if (ofConnector?.size === 0) byConnector.delete(kept.connector);
    line.take(kept);
  };
  for (const { connector, reason, hours } of saved) keptOf(connector, reason, createCountRing(hoursKept, hours));
  const thisHour = (): number => Math.floor(now() / hourMs);
  const textAt = (each: Kept): string => (each.text ??= textOf(each, thisHour()));
  const snapshots = createTextSnapshots(textAt);
  return {
    note(connector, reason, at) {
      const hour = Math.floor(at / hourMs);
      // What is older would take the place of what is newer.
      if (!(hour > thisHour() - hoursKept)) return;
      const kept = keptOf(connector, reason);
      snapshots.changes(kept);
      kept.hours.add(hour, true);
      kept.text = undefined;
      line.take(kept);
      line.add(kept);
      if (line.size() > most) drop(line.oldest());
    },
    of: (connector) =>
      [...(byConnector.get(connector)?.values() ?? [])]
        .map(({ reason, hours }) => ({ reason, counts: hours.list(thisHour(), hoursKept) }))
        .filter(({ counts }) => counts.some((count) => count > 0)),
    texts: () => line.all().map(textAt),
    snapshot: () => snapshots.begin(line.all()),
  };
}

function textOf({ connector, reason, hours }: Kept, hour: number): string {
  return JSON.stringify({ connector, reason, hours: hours.saved(hour) } satisfies SavedErrorHours);
}

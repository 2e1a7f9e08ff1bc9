/** Errors of each Send connector by reason and hour, for a week: what its page plots. Bounded and saved. */
import * as z from 'zod';
import { createCountRing, type CountRing, savedCounts } from './count-ring.js';
import type { Immutable } from '../runtime/immutable.js';
import { keepLatest } from '../runtime/keep-latest.js';
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
};

const hourMs = 3_600_000;
const hoursKept = 7 * 24;

type Kept = Omit<SavedErrorHours, 'hours'> & { readonly hours: CountRing; text: string | undefined };

/** @param most connectors times reasons; beyond it the one without an error for longest goes */
export function createErrorHours(saved: readonly SavedErrorHours[], now: () => number, most = 2_000): ErrorHoursBook {
  /** The longest without an error first. */
  const kept = new Map<string, Kept>();
  const keyOf = (connector: string, reason: Reason | undefined): string => `${connector}\n${reason ?? ''}`;
  for (const { connector, reason, hours } of saved)
    kept.set(keyOf(connector, reason), {
      connector,
      reason,
      hours: createCountRing(hoursKept, hours),
      text: undefined,
    });
  const thisHour = (): number => Math.floor(now() / hourMs);
  return {
    note(connector, reason, at) {
      const hour = Math.floor(at / hourMs);
      // What is older would take the place of what is newer.
      if (!(hour > thisHour() - hoursKept)) return;
      const key = keyOf(connector, reason);
      const known = kept.get(key) ?? { connector, reason, hours: createCountRing(hoursKept), text: undefined };
      known.hours.add(hour, true);
      known.text = undefined;
      keepLatest(kept, key, known, most);
    },
    of: (connector) =>
      [...kept.values()]
        .filter((each) => each.connector === connector)
        .map(({ reason, hours }) => ({ reason, counts: hours.list(thisHour(), hoursKept) }))
        .filter(({ counts }) => counts.some((count) => count > 0)),
    texts: () => [...kept.values()].map((each) => (each.text ??= textOf(each, thisHour()))),
  };
}

function textOf({ connector, reason, hours }: Kept, hour: number): string {
  return JSON.stringify({ connector, reason, hours: hours.saved(hour) } satisfies SavedErrorHours);
}

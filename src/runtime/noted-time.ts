/**
 * Times from the future: records that are dated wrongly, and times that this machine noted while its clock was wrong.
 *
 * A gauge of Unix seconds that says 2126 keeps an alert firing for a century. So no record is dated later than it was
 * read, but for the little by which clocks differ; and whatever was noted goes back when the clock is set back.
 */

export type Clocks = {
  /** The clock on the wall, milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** A clock that only goes forward, milliseconds. */
  readonly steady: () => number;
};

/** A time, and when it was noted by the steady clock. */
export type Noted = { readonly at: number; readonly steadyAt: number };

/** By so much the clocks of two servers may differ: Kerberos takes no more. */
export const skewMs = 5 * 60_000;
/** Smaller jumps are the work of a time service. */
const jumpMs = 5_000;
/** The first and last time that a Date can hold. */
const furthestMs = 8.64e15;

/** False for what no record can have that has been read by `now`: no time at all, or one in the future. */
export function isCredible(at: number, now: number): boolean {
  return at >= -furthestMs && at <= now + skewMs;
}

/** The time of a record, `now` for one that it cannot have; undefined stays undefined. */
export function credibleTime<At extends number | undefined>(at: At, now: number): At | number {
  return at === undefined || isCredible(at, now) ? at : now;
}

/** The time as far as it can be true: it was noted by now less the time that has passed since, at the latest. */
export function trueTime({ at, steadyAt }: Noted, clocks: Clocks): number {
  return trueAt(at, steadyAt, clocks);
}

/** The same of a time and its steady time, where nothing is to be made of them. */
export function trueAt(at: number, steadyAt: number, { now, steady }: Clocks, toleranceMs = jumpMs): number {
  const latest = now() - (steady() - steadyAt);
  return at <= latest + toleranceMs ? at : latest;
}

/**
 * Times that others noted, which are to be put right as well.
 * @returns a function from a name and its time to the time as far as it can be true
 */
export function timeKeeper(clocks: Clocks): (name: string, at: number | undefined) => number | undefined {
  const known = new Map<string, Noted>();
  return (name, at) => {
    if (at === undefined) {
      known.delete(name);
      return undefined;
    }
    const before = known.get(name);
    const noted = before?.at === at ? before : { at, steadyAt: clocks.steady() };
    known.set(name, noted);
    return trueTime(noted, clocks);
  };
}

/** @returns a function that says whether the clock on the wall was set since it was asked before */
export function jumpDetector({ now, steady }: Clocks): () => boolean {
  let difference = now() - steady();
  return () => {
    const before = difference;
    difference = now() - steady();
    return Math.abs(difference - before) > jumpMs;
  };
}

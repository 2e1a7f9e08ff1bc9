/**
 * Which lines of a file were taken, told by where they begin: a line counts once, however often and in whatever order it
 * is delivered. Lines that follow one another are one run.
 */
import type { TakenLines } from '../../model/sessions.js';

export type Place = {
  /** Where the line begins, in bytes. */
  readonly offset: number;
  /** Its length as UTF-8, without its line end. */
  readonly length: number;
  /** What time it tells, milliseconds since 1970 UTC. */
  readonly at: number | undefined;
};

/** Of more runs the two that stand first become one: what was between them counts as taken. */
const mostRuns = 64;
/** Files that had the same path one after the other. */
const mostFiles = 3;
const [markBytes, lineEndBytes] = [3, 2];

/**
 * A line whose place was taken, but which is later than all that was taken of the file, is of another file: the path was
 * used again. Rows are written in the order of their times, so that no row that comes twice is later than all.
 * @returns what is taken with this line; undefined when it was taken before
 */
export function take(taken: readonly TakenLines[], place: Place): readonly TakenLines[] | undefined {
  const { offset, at } = place;
  const index = indexFor(taken, at);
  const lines = taken[index];
  if (!lines) return [{ until: at, runs: runOf(place) }];
  if (isTaken(lines.runs, offset)) {
    const isOfAnother = at !== undefined && lines.until !== undefined && at > lines.until;
    return isOfAnother ? [...taken, { until: at, runs: runOf(place) }].slice(-mostFiles) : undefined;
  }
  const until = at === undefined || (lines.until !== undefined && lines.until >= at) ? lines.until : at;
  return taken.with(index, { until, runs: withRun(lines.runs, place) });
}

/** Whether a line stands where one was taken, and is older than the latest: the first rows of another file are not. */
export function isEarlier(taken: readonly TakenLines[], { offset, at }: Place): boolean {
  return (
    at !== undefined && taken.some(({ until, runs }) => until !== undefined && at < until && isTaken(runs, offset))
  );
}

/** The first file that had got as far as this time; else the latest. */
function indexFor(taken: readonly TakenLines[], at: number | undefined): number {
  const index = at === undefined ? -1 : taken.findIndex(({ until }) => until !== undefined && at <= until);
  return index < 0 ? Math.max(0, taken.length - 1) : index;
}

function isTaken(runs: readonly number[], offset: number): boolean {
  for (let at = runs.length - 3; at >= 0; at -= 3) if (offset >= (runs[at] ?? 0)) return offset <= (runs[at + 1] ?? 0);
  return false;
}

/**
 * Where the next line begins at the latest: Exchange ends lines with two bytes, and a byte order mark may have been cut off.
 * Bytes that are no UTF-8 have become longer on the way.
 */
function runOf({ offset, length }: Place): readonly [first: number, last: number, next: number] {
  return [offset, offset, offset + length + lineEndBytes + (offset === 0 ? markBytes : 0)];
}

/** @param place is in none of the runs */
function withRun(runs: readonly number[], place: Place): readonly number[] {
  const [first, , next] = runOf(place);
  let at = runs.length;
  while (at > 0 && (runs[at - 3] ?? 0) > first) at -= 3;
  const follows = at > 0 && (runs[at - 1] ?? 0) >= first;
  const leads = at < runs.length && next >= (runs[at] ?? 0);
  const begin = follows ? (runs[at - 3] ?? first) : first;
  const [last, end] = leads ? [runs[at + 1] ?? first, runs[at + 2] ?? next] : [first, next];
  const changed = [...runs.slice(0, follows ? at - 3 : at), begin, last, end, ...runs.slice(leads ? at + 3 : at)];
  if (changed.length > mostRuns * 3) changed.splice(1, 3);
  return changed;
}

/** What was taken under two names of one server. */
export function merged(some: readonly TakenLines[], others: readonly TakenLines[]): readonly TakenLines[] {
  const [longer, shorter] = some.length >= others.length ? [some, others] : [others, some];
  return longer.map((lines, index) => {
    const same = shorter[index - longer.length + shorter.length];
    if (!same) return lines;
    const times = [lines.until, same.until].filter((time) => time !== undefined);
    return { until: times.length === 0 ? undefined : Math.max(...times), runs: union(lines.runs, same.runs) };
  });
}

function union(some: readonly number[], others: readonly number[]): readonly number[] {
  const runs = [some, others].flatMap((each) =>
    Array.from({ length: each.length / 3 }, (_, n) => each.slice(n * 3, n * 3 + 3) as [number, number, number]),
  );
  const whole: number[] = [];
  for (const [first, last, next] of runs.sort(([a], [b]) => a - b)) {
    const end = whole.length;
    if (end > 0 && first <= (whole[end - 1] ?? 0)) {
      whole[end - 2] = Math.max(whole[end - 2] ?? 0, last);
      whole[end - 1] = Math.max(whole[end - 1] ?? 0, next);
    } else whole.push(first, last, next);
  }
  while (whole.length > mostRuns * 3) whole.splice(1, 3);
  return whole;
}

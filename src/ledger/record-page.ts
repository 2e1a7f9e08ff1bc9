/**
 * Some records of one log, as pairs of ID and second in ascending order: eight bytes each where all of them lie within
 * 2^32 of one another, which those of a true log do, and sixteen where they do not.
 */

/** Few pages to look through, and little to move within one. */
export const mostOnPage = 256;
/** Stands for a time that is not known: before all others of its ID. */
export const untimed = -Infinity;

/** Most of thousands of servers have few records. */
const leastRoom = 4;
const span = 2 ** 32;

/** IDs and seconds in turn, each less its base, and room for more behind the `count` pairs. */
export type Page = {
  numbers: Uint32Array | Float64Array;
  count: number;
  idBase: number;
  secondBase: number;
  /** What is written for `untimed`, and the least of what is written for seconds. */
  untimed: number;
  first: number;
};

/** @param pairs IDs and seconds in turn, ascending */
export function pageOf(pairs: Float64Array): Page {
  const page: Page = { ...narrowest(pairs), count: pairs.length / 2 };
  for (let at = 0; at < page.count; at++) set(page, at, pairs[2 * at] ?? 0, pairs[2 * at + 1] ?? untimed);
  return page;
}

function narrowest(pairs: Float64Array): Omit<Page, 'count'> {
  let [least, most] = [Infinity, -Infinity];
  for (let at = 1; at < pairs.length; at += 2) {
    const second = pairs[at] ?? untimed;
    if (second === untimed) continue;
    least = Math.min(least, second);
    most = Math.max(most, second);
  }
  const [first, last] = [pairs[0] ?? 0, pairs[pairs.length - 2] ?? 0];
  const room = Math.min(mostOnPage, Math.max(leastRoom, pairs.length));
  if (last - first >= span - 1 || most - least >= span - 2)
    return { numbers: new Float64Array(2 * room), idBase: 0, secondBase: 0, untimed, first: -Number.MAX_VALUE };
  const idBase = Math.floor((first + last) / 2) - span / 2;
  const secondBase = least === Infinity ? 0 : Math.floor((least + most) / 2) - span / 2;
  return { numbers: new Uint32Array(2 * room), idBase, secondBase, untimed: 0, first: 1 };
}

function set(page: Page, at: number, id: number, second: number): void {
  page.numbers[2 * at] = id - page.idBase;
  page.numbers[2 * at + 1] = second === untimed ? page.untimed : second - page.secondBase;
}

function fits({ numbers, idBase, secondBase, first }: Page, id: number, second: number): boolean {
  if (numbers instanceof Float64Array) return true;
  const [idPart, secondPart] = [id - idBase, second - secondBase];
  return idPart >= 0 && idPart < span && (second === untimed || (secondPart >= first && secondPart < span));
}

/** NaN behind the last pair. */
export function idAt({ numbers, count, idBase }: Page, at: number): number {
  return at < count ? (numbers[2 * at] ?? Number.NaN) + idBase : Number.NaN;
}

export function secondAt({ numbers, count, secondBase, untimed: none }: Page, at: number): number {
  if (at >= count) return Number.NaN;
  const second = numbers[2 * at + 1] ?? Number.NaN;
  return second === none ? untimed : second + secondBase;
}

export function endsBefore({ numbers, count, idBase, secondBase, first }: Page, id: number, second: number): boolean {
  const last = (numbers[2 * count - 2] ?? 0) + idBase;
  if (last !== id) return last < id;
  return second !== untimed && (numbers[2 * count - 1] ?? 0) < Math.max(first, second - secondBase);
}

/** The place of this pair on a page, or of the first one after it. */
export function placeOn(page: Page, id: number, second: number): number {
  const { numbers, count } = page;
  if (endsBefore(page, id, second)) return count;
  const idPart = id - page.idBase;
  const secondPart = second === untimed ? untimed : Math.max(page.first, second - page.secondBase);
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const known = numbers[2 * middle] ?? 0;
    if (known < idPart || (known === idPart && (numbers[2 * middle + 1] ?? 0) < secondPart)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** IDs and seconds in turn, of the pairs from one place to before another. */
export function pairsOn(page: Page, from = 0, to = page.count): Float64Array {
  const pairs = new Float64Array(2 * (to - from));
  for (let at = from; at < to; at++) {
    pairs[2 * (at - from)] = idAt(page, at);
    pairs[2 * (at - from) + 1] = secondAt(page, at);
  }
  return pairs;
}

/** Puts a pair in at its place; the page must have fewer than `mostOnPage`. */
export function putOn(page: Page, at: number, id: number, second: number): void {
  if (2 * page.count === page.numbers.length || !fits(page, id, second)) {
    const pairs = [pairsOn(page, 0, at), new Float64Array([id, second]), pairsOn(page, at)];
    Object.assign(page, pageOf(joined(pairs)));
    return;
  }
  if (at < page.count) page.numbers.copyWithin(2 * at + 2, 2 * at, 2 * page.count);
  page.count++;
  set(page, at, id, second);
}

export function takeFrom(page: Page, at: number): void {
  page.numbers.copyWithin(2 * at, 2 * at + 2, 2 * page.count);
  page.count--;
}

export function joined(parts: readonly Float64Array[]): Float64Array {
  const pairs = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    pairs.set(part, at);
    at += part.length;
  }
  return pairs;
}

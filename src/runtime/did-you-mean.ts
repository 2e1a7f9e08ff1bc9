/** Guesses which word was meant. */
import leven from 'leven';

/** @returns the known word that is at most two letters away, the nearest one; undefined when none is */
export function closestTo(word: string, known: readonly string[]): string | undefined {
  const near = known
    .map((each) => ({ each, distance: leven(each.toLowerCase(), word.toLowerCase(), { maxDistance: 3 }) }))
    .filter(({ distance }) => distance <= 2)
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.each;
}

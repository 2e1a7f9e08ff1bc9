/** How long a program lives that is killed at random moments, so that it gets on between two kills. */
import { setTimeout as pause } from 'node:timers/promises';

const longestMs = 400;
const patienceMs = 20_000;

/**
 * Every second life ends at a random moment of the start, the others after they have shown more than there was before: a proof
 * by kills that no life comes through to a save would prove nothing.
 * @param shown what is shown by now @returns whether more is shown than when it began
 */
export async function liveOn(life: number, shown: () => number): Promise<boolean> {
  const before = shown();
  const until = performance.now() + (life % 2 === 0 ? 0 : patienceMs);
  while (shown() <= before && performance.now() < until) await pause(5);
  await pause(Math.random() * longestMs);
  return shown() > before;
}

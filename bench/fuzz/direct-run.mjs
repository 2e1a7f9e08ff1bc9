/** Runs the direct part in a thread of its own, and another one where an input holds it for good. */
import { Worker } from 'node:worker_threads';
import { setTimeout as pause } from 'node:timers/promises';

/** An input that takes longer is taken for endless, and its thread ended. */
const patienceMs = 60_000;
const lookMs = 250;

/**
 * @param onFault called with the number of the input, its name and what was wrong
 * @returns a promise of the figures; `ms` is how long to go on
 */
export async function runDirect({ seed, ms, onFault }) {
  const until = performance.now() + ms;
  const figures = { inputs: 0, bytes: 0, slowest: { rate: Number.POSITIVE_INFINITY, name: '-', n: 0 } };
  for (let from = 0; performance.now() < until;) from = await runThread(from, { seed, until, figures, onFault });
  return figures;
}

/** @returns the number from which the next thread goes on */
async function runThread(from, { seed, until, figures, onFault }) {
  const progress = new SharedArrayBuffer(4 * 8);
  const counts = new Float64Array(progress);
  counts[0] = from;
  const thread = new Worker(new URL('direct.mjs', import.meta.url), {
    workerData: { seed, from, progress },
    // What spoils the inputs goes deep itself.
    resourceLimits: { stackSizeMb: 32 },
  });
  let ended = false;
  thread.once('exit', () => (ended = true));
  thread.once('error', (error) => onFault({ n: counts[0], name: '?', fault: { what: 'died', detail: String(error) } }));
  let [last, since] = [from, performance.now()];
  thread.on('message', (told) => {
    if (told.ready) since = performance.now();
    else if (told.fault) onFault(told);
    else noteRate(figures, told);
  });
  while (!ended && performance.now() < until && performance.now() - since < patienceMs) {
    await pause(lookMs);
    if (counts[0] !== last) [last, since] = [counts[0], performance.now()];
  }
  counts[3] = 1;
  if (!ended && performance.now() - since >= patienceMs)
    onFault({ n: counts[0], name: '?', fault: { what: 'endless', detail: `not done after ${patienceMs} ms` } });
  for (let look = 0; look < 20 && !ended; look++) await pause(lookMs);
  if (!ended) await thread.terminate();
  figures.inputs += counts[1];
  figures.bytes += counts[2];
  return counts[0] + 1;
}

function noteRate(figures, { rate, name, n }) {
  if (rate < figures.slowest.rate) figures.slowest = { rate, name, n };
}

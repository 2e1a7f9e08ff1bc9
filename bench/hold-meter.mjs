/**
 * Loaded into the exporter under test: tells the longest time for which its event loop was held, and what its heap holds.
 * `hold` asks for the time by the clock; `own hold` for the time less the waiting for a processor, which a busy machine makes;
 * `heap` for the MiB that the last full collection has left, with the buffers beside the heap.
 */
import { readdirSync } from 'node:fs';
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import { taskTimes } from './fuzz/cpu-wait.mjs';

const resolutionMs = 1;
const ownResolutionMs = 10;
/** Shorter turns are not told apart. */
const leastTurnMs = 30;
const meter = monitorEventLoopDelay({ resolution: resolutionMs });
let ownMeter;
/** Between two full collections, which may be minutes apart, the heap holds what nobody uses any more. */
let left;
new PerformanceObserver((list) => {
  if (list.getEntries().some(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR)) left = oldHeapMiB();
}).observe({ entryTypes: ['gc'] });
process.on('message', (question) => {
  if (question === 'own hold') {
    ownMeter ??= startOwnMeter();
    process.send(ownMeter.take());
    return;
  }
  if (question === 'heap') {
    process.send(left ?? oldHeapMiB());
    return;
  }
  process.send(Math.max(0, meter.max / 1e6 - resolutionMs));
  meter.reset();
  // From the first question on: it wakes the process a thousand times a second, which would spoil other figures.
  meter.enable();
});
// The channel must not keep the exporter alive.
process.channel?.unref();

function oldHeapMiB() {
  const old = getHeapSpaceStatistics().filter(({ space_name: name }) => /^(old|large_object)_space$/.test(name));
  return old.reduce((sum, { space_used_size: bytes }) => sum + bytes, process.memoryUsage().arrayBuffers) / 2 ** 20;
}

function startOwnMeter() {
  let [longest, at, before] = [0, performance.now(), times()];
  const look = () => {
    const [now, after] = [performance.now(), times()];
    if (now - at > leastTurnMs) longest = Math.max(longest, ownMs(now - at, before, after) - ownResolutionMs);
    [at, before] = [now, after];
  };
  setInterval(look, ownResolutionMs).unref();
  return {
    take: () => {
      const taken = longest;
      longest = 0;
      return taken;
    },
  };
}

/** Of this thread, and the waiting of all others of the process: the engine's, which collect garbage, and those that read files. */
function times() {
  const others = readdirSync('/proc/self/task').filter((id) => id !== String(process.pid));
  return {
    self: taskTimes('thread-self'),
    othersMs: others.reduce((sum, id) => sum + taskTimes(`self/task/${id}`).waitMs, 0),
  };
}

/**
 * The time less the waiting for a processor. Where the loop stood still without waiting for one itself, it may have waited for
 * a thread of its process that did: for the others' part of a collection, as a rule. What a program that is being
 * started takes of it counts as ours.
 */
function ownMs(ms, before, after) {
  const ready = ms - (after.self.waitMs - before.self.waitMs);
  const stood = Math.max(0, ready - (after.self.cpuMs - before.self.cpuMs) - ownResolutionMs);
  return ready - Math.min(stood, Math.max(0, after.othersMs - before.othersMs));
}

/**
 * Loaded into the exporter under test: tells the longest time for which its event loop was held. `hold` asks for the
 * time by the clock; `own hold` for the time less the waiting for a processor, which a busy machine makes.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { cpuWaitMs } from './fuzz/cpu-wait.mjs';

const resolutionMs = 1;
const ownResolutionMs = 10;
const meter = monitorEventLoopDelay({ resolution: resolutionMs });
let ownMeter;
process.on('message', (question) => {
  if (question === 'own hold') {
    ownMeter ??= startOwnMeter();
    process.send(ownMeter.take());
    return;
  }
  process.send(Math.max(0, meter.max / 1e6 - resolutionMs));
  meter.reset();
  // From the first question on: it wakes the process a thousand times a second, which would spoil other figures.
  meter.enable();
});
// The channel must not keep the exporter alive.
process.channel?.unref();

function startOwnMeter() {
  let [longest, at, waited] = [0, performance.now(), cpuWaitMs()];
  const look = () => {
    const [now, waitedNow] = [performance.now(), cpuWaitMs()];
    longest = Math.max(longest, now - at - (waitedNow - waited) - ownResolutionMs);
    [at, waited] = [now, waitedNow];
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

/** Loaded into the exporter under test: tells the longest time for which its event loop was held. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolutionMs = 1;
const meter = monitorEventLoopDelay({ resolution: resolutionMs });
process.on('message', () => {
  process.send(Math.max(0, meter.max / 1e6 - resolutionMs));
  meter.reset();
  // From the first question on: it wakes the process a thousand times a second, which would spoil other figures.
  meter.enable();
});
// The channel must not keep the exporter alive.
process.channel?.unref();

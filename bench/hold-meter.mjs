/** Loaded into the exporter under test: tells the longest time for which its event loop was held. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolutionMs = 1;
const meter = monitorEventLoopDelay({ resolution: resolutionMs });
meter.enable();
process.on('message', () => {
  process.send(Math.max(0, meter.max / 1e6 - resolutionMs));
  meter.reset();
});
// The channel must not keep the exporter alive.
process.channel?.unref();

/** The metrics of a ledger when everything else is quiet. */
import { createBoard } from '../../src/board/board.js';
import { createMetrics, type Metrics } from '../../src/metrics/metrics.js';
import type { MetricsOptions } from '../../src/metrics/options.js';

export function metricsOf(ledger: MetricsOptions['ledger'], changes: Partial<MetricsOptions> = {}): Metrics {
  return createMetrics({
    ledger,
    board: createBoard(),
    sources: () => [],
    look: () => Promise.resolve(),
    diagnoses: () => [],
    nextCommand: () => undefined,
    probeQueueLength: () => 0,
    reload: () => ({ successful: true, successAt: 0 }),
    destinationsLimit: 2000,
    connectors: () => [],
    inventoryModifiedAt: () => undefined,
    webHandshakes: () => undefined,
    clockJumps: () => ({ back: 0, forward: 0 }),
    now: Date.now,
    version: '0.0.0',
    ...changes,
  });
}

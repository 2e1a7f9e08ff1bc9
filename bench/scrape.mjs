/** Milliseconds and CPU of one scrape, and the longest hold of the event loop, at 1,000, 10,000 and 100,000 series. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

export async function run() {
  const { createMetrics } = await import('../dist/metrics.js');
  const { createBoard } = await import('../dist/board.js');
  console.log('series     first ms  median ms  CPU ms  longest hold ms  bytes');
  for (const series of [1_000, 10_000, 100_000]) {
    const rows = Array.from({ length: series / 3 }, (_, index) => row(index));
    const ledger = {
      asks: () => undefined,
      scrape: () => ({ rows, held: 0, readBy: () => Promise.resolve() }),
      tallies: () => new Map(),
      saving: () => ({ failing: undefined, lastSavedAt: 1, saved: 1, failed: 0, movedAside: undefined }),
      folded: () => ({ errors: 0, latest: [] }),
    };
    const options = {
      ledger,
      board: createBoard(),
      sources: () => [],
      probeQueueLength: () => 0,
      destinationsLimit: 1,
      version: '0',
    };
    const metrics = createMetrics(options);
    const [first] = await timed(metrics);
    const hold = monitorEventLoopDelay({ resolution: 1 });
    hold.enable();
    const before = process.cpuUsage();
    const times = [];
    let bytes = 0;
    for (let scrape = 0; scrape < 30; scrape++) {
      const [ms, length] = await timed(metrics);
      times.push(ms);
      bytes = length;
    }
    const { user, system } = process.cpuUsage(before);
    hold.disable();
    times.sort((a, b) => a - b);
    const figures = [first, times[15], (user + system) / 1000 / 30, hold.max / 1e6].map((each) =>
      each.toFixed(1).padEnd(10),
    );
    console.log([String(series).padEnd(10), ...figures, bytes].join(' '));
  }
}

async function timed(metrics) {
  const start = performance.now();
  const { page } = await metrics.render('127.0.0.1');
  const length = page.plain.reduce((sum, each) => sum + each.length, 0);
  return [performance.now() - start, length];
}

function row(index) {
  const at = 1_768_464_842_137 + index;
  const labels = {
    server: `exch${index % 10}.contoso.local`,
    connector: `Send connector ${index % 20}`,
    destination: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:25`,
  };
  return { ...labels, errors: index, attempts: 0, failures: {}, lastErrorAt: at, lastObservedAt: at };
}

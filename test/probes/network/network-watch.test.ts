import { describe, expect, test } from 'vitest';
import type { PathReport, PingReport, ProbeResult } from '../../../src/model/probes.js';
import type { Reason } from '../../../src/model/words.js';
import { startNetworkWatch, type NetworkWatch } from '../../../src/probes/network/network-watch.js';

const pinged = { at: 0, program: 'ping', state: 'done', sent: 5, received: 5 } as const;
const found = { at: 0, program: 'mtr', state: 'done', reached: true, hops: [] } as const;

function result(address: string, reason?: Reason, port = 25): ProbeResult {
  const destination = `${address}:${port}`;
  return {
    id: `${destination}@0`,
    destination,
    host: address,
    origin: 'observed',
    at: 0,
    seconds: 0,
    success: reason === undefined,
    failedStep: reason && 'tcp',
    reason,
    steps: [],
    facts: { address },
    transcript: [],
  };
}

/** A watch on a clock of its own, whose programs end when the test says so. */
function watching(): {
  readonly watch: NetworkWatch;
  readonly clock: { now: number };
  readonly started: string[];
  readonly posted: string[];
  readonly endAll: () => Promise<void>;
} {
  const clock = { now: 0 };
  const started: string[] = [];
  const posted: string[] = [];
  const waiting: (() => void)[] = [];
  const running =
    <T>(kind: string, report: T) =>
    (address: string, signal: AbortSignal): Promise<T> => {
      started.push(`${kind} ${address}`);
      return new Promise((resolve) => {
        const end = (): void => {
          resolve(report);
        };
        signal.addEventListener('abort', end);
        waiting.push(end);
      });
    };
  const watch = startNetworkWatch({
    ping: running<PingReport>('ping', pinged),
    path: running<PathReport>('path', found),
    postPing: (destination) => void posted.push(`ping ${destination}`),
    postPath: (destination) => void posted.push(`path ${destination}`),
    now: () => clock.now,
  });
  const endAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      for (const end of waiting.splice(0)) end();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { watch, clock, started, posted, endAll };
}

const minute = 60_000;

describe('pings and paths', () => {
  test('come soon after a failure, again while it fails, and now and then otherwise', async () => {
    const { watch, clock, started, posted, endAll } = watching();
    const times: string[] = [];
    for (let at = 0; at <= 40; at += 1) {
      clock.now = at * minute;
      watch.observe(result('10.0.0.1', at >= 20 ? 'timeout' : undefined));
      await endAll();
      times.push(...started.splice(0).map((what) => `${at} ${what.slice(0, 4)}`));
    }
    const at = (kind: string): number[] =>
      times.filter((line) => line.endsWith(kind)).map((line) => Number(line.split(' ')[0]));
    expect(at('ping')).toEqual([0, 15, ...Array.from({ length: 21 }, (_, index) => 20 + index)]);
    expect(at('path')).toEqual([0, 20, 30, 40]);
    expect(posted).toContain('path 10.0.0.1:25');
  });

  test('are few at a time, those of failing destinations first', async () => {
    const { watch, started, endAll } = watching();
    for (let host = 0; host < 20; host += 1) watch.observe(result(`10.0.0.${host}`));
    watch.observe(result('10.0.1.1', 'host_unreachable'));
    expect(started.filter((what) => what.startsWith('ping'))).toHaveLength(4);
    expect(started.filter((what) => what.startsWith('path'))).toHaveLength(2);
    expect(watch.queueLength()).toBe(21 - 4 + 21 - 2);
    await endAll();
    expect(started.indexOf('ping 10.0.1.1')).toBe(6);
    expect(started).toHaveLength(42);
    expect(watch.queueLength()).toBe(0);
  });

  test('are made once for all ports of an address', async () => {
    const { watch, started, posted, endAll } = watching();
    watch.observe(result('10.0.0.1', undefined, 25));
    watch.observe(result('10.0.0.1', undefined, 587));
    await endAll();
    expect(started).toEqual(['ping 10.0.0.1', 'path 10.0.0.1']);
    expect(posted.sort()).toEqual(['path 10.0.0.1:25', 'path 10.0.0.1:587', 'ping 10.0.0.1:25', 'ping 10.0.0.1:587']);
  });

  test('are not made of what policy forbids, nor of a name', async () => {
    const { watch, started, endAll } = watching();
    watch.observe(result('169.254.169.254', 'blocked_by_policy'));
    watch.observe({ ...result('relay.contoso.example'), facts: { addresses: ['10.0.0.1'] } });
    await endAll();
    expect(started).toEqual([]);
  });

  test('end when the exporter stops, and post nothing any more', async () => {
    const { watch, started, posted } = watching();
    for (let host = 0; host < 20; host += 1) watch.observe(result(`10.0.0.${host}`, 'timeout'));
    const before = started.length;
    await watch.stop();
    watch.observe(result('10.0.0.99', 'timeout'));
    expect(started).toHaveLength(before);
    expect(posted).toEqual([]);
  });

  test('of a flood of addresses are bounded in memory', () => {
    const { watch } = watching();
    for (let host = 0; host < 30_000; host += 1) {
      watch.observe(result(`10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`, 'timeout'));
    }
    expect(watch.queueLength()).toBeLessThanOrEqual(2 * 5000 + 2);
  });
});

/** All of the probing: visits on schedule, and the pings and paths that go with them. */
import { readFile } from 'node:fs/promises';
import type { ProbeConfig } from '../config.js';
import type { Log } from '../log.js';
import type { PathReport, PingReport, ProbeResult } from '../model.js';
import { startNetworkWatch } from './network/network-watch.js';
import { findPath } from './network/path.js';
import { ping } from './network/ping.js';
import type { Policy } from './policy.js';
import { createProber, type Prober } from './probe.js';
import { startSchedule } from './schedule.js';
import { paceOf, type Targets } from './targets.js';

export type ProbingOptions = {
  readonly config: ProbeConfig;
  readonly prober: Prober;
  readonly targets: Targets;
  readonly post: (result: ProbeResult) => void;
  readonly postPing: (destination: string, report: PingReport) => void;
  readonly postPath: (destination: string, report: PathReport) => void;
  readonly log: Log;
};

export type Probing = {
  /** Visits that are due and wait for a free place. */
  readonly queueLength: () => number;
  readonly stop: () => Promise<void>;
};

/** @throws when the file with further authorities cannot be read */
export async function openProber({ caFile, ehloName, timeout }: ProbeConfig, policy: Policy): Promise<Prober> {
  return createProber({
    policy,
    timeoutMs: timeout,
    ...(ehloName !== undefined && { ehloName }),
    ...(caFile !== undefined && { extraCa: await readFile(caFile, 'utf8') }),
  });
}

export function startProbing(options: ProbingOptions): Probing {
  const { config, prober, targets, post, log } = options;
  const bug = (error: unknown, destination: string): void => {
    log.error('a probe ended with a fault of the exporter; please report it', {
      destination,
      error: error instanceof Error ? error.stack : String(error),
    });
  };
  const network = startNetworkWatch({
    ping: (address, signal) => ping(address, { signal }),
    path: (address, signal) => findPath(address, { signal }),
    postPing: options.postPing,
    postPath: options.postPath,
    bug,
  });
  const schedule = startSchedule({
    targets: targets.list,
    visit: prober.visit,
    post: (result) => {
      targets.learn(result);
      post(result);
      network.observe(result);
    },
    pace: paceOf(config),
    concurrency: config.concurrency,
    bug: (error, target) => {
      bug(error, target.destination);
    },
  });
  return {
    queueLength: schedule.queueLength,
    async stop() {
      await Promise.all([schedule.stop(), network.stop()]);
    },
  };
}

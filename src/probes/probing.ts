/** All of the probing: visits on schedule, and the pings and paths that go with them. */
import type { ProbeConfig } from '../config.js';
import type { Log } from '../log.js';
import type { PathReport, PingReport, ProbeResult, QuitAfter, Target } from '../model.js';
import { certificatesIn } from './authorities.js';
import { startNetworkWatch } from './network/network-watch.js';
import { findPath } from './network/path.js';
import { ping } from './network/ping.js';
import { readPlainFile } from '../plain-file.js';
import type { Policy } from './policy.js';
import { createProber, type Prober } from './probe.js';
import { startSchedule } from './schedule.js';
import { paceOf, type Targets } from './targets.js';

export type ProbingOptions = {
  readonly config: ProbeConfig;
  readonly prober: Prober;
  readonly targets: Targets;
  readonly post: (result: ProbeResult) => void;
  readonly latest: (destination: string) => ProbeResult | undefined;
  readonly postPing: (destination: string, report: PingReport) => void;
  readonly postPath: (destination: string, report: PathReport) => void;
  readonly log: Log;
};

export type Probing = {
  /** Visits that are due and wait for a free place. */
  readonly queueLength: () => number;
  /**
   * The latest visit of a known destination, or a new one when that is older than its pace: whoever asks cannot make the
   * exporter knock more often than it would by itself. Undefined for a destination that nobody named.
   */
  readonly askNow: (destination: string) => Promise<ProbeResult | undefined>;
  readonly stop: () => Promise<void>;
};

/** @throws when the file with further authorities cannot be read, or holds none */
export async function openProber(
  { caFile, ehloName, timeout }: ProbeConfig,
  policy: Policy,
  quitAfter?: QuitAfter,
): Promise<Prober> {
  return createProber({
    policy,
    quitAfter,
    timeoutMs: timeout,
    ...(ehloName !== undefined && { ehloName }),
    ...(caFile !== undefined && { extraCa: await authoritiesIn(caFile) }),
  });
}

async function authoritiesIn(file: string): Promise<string> {
  try {
    const text = (await readPlainFile(file)).toString('latin1');
    if (certificatesIn(text).length > 0) return text;
    throw new Error('none in it');
  } catch (error) {
    throw new Error(`probe.caFile: ${file}: expected certificates as PEM, got ${(error as Error).message}`, {
      cause: error,
    });
  }
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
  const enter = (result: ProbeResult): void => {
    targets.learn(result);
    post(result);
    network.observe(result);
  };
  const pace = paceOf(config);
  const controller = new AbortController();
  const asked = new Map<string, Promise<ProbeResult | undefined>>();
  const askAnew = async (target: Target): Promise<ProbeResult | undefined> => {
    const results = await prober.visit(target, controller.signal);
    if (!controller.signal.aborted) results.forEach(enter);
    return results[0];
  };
  const schedule = startSchedule({
    targets: targets.list,
    visit: prober.visit,
    post: enter,
    pace,
    concurrency: config.concurrency,
    bug: (error, target) => {
      bug(error, target.destination);
    },
  });
  return {
    queueLength: schedule.queueLength,
    askNow(destination) {
      const latest = options.latest(destination);
      const target = targets.list().find((each) => each.destination === destination);
      // An address that belongs to a name is visited with the name: what is known of it is the latest there is.
      if (!target || (latest && Date.now() - latest.at < pace(target, 0))) return Promise.resolve(latest);
      const running = asked.get(destination) ?? askAnew(target).finally(() => asked.delete(destination));
      asked.set(destination, running);
      return running;
    },
    async stop() {
      controller.abort();
      await Promise.all([schedule.stop(), network.stop()]);
    },
  };
}

/** All of the probing: visits on schedule, and the pings and paths that go with them. */
import type { ProbeConfig } from '../config/config.js';
import { destinationOf, endpointOf } from '../model/endpoint.js';
import type { Log } from '../runtime/log.js';
import type { PathReport, PingReport, ProbeResult } from '../model/probes.js';
import type { QuitAfter } from '../model/words.js';
import type { Target } from '../model/connectors.js';
import { certificatesIn } from './authorities.js';
import { startNetworkWatch } from './network/network-watch.js';
import { findPath } from './network/path.js';
import { ping } from './network/ping.js';
import { readPlainFile } from '../runtime/plain-file.js';
import { within } from '../runtime/within.js';
import type { Policy } from './policy.js';
import { createProber, type Prober } from './visit.js';
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
  /** Visits that are due but waiting for a free slot. */
  readonly queueLength: () => number;
  /**
   * What the schedule's own visits tell of a known destination, within `waitMs`: the latest, or the one that is due or under
   * way, as far as it has come by then. No visit begins because somebody asks, save the very first one of a destination.
   * Undefined for a destination that nobody named.
   */
  readonly ask: (destination: string, waitMs: number) => Promise<ProbeResult | undefined>;
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
    log.error('a probe failed because of a bug in the exporter; please report it', {
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
    async ask(destination, waitMs) {
      const target = targets.list().find((each) => each.destination === destination);
      const latest = options.latest(destination);
      const isCurrent = latest !== undefined && Date.now() - latest.at < (target ? pace(target, 0) : Infinity);
      // An address that belongs to a name is visited with the name: what is known of it is the latest there is.
      if (target && !isCurrent) await within(waitMs, schedule.visitUnderWay(destination));
      const known = options.latest(destination) ?? prober.underWay(destination);
      return known ? withAddress(known, options.latest) : target && notBegun(target, 'it is waiting for a free slot');
    },
    async stop() {
      controller.abort();
      await Promise.all([schedule.stop(), network.stop()]);
    },
  };
}

/** The visit of a name is done by visits of its addresses: the first that went as the name did shows how. */
function withAddress(result: ProbeResult, latest: ProbingOptions['latest']): ProbeResult {
  const port = endpointOf(result.destination)?.port;
  const addresses = result.facts.addresses ?? [];
  if (port === undefined || addresses.length === 0) return result;
  const visits = addresses.map((host) => latest(destinationOf({ host, port })));
  const shown = visits.find((visit) => visit?.success === result.success);
  if (!shown) return result;
  return {
    ...result,
    steps: [...result.steps, ...shown.steps],
    facts: { ...shown.facts, addresses },
    transcript: [...result.transcript, ...shown.transcript],
  };
}

/** Known, and never visited. @param why in a clause: `it is waiting for a free slot` */
export function notBegun({ destination, host, origin }: Target, why: string): ProbeResult {
  const at = Date.now();
  const step = endpointOf(destination)?.address === true ? 'tcp' : 'dns';
  const text = `the first visit has not begun: ${why}`;
  return {
    id: `${destination}@${at}`,
    destination,
    host,
    origin,
    at,
    seconds: 0,
    success: false,
    failedStep: step,
    reason: 'timeout',
    steps: [],
    facts: {},
    transcript: [{ ms: 0, direction: '*', text }],
  };
}

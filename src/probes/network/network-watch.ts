/**
 * Decides when addresses are pinged and their paths traced: soon after a failed visit, now and then otherwise, a few at
 * a time, and never so that a visit waits for it.
 */
import { setMaxListeners } from 'node:events';
import type { PathReport, PingReport, ProbeResult } from '../../model/probes.js';
import type { Reason } from '../../model/words.js';

export type NetworkWatchOptions = {
  readonly ping: (address: string, signal: AbortSignal) => Promise<PingReport>;
  readonly path: (address: string, signal: AbortSignal) => Promise<PathReport>;
  readonly postPing: (destination: string, report: PingReport) => void;
  readonly postPath: (destination: string, report: PathReport) => void;
  /** Told when one of them throws, which is a bug: the others go on. */
  readonly bug?: (error: unknown, destination: string) => void;
  /** Milliseconds on a clock that never jumps. @default performance.now */
  readonly now?: () => number;
};

export type NetworkWatch = {
  /** Looks at the result of a visit, and asks for a ping or a path when one is due. */
  readonly observe: (result: ProbeResult) => void;
  /** Reports that wait for a place. */
  readonly queueLength: () => number;
  /** Ends the running programs and waits until they are gone. */
  readonly stop: () => Promise<void>;
};

/** How long after the last one the next is due, and how many run at a time. */
const kinds = {
  ping: { failingMs: 60_000, goodMs: 15 * 60_000, places: 4 },
  path: { failingMs: 10 * 60_000, goodMs: 3600_000, places: 2 },
} as const;
type Kind = keyof typeof kinds;

/** Failures of the way to the host; ping and path have nothing to say about a greeting that displeases. */
const wayReasons: ReadonlySet<Reason> = new Set([
  'timeout',
  'refused',
  'reset',
  'host_unreachable',
  'network_unreachable',
  'address_not_available',
  'access_denied',
]);

/** Addresses remembered; the one that was looked at longest ago goes. Twice the usual limit of destinations. */
const maxAddresses = 5000;

/** One address may be several destinations: it is pinged once for all of its ports. */
type Watched = { readonly destinations: Set<string>; last: Partial<Record<Kind, number>>; failing: boolean };

type Lane = { readonly urgent: Set<string>; readonly routine: Set<string>; running: number };

export function startNetworkWatch(options: NetworkWatchOptions): NetworkWatch {
  const now = options.now ?? (() => performance.now());
  const watched = new Map<string, Watched>();
  const lanes: Readonly<Record<Kind, Lane>> = { ping: newLane(), path: newLane() };
  const running = new Set<Promise<void>>();
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);

  const look = async (kind: Kind, address: string, destinations: ReadonlySet<string>): Promise<void> => {
    const [destination = address] = destinations;
    try {
      if (kind === 'ping') {
        const report = await options.ping(address, controller.signal);
        if (!controller.signal.aborted) for (const each of destinations) options.postPing(each, report);
      } else {
        const report = await options.path(address, controller.signal);
        if (!controller.signal.aborted) for (const each of destinations) options.postPath(each, report);
      }
    } catch (error) {
      options.bug?.(error, destination);
    }
  };
  const startNext = (kind: Kind): void => {
    const lane = lanes[kind];
    while (lane.running < kinds[kind].places && !controller.signal.aborted) {
      const address = takeFirst(lane.urgent) ?? takeFirst(lane.routine);
      if (address === undefined) return;
      const entry = watched.get(address);
      if (!entry) continue;
      lane.running += 1;
      entry.last[kind] = now();
      const run = look(kind, address, entry.destinations).finally(() => {
        running.delete(run);
        lane.running -= 1;
        startNext(kind);
      });
      running.add(run);
    }
  };
  return {
    observe(result) {
      const { address } = result.facts;
      if (address === undefined || result.reason === 'blocked_by_policy' || controller.signal.aborted) return;
      const entry = remember(watched, address, result);
      if (watched.size > maxAddresses) forget(takeFirst(watched), Object.values(lanes));
      for (const kind of Object.keys(kinds) as Kind[]) {
        if (now() - (entry.last[kind] ?? -Infinity) < kinds[kind][entry.failing ? 'failingMs' : 'goodMs']) continue;
        const lane = lanes[kind];
        if (entry.failing) lane.routine.delete(address);
        if (!lane.urgent.has(address)) lane[entry.failing ? 'urgent' : 'routine'].add(address);
        startNext(kind);
      }
    },
    queueLength: () => Object.values(lanes).reduce((sum, { urgent, routine }) => sum + urgent.size + routine.size, 0),
    async stop() {
      controller.abort();
      await Promise.all(running);
    },
  };
}

function newLane(): Lane {
  return { urgent: new Set(), routine: new Set(), running: 0 };
}

function remember(watched: Map<string, Watched>, address: string, result: ProbeResult): Watched {
  const entry = watched.get(address) ?? { destinations: new Set(), last: {}, failing: false };
  entry.failing = result.reason !== undefined && wayReasons.has(result.reason);
  if (entry.destinations.size < 16) entry.destinations.add(result.destination);
  // Again at the end: the first of the map is the one that was heard of longest ago.
  watched.delete(address);
  watched.set(address, entry);
  return entry;
}

function forget(address: string | undefined, lanes: readonly Lane[]): void {
  if (address === undefined) return;
  for (const { urgent, routine } of lanes) {
    urgent.delete(address);
    routine.delete(address);
  }
}

function takeFirst(from: Map<string, unknown> | Set<string>): string | undefined {
  const [first] = from.keys();
  if (first !== undefined) from.delete(first);
  return first;
}

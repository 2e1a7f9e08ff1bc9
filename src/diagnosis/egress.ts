/**
 * Whether a server gets a connection to anything at all: one decision, for the diagnosis and through it for the alert.
 *
 * The claim is wide, so it takes evidence that nothing was reached: at least two destinations, every one of them failing
 * at name resolution or TCP, and no connection that came about meanwhile, by probes or by the server's own logs. Where
 * probes reach something else, the server must fail with more than one Send connector: one connector speaks for itself.
 */
import { endpointOf } from '../model/endpoint.js';
import type { LedgerRow } from '../model/batch.js';
import type { ProbeResult } from '../model/probes.js';
import type { Reason } from '../model/words.js';
import type { RecentError } from '../model/evidence.js';
import { eachOf, type Steps } from '../runtime/breath.js';

/** The latest visit of a destination, and since when its visits fail. Times in milliseconds since 1970 UTC. */
type Visited = {
  readonly destination: string;
  readonly latest: ProbeResult;
  readonly failingSince: number | undefined;
};

export type EgressEvidence = {
  readonly rows: readonly LedgerRow[];
  /** Only destinations that were really asked. */
  readonly visits: readonly Visited[];
  /** Errors of late with the reasons that transport logs tell; without them only probes and counts speak. */
  readonly recent: readonly RecentError[];
  readonly now: number;
};

/**
 * Who says that nothing is reached, with how many destinations were tried. Probes alone, while the server gets connections,
 * tell of the exporter's own network.
 */
export type NoEgress =
  | { readonly by: 'probes'; readonly tried: number }
  | { readonly by: 'probes alone'; readonly tried: number }
  | { readonly by: 'probes of its own'; readonly tried: number }
  | { readonly by: 'logs'; readonly tried: number }
  | { readonly by: 'comparison'; readonly tried: number; readonly healthy: string };

/** What is older says nothing about now. */
const windowMs = 60 * 60_000;
/** A connection this young speaks against a server that reaches nothing: it may have come between two retries. */
const youngMs = 20 * 60_000;
/** The slowest retry of Exchange, half an hour on an Edge server, and a connection that takes its time to fail. */
const retryMs = 35 * 60_000;
/** An attempt that has not failed by then came through. Windows gives up after 21 seconds, a proxy after a minute. */
const settledMs = 2 * 60_000;

/** Reasons of a connection that never came about. A reset may come later as well, so it is none of them. */
const neverConnected: ReadonlySet<Reason> = new Set([
  'refused',
  'timeout',
  'host_unreachable',
  'network_unreachable',
  'address_not_available',
  'access_denied',
  'no_buffers',
  'name_server_failure',
  'name_timeout',
]);
/** Answers of a name server: they tell of a name, and neither for nor against the way out. */
const answersOfDns: ReadonlySet<Reason> = new Set(['name_not_found', 'name_no_address', 'null_mx']);

/** Whether a visit got a connection: whatever fails after the connect is said by the other side. */
export function getsConnection({ success, failedStep }: ProbeResult): boolean {
  return success || (failedStep !== 'dns' && failedStep !== 'tcp');
}

/** Servers that reach nothing, and those of which only the probes do. */
export function* serversWithoutEgress(evidence: EgressEvidence): Steps<ReadonlyMap<string, NoEgress>> {
  const { rows, recent, now } = evidence;
  const found = new Map<string, NoEgress>();
  const erring = new Set<string>();
  yield* eachOf(rows, ({ server, lastObservedAt }) => {
    if (isWithin(lastObservedAt, windowMs, now)) erring.add(server);
  });
  if (erring.size === 0) return found;
  const reachedAt = yield* lastConnections(rows, recent, now);
  const probes = probesSay(evidence);
  const unreached = probes.reached ? undefined : yield* triedInVain(recent, reachedAt, now);
  const own = probes.reached ? yield* unreachedByProbes(evidence) : undefined;
  for (const server of erring) {
    const at = reachedAt.get(server) ?? -Infinity;
    if (probes.tried > 1 && !probes.reached) {
      found.set(server, { by: at < probes.since ? 'probes' : 'probes alone', tried: probes.tried });
      continue;
    }
    const ofProbes = own?.get(server);
    if (ofProbes && at < ofProbes.since) found.set(server, { by: 'probes of its own', tried: ofProbes.tried });
    const tried = unreached?.get(server)?.size ?? 0;
    if (tried > 1 && now - at > youngMs) found.set(server, { by: 'logs', tried });
  }
  for (const [server, verdict] of yield* alone(rows, reachedAt, now))
    if (!found.has(server)) found.set(server, verdict);
  return found;
}

function isWithin(at: number | undefined, ms: number, now: number): boolean {
  return at !== undefined && now - at < ms;
}

/** What the visits within the window say together. */
function probesSay({ visits, now }: EgressEvidence): {
  readonly tried: number;
  readonly reached: boolean;
  readonly since: number;
} {
  const telling = visits.filter((visit) => isTelling(visit, now));
  const hosts = new Set(telling.map(({ latest }) => latest.host));
  const since = Math.max(...telling.map(({ latest, failingSince }) => failingSince ?? latest.at));
  return {
    tried: hosts.size > 1 ? telling.length : hosts.size,
    reached: telling.some(({ latest }) => getsConnection(latest)),
    since,
  };
}

/** Servers of which every destination that is known is probed or was not tried, and no probe of them gets a connection. */
function* unreachedByProbes({
  rows,
  visits,
  now,
}: EgressEvidence): Steps<ReadonlyMap<string, { readonly tried: number; readonly since: number }>> {
  const visited = new Map(visits.map((visit) => [visit.destination, visit]));
  const byServer = new Map<string, { connectors: Set<string>; destinations: Set<string>; since: number }>();
  const others = new Set<string>();
  yield* eachOf(rows, ({ server, connector, destination, lastObservedAt }) => {
    if (others.has(server)) return;
    const visit = visited.get(destination);
    const isTold = visit !== undefined && isTelling(visit, now);
    if (isTold ? getsConnection(visit.latest) : isWithin(lastObservedAt, windowMs, now)) others.add(server);
    if (!isTold || !isWithin(lastObservedAt, windowMs, now)) return;
    const known = byServer.get(server) ?? { connectors: new Set(), destinations: new Set(), since: 0 };
    known.connectors.add(connector);
    known.destinations.add(destination);
    known.since = Math.max(known.since, visit.failingSince ?? visit.latest.at);
    byServer.set(server, known);
  });
  const found = new Map<string, { tried: number; since: number }>();
  for (const [server, { connectors, destinations, since }] of byServer) {
    if (others.has(server) || connectors.size < 2 || destinations.size < 2) continue;
    found.set(server, { tried: destinations.size, since });
  }
  return found;
}

/** A visit of late that says more than that a name does not exist. */
function isTelling({ latest }: Visited, now: number): boolean {
  return isWithin(latest.at, windowMs, now) && !(latest.reason !== undefined && answersOfDns.has(latest.reason));
}

/** When each server last got a connection, as far as its own logs tell. */
function* lastConnections(
  rows: readonly LedgerRow[],
  recent: readonly RecentError[],
  now: number,
): Steps<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const note = (server: string, at: number): void => {
    found.set(server, Math.max(found.get(server) ?? at, at));
  };
  yield* eachOf(rows, ({ server, lastAttemptAt: tried, lastObservedAt: failed = -Infinity }) => {
    if (tried !== undefined && tried - failed > settledMs && now - tried > settledMs) note(server, tried);
  });
  yield* eachOf(recent, ({ server, reason, until }) => {
    if (reason !== undefined && !neverConnected.has(reason) && !answersOfDns.has(reason)) note(server, until);
  });
  return found;
}

/** Hosts of each server that its logs tell of since its last connection: none was reached. */
function* triedInVain(
  recent: readonly RecentError[],
  reachedAt: ReadonlyMap<string, number>,
  now: number,
): Steps<ReadonlyMap<string, ReadonlySet<string>>> {
  const found = new Map<string, Set<string>>();
  yield* eachOf(recent, ({ server, destination, reason, until }) => {
    const isOld = !isWithin(until, windowMs, now) || until <= (reachedAt.get(server) ?? -Infinity);
    if (reason === undefined || !neverConnected.has(reason) || isOld) return;
    const hosts = found.get(server) ?? new Set<string>();
    found.set(server, hosts.add(endpointOf(destination)?.host ?? destination));
  });
  return found;
}

/** Servers on which everything fails at the pace of retries, while another server has no error on what they share. */
function* alone(
  rows: readonly LedgerRow[],
  reachedAt: ReadonlyMap<string, number>,
  now: number,
): Steps<ReadonlyMap<string, NoEgress>> {
  const found = new Map<string, NoEgress>();
  const isBad = ({ lastObservedAt }: LedgerRow): boolean => isWithin(lastObservedAt, retryMs, now);
  if (!rows.some(isBad)) return found;
  const byServer = new Map<string, LedgerRow[]>();
  yield* eachOf(rows, (row) => {
    const known = byServer.get(row.server);
    if (known) known.push(row);
    else byServer.set(row.server, [row]);
  });
  // Two may be chance.
  const lonely = [...byServer].filter(
    ([server, own]) =>
      own.length >= 3 && own.every(isBad) && isMoreThanOne(own) && !isWithin(reachedAt.get(server), youngMs, now),
  );
  if (lonely.length === 0) return found;
  const healthy = new Map<string, string>();
  // In an outage of all servers nothing is healthy, and the routes of all rows need not be looked up.
  for (const [server, own] of byServer) if (!own.some(isBad)) for (const row of own) healthy.set(routeOf(row), server);
  if (healthy.size === 0) return found;
  for (const [server, own] of lonely) {
    const other = own.map((row) => healthy.get(routeOf(row))).find((name) => name !== undefined);
    if (other !== undefined) found.set(server, { by: 'comparison', tried: own.length, healthy: other });
  }
  return found;
}

function isMoreThanOne(rows: readonly LedgerRow[]): boolean {
  return rows.some(({ destination }) => destination !== rows[0]?.destination);
}

function routeOf({ connector, destination }: LedgerRow): string {
  return `${connector}\n${destination}`;
}

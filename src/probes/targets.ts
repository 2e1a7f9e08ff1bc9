/** Decides WHICH destinations are probed: what events named, what the configuration and the inventory name, bounded. */
import { networkInterfaces } from 'node:os';
import { addressOf, destinationOf, endpointOf } from '../model/endpoint.js';
import type { Origin, SendConnector, Target, TargetSettings } from '../model/connectors.js';
import type { ProbeResult } from '../model/probes.js';

export type TargetsOptions = {
  /** Most observed destinations that are probed; configured ones and the inventory do not count. @default 2000 */
  readonly limit?: number;
  /** Destinations of the configuration, `host:port` or `host` (port 25). */
  readonly configured?: readonly string[];
  /** Addresses of this host in their normal form. @default as the system tells them */
  readonly localAddresses?: () => readonly string[];
};

export type Targets = {
  /**
   * Enters a destination seen in evidence, with the time of its latest error (milliseconds since 1970 UTC). Beyond the
   * limit the one that erred longest ago goes. A text that is no end point is not probed.
   */
  readonly observe: (destination: string, errorAt: number | undefined, connector?: string) => void;
  readonly setConfigured: (destinations: readonly string[]) => void;
  /** Smart hosts and domains of the enabled connectors; each connector's settings also hold for what it is seen with. */
  readonly setInventory: (connectors: readonly SendConnector[]) => void;
  /** Learns from the visit of a name which addresses it covers, so that an observed one is not visited twice. */
  readonly learn: (result: ProbeResult) => void;
  /** The targets of the moment; the same array until something changes. */
  readonly list: () => readonly Target[];
  /** Observed destinations that had to go because of the limit. */
  readonly evicted: () => number;
};

export function createTargets(options: TargetsOptions = {}): Targets {
  const limit = options.limit ?? 2000;
  const observed = new Map<string, Observed>();
  const addressesByName = new Map<string, readonly string[]>();
  let configured = targetsOf(options.configured ?? []);
  let inventory: readonly Target[] = [];
  let settings: ReadonlyMap<string, TargetSettings> = new Map();
  let listed: readonly Target[] | undefined;
  let evicted = 0;
  return {
    observe(destination, errorAt = 0, connector = '') {
      const known = observed.get(destination);
      const target = known?.target ?? targetOf(destination, 'observed');
      if (!target) return;
      observed.set(destination, {
        target,
        connector: known?.connector ?? connector,
        errorAt: Math.max(errorAt, known?.errorAt ?? 0),
      });
      if (known) return;
      listed = undefined;
      if (observed.size <= limit) return;
      observed.delete(oldestOf(observed));
      evicted += 1;
    },
    setConfigured(destinations) {
      configured = targetsOf(destinations);
      listed = undefined;
    },
    setInventory(connectors) {
      const local = options.localAddresses?.() ?? ownAddresses();
      const here = connectors.map((each) => ({ ...each, settings: settingsHere(each.settings, local) }));
      inventory = inventoryTargets(here);
      settings = new Map(here.map((connector) => [connector.name, connector.settings]));
      listed = undefined;
    },
    learn(result) {
      const isName = result.steps.some(({ step }) => step === 'dns');
      const port = endpointOf(result.destination)?.port;
      if (!isName || port === undefined) return;
      const addresses = (result.facts.addresses ?? []).map((host) => destinationOf({ host, port }));
      if (addresses.join() === addressesByName.get(result.destination)?.join()) return;
      addressesByName.set(result.destination, addresses);
      listed = undefined;
    },
    list() {
      const seen = (): Target[] => [...observed.values()].map((each) => withSettings(each, settings));
      listed ??= merged([seen(), configured, inventory], addressesByName);
      return listed;
    },
    evicted: () => evicted,
  };
}

type Observed = { readonly target: Target; readonly connector: string; readonly errorAt: number };

/** A visit is made as the connector makes it that was seen with the destination first. */
function withSettings({ target, connector }: Observed, settings: ReadonlyMap<string, TargetSettings>): Target {
  const own = settings.get(connector);
  return own && Object.keys(own).length > 0 ? { ...target, settings: own } : target;
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap(
    (each) => each?.map(({ address }) => addressOf(address) ?? '') ?? [],
  );
}

/**
 * SourceIPAddress is an address of the Edge server that sends. Where the exporter runs beside it on another host, no
 * connection could begin there, and each visit would fail for a reason that is ours.
 */
function settingsHere({ sourceAddress, ...settings }: TargetSettings, local: readonly string[]): TargetSettings {
  return sourceAddress !== undefined && local.includes(sourceAddress) ? { ...settings, sourceAddress } : settings;
}

/** Where the enabled connectors connect to, as far as it can be named: `*` is everywhere, `--` nowhere. */
function inventoryTargets(connectors: readonly SendConnector[]): readonly Target[] {
  const byDestination = new Map<string, Target>();
  for (const connector of connectors) {
    if (!connector.enabled) continue;
    const port = connector.dnsRouting ? 25 : connector.port;
    const hosts = connector.dnsRouting ? connector.addressSpaces.flatMap(domainOf) : connector.smartHosts;
    for (const host of hosts) {
      const target = targetOf(destinationOf({ host, port }), 'inventory');
      // Two connectors with one smart host: the first one's way of connecting, for one visit is enough.
      if (target && !byDestination.has(target.destination))
        byDestination.set(target.destination, { ...target, settings: connector.settings });
    }
  }
  return [...byDestination.values()];
}

/** `*.contoso.example` includes the domain's subdomains, which nobody can list; the domain itself stands for them. */
function domainOf(space: string): string[] {
  const domain = space.replace(/^\*\./, '');
  return domain === '*' || domain === '' ? [] : [domain];
}

export type PaceOptions = {
  /** Milliseconds between visits of our own smart hosts and configured destinations. @default 30000 */
  readonly interval?: number;
  /** Milliseconds between visits of strangers' hosts, known only from events. @default 300000 */
  readonly observedInterval?: number;
};

/**
 * Milliseconds to the next visit. After two failures in a row each further one doubles it, up to four times: polite to
 * a server in trouble, yet its recovery is seen within two minutes (20 for strangers).
 */
export function paceOf(options: PaceOptions = {}): (target: Target, failures: number) => number {
  const own = options.interval ?? 30_000;
  const strangers = options.observedInterval ?? 300_000;
  return (target, failures) => {
    const base = target.origin === 'observed' ? strangers : own;
    return base * Math.min(4, 2 ** Math.max(0, failures - 2));
  };
}

/** A target for a destination as text; undefined when it is no end point. */
export function targetOf(text: string, origin: Origin): Target | undefined {
  const endpoint = endpointOf(text, 25);
  return endpoint && { destination: destinationOf(endpoint), host: endpoint.host, port: endpoint.port, origin };
}

function targetsOf(destinations: readonly string[]): readonly Target[] {
  return destinations.flatMap((text) => targetOf(text, 'configured') ?? []);
}

/** Two thousand looks for each newcomer beyond the limit; newcomers come by the error, not by the second. */
function oldestOf(observed: ReadonlyMap<string, { readonly errorAt: number }>): string {
  let oldest = '';
  let oldestAt = Infinity;
  for (const [destination, { errorAt }] of observed) {
    if (errorAt >= oldestAt) continue;
    oldest = destination;
    oldestAt = errorAt;
  }
  return oldest;
}

/** Later lists win. An address that a listed name of the same or a higher rank resolves to is visited with the name. */
function merged(
  ranked: readonly (readonly Target[])[],
  addressesByName: Map<string, readonly string[]>,
): readonly Target[] {
  const byDestination = new Map<string, { readonly target: Target; readonly rank: number }>();
  ranked.forEach((targets, rank) => {
    for (const target of targets) byDestination.set(target.destination, { target, rank });
  });
  const coveredTo = new Map<string, number>();
  for (const [name, addresses] of addressesByName) {
    const rank = byDestination.get(name)?.rank;
    if (rank === undefined) addressesByName.delete(name);
    else for (const address of addresses) coveredTo.set(address, Math.max(rank, coveredTo.get(address) ?? 0));
  }
  return [...byDestination.values()]
    .filter(({ target, rank }) => rank > (coveredTo.get(target.destination) ?? -1))
    .map(({ target }) => target);
}

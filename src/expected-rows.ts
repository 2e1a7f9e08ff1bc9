/** What the inventory lets us expect: which server may fail to reach which smart host, before it ever does. */
import { addressOf, destinationOf } from './endpoint.js';
import type { SendConnector } from './model.js';

export type ExpectedRow = { readonly server: string; readonly connector: string; readonly destination: string };

export type Expectation = {
  readonly connectors: readonly SendConnector[];
  /** Names of servers as their records write them, lower case. */
  readonly knownServers: readonly string[];
  /** The servers that alone are read here; undefined: whatever the files hold. */
  readonly ownServers?: readonly string[] | undefined;
  /** Addresses that a name was last resolved to, by `name:port`. */
  readonly addressesOf: (destination: string) => readonly string[];
};

/** More than any organisation has; a file with more is no reason to fill the memory. */
const most = 10_000;

/**
 * One row for each enabled connector, source server and address of a smart host. Records name servers in full, the
 * inventory by their first label: the full name is taken as soon as a record has told it.
 */
export function expectedRows({ connectors, knownServers, ownServers, addressesOf }: Expectation): ExpectedRow[] {
  const full = new Map(knownServers.map((name) => [labelOf(name), name]));
  const own = ownServers && new Set(ownServers.map((name) => labelOf(name.toLowerCase())));
  const rows: ExpectedRow[] = [];
  for (const { enabled, dnsRouting, name, port, smartHosts, sourceServers } of connectors) {
    if (!enabled || dnsRouting) continue;
    const servers = sourceServers.filter((server) => own?.has(labelOf(server)) ?? true);
    for (const server of servers)
      for (const host of smartHosts) {
        const destination = destinationOf({ host, port });
        for (const address of addressOf(host) === undefined ? addressesOf(destination) : [host]) {
          if (rows.length >= most) return rows;
          const to = destinationOf({ host: address, port });
          rows.push({ server: full.get(labelOf(server)) ?? server, connector: name, destination: to });
        }
      }
  }
  return rows;
}

function labelOf(server: string): string {
  return server.split('.')[0] ?? server;
}

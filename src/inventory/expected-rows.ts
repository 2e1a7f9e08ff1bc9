/** What the inventory lets us expect: which server may fail to reach which smart host, before it ever does. */
import { addressOf, destinationOf } from '../model/endpoint.js';
import { serverLabelOf } from '../model/label.js';
import type { SendConnector } from '../model/connectors.js';

export type ExpectedRow = { readonly server: string; readonly connector: string; readonly destination: string };

export type Expectation = {
  readonly connectors: readonly SendConnector[];
  /** Names of servers as their records write them, lower case. */
  readonly knownServers: readonly string[];
  /** The one name of a server, by any of its names. */
  readonly nameOfServer: (name: string) => string;
  /** The servers that alone are read here; undefined: whatever the files hold. */
  readonly ownServers?: readonly string[] | undefined;
  /** Addresses that a name was last resolved to, by `name:port`. */
  readonly addressesOf: (destination: string) => readonly string[];
};

/** More than any organisation has; a file with more is no reason to fill the memory. */
const most = 10_000;

/** Where a connector without destinations of its own delivers: anywhere. The ledger's name for destinations unnamed. */
const anywhere = 'other';

/**
 * One row for each enabled connector, source server and address it is told to deliver to; a name stands for itself while
 * it is not resolved. Records name servers in full, the inventory by their first label: the full name is taken as soon as
 * a record has told it.
 */
export function expectedRows(expectation: Expectation): ExpectedRow[] {
  const { connectors, knownServers, nameOfServer, addressesOf } = expectation;
  const own = expectation.ownServers?.map((name) => nameOfServer(serverLabelOf(name)));
  const rows: ExpectedRow[] = [];
  for (const connector of connectors) {
    if (!connector.enabled) continue;
    const exported = connector.sourceServers.length > 0 ? connector.sourceServers : (own ?? knownServers);
    const servers = exported.map((name) => nameOfServer(serverLabelOf(name)));
    const read = servers.filter((server) => own?.some((each) => isSameServer(each, server)) ?? true);
    const destinations = destinationsOf(connector, addressesOf);
    for (const server of new Set(read))
      for (const destination of destinations) {
        if (rows.length >= most) return rows;
        rows.push({ server, connector: connector.name, destination });
      }
  }
  return rows;
}

function destinationsOf(
  { dnsRouting, smartHosts, port, addressSpaces }: SendConnector,
  addressesOf: Expectation['addressesOf'],
): readonly string[] {
  const domains = addressSpaces.map((space) => space.replace(/^\*\./, '')).filter((domain) => domain !== '*');
  const hosts = dnsRouting ? domains : smartHosts;
  const to = dnsRouting ? 25 : port;
  const destinations = hosts.flatMap((host) => {
    const destination = destinationOf({ host, port: to });
    const addresses = addressOf(host) === undefined ? addressesOf(destination) : [];
    return addresses.length === 0
      ? [destination]
      : addresses.map((address) => destinationOf({ host: address, port: to }));
  });
  return destinations.length === 0 ? [anywhere] : [...new Set(destinations)];
}

/** One of them may have its full name and the other not. */
function isSameServer(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

/** The full name of this host, as the host itself knows it. */
import { promises as dns } from 'node:dns';
import os from 'node:os';
import { addressOf } from '../model/endpoint.js';
import { readHostsFile, systemHostsFile } from './hosts-file.js';
import { systemLookup } from './lookups.js';
import { searchDomains } from './search-domains.js';

/** Where the name is looked for; each is the system's own by default. */
export type HostNameSources = {
  readonly hostname?: () => string;
  readonly hostsFile?: string;
  readonly domains?: () => Promise<readonly string[]>;
  /** Addresses of a name, by the resolver of the system (getaddrinfo). */
  readonly lookup?: (name: string) => Promise<readonly string[]>;
  /** The name of an address, by the resolver of the system (getnameinfo). */
  readonly reverse?: (address: string) => Promise<string>;
};

/**
 * Like `hostname --fqdn`: the name itself when it is full; the first full name beside it in the hosts file; else what the
 * resolver of the system makes of it, forward and back; else the name in a domain of the search list in which it exists.
 * A host that its hosts file knows by the short name alone has no other there, so the resolver is not asked.
 * Never throws, and may take as long as the resolver does.
 * @returns undefined when this host has no full name
 */
export async function fullHostName(sources: HostNameSources = {}): Promise<string | undefined> {
  const name = (sources.hostname ?? os.hostname)().replace(/\.$/, '').toLowerCase();
  if (isFull(name)) return name;
  if (name === '') return undefined;
  const lines = await readHostsFile(sources.hostsFile ?? systemHostsFile());
  const own = lines.filter(({ names }) => names.includes(name));
  const beside = own.flatMap(({ names }) => names).find((each) => each.startsWith(`${name}.`));
  if (beside !== undefined) return beside;
  return (own.length === 0 ? await byResolver(name, sources) : undefined) ?? (await bySearchList(name, sources));
}

/** With a dot inside, and not the name of loopback that distributions give. */
function isFull(name: string): boolean {
  return /^[^.]+\..*[^.]$/.test(name) && !/(?:^|\.)localhost(?:\.|$)|\.localdomain$/.test(name) && !addressOf(name);
}

async function byResolver(name: string, { lookup = systemLookup, reverse = systemReverse }: HostNameSources) {
  const addresses = await lookup(name).catch(() => []);
  for (const address of addresses.slice(0, 4)) {
    const found = (await reverse(address).catch(() => '')).replace(/\.$/, '').toLowerCase();
    // An address may have the name of something else: of a provider's customer, of loopback.
    if (isFull(found) && found.startsWith(`${name}.`)) return found;
  }
  return undefined;
}

async function bySearchList(name: string, { lookup = systemLookup, domains = searchDomains }: HostNameSources) {
  for (const domain of (await domains()).slice(0, 6)) {
    const candidate = `${name}.${domain}`;
    const addresses = await lookup(`${candidate}.`).catch(() => []);
    if (addresses.length > 0 && isFull(candidate)) return candidate;
  }
  return undefined;
}

async function systemReverse(address: string): Promise<string> {
  return (await dns.lookupService(address, 25)).hostname;
}

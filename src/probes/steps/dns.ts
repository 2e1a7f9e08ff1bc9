/** Which addresses does a name have, in the order in which a Send connector would try them? */
import { promises as dns } from 'node:dns';
import { addressOf } from '../../model/endpoint.js';
import { readHostsFile, systemHostsFile, type HostsLine } from '../hosts-file.js';
import { fewAtATime, systemLookup, type Lookup } from '../lookups.js';
import { dnsFailure, isFailure, type Failure } from '../reason.js';
import { searchDomains } from '../search-domains.js';

export type NamesOptions = {
  /** DNS servers (`192.0.2.53`, `[2001:db8::53]:5353`); default: those of the system. */
  readonly servers?: readonly string[];
  /** @default the hosts file of the system */
  readonly hostsFile?: string;
  /** The resolver of the system; not asked by default where `servers` are given. */
  readonly lookup?: Lookup;
  /** Domains in which short names are looked for. @default the search list of the system; none where `servers` are given */
  readonly domains?: () => Promise<readonly string[]>;
  /** Wait for one answer of one server, milliseconds. @default 3000 */
  readonly timeoutMs?: number;
};

export type Names = {
  /**
   * Addresses of a name by MX, then A and AAAA; never more than `maxAddresses`. Gives a failure after `limitMs`. A name with
   * a dot at its end is whole: no domain is added to it.
   */
  readonly resolve: (host: string, limitMs: number, signal: AbortSignal) => Promise<readonly string[] | Failure>;
};

/** Most addresses of one name that are kept; a visit goes to some of them, the next visit to others. */
const maxAddresses = 64;

/** Opens the resolver; one is enough for all names. Throws when `servers` holds something that is not an address. */
export function createNames(options: NamesOptions = {}): Names {
  const resolver = new dns.Resolver({ timeout: options.timeoutMs ?? 3000, tries: 2 });
  if (options.servers && options.servers.length > 0) resolver.setServers([...options.servers]);
  const hostsFile = options.hostsFile ?? systemHostsFile();
  const ownServers = options.servers !== undefined;
  const lookup = options.lookup ?? (ownServers ? undefined : systemLookup);
  const system = lookup && fewAtATime(lookup);
  const domains = options.domains ?? (ownServers ? noDomains : searchDomains);
  return {
    async resolve(host, limitMs, signal) {
      const name = host.replace(/\.$/, '').toLowerCase();
      const isWhole = host.endsWith('.');
      return within(limitMs, signal, name, async () => {
        const hosts = addressesByName(await readHostsFile(hostsFile));
        return resolveAll(name, { resolver, hosts, system, domains: isWhole ? noDomains : domains, isWhole });
      });
    },
  };
}

const noDomains = (): Promise<readonly string[]> => Promise.resolve([]);

type Sources = {
  readonly resolver: dns.Resolver;
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  readonly system: Lookup | undefined;
  readonly domains: () => Promise<readonly string[]>;
  readonly isWhole: boolean;
};

/**
 * The hosts file comes first, as in the system's own lookup: an entry there is an administrator's decision. Then MX;
 * without any MX the name itself counts as the only one (implicit MX, RFC 5321 5.1); `MX 0 .` means that the domain
 * takes no mail (RFC 7505).
 */
async function resolveAll(name: string, sources: Sources): Promise<readonly string[] | Failure> {
  const local = sources.hosts.get(name) ?? loopbackOf(name);
  if (local) return local.slice(0, maxAddresses);
  const exchanges = await exchangesOf(name, sources);
  if (isFailure(exchanges)) return exchanges;
  const found = new Set<string>();
  let trouble: Failure | undefined;
  for (const exchange of exchanges) {
    const addresses = await addressesOf(exchange, sources);
    if (isFailure(addresses)) trouble ??= addresses;
    else addresses.forEach((address) => found.add(address));
    if (found.size >= maxAddresses) break;
  }
  if (found.size > 0) return [...found].slice(0, maxAddresses);
  const implicit = exchanges.length === 1 && exchanges[0] === name;
  if (trouble?.reason === 'name_not_found' && !implicit) return { ...trouble, reason: 'name_no_address' };
  return trouble ?? { reason: 'name_no_address', detail: `${name} has neither A nor AAAA` };
}

/**
 * Mail exchangers, best first. Equal ones are sorted by name, so that each round visits the same bounded set. A name of one
 * label is asked for in the domains of the search list alone, for no such name has an MX of its own.
 */
async function exchangesOf(name: string, sources: Sources): Promise<readonly string[] | Failure> {
  const isShort = !name.includes('.') && !sources.isWhole;
  const inDomains = isShort ? (await sources.domains()).slice(0, 6).map((domain) => `${name}.${domain}`) : [];
  for (const asked of isShort ? inDomains : [name]) {
    const found = await mxOf(asked, name, sources.resolver);
    // Where the system knows the name, it needs no MX, and need not even be in DNS.
    const goesOn = isFailure(found) && found.reason === 'name_not_found' && sources.system !== undefined;
    if (goesOn || (isShort && !isFailure(found) && found[0] === name)) continue;
    return found;
  }
  return isShort && sources.system === undefined ? mxOf(name, name, sources.resolver) : [name];
}

/** @param implicit stands for itself where there is no MX */
async function mxOf(asked: string, implicit: string, resolver: dns.Resolver): Promise<readonly string[] | Failure> {
  try {
    const records = await resolver.resolveMx(asked);
    const named = records.filter(({ exchange }) => exchange !== '' && exchange !== '.');
    if (named.length === 0 && records.length > 0) {
      return { reason: 'null_mx', detail: `${asked} has a null MX (RFC 7505): it accepts no mail` };
    }
    if (named.length === 0) return [implicit];
    named.sort((a, b) => a.priority - b.priority || (a.exchange < b.exchange ? -1 : 1));
    return named.map(({ exchange }) => exchange.toLowerCase());
  } catch (error) {
    const failure = dnsFailure(error, `MX of ${asked}`);
    return failure.reason === 'name_no_address' ? [implicit] : failure;
  }
}

/**
 * By DNS; a short name, and one that DNS does not know, by the resolver of the system, which has a search list and further
 * sources (files, multicast, directories).
 */
async function addressesOf(name: string, sources: Sources): Promise<readonly string[] | Failure> {
  const { hosts, system, isWhole } = sources;
  const local = hosts.get(name) ?? loopbackOf(name) ?? literalOf(name);
  if (local) return local;
  const isShort = !name.includes('.') && !isWhole;
  if (isShort && system) return bySystem(name, name, system);
  const found = await byDns(name, sources.resolver);
  const isUnknown = isFailure(found) && (found.reason === 'name_not_found' || found.reason === 'name_no_address');
  if (!isUnknown || !system) return found;
  const other = await bySystem(isWhole ? `${name}.` : name, name, system);
  return isFailure(other) ? found : other;
}

async function bySystem(asked: string, name: string, system: Lookup): Promise<readonly string[] | Failure> {
  try {
    const addresses = (await system(asked)).flatMap((text) => addressOf(text) ?? []);
    const four = addresses.filter((address) => !address.includes(':'));
    return inTurn(
      four,
      addresses.filter((address) => address.includes(':')),
    );
  } catch (error) {
    return dnsFailure(error, `addresses of ${name}`);
  }
}

async function byDns(name: string, resolver: dns.Resolver): Promise<readonly string[] | Failure> {
  const [four, six] = await Promise.all([
    resolver.resolve4(name).catch((error: unknown) => dnsFailure(error, `A of ${name}`)),
    resolver.resolve6(name).catch((error: unknown) => dnsFailure(error, `AAAA of ${name}`)),
  ]);
  const mixed = inTurn(isFailure(four) ? [] : four, isFailure(six) ? [] : six.map((text) => addressOf(text) ?? text));
  if (mixed.length > 0) return mixed;
  const failures = [four, six].filter(isFailure);
  return failures.find(({ reason }) => reason !== 'name_no_address') ?? failures[0] ?? [];
}

/** IPv4 and IPv6 take turns, so that a bounded list holds both. */
function inTurn(four: readonly string[], six: readonly string[]): readonly string[] {
  const [fourSorted, sixSorted] = [[...new Set(four)].toSorted(), [...new Set(six)].toSorted()];
  const mixed: string[] = [];
  for (let index = 0; index < Math.max(fourSorted.length, sixSorted.length); index += 1) {
    mixed.push(...fourSorted.slice(index, index + 1), ...sixSorted.slice(index, index + 1));
  }
  return mixed;
}

/** An MX that points to an address breaks RFC 5321, yet is found in the wild and tried by mail servers. */
function literalOf(name: string): readonly string[] | undefined {
  const address = addressOf(name.replace(/\.$/, ''));
  return address === undefined ? undefined : [address];
}

/** RFC 6761 6.3: these names mean loopback and are not to be asked of DNS. */
function loopbackOf(name: string): readonly string[] | undefined {
  return name === 'localhost' || name.endsWith('.localhost') ? ['127.0.0.1', '::1'] : undefined;
}

function addressesByName(lines: readonly HostsLine[]): ReadonlyMap<string, readonly string[]> {
  const hosts = new Map<string, string[]>();
  for (const { address, names } of lines) {
    for (const name of names) {
      const known = hosts.get(name);
      if (!known) hosts.set(name, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return hosts;
}

/** Gives up after `limitMs` or when the visit is called off; a late answer is then nobody's business. */
function within<T extends object>(
  limitMs: number,
  signal: AbortSignal,
  name: string,
  ask: () => Promise<T | Failure>,
): Promise<T | Failure> {
  return new Promise((resolve) => {
    const settle = (value: T | Failure): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(value);
    };
    const onAbort = (): void => {
      settle({ reason: 'other', detail: 'the exporter is stopping' });
    };
    const timer = setTimeout(() => {
      settle({ reason: 'name_timeout', detail: `no DNS answer for ${name} within ${(limitMs / 1000).toFixed(1)} s` });
    }, limitMs);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
    ask().then(settle, (error: unknown) => {
      settle(dnsFailure(error, name));
    });
  });
}

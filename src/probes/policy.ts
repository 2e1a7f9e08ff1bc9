/** Decides which addresses and ports may be connected to, so that a line in a log can never aim the prober. */
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { remembering } from '../runtime/memoize.js';
import { carriedIpv4 } from './carried-ipv4.js';

export type PolicyOptions = {
  /** Networks (`10.0.0.0/8`, `192.0.2.7`, `fd00::/8`); when not empty, the only ones that are probed. */
  readonly allow?: readonly string[];
  /** Networks that are never probed; wins over `allow`. */
  readonly deny?: readonly string[];
  /** Ports (`25`, `"587"`) and ranges of ports (`"1024-65535"`). @default defaultPorts */
  readonly ports?: readonly (number | string)[];
  /** False switches probing off altogether (`--no-probe`). @default true */
  readonly enabled?: boolean;
};

export type Policy = {
  /**
   * May this address and port be connected to? Without an address (a name not yet resolved) only the port is judged.
   * @returns undefined when it may, else a sentence that says why not
   */
  readonly judge: (address: string | undefined, port: number) => string | undefined;
};

/** Ports that mail servers listen on: SMTP, the ports between Exchange services, submission, and their alternates. */
export const defaultPorts: readonly number[] = [25, 465, 475, 587, 717, 2525];

/** Builds the policy. Throws when a network or port cannot be read: the configuration is checked before. */
export function createPolicy(options: PolicyOptions = {}): Policy {
  const allow = (options.allow ?? []).map(mustBeNetwork);
  const deny = (options.deny ?? []).map(mustBeNetwork);
  const ports = (options.ports ?? defaultPorts).map(mustBePorts);
  const noAddress = leavesNone(allow, deny) ? 'probe.allow and probe.deny leave no address to probe' : undefined;
  const judgementOf = remembering((address) => ({ refusal: judgeAddress(address, allow, deny) }));
  return {
    judge(address, port) {
      if (options.enabled === false) return 'probing is turned off (--no-probe)';
      if (!ports.some((range) => port >= range.first && port <= range.last)) {
        return `port ${port} is not in probe.ports; add it there if this is a mail server`;
      }
      return address === undefined ? noAddress : judgementOf(address).refusal;
    },
  };
}

/** Is every address denied, or every allowed one? Then no name can lead anywhere, and nobody is asked for it. */
function leavesNone(allow: readonly Network[], deny: readonly Network[]): boolean {
  const everything = ['0.0.0.0/0', '::/0'].map(mustBeNetwork);
  const isDenied = (network: Network): boolean =>
    deny.some((each) => each.bits <= network.bits && contains(each, network.base));
  return (allow.length > 0 ? allow : everything).every(isDenied);
}

/** A network of IP addresses, as `probe.allow` and `probe.deny` name them. */
export type Network = { readonly text: string; readonly base: Address; readonly bits: number };

/** @returns undefined when the text is neither an IP address nor a network in CIDR form */
export function networkOf(text: string): Network | undefined {
  const trimmed = text.trim();
  const [address = '', bits, more] = trimmed.split('/');
  const base = parsedOf(address);
  if (base === undefined || more !== undefined) return undefined;
  const longest = base.kind() === 'ipv4' ? 32 : 128;
  if (bits === undefined) return { text: trimmed, base, bits: longest };
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > longest) return undefined;
  return { text: trimmed, base, bits: Number(bits) };
}

/** @returns undefined when the text is neither a port (1 to 65535) nor a range `first-last` of them */
export function portsOf(text: number | string): { readonly first: number; readonly last: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(text).trim());
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first >= 1 && first <= last && last <= 65535 ? { first, last } : undefined;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Ranges that no Send connector delivers to, and that an attacker would love us to knock at. Only an entry of
 * `probe.allow` inside the range lifts it: `0.0.0.0/0` does not open loopback or a cloud's metadata by accident.
 * Sources: RFC 6890, RFC 5737, RFC 3849, RFC 3879, RFC 9637, and the metadata addresses of AWS,
 * Google, Azure, Oracle, Alibaba, Scaleway and Linode.
 */
const special: readonly (Network & { readonly name: string })[] = (
  [
    ['0.0.0.0/8', 'the unspecified network'],
    ['127.0.0.0/8', 'loopback'],
    ['169.254.0.0/16', 'link-local'],
    ['169.254.169.254', 'cloud metadata'],
    ['100.100.100.200', 'cloud metadata'],
    ['168.63.129.16', 'cloud metadata'],
    ['192.0.0.192', 'cloud metadata'],
    ['192.0.2.0/24', 'a documentation range'],
    ['198.51.100.0/24', 'a documentation range'],
    ['203.0.113.0/24', 'a documentation range'],
    ['224.0.0.0/4', 'multicast'],
    ['240.0.0.0/4', 'reserved or broadcast'],
    ['::', 'the unspecified address'],
    ['::1', 'loopback'],
    ['fe80::/10', 'link-local'],
    ['fec0::/10', 'site-local'],
    ['ff00::/8', 'multicast'],
    ['fd00:ec2::254', 'cloud metadata'],
    ['fd00:ec2::23', 'cloud metadata'],
    ['fd20:ce::254', 'cloud metadata'],
    ['fd00:42::42', 'cloud metadata'],
    ['fd00:a9fe:a9fe::1', 'cloud metadata'],
    ['2001:db8::/32', 'a documentation range'],
    ['3fff::/20', 'a documentation range'],
  ] as const
).map(([text, name]) => ({ ...mustBeNetwork(text), name }));

function judgeAddress(text: string, allow: readonly Network[], deny: readonly Network[]): string | undefined {
  const address = parsedOf(text);
  if (address === undefined) return `${text} is not an IP address`;
  const { same, all } = formsOf(address);
  const denied = all.flatMap((form) =>
    deny.filter((network) => contains(network, form)).map(({ text }) => ({ form, text })),
  );
  if (denied[0]) return `${sayWhich(text, address, denied[0].form)} in ${denied[0].text} of probe.deny`;
  const lifting = allow.filter((network) => same.some((form) => contains(network, form)));
  if (allow.length > 0 && lifting.length === 0) return `${text} is not in probe.allow`;
  const closed = special.find(
    (range) => all.some((form) => contains(range, form)) && !lifting.some((network) => names(network, range)),
  );
  const form = closed && all.find((each) => contains(closed, each));
  if (!closed || !form) return undefined;
  const which = sayWhich(text, address, form);
  return `${which} ${closed.name}, which is never probed unless probe.allow names it (${closed.text})`;
}

/** `64:ff9b::a00:1 embeds 10.0.0.1, which is`: a person does not see it in the digits. */
function sayWhich(text: string, address: Address, form: Address): string {
  return form === address ? `${text} is` : `${text} embeds ${form.toString()}, which is`;
}

type Forms = { readonly same: readonly Address[]; readonly all: readonly Address[] };

/** The address itself, and the IPv4 addresses that it carries: all of them can deny, only the same server can allow. */
function formsOf(address: Address): Forms {
  if (address.kind() === 'ipv4') return { same: [address], all: [address] };
  const { same, possible } = carriedIpv4(address as ipaddr.IPv6);
  return { same: [address, ...same], all: [address, ...same, ...possible] };
}

function contains(network: Network, address: Address): boolean {
  return network.base.kind() === address.kind() && address.match(network.base, network.bits);
}

/** Does an entry of the allow list name (a part of) this special range? */
function names(network: Network, range: Network): boolean {
  const carriedBits = range.base.kind() === 'ipv4' && network.base.kind() === 'ipv6' ? network.bits - 96 : network.bits;
  return carriedBits >= range.bits && formsOf(network.base).all.some((form) => contains(range, form));
}

function parsedOf(text: string): Address | undefined {
  const [bare = ''] = text.split('%', 1);
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  return isIPv6(bare) && ipaddr.IPv6.isValid(bare) ? ipaddr.IPv6.parse(bare) : undefined;
}

function mustBeNetwork(text: string): Network {
  const network = networkOf(text);
  if (!network) throw new Error(`expected an IP address or a network such as 10.0.0.0/8, got: ${text}`);
  return network;
}

function mustBePorts(text: number | string): { readonly first: number; readonly last: number } {
  const ports = portsOf(text);
  if (!ports) throw new Error(`expected a port (1 to 65535) or a range such as 1024-65535, got: ${text}`);
  return ports;
}

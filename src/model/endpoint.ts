/** Reads and writes end points (`address:port`, `[IPv6]:port`, `name:port`) in one normal form. */
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A host and a port; `address` is true when the host is an IP address. */
export type Endpoint = { readonly host: string; readonly port: number; readonly address: boolean };

/**
 * Reads `203.0.113.25:25`, `[2001:db8::1]:25` (with or without zone) or `mail.contoso.example:25`.
 * @returns undefined when the text is none of them or the port is not 1 to 65535
 */
export function endpointOf(text: string, defaultPort?: number): Endpoint | undefined {
  const trimmed = text.trim();
  if (trimmed.length > longest) return undefined;
  const match = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(trimmed) ?? /^([^:\s[\]]+)(?::(\d{1,5}))?$/.exec(trimmed);
  if (!match?.[1]) return undefined;
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  if (port === undefined || port < 1 || port > 65535) return undefined;
  const address = addressOf(match[1]);
  if (address !== undefined) return { host: address, port, address: true };
  if (trimmed.startsWith('[') || !isHostName(match[1])) return undefined;
  return { host: match[1].toLowerCase(), port, address: false };
}

/** A host name of 253 characters and its port, or an address with the name of an interface. */
const longest = 320;

/** The label of an end point: IPv6 in brackets, RFC 5952 form, with the zone of a link-local address. */
export function destinationOf(endpoint: { readonly host: string; readonly port: number }): string {
  return endpoint.host.includes(':') ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}

/**
 * An IP address in its normal form (RFC 5952 for IPv6). A link-local address keeps its zone (RFC 4007): the same
 * address behind two interfaces is two hosts. Of any other address the zone says nothing.
 * IPv4-mapped IPv6 addresses keep their IPv6 form, so that a label shows what the log said.
 * @returns undefined when the text is not an IP address
 */
export function addressOf(text: string): string | undefined {
  const [bare = '', zone = ''] = text.split('%', 2);
  if (bare.length > longest) return undefined;
  // The library throws inside for whatever is no address, which costs a hundred times this look.
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(bare) && ipaddr.IPv4.isValidFourPartDecimal(bare))
    return bare.split('.').map(Number).join('.');
  if (!isIPv6(bare) || !ipaddr.IPv6.isValid(bare)) return undefined;
  const parsed = ipaddr.IPv6.parse(bare);
  if (parsed.isIPv4MappedAddress()) return `::ffff:${parsed.toIPv4Address().toString()}`;
  const normal = parsed.toRFC5952String();
  return zonePattern.test(zone) && parsed.range() === 'linkLocal' ? `${normal}%${zone}` : normal;
}

/** The number of an interface (Windows) or its name; zone 0 is none. */
const zonePattern = /^(?!0+$)[0-9a-z][0-9a-z._-]{0,31}$/i;

/** An address as programs print it that leave the zone out. */
export function withoutZone(address: string): string {
  return address.split('%', 1)[0] ?? address;
}

/** An address as it stands in EHLO: `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 4.1.3); undefined when it is none. */
export function literalOf(text: string): string | undefined {
  const address = withoutMapping(withoutZone(addressOf(text) ?? ''));
  if (address === '') return undefined;
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
}

/**
 * What may stand after EHLO: the name of a host or an address literal; a bare address becomes a literal.
 * @returns undefined when the text is neither
 */
export function ehloNameOf(text: string): string | undefined {
  const trimmed = text.trim();
  const literal = /^\[(?:IPv6:)?([0-9a-f.:]+)\]$/i.exec(trimmed)?.[1] ?? trimmed;
  return literalOf(literal) ?? (isHostName(trimmed) ? trimmed.replace(/\.$/, '') : undefined);
}

/** Letters, digits, hyphens, underscores and dots; at most 253 characters (RFC 1035), with a letter in the last label. */
function isHostName(text: string): boolean {
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.');
  const last = labels.pop() ?? '';
  return (
    text.length <= 253 &&
    labels.every((label) => /^[a-z0-9_][a-z0-9_-]{0,62}$/i.test(label)) &&
    /^[a-z0-9_-]+$/i.test(last) &&
    /[a-z]/i.test(last)
  );
}

/** An IPv4 address as such, which a socket of IPv6 writes as `::ffff:192.0.2.1`. */
export function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

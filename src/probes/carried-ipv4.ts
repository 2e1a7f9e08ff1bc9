/** Finds the IPv4 addresses embedded in an IPv6 address: a translator or a tunnel may lead to them. */
import ipaddr from 'ipaddr.js';

export type Carried = {
  /** A connection to the IPv6 address reaches this IPv4 address and nobody else: what is true of one is true of both. */
  readonly same: readonly ipaddr.IPv4[];
  /** May be reached through it; enough to deny, never enough to allow. */
  readonly possible: readonly ipaddr.IPv4[];
};

/**
 * Where the form can be told from the prefix, every address in it counts: IPv4-mapped and IPv4-compatible (RFC 4291
 * 2.5.5), IPv4-translated (RFC 2765), NAT64 (RFC 6052 2.1, RFC 8215), 6to4 (RFC 3056), ISATAP (RFC 5214 6.1), Teredo
 * (RFC 4380 4: the server, and the client with its bits turned over).
 *
 * A network may also translate under a prefix of its own (RFC 6052 2.2), which nobody else can know. Such an address has
 * zeros in bits 64 to 71, and zeros behind the IPv4 address where that is not at the end; ordinary addresses seldom look
 * so, save those whose last bytes are small (`::25`). Those would carry an address of 0.0.0.0/8, and random ones often
 * one from 224.0.0.0 up: no translator opens a TCP connection to either, so they do not count.
 */
export function carriedIpv4(address: ipaddr.IPv6): Carried {
  const bytes = address.toByteArray();
  return { same: sameAs(bytes), possible: [...tunnelled(bytes), ...translated(bytes)] };
}

function sameAs(bytes: readonly number[]): readonly ipaddr.IPv4[] {
  const hex = hexOf(bytes);
  if (hex.startsWith('2002')) return [ipv4At(bytes, 2)];
  // `::` and `::1` have meanings of their own.
  if (hex.startsWith(zeros(15)) && (bytes[15] ?? 0) <= 1) return [];
  const isLastFour = wholeBefore.some((prefix) => hex.startsWith(prefix));
  return isLastFour ? [ipv4At(bytes, 12)] : [];
}

/** The first 96 bits of forms whose last 32 bits are the IPv4 address. */
const wholeBefore = [
  zeros(12), // compatible
  `${zeros(10)}ffff`, // mapped
  `${zeros(8)}ffff0000`, // translated
  `0064ff9b${zeros(8)}`, // NAT64, well-known
  `0064ff9b0001${zeros(6)}`, // NAT64, local use
];

/** ISATAP names the IPv4 address of a host, Teredo those of a server and of the NAT before the client. */
function tunnelled(bytes: readonly number[]): readonly ipaddr.IPv4[] {
  const hex = hexOf(bytes);
  const isatap = /^.{16}0[0-3]005efe/.test(hex) ? [ipv4At(bytes, 12)] : [];
  if (!hex.startsWith('20010000')) return isatap;
  const turned = bytes.map((byte) => byte ^ 0xff);
  return [...isatap, ipv4At(bytes, 4), ipv4At(turned, 12)];
}

/** Lengths in bytes of the prefixes of RFC 6052 2.2: /32, /40, /48, /56, /64 and /96. */
const prefixBytes = [4, 5, 6, 7, 8, 12];

/** The byte that is zero in every form (bits 64 to 71). */
const zeroByte = 8;

function translated(bytes: readonly number[]): readonly ipaddr.IPv4[] {
  const isLocalUse = hexOf(bytes).startsWith('0064ff9b0001');
  return prefixBytes.flatMap((length) => {
    const places = bytes.map((_, at) => at).filter((at) => at >= length && at !== zeroByte);
    const [found, rest] = [places.slice(0, 4), places.slice(4)];
    // Translators do not look at what must be zero: under the prefix for local use it need not be.
    const isForm = isLocalUse || (bytes[zeroByte] === 0 && rest.every((at) => bytes[at] === 0));
    const first = bytes[found[0] ?? 0] ?? 0;
    const hasMeaning = first > 0 && first < 224;
    return isForm && hasMeaning ? [new ipaddr.IPv4(found.map((at) => bytes[at] ?? 0))] : [];
  });
}

function ipv4At(bytes: readonly number[], at: number): ipaddr.IPv4 {
  return new ipaddr.IPv4(bytes.slice(at, at + 4));
}

function hexOf(bytes: readonly number[]): string {
  return Buffer.from(bytes).toString('hex');
}

function zeros(count: number): string {
  return '00'.repeat(count);
}

/** Which addresses count as one sender. */
import ipaddr from 'ipaddr.js';

/** The network of an address, for instance `2001:db8:0:1::/64`; the address as it is when it is none. */
export function networkOf(address: string, lengths: { readonly ipv4: number; readonly ipv6: number }): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  const length = parsed.kind() === 'ipv4' ? lengths.ipv4 : lengths.ipv6;
  const bytes = parsed
    .toByteArray()
    .map((byte, place) => byte & (0xff00 >> Math.min(8, Math.max(0, length - place * 8))));
  return `${ipaddr.fromByteArray(bytes.map((byte) => byte & 0xff)).toString()}/${length}`;
}

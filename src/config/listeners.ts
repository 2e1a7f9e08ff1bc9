/** Which addresses to listen on are one: where a program listens already, the second listener cannot begin. */
import ipaddr from 'ipaddr.js';
import type * as z from 'zod';
import { type ListenAddress, shownAddress } from './forms.js';
import { pathText } from './path-text.js';

/** A listener of the configuration, and where that has it. */
type Place = { readonly path: readonly (string | number)[]; readonly at: ListenAddress };

type Listening = {
  readonly sources: readonly object[];
  readonly web: { readonly listenAddresses: readonly ListenAddress[] };
};

/** Refuses each listener that would find another one of the same configuration at its address, and names both. */
export function onAddressesOfTheirOwn({ sources, web }: Listening, context: z.RefinementCtx): void {
  const ofWeb: Place[] = web.listenAddresses.map((at, index) => ({ path: ['web', 'listenAddresses', index], at }));
  const ofSources = sources.flatMap((source, index): Place[] => {
    const { listenAddress: at } = source as { listenAddress?: ListenAddress };
    return at ? [{ path: ['sources', index, 'listenAddress'], at }] : [];
  });
  const all = [...ofWeb, ...ofSources];
  for (const [index, place] of all.entries()) {
    const other = all.slice(0, index).find(({ at }) => isShared(at, place.at));
    if (!other) continue;
    context.addIssue({
      code: 'custom',
      path: [...place.path],
      message: `an address apart from that of ${pathText(other.path)} (${shownAddress(other.at)})`,
      input: shownAddress(place.at),
    });
  }
}

/** Whether the second of two listeners finds its port taken. Port 0 is another port each time. */
export function isShared(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port === 0 || one.port !== other.port) return false;
  const [ofOne, ofOther] = [hostsOf(one.host), hostsOf(other.host)];
  return ofOne.some((a) => ofOther.some((b) => isSameHost(a, b)));
}

/** The address of all hosts (`::`, which is without a host too) takes those of IPv4 as well. */
function isSameHost(one: string, other: string): boolean {
  if (one === other || one === '::' || other === '::') return true;
  const isOfIpv4 = (host: string): boolean => host === '0.0.0.0' || !host.includes(':');
  return (one === '0.0.0.0' && isOfIpv4(other)) || (other === '0.0.0.0' && isOfIpv4(one));
}

/** Normal forms of what a host may stand for. Other names are not looked up: what they mean changes. */
function hostsOf(host: string | undefined): readonly string[] {
  const name = (host ?? '::').toLowerCase().replace(/\.$/, '');
  if (name === 'localhost') return ['127.0.0.1', '::1'];
  // `process` takes an IPv4 address out of its IPv6 form.
  return [ipaddr.isValid(name) ? ipaddr.process(name).toString() : name];
}

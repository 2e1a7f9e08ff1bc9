/** What the doctor says of the names that visits give in EHLO. */
import { promises as dns } from 'node:dns';
import type { Config } from '../config/config.js';
import type { SendConnector } from '../model/connectors.js';
import { fullHostName } from '../probes/host-name.js';
import type { Finding } from './findings.js';

type Lookup = (name: string, options: { readonly all: true }) => Promise<readonly { readonly address: string }[]>;

/** Names of connectors that are looked at: a fleet has a few. */
const mostNames = 5;

/**
 * The names that visits give in EHLO, and whether other mail servers could find this host by them: the Fqdn of each
 * connector, and the name for what has no connector.
 */
export async function checkEhloNames(
  { probe }: Config,
  connectors: readonly SendConnector[],
  system: { readonly hostName?: () => Promise<string | undefined>; readonly lookup?: Lookup } = {},
): Promise<Finding[]> {
  const check = 'EHLO name';
  const lookup: Lookup = system.lookup ?? dns.lookup;
  if (!probe.enabled) return [{ check, state: 'skipped', text: 'probing is off' }];
  const fqdns = connectors.filter(({ enabled }) => enabled).flatMap(({ settings }) => settings.ehloName ?? []);
  const own = probe.ehloName ?? (await (system.hostName ?? fullHostName)());
  const remedy = 'set Fqdn of the connector, or probe.ehloName, to the name under which this host sends mail';
  const names = [
    ...[...new Set(fqdns)].slice(0, mostNames).map((name) => ({ name, whose: 'Fqdn of a connector' })),
    ...(own === undefined ? [] : [{ name: own, whose: probe.ehloName === undefined ? 'this host' : 'probe.ehloName' }]),
  ];
  const findings = await Promise.all(
    names.map(async ({ name, whose }): Promise<Finding> => {
      const text = `${name} (${whose})`;
      if (name.startsWith('[')) return { check, state: 'ok', text: `${text}: an address literal` };
      const found = await lookup(name, { all: true }).catch(() => []);
      if (found.length === 0) return { check, state: 'warning', text: `${text}: does not resolve here`, remedy };
      return { check, state: 'ok', text: `${text}: resolves to ${found.map(({ address }) => address).join(', ')}` };
    }),
  );
  if (own !== undefined) return findings;
  const text = 'this host has no full name: visits without a Fqdn use the literal of its address, like [192.0.2.1]';
  return [...findings, { check, state: 'warning', text, remedy }];
}

/** Every setting of the configuration file: its type, its default and the text that says what was expected. */
import ipaddr from 'ipaddr.js';
import * as z from 'zod';
import { clashesOf, sourceKinds } from '../events/sources/sources.js';
import { destinationOf, ehloNameOf, endpointOf } from '../model/endpoint.js';
import { duration, fileName, list, listenAddress, mapping, settings, text, whole, yesOrNo } from './forms.js';
import { onAddressesOfTheirOwn } from './listeners.js';

/** Where other answers of the exporter are, and all below them. web/server.ts has the routes; a test compares. */
const ownPaths = ['/-', '/api', '/assets', '/connectors', '/destinations', '/events', '/probe', '/runbooks', '/sd'];

/** The configuration file. Input is what YAML gives; output has numbers, normal forms and all defaults. */
export const configSchema = mapping({
  sources: list(sourceSchema(), 'a list of sources').superRefine(apartFromEachOther).prefault([]),
  inventory: settings({
    file: fileName('Get-SendConnector export (JSON): connectors and their smart hosts').optional(),
  }),
  destinations: settings({
    static: list(destination(), 'a list of host:port').prefault([]).describe('Destinations that are always probed.'),
    limit: whole(1, 1_000_000, 'Destinations shown by name; more are counted as `other`.').prefault(2000),
    forgetAfter: duration(
      'Destinations without errors for this long are not shown, whenever their log is read.',
    ).prefault('30d'),
  }),
  probe: settings({
    enabled: yesOrNo().prefault(true).describe('Probe destinations at all.'),
    interval: duration('Between two probes of a destination named here or in the inventory.').prefault('30s'),
    observedInterval: duration('Between two probes of a destination known only from events.').prefault('5m'),
    timeout: duration('For one whole probe.').prefault('45s'),
    concurrency: whole(1, 1000, 'Probes at the same time.').prefault(128),
    allow: list(network(), 'a list of networks').prefault([]).describe('When not empty, only these are probed.'),
    deny: list(network(), 'a list of networks').prefault([]).describe('Never probed; wins over `allow`.'),
    ports: list(portRange(), 'a list of ports')
      .prefault([25, 465, 475, 587, 717, 2525])
      .describe('Ports that may be probed.'),
    caFile: fileName('Authorities (PEM) to trust in addition to those of Node and of this host.').optional(),
    ehloName: text('a host name or an address literal such as [192.0.2.1]', ehloNameOf, {
      description: 'Name given in EHLO; by default the full name of this host, or the literal of its address.',
    }).optional(),
  }),
  state: settings({ directory: fileName('Folder in which counts and positions are kept.').optional() }),
  web: settings({
    listenAddresses: list(listenAddress(), 'a list of host:port or :port', 1).prefault([':10202']),
    telemetryPath: telemetryPath().prefault('/metrics'),
    externalUrl: externalUrl().optional(),
    configFile: fileName('TLS, users and headers, in the schema of exporter-toolkit.').optional(),
  }),
}).superRefine(onAddressesOfTheirOwn);

export type { ListenAddress } from './forms.js';

/** One of the kinds that sources.ts lists. */
function sourceSchema() {
  const words = sourceKinds.map(({ type }) => `"${type}"`).join(' or ');
  return z.discriminatedUnion('type', settingsOf(sourceKinds), {
    error: (issue) => (isMapping(issue.input) ? words : 'a mapping with a type'),
  });
}

/** What no two sources of a kind may both have. */
function apartFromEachOther(sources: readonly { readonly type: string }[], context: z.RefinementCtx): void {
  for (const { index, path, message, input } of clashesOf(sources))
    context.addIssue({ code: 'custom', path: [index, ...path], message, input });
}

/** The schema of each kind, with the types of all. */
function settingsOf<Kinds extends readonly { readonly settings: z.ZodType }[]>(kinds: Kinds) {
  return kinds.map(({ settings }) => settings) as unknown as {
    readonly [Index in keyof Kinds]: Kinds[Index]['settings'];
  };
}

function isMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `host:port` in its normal form, for instance `203.0.113.25:25`. */
function destination() {
  const parse = (given: string): string | undefined => {
    const endpoint = endpointOf(given);
    return endpoint && destinationOf(endpoint);
  };
  return text('host:port', parse, { examples: ['relay.contoso.example:25', '203.0.113.25:25', '[2001:db8::25]:25'] });
}

/** A network or a single address, as `address/length`. */
function network() {
  const parse = (given: string): string | undefined => {
    const [address = '', length, ...rest] = given.trim().split('/');
    const whole = ipaddr.IPv4.isValidFourPartDecimal(address) ? 32 : address.includes(':') ? 128 : undefined;
    if (whole === undefined || rest.length > 0 || !ipaddr.isValid(address) || address.includes('%')) return undefined;
    if (length !== undefined && (!/^\d{1,3}$/.test(length) || Number(length) > whole)) return undefined;
    return `${ipaddr.parse(address).toString()}/${length ?? whole}`;
  };
  return text('an IP address or a network like 10.0.0.0/8', parse, { examples: ['10.0.0.0/8', '2001:db8::/32'] });
}

/** A port or a range of ports as text, `25` or `2500-2599`. */
function portRange() {
  const expected = 'a port from 1 to 65535 or a range like "2500-2599"';
  return z.union([z.number(), z.string()], { error: expected }).transform((given, context): string => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(given));
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (from >= 1 && from <= to && to <= 65535) return from === to ? `${from}` : `${from}-${to}`;
    context.addIssue({ code: 'custom', message: expected, input: given });
    return z.NEVER;
  });
}

function telemetryPath() {
  const parse = (given: string): string | undefined => (/^(\/[\w.~-]+)+$/.test(given) ? given : undefined);
  const error = `a path like /metrics that the exporter does not use itself (as ${ownPaths.join(', ')})`;
  return text('a path like /metrics', parse, { description: 'Where Prometheus reads the metrics.' }).refine(
    (path) => !isTaken(path),
    { error },
  );
}

/** Routes are the same in upper case; a dot segment would be resolved by every client. */
function isTaken(path: string): boolean {
  const lower = path.toLowerCase();
  return (
    ownPaths.some((own) => lower === own || lower.startsWith(`${own}/`)) ||
    path.split('/').some((part) => part === '.' || part === '..')
  );
}

/** An absolute http or https address, without a slash at its end. */
function externalUrl() {
  const parse = (given: string): string | undefined => {
    if (!URL.canParse(given)) return undefined;
    const url = new URL(given);
    if (!['http:', 'https:'].includes(url.protocol) || /[?#]/.test(given)) return undefined;
    return url.href.replace(/(?<!\/)\/+$/, '');
  };
  const description = 'Address under which people reach the exporter, for links in alerts and pages.';
  return text('an address like https://exporter.contoso.example', parse, { description })
    .refine((given) => !/\/\/[^/]*@/.test(given), {
      error: 'an address without a user name: it would appear in every alert',
    })
    .refine((given) => !new URL(given).pathname.includes('//'), { error: 'an address without // in its path' });
}

/** Reads a Get-SendConnector export, whichever of its shapes PowerShell chose and however it was encoded. */
import { z } from 'zod';
import { addressOf, endpointOf } from '../endpoint.js';
import type { SendConnector, TargetSettings, TransportServer } from '../model.js';

/** What an export tells. */
export type Export = { readonly connectors: readonly SendConnector[]; readonly servers: readonly TransportServer[] };

/** An export, or all that is wrong with it, one text each. */
export type Decoded = ({ readonly ok: true } & Export) | { readonly ok: false; readonly mistakes: readonly string[] };

const maxMistakes = 20;

/**
 * PowerShell gives one connector as a bare object and several as a list; in Windows PowerShell a list inside an object
 * may become `{ value, Count }`. Our own script adds the servers: `{ Connectors, Servers }`.
 */
export function decodeExport(bytes: Buffer): Decoded {
  const text = textOf(bytes);
  if (text === undefined) return wrong('neither UTF-8 nor UTF-16');
  if (text.trim() === '') return wrong('expected connectors as JSON, got an empty file');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return wrong(`not readable as JSON (${(error as Error).message}): a file that is still being written, or cut off`);
  }
  const both = isObject(value) && 'Connectors' in value ? value : undefined;
  const given = { connectors: listOf(both ? both.Connectors : value), servers: listOf(both?.Servers) };
  const check = exportSchema.safeParse(given);
  if (check.success) return { ok: true, ...check.data };
  return wrong(...check.error.issues.map((issue) => `${placeOf(issue.path, given)}expected ${issue.message}`));
}

function wrong(...mistakes: readonly string[]): Decoded {
  const more = mistakes.length - maxMistakes;
  return { ok: false, mistakes: [...mistakes.slice(0, maxMistakes), ...(more > 0 ? [`and ${more} more`] : [])] };
}

/** `>` of Windows PowerShell writes UTF-16 with a byte order mark, `Out-File -Encoding utf8` one of UTF-8. */
function textOf(bytes: Buffer): string | undefined {
  const mark = bytes.toString('hex', 0, 2);
  const isBare16 = bytes.length > 1 && bytes[0] !== 0 && bytes[1] === 0;
  const encoding = mark === 'fffe' || isBare16 ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  if (isObject(value) && Array.isArray(value.value) && 'Count' in value) return value.value;
  return [value];
}

/** `connector 3 "To Partner", SmartHosts: `, as a person counts. */
function placeOf(path: readonly PropertyKey[], given: Readonly<Record<string, readonly unknown[]>>): string {
  const [list, index, ...rest] = path;
  if (typeof index !== 'number') return '';
  const element = given[String(list)]?.[index];
  const name = isObject(element) ? wordOf(element.Name) : undefined;
  const what = list === 'servers' ? 'server' : 'connector';
  const named = name === undefined ? '' : ` ${JSON.stringify(name.slice(0, 64))}`;
  return `${[`${what} ${index + 1}${named}`, ...rest.map(String)].join(', ')}: `;
}

// -------------------------------------------------------------------------------------------------- single values

/** Names under which .NET objects keep the text that a person would write. */
const textKeys = ['IPAddressToString', 'Domain', 'Name', 'Value', 'value'];

/** A value as text: a string, or an object around one; undefined for nothing and for the empty string. */
function wordOf(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return value.trim() === '' ? undefined : value.trim();
  if (!isObject(value) || depth === deepest) return undefined;
  for (const key of textKeys) {
    const word = wordOf(value[key], depth + 1);
    if (word !== undefined) return word;
  }
  return undefined;
}

/** Objects around a text: PowerShell writes two at most. */
const deepest = 4;

type Read<Value> = (given: unknown) => Value | undefined;

/** A property: `read` gives what it means, or undefined when it means nothing; absent, it is `otherwise`. */
function property<Value, Otherwise>(expected: string, read: Read<Value>, otherwise: Otherwise) {
  return z
    .unknown()
    .transform((given, context): Value | Otherwise => {
      if (given === undefined || given === null || (typeof given === 'string' && given.trim() === '')) return otherwise;
      const value = read(given);
      if (value !== undefined) return value;
      context.addIssue({ code: 'custom', message: `${expected}, got ${shown(given)}`, input: given });
      return z.NEVER;
    })
    .prefault(null);
}

function shown(value: unknown): string {
  try {
    const text = JSON.stringify(value);
    return text.length > 100 ? `${text.slice(0, 100)}...` : text;
  } catch {
    return 'a value that is nested too deep to be shown';
  }
}

function truth<Otherwise>(otherwise: Otherwise) {
  const words: Readonly<Record<string, boolean>> = { true: true, false: false, $true: true, $false: false };
  return property('true or false', (given) => words[wordOf(given)?.toLowerCase() ?? ''], otherwise);
}

/** Enums come as numbers from a local shell and as names from a remote one. */
function oneOf<Name extends string>(names: Readonly<Record<number, Name>>) {
  const read: Read<Name> = (given) => {
    const word = wordOf(given)?.toLowerCase();
    return Object.entries(names).find(([number, name]) => word === number || word === name.toLowerCase())?.[1];
  };
  return property(`one of ${Object.values(names).filter(Boolean).join(', ')}`, read, undefined);
}

function host() {
  return property('a host name', (given) => endpointOf(wordOf(given) ?? '', 25)?.host && wordOf(given), undefined);
}

/** A list of objects, of strings, one bare value, or all of them joined by spaces or commas. */
function words(expected: string, read: (element: unknown) => readonly string[] | undefined) {
  return property(
    expected,
    (given) => {
      const elements = listOf(given).flatMap((each): unknown[] =>
        typeof each === 'string' ? each.split(/[\s,]+/).filter(Boolean) : [each],
      );
      const found = elements.map(read);
      return found.every((each) => each !== undefined) ? [...new Set(found.flat())] : undefined;
    },
    [] as readonly string[],
  );
}

// ------------------------------------------------------------------------------------------------------ properties

/** Smart host and address space of EdgeSync connectors: "any Hub in the site", which is no name. */
const edgeSyncPlaceholder = '--';

function smartHostOf(element: unknown): readonly string[] | undefined {
  const isAddress = isObject(element) && element.IsIPAddress === true;
  const word = isObject(element) ? wordOf(isAddress ? element.Address : (element.Domain ?? element)) : wordOf(element);
  if (word === edgeSyncPlaceholder) return [];
  const named =
    word === undefined ? undefined : endpointOf(addressOf(word) && word.includes(':') ? `[${word}]` : word, 25);
  return named && [named.host];
}

/** `SMTP:*.contoso.example;5`, `contoso.example` or an object; other types of address than SMTP are left out. */
function addressSpaceOf(element: unknown): readonly string[] | undefined {
  if (isObject(element)) {
    if (element.IsSmtpType === false) return [];
    const domain = wordOf(element.Domain) ?? wordOf(element.Address);
    const below = element.IncludeSubDomains === true && domain !== undefined && !domain.startsWith('*');
    return domain === undefined ? undefined : domainOf(below ? `*.${domain}` : domain);
  }
  const match = /^(?:([a-z0-9]+):)?([^;]+)(?:;\d+)?$/i.exec(wordOf(element) ?? '');
  if (!match?.[2]) return undefined;
  return match[1] !== undefined && match[1].toLowerCase() !== 'smtp' ? [] : domainOf(match[2]);
}

function domainOf(text: string): readonly string[] | undefined {
  const domain = text.toLowerCase();
  if (domain === edgeSyncPlaceholder) return [];
  return domain === '*' || endpointOf(domain.replace(/^\*\./, ''), 25) ? [domain] : undefined;
}

/** `EXCH01`, or the path of the directory that ends in it, which is what a cut object becomes; others are left out. */
function serverOf(element: unknown): readonly string[] {
  const name = wordOf(element)?.split('/').at(-1)?.toLowerCase() ?? '';
  return endpointOf(name, 25)?.host === name ? [name] : [];
}

function guidOf(given: unknown): string | undefined {
  return /^\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?$/i.exec(wordOf(given) ?? '')?.[1]?.toLowerCase();
}

function portOf(given: unknown): number | undefined {
  const port = Number(wordOf(given));
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? port : undefined;
}

/** 0.0.0.0 and :: mean any address. */
function sourceAddressOf(given: unknown): string | undefined {
  return addressOf(wordOf(given) ?? '');
}

const anyAddress = ['0.0.0.0', '::'];

const connectorSchema = z
  .looseObject(
    {
      Name: property('the name of the Send connector', (given) => wordOf(given)?.slice(0, 256), undefined),
      Guid: property('a GUID', guidOf, undefined),
      Enabled: truth<boolean>(true),
      DNSRoutingEnabled: truth(undefined),
      SmartHosts: words('host names or addresses like [10.20.30.40]', smartHostOf),
      Port: property('a port from 1 to 65535', portOf, 25),
      AddressSpaces: words('address spaces like SMTP:*;1', addressSpaceOf),
      SmartHostsString: words('host names or addresses like [10.20.30.40]', smartHostOf),
      SourceTransportServers: words('names of servers', serverOf),
      SourceIPAddress: property('an IP address', sourceAddressOf, undefined),
      Fqdn: host(),
      ForceHELO: truth<boolean>(false),
      IgnoreSTARTTLS: truth<boolean>(false),
      RequireTLS: truth<boolean>(false),
      TlsAuthLevel: oneOf({ 0: '', 1: 'EncryptionOnly', 2: 'CertificateValidation', 4: 'DomainValidation' }),
      TlsDomain: property('a domain', (given) => wordOf(given)?.toLowerCase(), undefined),
      ProtocolLoggingLevel: oneOf({ 0: 'None', 1: 'Verbose' }),
    },
    { error: (issue) => `an object with the properties of Get-SendConnector, got ${shown(issue.input)}` },
  )
  .transform((given, context): SendConnector => {
    if (given.Name === undefined) {
      context.addIssue({ code: 'custom', path: ['Name'], message: 'a name' });
      return z.NEVER;
    }
    const smartHosts = given.SmartHosts.length > 0 ? given.SmartHosts : given.SmartHostsString;
    return {
      name: given.Name,
      guid: given.Guid,
      enabled: given.Enabled,
      dnsRouting: given.DNSRoutingEnabled ?? smartHosts.length === 0,
      smartHosts,
      port: given.Port,
      addressSpaces: given.AddressSpaces,
      sourceServers: given.SourceTransportServers,
      requireTls: given.RequireTLS,
      protocolLogging: given.ProtocolLoggingLevel && given.ProtocolLoggingLevel !== 'None',
      settings: settingsOf(given),
    };
  });

type Given = {
  readonly Fqdn: string | undefined;
  readonly ForceHELO: boolean;
  readonly IgnoreSTARTTLS: boolean;
  readonly RequireTLS: boolean;
  readonly TlsAuthLevel: '' | NonNullable<TargetSettings['tlsAuthLevel']> | undefined;
  readonly TlsDomain: string | undefined;
  readonly SourceIPAddress: string | undefined;
};

function settingsOf(given: Given): TargetSettings {
  const { Fqdn, TlsAuthLevel, TlsDomain, SourceIPAddress } = given;
  return {
    ...(Fqdn !== undefined && { ehloName: Fqdn }),
    ...(given.ForceHELO && { forceHelo: true }),
    ...(given.IgnoreSTARTTLS && { ignoreStartTls: true }),
    ...(given.RequireTLS && { requireTls: true }),
    ...(TlsAuthLevel && { tlsAuthLevel: TlsAuthLevel }),
    ...(TlsDomain !== undefined && { tlsDomain: TlsDomain }),
    ...(SourceIPAddress !== undefined && !anyAddress.includes(SourceIPAddress) && { sourceAddress: SourceIPAddress }),
  };
}

const serverSchema = z
  .looseObject(
    {
      Name: property('the name of the server', (given) => serverOf(given)[0], undefined),
      Fqdn: property('the full name of the server', (given) => serverOf(given)[0], undefined),
      SmtpSendEventLevel: oneOf({ 0: 'Lowest', 1: 'Low', 3: 'Medium', 5: 'High', 7: 'Expert' }),
    },
    { error: (issue) => `a server with Name, Fqdn and SmtpSendEventLevel, got ${shown(issue.input)}` },
  )
  .transform((given, context): TransportServer => {
    const name = given.Fqdn ?? given.Name;
    if (name !== undefined) return { name, eventLevel: given.SmtpSendEventLevel };
    context.addIssue({ code: 'custom', path: ['Name'], message: 'a name' });
    return z.NEVER;
  });

const exportSchema = z.object({
  connectors: z.array(connectorSchema).max(10_000, { error: 'at most 10000 Send connectors' }),
  servers: z.array(serverSchema).max(10_000, { error: 'at most 10000 servers' }),
});

/** The inventory: Send connectors as exported with Get-SendConnector, re-read when the export changes. */
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { addressOf } from './endpoint.js';
import type { Log } from './log.js';
import type { SendConnector, TargetSettings } from './model.js';
import { watchFiles } from './watch-files.js';

// The forms that one and the same export takes, by shell and by depth: Get-SendConnector | ConvertTo-Json. A list may be
// a list, one bare value or one text; an enumeration a number or a name; a value an object or a text.

export type Inventory = {
  /** In the order of the file; the last good ones while the file is wrong. */
  readonly connectors: () => readonly SendConnector[];
  /** Name of the connector with this GUID, written in any form. */
  readonly nameOf: (guid: string) => string | undefined;
  readonly status: () => InventoryStatus;
  readonly close: () => void;
};

export type InventoryStatus = {
  readonly file: string | undefined;
  /** When the file in force was written, milliseconds since 1970 UTC. */
  readonly modifiedAt: number | undefined;
  /** What is wrong with the file as it is now: place and remedy. */
  readonly problem: string | undefined;
};

/**
 * Connectors that Exchange makes itself and Get-SendConnector does not list.
 * Source: decompiled Exchange 2013, names of the implicit connectors.
 */
export const implicitConnectors: ReadonlySet<string> = new Set([
  'Intra-Organization SMTP Send Connector',
  'Inbound Proxy Internal Send Connector',
  'Inbound Proxy External Send Connector',
  'Outbound Proxy Internal Send Connector',
  'Outbound Proxy External Send Connector',
  'Client Proxy Send Connector',
  'Mailbox Proxy Send Connector',
  'Shadow Redundancy Send Connector',
]);

const none: Inventory = {
  connectors: () => [],
  nameOf: () => undefined,
  status: () => ({ file: undefined, modifiedAt: undefined, problem: undefined }),
  close: () => undefined,
};

/**
 * Reads the export and watches it. A file that is missing or wrong is a problem, told in the log and in the status, and
 * never the end of the exporter: errors are counted without it.
 * @param changed called after each reading that went well, the first one included; without a file once, with nothing
 */
export async function openInventory(
  file: string | undefined,
  log: Log,
  changed: (connectors: readonly SendConnector[]) => void = () => undefined,
): Promise<Inventory> {
  if (file === undefined) {
    changed([]);
    return none;
  }
  let connectors: readonly SendConnector[] = [];
  let names = new Map<string, string>();
  let status: InventoryStatus = { file, modifiedAt: undefined, problem: undefined };
  const read = async (): Promise<void> => {
    const loaded = await loadInventory(file);
    if (!loaded.ok) {
      if (loaded.problem !== status.problem)
        log.warn('the inventory cannot be read; the last good one stays in force', { problem: loaded.problem });
      status = { ...status, problem: loaded.problem };
      return;
    }
    ({ connectors } = loaded);
    names = new Map(connectors.flatMap(({ guid, name }) => (guid === undefined ? [] : [[guid, name]])));
    status = { file, modifiedAt: loaded.modifiedAt, problem: undefined };
    log.info('the inventory was read', { file, connectors: connectors.length });
    for (const doubt of doubtsOf(connectors)) log.warn(doubt.message, { connector: doubt.connector });
    changed(connectors);
  };
  await read();
  const watch = watchFiles(() => [file], read);
  return {
    connectors: () => connectors,
    nameOf: (guid) => names.get(plainGuid(guid)),
    status: () => status,
    close: watch.close,
  };
}

/** What an operator should know of a connector: what is not seen of it. */
export function doubtsOf(
  connectors: readonly SendConnector[],
): { readonly connector: string; readonly message: string }[] {
  return connectors
    .filter(({ enabled, protocolLogging }) => enabled && protocolLogging === false)
    .map(({ name }) => ({
      connector: name,
      message:
        'failures after the connect (banner, STARTTLS, TLS) of this Send connector are not seen: its ProtocolLoggingLevel is None; Set-SendConnector -ProtocolLoggingLevel Verbose',
    }));
}

// ------------------------------------------------------------------------------------------------------------ loading

type LoadedInventory =
  | { readonly ok: true; readonly connectors: readonly SendConnector[]; readonly modifiedAt: number }
  | { readonly ok: false; readonly problem: string };

/** An export of ten thousand connectors has about 10 MB. */
const largest = 64 * 1024 * 1024;

/** Reads an export in any of its forms. Never throws: what is wrong is a sentence with place and remedy. */
export async function loadInventory(file: string): Promise<LoadedInventory> {
  const remedy = 'export it again with examples/windows/Export-SendConnectors.ps1';
  try {
    const { mtimeMs, size } = await stat(file);
    if (size > largest) return { ok: false, problem: `${file}: expected at most 64 MiB, got ${size} bytes` };
    const text = decode(await readFile(file));
    if (text === undefined) return { ok: false, problem: `${file}: neither UTF-8 nor UTF-16; ${remedy}` };
    const parsed = connectorsOf(text);
    if (typeof parsed === 'string') return { ok: false, problem: `${file}: ${parsed}; ${remedy}` };
    return { ok: true, connectors: parsed, modifiedAt: mtimeMs };
  } catch (error) {
    return { ok: false, problem: `${file}: expected a readable file, got ${(error as Error).message}; ${remedy}` };
  }
}

/** UTF-16 as Windows PowerShell 5.1 writes it with `>`, else UTF-8, with or without byte order mark. */
function decode(bytes: Buffer): string | undefined {
  const mark = bytes.subarray(0, 2).toString('hex');
  const isBare16 = bytes.length > 1 && bytes[0] !== 0 && bytes[1] === 0;
  const encoding = mark === 'fffe' || isBare16 ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** @returns the connectors, or what is wrong with the text */
export function connectorsOf(text: string): readonly SendConnector[] | string {
  if (text.trim() === '') return 'expected connectors as JSON, got an empty file';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `not readable as JSON (${(error as Error).message}): a file that is still being written, or cut off`;
  }
  const entries = Array.isArray(value) ? value : [value];
  const connectors: SendConnector[] = [];
  for (const [index, entry] of entries.entries()) {
    const check = connectorSchema.safeParse(entry);
    if (!check.success) {
      const [issue] = check.error.issues;
      const at = [`connector ${index + 1}`, ...(issue?.path ?? [])].join(', ');
      return `${at}: expected ${issue?.message ?? 'a Send connector'}`;
    }
    connectors.push(connectorOf(check.data));
  }
  return connectors;
}

// -------------------------------------------------------------------------------------------------------------- forms

type Exported = z.output<typeof connectorSchema>;

/** Numbers of the enumerations. Source: decompiled Exchange 2013, TlsAuthLevel.cs and ProtocolLoggingLevel. */
const tlsAuthLevels = { 1: 'EncryptionOnly', 2: 'CertificateValidation', 4: 'DomainValidation' } as const;
const loggingLevels = { 0: 'None', 1: 'Verbose' } as const;

const connectorSchema = z.looseObject(
  {
    Name: z.string({ error: 'a name' }).min(1, { error: 'a name' }),
    Guid: text(),
    Enabled: flag(true),
    DNSRoutingEnabled: flag(undefined),
    SmartHosts: texts(),
    SmartHostsString: texts(),
    Port: z.coerce
      .number({ error: 'a port' })
      .int({ error: 'a port' })
      .min(1, { error: 'a port' })
      .max(65535, { error: 'a port' })
      .nullish(),
    AddressSpaces: texts(),
    SourceTransportServers: texts(),
    SourceIPAddress: text(),
    Fqdn: text(),
    ForceHELO: flag(false),
    IgnoreSTARTTLS: flag(false),
    RequireTLS: flag(false),
    TlsAuthLevel: enumeration(tlsAuthLevels),
    TlsDomain: text(),
    ProtocolLoggingLevel: enumeration(loggingLevels),
  },
  { error: 'an object with the properties of Get-SendConnector' },
);

function connectorOf(given: Exported): SendConnector {
  const smartHosts = (given.SmartHosts.length > 0 ? given.SmartHosts : given.SmartHostsString)
    .map((host) => host.replace(/^\[(.*)\]$/, '$1'))
    .map((host) => addressOf(host) ?? host.toLowerCase())
    // The placeholder of EdgeSync for "any Hub server of the site": nothing that could be looked up.
    .filter((host) => host !== '--');
  return {
    name: given.Name,
    guid: given.Guid === undefined ? undefined : plainGuid(given.Guid),
    enabled: given.Enabled ?? true,
    dnsRouting: given.DNSRoutingEnabled ?? smartHosts.length === 0,
    smartHosts,
    port: given.Port ?? 25,
    addressSpaces: given.AddressSpaces.flatMap(domainOf),
    sourceServers: given.SourceTransportServers.map((server) => server.toLowerCase()),
    requireTls: given.RequireTLS ?? false,
    protocolLogging: given.ProtocolLoggingLevel && given.ProtocolLoggingLevel !== 'None',
    settings: settingsOf(given),
  };
}

function settingsOf(given: Exported): TargetSettings {
  const source = given.SourceIPAddress === undefined ? undefined : addressOf(given.SourceIPAddress);
  return {
    ...(given.Fqdn !== undefined && { ehloName: given.Fqdn }),
    ...(given.ForceHELO && { forceHelo: true }),
    ...(given.IgnoreSTARTTLS && { ignoreStartTls: true }),
    ...(given.RequireTLS && { requireTls: true }),
    ...(given.TlsAuthLevel && { tlsAuthLevel: given.TlsAuthLevel }),
    ...(given.TlsDomain !== undefined && { tlsDomain: given.TlsDomain }),
    // 0.0.0.0 and :: stand for any address.
    ...(source !== undefined && !['0.0.0.0', '::'].includes(source) && { sourceAddress: source }),
  };
}

/** `SMTP:*.legacy.example;5` to `*.legacy.example`; other types than SMTP are nothing for a Send connector to connect to. */
function domainOf(space: string): string[] {
  const match = /^(?:(\w+):)?([^;]+)(?:;\d*)?$/.exec(space);
  if (!match?.[2] || (match[1] !== undefined && match[1].toUpperCase() !== 'SMTP')) return [];
  return match[2] === '--' ? [] : [match[2].toLowerCase()];
}

function plainGuid(guid: string): string {
  return guid.replace(/[{}]/g, '').toLowerCase();
}

/** A value as text, whatever ConvertTo-Json made of it; the empty text is none. */
function text() {
  return z
    .unknown()
    .prefault(null)
    .transform((value) => textOf(value) || undefined);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null) return '';
  const object = value as Record<string, unknown>;
  // IPAddress, SmartHost with an address, SmtpDomain and AddressSpace, ADObjectId, in this order.
  if (typeof object.IPAddressToString === 'string') return object.IPAddressToString;
  if (object.IsIPAddress === true) return textOf(object.Address);
  if (object.Type !== undefined && object.Domain !== undefined) return addressSpaceOf(object);
  return textOf(object.Domain) || textOf(object.Name) || textOf(object.value);
}

function addressSpaceOf(space: Record<string, unknown>): string {
  const domain = textOf(space.Domain);
  const isBelow = space.IncludeSubDomains === true && !domain.startsWith('*');
  return `${textOf(space.Type)}:${isBelow ? '*.' : ''}${domain};${textOf(space.Cost)}`;
}

/** A list of texts: a list, one value, or texts joined with spaces or commas; also `{ "value": [...], "Count": n }`. */
function texts() {
  const all = (value: unknown): string[] => {
    if (Array.isArray(value)) return value.map(textOf).filter((one) => one !== '');
    if (typeof value === 'string') return value.split(/[\s,]+/).filter((part) => part !== '');
    if (typeof value === 'object' && value !== null && 'Count' in value && 'value' in value) return all(value.value);
    const one = textOf(value);
    return one === '' ? [] : [one];
  };
  return z.unknown().prefault(null).transform(all);
}

function flag(absent: boolean | undefined) {
  return z
    .unknown()
    .prefault(null)
    .transform((value) => {
      if (typeof value === 'boolean') return value;
      const word = textOf(value).toLowerCase();
      return word === 'true' || word === '1' ? true : word === 'false' || word === '0' ? false : absent;
    });
}

/** A member by number or by name; a number or name that is not known is none. */
function enumeration<Member extends string>(members: Readonly<Record<number, Member>>) {
  return z
    .unknown()
    .prefault(null)
    .transform((value): Member | undefined => {
      const name = textOf(value);
      return Object.entries(members).find(
        ([number, member]) => number === name || member.toLowerCase() === name.toLowerCase(),
      )?.[1];
    });
}

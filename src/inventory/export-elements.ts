/** Converts the elements of an export to Send connectors and servers: an invalid value loses only that value, and is reported. */
import { ehloNameOf } from '../model/endpoint.js';
import { labelOf } from '../model/label.js';
import type { SendConnector, TargetSettings, TransportServer } from '../model/connectors.js';
import {
  addressSpaceOf,
  guidOf,
  isObject,
  isRestOfX400,
  listOf,
  portOf,
  serverOf,
  smartHostOf,
  sourceAddressOf,
  wordOf,
} from './export-values.js';

/** Told of a value that is left out: the property (empty for the element itself) and what was expected. */
export type Complain = (property: string, expected: string, ...got: unknown[]) => void;

/** @returns undefined for an element that is no Send connector, or has no name */
export function connectorOf(element: unknown, complain: Complain): SendConnector | undefined {
  const given = readerOf(element, 'an object with the properties of Get-SendConnector', complain);
  const name = given?.('Name', 'the name of the Send connector', connectorNameOf);
  if (!given || name === undefined) {
    if (given) complain('Name', 'a name');
    return undefined;
  }
  const hosts = given('SmartHosts', ...smartHostWords) ?? [];
  const smartHosts = hosts.length > 0 ? hosts : (given('SmartHostsString', ...smartHostWords) ?? []);
  const requireTls = given('RequireTLS', ...truth) ?? false;
  const logging = given('ProtocolLoggingLevel', ...oneOf({ 0: 'None', 1: 'Verbose' }));
  return {
    name,
    guid: given('Guid', 'a GUID', guidOf),
    enabled: given('Enabled', ...truth) ?? true,
    // Smart hosts that cannot be read are smart hosts all the same.
    dnsRouting: given('DNSRoutingEnabled', ...truth) ?? !namesSmartHosts(element),
    smartHosts,
    port: given('Port', 'a port from 1 to 65535', portOf) ?? 25,
    addressSpaces: given('AddressSpaces', ...words('address spaces like SMTP:*;1', addressSpaceOf, isRestOfX400)) ?? [],
    sourceServers: given('SourceTransportServers', ...words('names of servers', serverOf)) ?? [],
    requireTls,
    protocolLogging: logging && logging !== 'None',
    settings: settingsOf(given, requireTls),
  };
}

/** @returns undefined for an element that is no server, or has no name */
export function transportServerOf(element: unknown, complain: Complain): TransportServer | undefined {
  const given = readerOf(element, 'a server with Name, Fqdn and SmtpSendEventLevel', complain);
  if (!given) return undefined;
  const short = given('Name', 'the name of the server', (value) => serverOf(value)[0]);
  const name = given('Fqdn', 'the full name of the server', (value) => serverOf(value)[0]) ?? short;
  if (name === undefined) {
    complain('Name', 'a name');
    return undefined;
  }
  const levels = { 0: 'Lowest', 1: 'Low', 3: 'Medium', 5: 'High', 7: 'Expert' } as const;
  return { name, shortName: short, eventLevel: given('SmtpSendEventLevel', ...oneOf(levels)) };
}

// ------------------------------------------------------------------------------------------------------ properties

/** Gives what a value means, or undefined when it means nothing; `complain` is for a part of it that does not. */
type Read<Value> = (given: unknown, complain: (part: unknown) => void) => Value | undefined;

/** Reads a property: undefined where it is absent, empty or wrong. */
type Given = <Value>(property: string, expected: string, read: Read<Value>) => Value | undefined;

function readerOf(element: unknown, expected: string, complain: Complain): Given | undefined {
  if (!isObject(element)) {
    complain('', expected, element);
    return undefined;
  }
  return (property, what, read) => {
    const given = element[property];
    if (isAbsent(given)) return undefined;
    const refuse = (part: unknown): void => {
      complain(property, what, part);
    };
    const value = read(given, refuse);
    if (value === undefined) refuse(given);
    return value;
  };
}

function isAbsent(given: unknown): boolean {
  return given === undefined || given === null || (typeof given === 'string' && given.trim() === '');
}

const truthWords: Readonly<Record<string, boolean>> = { true: true, false: false, $true: true, $false: false };
const truth: readonly [string, Read<boolean>] = [
  'true or false',
  (given) => truthWords[wordOf(given)?.toLowerCase() ?? ''],
];

/** Enums come as numbers from a local shell and as names from a remote one. */
function oneOf<Name extends string>(names: Readonly<Record<number, Name>>): [string, Read<Name>] {
  const read: Read<Name> = (given) => {
    const word = wordOf(given)?.toLowerCase();
    return Object.entries(names).find(([number, name]) => word === number || word === name.toLowerCase())?.[1];
  };
  return [`one of ${Object.values(names).filter(Boolean).join(', ')}`, read];
}

/**
 * A list of objects, of strings, one bare value, or all of them joined by spaces or commas. A bad element costs itself.
 * @param isRest true for a piece of a joined text that belongs to an element of no interest before it
 */
function words(
  expected: string,
  read: (element: unknown) => readonly string[] | undefined,
  isRest: (piece: string) => boolean = () => false,
): [string, Read<readonly string[]>] {
  return [
    expected,
    (given, complain) => {
      const elements = listOf(given).flatMap((each): unknown[] => {
        if (typeof each !== 'string') return isAbsent(each) ? [] : [each];
        // An element of a list stands alone, though it may hold blanks.
        if (given !== each && read(each) !== undefined) return [each];
        return each.split(/[\s,]+/).filter((piece) => piece !== '' && !isRest(piece));
      });
      const found = new Set<string>();
      for (const element of elements) {
        const meant = read(element);
        if (meant === undefined) complain(element);
        else for (const each of meant) found.add(each);
      }
      return [...found];
    },
  ];
}

const smartHostWords = words('host names or addresses like [10.20.30.40]', smartHostOf);

function namesSmartHosts(element: unknown): boolean {
  return (
    isObject(element) &&
    [element.SmartHosts, element.SmartHostsString].some((each) => listOf(each).some((host) => !isAbsent(host)))
  );
}

const anyAddress = ['0.0.0.0', '::'];
const authLevels = { 0: '', 1: 'EncryptionOnly', 2: 'CertificateValidation', 4: 'DomainValidation' } as const;

function settingsOf(given: Given, requireTls: boolean): TargetSettings {
  const ehloName = given('Fqdn', 'a host name', (value) => ehloNameOf(wordOf(value) ?? ''));
  const tlsAuthLevel = given('TlsAuthLevel', ...oneOf(authLevels));
  const tlsDomain = given('TlsDomain', 'a domain', (value) => wordOf(value)?.toLowerCase());
  const sourceAddress = given('SourceIPAddress', 'an IP address', sourceAddressOf);
  return {
    ...(ehloName !== undefined && { ehloName }),
    ...(given('ForceHELO', ...truth) === true && { forceHelo: true }),
    ...(given('IgnoreSTARTTLS', ...truth) === true && { ignoreStartTls: true }),
    ...(requireTls && { requireTls: true }),
    ...(tlsAuthLevel && { tlsAuthLevel }),
    ...(tlsDomain !== undefined && { tlsDomain }),
    ...(sourceAddress !== undefined && !anyAddress.includes(sourceAddress) && { sourceAddress }),
  };
}

/** As the logs name it in labels; an empty word is no name. */
function connectorNameOf(value: unknown): string | undefined {
  const word = wordOf(value);
  return word === undefined || word.trim() === '' ? undefined : labelOf(word);
}

/** The next commands to type, by diagnosis: on the server that logged the error, and on the host of this exporter. */
import { endpointOf, type Endpoint } from '../../model/endpoint.js';
import type { DiagnosedPair } from '../../diagnosis/diagnosis.js';
import type { Diagnosis } from '../../model/words.js';
import type { OwnHost } from '../../model/status.js';
import { holdsEscapes } from '../../runtime/visible-text.js';
import { powerShellWord, shWord, wildcards } from './quoting.js';
import { startTlsCheck } from './starttls-check.js';

/** `server` is a Windows server with PowerShell; `exporter` is wherever this runs. */
export type NextCommand = { readonly where: 'server' | 'exporter'; readonly command: string; readonly why: string };

type Whom = { readonly connector: string | undefined; readonly destination: string; readonly host: string | undefined };
type Asked = Pick<NextCommand, 'command' | 'why'>;

const queues = `Get-Queue -Filter "Status -eq 'Retry'" | Format-List Identity,NextHopDomain,MessageCount,LastError`;

/** None where nothing is to be done, or where a name from the log is not safe to paste. */
export function nextCommandsOf(word: Diagnosis, whom: Whom, own: OwnHost = unknownHost): readonly NextCommand[] {
  const server = onServer(word, whom);
  return [
    ...(server ? [{ where: 'server' as const, ...server }] : []),
    ...onExporter(word, whom, own).map((asked) => ({ where: 'exporter' as const, ...asked })),
  ];
}

/** Longer commands are for pasting from the page: an alert is read on a phone. */
const longestInAlert = 200;

/**
 * The next command of a pair, short enough for an alert, and where to type it.
 * @param host name of the destination, where a visit has told it
 */
export function commandForAlert(
  { word, connector, destination, server }: DiagnosedPair,
  host: string | undefined,
): { readonly command: string; readonly where: string } | undefined {
  const all = nextCommandsOf(word, { connector, destination, host });
  const next = all.find(({ command }) => command.length <= longestInAlert);
  return next && { command: next.command, where: next.where === 'server' ? server : 'the host of the exporter' };
}

const unknownHost: OwnHost = { windows: false, self: ['send-connector-exporter'], configured: [], programs: [] };

// ------------------------------------------------------------------------------------- on the server, in PowerShell

function onServer(word: Diagnosis, { connector, destination, host }: Whom): Asked | undefined {
  const endpoint = endpointOf(destination);
  switch (word) {
    case 'server_egress':
      return {
        command: 'Get-NetIPConfiguration; Get-NetRoute -DestinationPrefix 0.0.0.0/0',
        why: 'Address, gateway and DNS of this server',
      };
    case 'connector_wide': {
      const asked = connector === undefined ? undefined : connectorByName(connector);
      const shown = 'Enabled,SmartHosts,Port,SourceIPAddress,SourceTransportServers';
      return asked === undefined
        ? undefined
        : { command: `${asked} | Format-List ${shown}`, why: 'What its destinations share' };
    }
    case 'name_resolution': {
      const name = powerShellWord(nameIn(endpoint, host) ?? nameOf(destination) ?? '');
      return name === undefined || name === "''"
        ? undefined
        : {
            command: `Resolve-DnsName ${name} -Type MX; Resolve-DnsName ${name} -Type A`,
            why: 'What the DNS servers say',
          };
    }
    case 'tls':
      return endpoint && startTls(endpoint, host);
    case 'smtp_refuses':
    case 'intermittent':
      return { command: queues, why: 'The words of the remote server are in LastError' };
    case 'recovered':
      return {
        command: `Retry-Queue -Filter "Status -eq 'Retry'"`,
        why: 'Send what waits now instead of at the next retry',
      };
    default:
      return endpoint && testConnection(endpoint);
  }
}

/** An identity with an asterisk may stand for several connectors: then the one of exactly this name is picked out. */
function connectorByName(connector: string): string | undefined {
  const name = holdsEscapes(connector) ? undefined : powerShellWord(connector);
  if (name === undefined) return undefined;
  return wildcards.test(connector)
    ? `Get-SendConnector | Where-Object { $_.Name -eq ${name} }`
    : `Get-SendConnector ${name}`;
}

function testConnection({ host, port }: Endpoint): Asked | undefined {
  const name = powerShellWord(host);
  return name === undefined
    ? undefined
    : {
        command: `Test-NetConnection ${name} -Port ${port} -InformationLevel Detailed`,
        why: 'Ping and port, as that server sees them',
      };
}

function startTls(endpoint: Endpoint, host: string | undefined): Asked {
  const name = nameIn(endpoint, host) ?? endpoint.host;
  return {
    command: startTlsCheck(`'${endpoint.host}'`, endpoint.port, `'${name}'`),
    why: 'Certificate and TLS as the destination shows them to that server',
  };
}

// -------------------------------------------------------------------------------------------- where the exporter runs

function onExporter(word: Diagnosis, { destination, host }: Whom, own: OwnHost): readonly Asked[] {
  const endpoint = endpointOf(destination);
  // An inner server with a way out of its own, and what Exchange alone knows, is not seen from here.
  if (word === 'server_egress' || word === 'recovered') return [];
  if (!endpoint || endpoint.host.startsWith('-')) return [];
  const probe = commandLine(own, [...own.self, 'probe', ...own.configured, destination]);
  const found = own.windows ? undefined : withProgram(word, endpoint, nameIn(endpoint, host), destination, own);
  return [
    ...(probe === undefined ? [] : [{ command: probe, why: 'Every step as the exporter sees it, said aloud' }]),
    ...(found ? [found] : []),
  ];
}

/** With what is installed there and tells more of this. */
function withProgram(
  word: Diagnosis,
  { host, port }: Endpoint,
  name: string | undefined,
  destination: string,
  own: OwnHost,
): Asked | undefined {
  if (word === 'tls' && own.programs.includes('openssl')) {
    const asked = name === undefined ? [] : ['-servername', name];
    const line = commandLine(own, ['openssl', 's_client', '-starttls', 'smtp', '-connect', destination, ...asked]);
    return line === undefined
      ? undefined
      : { command: `${line} </dev/null`, why: 'Certificate and TLS as the destination shows them' };
  }
  if ((word === 'smtp_refuses' || word === 'intermittent') && own.programs.includes('swaks') && !host.includes(':')) {
    const line = commandLine(own, ['swaks', '--server', host, '--port', String(port), '--quit-after', 'EHLO']);
    return line === undefined ? undefined : { command: line, why: 'Its greeting and what it offers; no mail is sent' };
  }
  return undefined;
}

/** @returns undefined when a word of it is not safe to paste */
function commandLine({ windows }: OwnHost, words: readonly string[]): string | undefined {
  const quoted = words.map(windows ? powerShellWord : (word) => (option.test(word) ? word : shWord(word)));
  if (quoted.includes(undefined)) return undefined;
  // PowerShell takes a quoted path for a text unless it is called.
  return `${windows && quoted[0]?.startsWith("'") ? '& ' : ''}${quoted.join(' ')}`;
}

/** Options are ours: no name from a log begins with a hyphen here. PowerShell breaks them at a dot, and has them quoted. */
const option = /^--?[a-z][a-z.-]*$/;

// -------------------------------------------------------------------------------------------------------------- names

function nameIn(endpoint: Endpoint | undefined, host: string | undefined): string | undefined {
  return endpoint && !endpoint.address ? endpoint.host : nameOf(host);
}

/** A host name and nothing else. */
function nameOf(text: string | undefined): string | undefined {
  return text !== undefined && /^[a-z0-9_](?:[a-z0-9_.-]{0,250}[a-z0-9])?$/i.test(text) && !/^[\d.]+$/.test(text)
    ? text
    : undefined;
}

/** The next command to type, by diagnosis: the first thing that tells more, on the server that logged the error. */
import { endpointOf } from '../endpoint.js';
import type { Diagnosis } from '../model.js';
import { safeInQuotes } from './runbooks.js';

export type NextCommand = { readonly command: string; readonly why: string };

type Whom = { readonly connector: string | undefined; readonly destination: string; readonly host: string | undefined };

const queues = `Get-Queue -Filter "Status -eq 'Retry'" | Format-List Identity,NextHopDomain,MessageCount,LastError`;

/** @returns undefined when names from the log could do harm in a shell, or when nothing is to be done */
export function nextCommandOf(word: Diagnosis, { connector, destination, host }: Whom): NextCommand | undefined {
  const endpoint = endpointOf(destination);
  const name = endpoint && !endpoint.address ? endpoint.host : nameOf(host);
  switch (word) {
    case 'server_egress':
      return {
        command: 'Get-NetIPConfiguration; Get-NetRoute -DestinationPrefix 0.0.0.0/0',
        why: 'Address, gateway and DNS of this server',
      };
    case 'connector_wide':
      return connector !== undefined && safeInQuotes.test(connector)
        ? {
            command: `Get-SendConnector "${connector}" | Format-List Enabled,SmartHosts,Port,SourceIPAddress,SourceTransportServers`,
            why: 'What its destinations share',
          }
        : undefined;
    case 'name_resolution': {
      const asked = name ?? nameOf(destination);
      return asked === undefined
        ? undefined
        : {
            command: `Resolve-DnsName ${asked} -Type MX; Resolve-DnsName ${asked} -Type A`,
            why: 'What the DNS servers say',
          };
    }
    case 'tls':
      return (
        endpoint && {
          command: `openssl s_client -connect ${destination} -starttls smtp`,
          why: 'Certificate and TLS as the destination shows them',
        }
      );
    case 'smtp_refuses':
    case 'intermittent':
      return { command: queues, why: 'The words of the remote server are in LastError' };
    case 'recovered':
      return {
        command: `Retry-Queue -Filter "Status -eq 'Retry'"`,
        why: 'Send what waits now instead of at the next retry',
      };
    default:
      return (
        endpoint && {
          command: `Test-NetConnection ${endpoint.host} -Port ${endpoint.port} -InformationLevel Detailed`,
          why: 'Ping and port, as that server sees them',
        }
      );
  }
}

/** A host name and nothing else: it stands in a command without quotes. */
function nameOf(text: string | undefined): string | undefined {
  return text !== undefined && /^[a-z0-9_](?:[a-z0-9_.-]{0,250}[a-z0-9])?$/i.test(text) && !/^[\d.]+$/.test(text)
    ? text
    : undefined;
}

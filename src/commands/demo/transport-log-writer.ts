/** Writes the two transport logs of Exchange about the outages of the demo: one failed session for each event 2002. */
import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Ending } from './ending.js';
import type { MailWorld } from './mail-world.js';
import type { Outage } from './outage.js';

/** The folder with the logs of one Exchange server, as it stands below its `TransportRoles\Logs\Hub`. */
type ServerLogs = { readonly computer: string; readonly folders: readonly string[] };

export type TransportLogs = {
  /** One folder a log and server, made already. */
  readonly servers: readonly ServerLogs[];
  /** Writes one session that fails, in both logs. */
  readonly write: (outage: Outage, at: Date) => void;
};

const headers = {
  SmtpSend:
    'SMTP Send Protocol Log\r\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context',
  Connectivity: 'Transport Connectivity Log\r\n#Fields: date-time,session,source,Destination,direction,description',
} as const;

/** Makes the folders of all servers that have outages. */
export function openTransportLogs(
  folder: string,
  { outages, connectors }: Pick<MailWorld, 'outages' | 'connectors'>,
): TransportLogs {
  const computers = [...new Set(outages.map(({ computer }) => computer))];
  const folderOf = (computer: string, log: keyof typeof headers): string => path.join(folder, computer, log);
  const servers = computers.map((computer) => ({
    computer,
    folders: [folderOf(computer, 'SmtpSend'), folderOf(computer, 'Connectivity')],
  }));
  for (const each of servers.flatMap(({ folders }) => folders)) mkdirSync(each, { recursive: true });
  const guids = new Map(connectors.map(({ Name, Guid }) => [Name, Guid]));
  const begun = new Set<string>();
  const append = (outage: Outage, log: keyof typeof headers, at: Date, rows: readonly string[]): void => {
    const day = at.toISOString().slice(0, 10).replaceAll('-', '');
    const prefix = log === 'SmtpSend' ? 'SEND' : 'CONNECTLOG';
    const file = path.join(folderOf(outage.computer, log), `${prefix}${day}-1.LOG`);
    const software = '#Software: Microsoft Exchange Server\r\n#Version: 15.02.1544.004\r\n#Log-type: ';
    const header = begun.has(file) ? '' : `\ufeff${software}${headers[log]}\r\n`;
    begun.add(file);
    appendFileSync(file, header + rows.map((row) => `${row}\r\n`).join(''));
  };
  let sessions = 0;
  return {
    servers,
    write: (outage, at) => {
      sessions++;
      const session = `08DE53F0${(0xa0000000 + sessions).toString(16).toUpperCase()}`;
      append(outage, 'Connectivity', at, connectivityRows(outage, session, at, guids.get(outage.connector) ?? ''));
      append(outage, 'SmtpSend', at, sendRows(outage, session, at));
    },
  };
}

const connectErrors: Readonly<Partial<Record<Ending, readonly [code: number, name: string, words: string]>>> = {
  refused: [10061, 'ConnectionRefused', 'No connection could be made because the target machine actively refused it'],
  timeout: [10060, 'TimedOut', 'A connection attempt failed because the connected party did not properly respond'],
};

function connectivityRows({ destination, ending }: Outage, session: string, at: Date, guid: string): string[] {
  const time = at.toISOString();
  const address = destination.slice(0, destination.lastIndexOf(':'));
  const row = (direction: string, text: string): string => `${time},${session},SMTP,${address},${direction},${text}`;
  const error = connectErrors[ending];
  const health = '|MarkedUnhealthy|FailureCount:1|NextRetryTime:' + time;
  return [
    row('+', `SmartHostConnectorDelivery ${guid};QueueLength=TQ=1;RN=1;. `),
    error
      ? row(
          '>',
          `Failed connection to ${destination} (${error[1]}:${error[0].toString(16).toUpperCase().padStart(8, '0')})[TargetIPAddress:${destination}${health}]`,
        )
      : row('>', `Established connection to ${address}`),
    row('-', `Messages: 0 Bytes: 0 (Retry${error ? ' : Unable to connect' : ''})`),
  ];
}

function sendRows({ connector, destination, ending }: Outage, session: string, at: Date): string[] {
  let sequence = 0;
  const row = (event: string, data: string, context: string): string =>
    `${at.toISOString()},${connector},${session},${sequence++},,${destination},${event},${data},${context}`;
  const error = connectErrors[ending];
  const begun = [row('*', '', 'attempting to connect')];
  if (error) {
    const [code, , words] = error;
    return [
      ...begun,
      row(
        '*',
        '',
        `"Failed to connect. Winsock error code: ${code}, Win32 error code: ${code}, Error Message: ${words} ${destination}"`,
      ),
    ];
  }
  const greeted = (): string[] => [row('<', '220 mx ESMTP', ''), row('>', 'EHLO mail.contoso.example', '')];
  const endings: Readonly<Partial<Record<Ending, () => string[]>>> = {
    banner_timeout: () => [row('-', '', 'Timeout')],
    banner_5xx: () => [row('<', '554 5.7.1 your address is blocked', ''), row('>', 'QUIT', ''), row('-', '', 'Remote')],
    starttls_not_offered: () => [
      ...greeted(),
      row('<', '250 8BITMIME', ''),
      row('*', '', "Connector is configured to send mail only over TLS connections and remote doesn't support TLS"),
      row('-', '', 'Local'),
    ],
    certificate_expired: () => [
      ...greeted(),
      row('<', '250 STARTTLS', ''),
      row('>', 'STARTTLS', ''),
      row('<', '220 2.0.0 Ready to start TLS', ''),
      row('*', '', 'TLS negotiation failed with error CertExpired'),
      row('-', '', 'Local'),
    ],
  };
  return [...begun, row('+', '', ''), ...(endings[ending]?.() ?? [])];
}

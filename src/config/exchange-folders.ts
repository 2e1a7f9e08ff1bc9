/** Where an Exchange server keeps its transport logs, so that they need not be configured there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Below the folder of ExchangeInstallPath. Sources: protocol-logging.md and connectivity-logging.md of Microsoft's Exchange
 * documentation; the first two are of Exchange 2007 and 2010 (V14), the rest of 2013 and later (V15).
 */
const logFolders = [
  'ProtocolLog/SmtpSend',
  'Connectivity',
  ...['Hub', 'FrontEnd', 'Edge'].flatMap((service) => [`${service}/ProtocolLog/SmtpSend`, `${service}/Connectivity`]),
  ...['Submission', 'Delivery'].flatMap((part) => [
    `Mailbox/ProtocolLog/SmtpSend/${part}`,
    `Mailbox/Connectivity/${part}`,
  ]),
];

/**
 * The folders with transport logs of an Exchange server that are there.
 * @param installPath value of the variable ExchangeInstallPath
 */
export function transportLogFolders(installPath: string): string[] {
  // With `/`, which Windows takes too, because what a person could give here may be a glob.
  const base = join(installPath, 'TransportRoles', 'Logs').replaceAll('\\', '/');
  return logFolders.map((folder) => `${base}/${folder}`).filter((folder) => existsSync(folder));
}

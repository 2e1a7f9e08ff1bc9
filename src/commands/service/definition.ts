/** What the Windows service is: its name, account, folders and command line. Only values, the same on every system. */
import { createHash } from 'node:crypto';
import path from 'node:path';

export const serviceName = 'SendConnectorExporter';

export const definition = {
  displayName: 'Send connector exporter',
  description: 'Prometheus exporter for Exchange Send connectors: which cannot reach what, since when, and why.',
  /** A virtual account: no password, known on this machine only, on the network it is the computer. */
  account: `NT SERVICE\\${serviceName}`,
  dependencies: ['EventLog'],
  /** Milliseconds before it is started again after the first, the second and any later failure. */
  restartAfterMs: [10_000, 60_000, 300_000],
  /** Seconds without a failure after which the next one counts as the first. */
  failuresForgottenAfter: 86_400,
  /** Milliseconds that a shutdown of Windows waits for the last save. */
  preshutdownMs: 20_000,
  /** Each file on a share that hangs holds a thread; Node has four by default and reads this from its environment only. */
  environment: ['UV_THREADPOOL_SIZE=16'],
} as const;

const folderName = 'send-connector-exporter';

export type ServiceFolders = {
  /** Holds everything below; stays when the program is removed. */
  readonly data: string;
  readonly configuration: string;
  readonly state: string;
  readonly logs: string;
  readonly logFile: string;
};

/**
 * Where a service keeps what is its own. The log does not depend on the configuration, which may be wrong.
 * @param common the folder of Windows for the data of all programs
 */
export function serviceFolders(common: string): ServiceFolders {
  const data = path.win32.join(common, folderName);
  const logs = path.win32.join(data, 'logs');
  return {
    data,
    configuration: path.win32.join(data, 'config.yml'),
    state: path.win32.join(data, 'state'),
    logs,
    logFile: path.win32.join(logs, `${folderName}.log`),
  };
}

/** The security identifier of a service's account: Windows computes it from the name ([MS-DTYP] 2.4.2.4, `sc showsid`). */
export function serviceSid(name: string): string {
  const digest = createHash('sha1').update(Buffer.from(name.toUpperCase(), 'utf16le')).digest();
  const parts = [0, 4, 8, 12, 16].map((at) => digest.readUInt32LE(at));
  return ['S-1-5-80', ...parts].join('-');
}

/** The command line of the service: besides the program only the place of its configuration, so that nothing else is fixed. */
export function commandLine(program: string, configuration: string): string {
  return `"${program}" service run --config.file="${configuration}"`;
}

/** The place of the configuration in such a command line; undefined when it has none. */
export function configurationIn(line: string): string | undefined {
  const [, quoted, bare] = /--config\.file[= ](?:"([^"]*)"|(\S+))/.exec(line) ?? [];
  return quoted ?? bare;
}

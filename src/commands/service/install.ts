/** `service install` and `service uninstall`: everything that a service needs around its program, step by step. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadConfig, type Config } from '../../config/config.js';
import type { Finding } from '../../health/findings.js';
import { makeFolder } from '../../runtime/make-folder.js';
import { programData } from '../../runtime/native.js';
import {
  commandLine,
  configurationIn,
  definition,
  serviceFolders,
  serviceName,
  type ServiceFolders,
} from './definition.js';
import type { Manager } from './manager.js';
import { closePorts, openPorts, portsOf } from './ports.js';
import { registerService, unregisterService } from './registry.js';
import { holdsMore, joinEventLogReaders, protectFolders, tooMuch } from './rights.js';
import { isAutomatic, startTypeText, type ServiceState } from './status-text.js';

/** What the first configuration says. An existing one is never changed. */
export type FirstConfiguration = { readonly port: number; readonly state: string };

export type InstallOptions = {
  readonly manager: Manager;
  /** Path of the running program: the service is made of it where it stands. */
  readonly program: string;
  /** Undefined: that of the service that is there, else the usual place. */
  readonly configuration: string | undefined;
  /** That of a service that an upgrade has removed. */
  readonly earlierConfiguration: string | undefined;
  readonly first: { readonly port: number; readonly state: string | undefined };
  /** Remote addresses that the firewall is opened for; none leaves it as it is. */
  readonly remoteAddresses: readonly string[];
};

/** The first configuration as text. */
export function firstConfiguration({ port, state }: FirstConfiguration): string {
  return [
    '# Written by the installation of the service, once: change it as you like, it is re-read when it changes.',
    '# Every key is in config.example.yml beside the program; `send-connector-exporter check` checks this file.',
    '',
    'web:',
    `  listenAddresses: [':${port}']`,
    'state:',
    `  directory: '${state.replaceAll("'", "''")}'`,
    '',
  ].join('\r\n');
}

/** Why there is no service after `service install`. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
}

/**
 * Makes the service, or brings the one that is there up to date. Run again it repairs.
 * @returns what was done and what was not
 * @throws InstallError when a place that was asked for cannot be; ManagerError when Windows takes no service
 */
export async function installService(options: InstallOptions): Promise<Finding[]> {
  const { manager, program, first, remoteAddresses } = options;
  const folders = serviceFolders(await programData());
  const known = manager.look(serviceName);
  const before = configurationIn(known?.commandLine ?? '') ?? options.earlierConfiguration;
  const configuration = options.configuration ?? before ?? folders.configuration;
  for (const folder of [folders.data, folders.logs, path.win32.dirname(configuration)]) await mustMake(folder);
  const isNew = isMissing(configuration);
  if (isNew) await writeFirst(configuration, { port: first.port, state: first.state ?? folders.state }, folders);
  const loaded = await loadConfig({ file: configuration, overrides: [] });
  const config = loaded.ok ? loaded.config : undefined;
  const state = config?.state.directory ?? folders.state;
  const stateFolder = await make(state);
  const isStartKept = known !== undefined && !isAutomatic(known);
  const refused = [
    ...manager.put(serviceName, { ...definition, commandLine: commandLine(program, configuration), isStartKept }),
    ...(await registerService(configuration)),
  ];
  return [
    { check: 'configuration', state: 'ok', text: `${configuration}: ${isNew ? 'written' : keptText(config)}` },
    ...(loaded.ok ? [] : loaded.mistakes.map((text): Finding => ({ check: 'configuration', state: 'warning', text }))),
    ...(stateFolder === undefined ? [] : [{ check: 'state', state: 'warning', text: stateFolder } as const]),
    { check: 'service', state: 'ok', text: doneText(known, program) },
    ...(isStartKept ? [startFinding(known)] : []),
    ...refused.map((text): Finding => ({ check: 'service', state: 'warning', text: `Windows did not take ${text}` })),
    await joinEventLogReaders(),
    ...(await protectFolders(folders, { configuration, state })),
    ...(await openPorts(portsOf(config, first.port), { program, remoteAddresses, areAll: loaded.ok })),
  ];
}

/** @throws InstallError when it cannot be written, or when a place would be in another */
async function writeFirst(file: string, wanted: FirstConfiguration, folders: ServiceFolders): Promise<void> {
  const { state } = wanted;
  if (holdsMore(state, [folders.data, file])) throw new InstallError(tooMuch(state));
  if (holdsMore(file, [state])) throw new InstallError(`the state folder ${state} is below the file ${file}`);
  // Before it is named: the first configuration is written once, and would keep a wrong place for good.
  await mustMake(state);
  try {
    writeFileSync(file, firstConfiguration(wanted), { flag: 'wx' });
  } catch (error) {
    throw new InstallError(`the configuration ${file} cannot be written: ${(error as Error).message}`);
  }
}

/** @returns why there is no such folder; undefined when there is */
async function make(folder: string): Promise<string | undefined> {
  return makeFolder(folder).then(
    () => undefined,
    (error: unknown) => `the folder ${folder} cannot be made: ${(error as Error).message}`,
  );
}

async function mustMake(folder: string): Promise<void> {
  const problem = await make(folder);
  if (problem !== undefined) throw new InstallError(`${problem}; name another place, or make the folder first`);
}

function isMissing(file: string): boolean {
  if (!existsSync(file)) return true;
  if (statSync(file).isDirectory())
    throw new InstallError(`${file} is a folder: the configuration is a file, such as ${file}\\config.yml`);
  return false;
}

function keptText(config: Config | undefined): string {
  const ports = portsOf(config, 0).join(', ');
  return ports === '' ? 'kept as it is' : `kept as it is, for port ${ports}`;
}

/** @param before the service that was there */
function doneText(before: ServiceState | undefined, program: string): string {
  if (before === undefined) return `${serviceName} made, as ${definition.account}`;
  const isSame = before.commandLine.toLowerCase().startsWith(`"${program.toLowerCase()}"`);
  const hadAnother = before.account.toLowerCase() !== definition.account.toLowerCase();
  const was = [...(isSame ? [] : [before.commandLine]), ...(hadAnother ? [`run as ${before.account}`] : [])];
  const text = `${serviceName} brought up to date, as ${definition.account}`;
  return was.length === 0 ? text : `${text}; it was ${was.join(', ')}`;
}

/** Whoever has taken the automatic start away finds it so after an upgrade. */
function startFinding(known: ServiceState): Finding {
  const remedy = `sc.exe config ${serviceName} start= delayed-auto`;
  return { check: 'start', state: 'warning', text: `left as it was set: ${startTypeText(known)}`, remedy };
}

/** Takes the service and what was set up around it away; configuration, state and log stay. The service is stopped before. */
export async function uninstallService(manager: Manager): Promise<Finding[]> {
  const { data } = serviceFolders(await programData());
  const known = manager.look(serviceName);
  if (known) manager.remove(serviceName);
  const ports = await closePorts();
  await unregisterService();
  return [
    { check: 'service', state: 'ok', text: known ? `${serviceName} removed` : `there is no service ${serviceName}` },
    ...ports,
    {
      check: 'data',
      state: 'ok',
      text: `configuration, state and log are kept in ${data}; delete the folder to remove them`,
    },
  ];
}

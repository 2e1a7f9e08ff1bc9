/** `service install` and `service uninstall`: everything that a service needs around its program, step by step. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadConfig, type Config } from '../../config/config.js';
import type { Finding } from '../../health/findings.js';
import { makeFolder } from '../../runtime/make-folder.js';
import { programData } from '../../runtime/native.js';
import { commandLine, configurationIn, definition, serviceFolders, serviceName } from './definition.js';
import type { Manager } from './manager.js';
import { closeFirewall, openFirewall, releasePort, reservePort } from './network.js';
import { registerService, unregisterService } from './registry.js';
import { joinEventLogReaders, protectFolders } from './rights.js';

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
  if (isNew) {
    const state = first.state ?? folders.state;
    // Before it is named: the first configuration is written once, and would keep a wrong place for good.
    await mustMake(state);
    writeFileSync(configuration, firstConfiguration({ port: first.port, state }), { flag: 'wx' });
  }
  const loaded = await loadConfig({ file: configuration, overrides: [] });
  const config = loaded.ok ? loaded.config : undefined;
  const state = config?.state.directory ?? folders.state;
  const stateFolder = await make(state);
  const refused = [
    ...manager.put(serviceName, { ...definition, commandLine: commandLine(program, configuration) }),
    ...(await registerService(configuration)),
  ];
  return [
    { check: 'configuration', state: 'ok', text: `${configuration}: ${isNew ? 'written' : keptText(config)}` },
    ...(loaded.ok ? [] : loaded.mistakes.map((text): Finding => ({ check: 'configuration', state: 'warning', text }))),
    ...(stateFolder === undefined ? [] : [{ check: 'state', state: 'warning', text: stateFolder } as const]),
    { check: 'service', state: 'ok', text: doneText(known?.commandLine, program) },
    ...refused.map((text): Finding => ({ check: 'service', state: 'warning', text: `Windows did not take ${text}` })),
    await joinEventLogReaders(),
    ...(await protectFolders(folders, { configuration, state })),
    ...(await openPorts(portsOf(config, first.port), { program, remoteAddresses })),
  ];
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

/** @param before the command line of the service that was there */
function doneText(before: string | undefined, program: string): string {
  if (before === undefined) return `${serviceName} made, as ${definition.account}`;
  const moved = before.toLowerCase().startsWith(`"${program.toLowerCase()}"`) ? '' : `; it was ${before}`;
  return `${serviceName} brought up to date, as ${definition.account}${moved}`;
}

/** Ports that the service listens on; that of the first configuration where the present one cannot be read. */
function portsOf(config: Config | undefined, usual: number): readonly number[] {
  const ports = config?.web.listenAddresses.map(({ port }) => port) ?? [usual];
  return [...new Set(ports)].filter((port) => port !== 0);
}

async function openPorts(
  ports: readonly number[],
  { program, remoteAddresses }: Pick<InstallOptions, 'program' | 'remoteAddresses'>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const port of ports) findings.push(await reservePort(port));
  const [port] = ports;
  if (port === undefined) return findings;
  if (remoteAddresses.length > 0) findings.push(await openFirewall({ port, program, from: remoteAddresses }));
  else {
    const remedy = 'send-connector-exporter service install --remote-addresses ADDRESS-OF-PROMETHEUS';
    const text = 'left as it is: no remote addresses were named';
    findings.push({ check: 'firewall', state: 'skipped', text, remedy });
  }
  return findings;
}

/** Takes the service and what was set up around it away; configuration, state and log stay. The service is stopped before. */
export async function uninstallService(manager: Manager): Promise<Finding[]> {
  const { data } = serviceFolders(await programData());
  const known = manager.look(serviceName);
  const file = configurationIn(known?.commandLine ?? '');
  const loaded = file === undefined ? undefined : await loadConfig({ file, overrides: [] });
  if (known) manager.remove(serviceName);
  await unregisterService();
  await closeFirewall();
  const ports = loaded?.ok ? portsOf(loaded.config, 0) : [];
  for (const port of ports) await releasePort(port);
  return [
    { check: 'service', state: 'ok', text: known ? `${serviceName} removed` : `there is no service ${serviceName}` },
    {
      check: 'data',
      state: 'ok',
      text: `configuration, state and log are kept in ${data}; delete the folder to remove them`,
    },
  ];
}

/** `service install` and `service uninstall`: everything that a service needs around its program, step by step. */
import { existsSync, writeFileSync } from 'node:fs';
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

/**
 * Makes the service, or brings the one that is there up to date. Run again it repairs.
 * @returns what was done and what was not; only a failed finding leaves no service
 */
export async function installService(options: InstallOptions): Promise<Finding[]> {
  const { manager, program, first, remoteAddresses } = options;
  const folders = serviceFolders(await programData());
  const known = manager.look(serviceName);
  const configuration = options.configuration ?? configurationIn(known?.commandLine ?? '') ?? folders.configuration;
  for (const folder of [folders.data, folders.logs, path.win32.dirname(configuration)]) await makeFolder(folder);
  const isNew = !existsSync(configuration);
  if (isNew) {
    const text = firstConfiguration({ port: first.port, state: first.state ?? folders.state });
    writeFileSync(configuration, text, { flag: 'wx' });
  }
  const loaded = await loadConfig({ file: configuration, overrides: [] });
  const config = loaded.ok ? loaded.config : undefined;
  const state = config?.state.directory ?? folders.state;
  await makeFolder(state);
  const refused = [
    ...manager.put(serviceName, { ...definition, commandLine: commandLine(program, configuration) }),
    ...(await registerService()),
  ];
  return [
    { check: 'configuration', state: 'ok', text: `${configuration}: ${isNew ? 'written' : 'kept as it is'}` },
    ...(loaded.ok ? [] : loaded.mistakes.map((text): Finding => ({ check: 'configuration', state: 'warning', text }))),
    {
      check: 'service',
      state: 'ok',
      text: `${serviceName} ${known ? 'brought up to date' : 'made'}, as ${definition.account}`,
    },
    ...refused.map((text): Finding => ({ check: 'service', state: 'warning', text: `Windows did not take ${text}` })),
    await joinEventLogReaders(),
    ...(await protectFolders(folders, { configuration, state })),
    ...(await openPorts(portsOf(config, first.port), { program, remoteAddresses })),
  ];
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

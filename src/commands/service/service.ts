/** The verbs of `service` besides `run`: what a person or an installer does with the Windows service. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { isSea } from 'node:sea';
import { findingsText, type Finding } from '../../health/findings.js';
import { programData } from '../../runtime/native.js';
import { complain, print } from '../terminal.js';
import { serviceFolders, serviceName } from './definition.js';
import { askedOf, type InstallFlags } from './install-flags.js';
import { noteInstallation } from './install-log.js';
import { InstallError, installService, uninstallService } from './install.js';
import { openManager, type Manager } from './manager.js';
import { ManagerError, managerNumbers } from './manager-error.js';
import { exitText, isRunning, isStopped, lastErrorIn, statusText, type ServiceState } from './status-text.js';

/** A start may take as long as the ledger takes to load, a stop as long as the last save. Milliseconds. */
const patienceMs = 60_000;
const lookMs = 250;
/** The last error stands within this much of the log, or is old. Bytes. */
const lookedThrough = 64 * 1024;

/** @returns the exit code: 0 also when something around the service could not be set up, which is said */
export async function installCommand(flags: InstallFlags): Promise<number> {
  return withManager(async (manager) => {
    // Windows starts the file that is written down, with nothing before its arguments.
    if (!isSea()) return complain(['only the exe of a release can be a service: this runs in a Node'], 2);
    manager.demandRights();
    const asked = askedOf(flags);
    if ('problems' in asked) return refuse(asked.problems, 2);
    const wasRunning = isRunning(manager.look(serviceName) ?? { state: 0 });
    await tell(await installService({ manager, program: process.execPath, ...asked }));
    if (!flags.start) return 0;
    // What was changed, and the rights of a group, hold from its next start on.
    if (wasRunning) await stop(manager);
    return start(manager);
  });
}

export function uninstallCommand(): Promise<number> {
  return withManager(async (manager) => {
    const service = manager.look(serviceName);
    if (service && !isStopped(service)) await stop(manager);
    await tell(await uninstallService(manager));
    return 0;
  });
}

export const startCommand = (): Promise<number> => withManager(start);
export const stopCommand = (): Promise<number> => withManager(stop);

/** @returns the exit code: 0 when it runs, 1 when it does not, 3 when there is none */
export function statusCommand(): Promise<number> {
  return withManager((manager) => {
    const service = manager.look(serviceName);
    if (service === undefined) return complain([notInstalled], 3);
    return report(service);
  });
}

const notInstalled = `there is no service ${serviceName}; install it: send-connector-exporter service install`;

async function withManager(use: (manager: Manager) => Promise<number> | number): Promise<number> {
  if (process.platform !== 'win32')
    return complain(['services of Windows need Windows; elsewhere examples/systemd has a unit for systemd'], 2);
  try {
    return await use(await openManager());
  } catch (error) {
    const code = error instanceof ManagerError ? error.code : undefined;
    if (code === managerNumbers.ERROR_SERVICE_DOES_NOT_EXIST) return complain([notInstalled], 3);
    // Without rights there is nothing to note either: a folder made by just anybody would stay theirs.
    if (error instanceof ManagerError && code === managerNumbers.ERROR_ACCESS_DENIED)
      return complain([error.message], 1);
    if (error instanceof ManagerError || error instanceof InstallError) return refuse([error.message], 1);
    await noteInstallation(`FAILED   ${String(error instanceof Error ? error.stack : error)}\n`);
    throw error;
  }
}

async function tell(findings: readonly Finding[]): Promise<void> {
  const text = findingsText(findings);
  print(text);
  await noteInstallation(text);
}

async function refuse(problems: readonly string[], code: number): Promise<number> {
  await noteInstallation(`${problems.map((each) => `FAILED   ${each}`).join('\n')}\n`);
  return complain(problems, code);
}

async function start(manager: Manager): Promise<number> {
  manager.start(serviceName);
  const service = await until(manager, (each) => isRunning(each) || isStopped(each));
  if (service === undefined) return complain([notInstalled], 3);
  return report(service);
}

async function stop(manager: Manager): Promise<number> {
  const service = await until(manager, (each) => {
    if (!isRunning(each)) return isStopped(each);
    manager.stop(serviceName);
    return false;
  });
  if (service === undefined) return complain([notInstalled], 3);
  const exit = exitText(service);
  if (exit === undefined) return complain([`${serviceName} has not stopped within ${patienceMs / 1000} seconds`], 1);
  print(`${serviceName} has stopped, exit code ${exit}\n`);
  return service.exitCode === 0 ? 0 : 1;
}

/** Looks, once and again, until it is so, or patience ends. @returns how it stands then; undefined when there is no service */
async function until(manager: Manager, reached: (service: ServiceState) => boolean): Promise<ServiceState | undefined> {
  for (let waited = 0; ; waited += lookMs) {
    const service = manager.look(serviceName);
    if (service === undefined || reached(service) || waited >= patienceMs) return service;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

async function report(service: ServiceState): Promise<number> {
  const { logFile } = serviceFolders(await programData());
  print(statusText(service, { logFile, lastError: lastErrorIn(endOf(logFile)) }));
  return isRunning(service) ? 0 : 1;
}

/** The end of a file as text; nothing for one that cannot be read. */
function endOf(file: string): string {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const bytes = Buffer.alloc(Math.min(size, lookedThrough));
      return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, size - bytes.length));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return '';
  }
}

/** `service run`: the exporter as a Windows service, started by the service manager only. */
import { createLog, type Log } from '../../runtime/log.js';
import { openLogFile } from '../../runtime/log-file.js';
import { programData } from '../../runtime/native.js';
import { withoutRepeats } from '../../runtime/log-repeats.js';
import type { StopSignal } from '../../runtime/stop-signal.js';
import { exporterVersion } from '../../runtime/version.js';
import { complain } from '../terminal.js';
import { serveCommand, type Host, type ServeFlags } from '../serve.js';
import { serviceFolders, serviceName } from './definition.js';
import { becomeService, type ServiceProcess } from './dispatcher.js';
import { openEventLog, type ServiceEvents } from './event-log.js';
import { firstMessage, serviceExitCodes } from './status-text.js';

const logFileSize = { largest: 10 * 1024 * 1024, kept: 8 };

/** @returns the exit code: 0 after a clean stop, another of `serviceExitCodes` when it could not start or stop */
export async function runService(flags: ServeFlags): Promise<number> {
  const service = await becomeService(serviceName).catch((error: unknown) => error as Error);
  if (service instanceof Error) return complain([service.message], serviceExitCodes.failed);
  const { logFile } = serviceFolders(await programData());
  const tell = await openEventLog(serviceName);
  const { log, lastError } = openLog(flags, logFile, tell);
  const version = exporterVersion();
  log.info(firstMessage, { version, config: flags['config.file'], pid: process.pid });
  process.on('uncaughtExceptionMonitor', (error) => {
    log.error('exiting because of a bug in the exporter', { error, stack: error.stack });
    tell('failed', `Send connector exporter is ended by a fault of its own: ${error.message}. Log: ${logFile}`);
  });
  const started = (): void => {
    service.running();
    tell('started', `Send connector exporter ${version} is running. Log: ${logFile}`);
  };
  const code = await serveCommand([], flags, hostOf(service, log, started));
  log.info('the service has stopped', { exitCode: code });
  if (code === 0) tell('stopped', 'Send connector exporter has stopped; everything that it counted is saved.');
  else tell('failed', `Send connector exporter ended with exit code ${code}: ${lastError()}. Log: ${logFile}`);
  await service.stopped(code);
  return code;
}

/** The manager's word takes the place of a signal, and the log that of standard error. */
function hostOf({ stopAsked }: ServiceProcess, log: Log, started: () => void): Host {
  const signal: StopSignal = { first: stopAsked, onSecond: () => undefined, onHangup: () => undefined };
  return {
    signal,
    openLog: () => Promise.resolve(log),
    complain: (lines) => {
      for (const line of lines) log.error('cannot start', { problem: line });
      return serviceExitCodes.configuration;
    },
    started,
    // The manager is told first that it has stopped: an end without that is a crash, after which it would start again.
    endByForce: () => undefined,
  };
}

type OpenedLog = { readonly log: Log; readonly lastError: () => string };

function openLog(flags: ServeFlags, file: string, tell: ServiceEvents): OpenedLog {
  const write = writerTo(file, tell);
  const log = withoutRepeats(createLog({ level: flags['log.level'], format: flags['log.format'], write }));
  let last = 'see the log';
  return {
    log: {
      ...log,
      error: (message, fields = {}) => {
        const why = fields.problem ?? fields.error ?? fields.left;
        const text = why instanceof Error ? why.message : why;
        last = typeof text === 'string' ? `${message}: ${text}` : message;
        log.error(message, fields);
      },
    },
    lastError: () => last,
  };
}

/** Without a log file it serves all the same, and the event log says why there is none. */
function writerTo(file: string, tell: ServiceEvents): (line: string) => void {
  try {
    return openLogFile(file, logFileSize).write;
  } catch (error) {
    tell('failed', `Send connector exporter runs without its log ${file}: ${(error as Error).message}`);
    return () => undefined;
  }
}

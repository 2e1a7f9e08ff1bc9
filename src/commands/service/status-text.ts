/** What is known of the service, in words. */
import { configurationIn } from './definition.js';

/** What the service ends with; the manager keeps it. 0 is a clean stop. */
export const serviceExitCodes = { failed: 1, configuration: 2 } as const;

/** As the service manager tells it. */
export type ServiceState = {
  /** Number of winsvc.h: 1 stopped to 7 paused. */
  readonly state: number;
  readonly processId: number;
  /** Error of Windows; 1066 stands for our own, which is the other. */
  readonly exitCode: number;
  readonly ownExitCode: number;
  readonly startType: number;
  readonly isDelayed: boolean;
  readonly account: string;
  readonly commandLine: string;
};

const states = ['unknown', 'stopped', 'starting', 'stopping', 'running', 'continuing', 'pausing', 'paused'];
const startTypes = ['boot', 'system', 'automatic', 'by hand', 'disabled'];

/** Errors of winerror.h that the manager keeps as an exit code, and what each means here. */
const windowsCodes = new Map([
  [2, 'the program is not where the service expects it; install it again'],
  [5, 'its account may not start the program; install it again'],
  [1053, 'it did not answer in time'],
  [1067, 'it ended without a message: a crash or a kill'],
  [1069, 'its account may not log on as a service; a group policy may forbid it'],
  [1077, 'it has not been started since Windows started'],
]);

const ownCodes = new Map<number, string>([
  [serviceExitCodes.failed, 'it could not start or not stop cleanly'],
  [serviceExitCodes.configuration, 'its configuration is wrong'],
]);

/** Codes with which the program itself may have written why it ended; with others it never ran, and its last error is of before. */
const codesOfProgram: readonly number[] = [1053, 1066, 1067];

export const startTypeText = ({ startType }: Pick<ServiceState, 'startType'>): string =>
  startTypes[startType] ?? 'unknown';
export const isAutomatic = ({ startType }: Pick<ServiceState, 'startType'>): boolean => startType === 2;
export const isRunning = ({ state }: Pick<ServiceState, 'state'>): boolean => state === 4;
export const isStopped = ({ state }: ServiceState): boolean => state === 1;

/** The exit code with its meaning; undefined while it runs. */
export function exitText({ state, exitCode, ownExitCode }: ServiceState): string | undefined {
  if (state !== 1) return undefined;
  if (exitCode === 0) return '0: a clean stop';
  if (exitCode === 1066) return `${ownExitCode}: ${ownCodes.get(ownExitCode) ?? 'see the log'}`;
  return `${exitCode}: ${windowsCodes.get(exitCode) ?? `an error of Windows; net helpmsg ${exitCode} explains it`}`;
}

export type StatusDetails = {
  readonly logFile: string;
  /** The last error in the log; undefined when there is none. */
  readonly lastError: string | undefined;
};

/** Lines of `service status`. */
export function statusText(service: ServiceState, { logFile, lastError }: StatusDetails): string {
  const exit = exitText(service);
  const hasFailed = exit !== undefined && codesOfProgram.includes(service.exitCode);
  const delayed = service.isDelayed ? ', delayed' : '';
  const rows: (readonly [string, string | undefined])[] = [
    ['state', states[service.state] ?? states[0]],
    ['process', service.processId === 0 ? undefined : String(service.processId)],
    ['exit code', exit],
    ['last error', hasFailed ? lastError : undefined],
    ['start', `${startTypeText(service)}${delayed}`],
    ['account', service.account],
    ['configuration', configurationIn(service.commandLine) ?? 'none in its command line'],
    ['program', service.commandLine],
    ['log', logFile],
  ];
  const told = rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(14)}${value}\n`]));
  return told.join('');
}

/** The first line of each run. */
export const firstMessage = 'starting as a Windows service';

/**
 * The last error of the last run in a log, without its time.
 * @param text the end of the log, which may begin in the middle of a line
 */
export function lastErrorIn(text: string): string | undefined {
  const ofLastRun = text.slice(Math.max(text.lastIndexOf(firstMessage), 0));
  const lines = ofLastRun.split('\n').filter((line) => /\blevel=error\b|"level":"error"/.test(line));
  return lines
    .at(-1)
    ?.trim()
    .replace(/^ts=\S+ level=error /, '');
}

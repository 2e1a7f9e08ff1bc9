/** The service manager of Windows: only calls and buffers, no decisions. */
import { loadKoffi, wideText, wideTextAt } from '../../runtime/native.js';
import { failureActions, type Restarts } from './failure-actions.js';
import { ManagerError, managerNumbers } from './manager-error.js';
import type { ServiceState } from './status-text.js';

const numbers = managerNumbers;
type Handle = bigint;

type Wanted = Restarts & {
  readonly displayName: string;
  readonly description: string;
  readonly commandLine: string;
  readonly account: string;
  readonly dependencies: readonly string[];
  readonly preshutdownMs: number;
  /** Whether and when Windows starts it stays as it is. */
  readonly isStartKept: boolean;
};

export type Manager = {
  /** @throws ManagerError when whoever runs this may not make services */
  readonly demandRights: () => void;
  /** @returns undefined when there is no such service @throws ManagerError */
  readonly look: (name: string) => ServiceState | undefined;
  /** Makes the service, or changes the one that is there. @returns what Windows did not take, a sentence each */
  readonly put: (name: string, wanted: Wanted) => readonly string[];
  readonly start: (name: string) => void;
  readonly stop: (name: string) => void;
  readonly remove: (name: string) => void;
};

/** @throws when koffi cannot be loaded */
export async function openManager(): Promise<Manager> {
  const calls = await loadCalls();
  return {
    demandRights: () => {
      withManager(calls, numbers.SC_MANAGER_CONNECT | numbers.SC_MANAGER_CREATE_SERVICE, () => undefined);
    },
    look: (name) => look(calls, name),
    put: (name, wanted) => put(calls, name, wanted),
    start: (name) => {
      withService(calls, name, numbers.SERVICE_START, (service) => {
        check(calls, 'StartServiceW', calls.StartServiceW(service, 0, null), numbers.ERROR_SERVICE_ALREADY_RUNNING);
      });
    },
    stop: (name) => {
      withService(calls, name, numbers.SERVICE_STOP, (service) => {
        const stopped: unknown = calls.ControlService(service, numbers.SERVICE_CONTROL_STOP, Buffer.alloc(28));
        // It has stopped by itself, or somebody else has it stopping, since it was seen running.
        const late = [numbers.ERROR_SERVICE_NOT_ACTIVE, numbers.ERROR_SERVICE_CANNOT_ACCEPT_CTRL];
        check(calls, 'ControlService', stopped, ...late);
      });
    },
    remove: (name) => {
      withService(calls, name, numbers.DELETE, (service) => {
        check(calls, 'DeleteService', calls.DeleteService(service), numbers.ERROR_SERVICE_MARKED_FOR_DELETE);
      });
    },
  };
}

type Calls = Awaited<ReturnType<typeof loadCalls>>;

async function loadCalls() {
  const koffi = await loadKoffi();
  const library = koffi.load('advapi32.dll');
  const last = koffi.load('kernel32.dll').func('uint32 __stdcall GetLastError()');
  const create = `void * __stdcall CreateServiceW(void *, str16, str16, uint32, uint32, uint32, uint32, str16, void *,
    void *, void *, str16, void *)`;
  const change = `int __stdcall ChangeServiceConfigW(void *, uint32, uint32, uint32, str16, void *, void *, void *, str16,
    void *, str16)`;
  return {
    OpenSCManagerW: library.func('void * __stdcall OpenSCManagerW(void *, void *, uint32)'),
    OpenServiceW: library.func('void * __stdcall OpenServiceW(void *, str16, uint32)'),
    CreateServiceW: library.func(create),
    ChangeServiceConfigW: library.func(change),
    ChangeServiceConfig2W: library.func('int __stdcall ChangeServiceConfig2W(void *, uint32, void *)'),
    QueryServiceConfigW: library.func('int __stdcall QueryServiceConfigW(void *, void *, uint32, void *)'),
    QueryServiceConfig2W: library.func('int __stdcall QueryServiceConfig2W(void *, uint32, void *, uint32, void *)'),
    QueryServiceStatusEx: library.func('int __stdcall QueryServiceStatusEx(void *, int, void *, uint32, void *)'),
    StartServiceW: library.func('int __stdcall StartServiceW(void *, uint32, void *)'),
    ControlService: library.func('int __stdcall ControlService(void *, uint32, void *)'),
    DeleteService: library.func('int __stdcall DeleteService(void *)'),
    CloseServiceHandle: library.func('int __stdcall CloseServiceHandle(void *)'),
    GetLastError: () => last() as number,
    addressOf: (buffer: Buffer) => koffi.address(buffer),
  };
}

/** @param fine errors that are none here */
function check(calls: Calls, call: string, done: unknown, ...fine: readonly number[]): void {
  if (done) return;
  const code = calls.GetLastError();
  if (!fine.includes(code)) throw new ManagerError(call, code);
}

function withManager<Result>(calls: Calls, access: number, use: (manager: Handle) => Result): Result {
  const manager = calls.OpenSCManagerW(null, null, access) as Handle | null;
  if (!manager) throw new ManagerError('OpenSCManagerW', calls.GetLastError());
  try {
    return use(manager);
  } finally {
    calls.CloseServiceHandle(manager);
  }
}

function withService(calls: Calls, name: string, access: number, use: (service: Handle) => void): void {
  withManager(calls, numbers.SC_MANAGER_CONNECT, (manager) => {
    const service = calls.OpenServiceW(manager, name, access) as Handle | null;
    if (!service) throw new ManagerError('OpenServiceW', calls.GetLastError());
    try {
      use(service);
    } finally {
      calls.CloseServiceHandle(service);
    }
  });
}

function look(calls: Calls, name: string): ServiceState | undefined {
  let found: ServiceState | undefined;
  const access = numbers.SERVICE_QUERY_CONFIG | numbers.SERVICE_QUERY_STATUS;
  try {
    withService(calls, name, access, (service) => {
      const needed = new Uint32Array(1);
      const status = Buffer.alloc(36);
      check(calls, 'QueryServiceStatusEx', calls.QueryServiceStatusEx(service, 0, status, status.length, needed));
      // The largest that QueryServiceConfigW documents.
      const config = Buffer.alloc(8192);
      check(calls, 'QueryServiceConfigW', calls.QueryServiceConfigW(service, config, config.length, needed));
      const start = calls.addressOf(config);
      const text = (at: number): string => wideTextAt(config, Number(config.readBigUInt64LE(at) - start));
      const delayed = Buffer.alloc(4);
      const level = numbers.SERVICE_CONFIG_DELAYED_AUTO_START_INFO;
      const isKnown: unknown = calls.QueryServiceConfig2W(service, level, delayed, delayed.length, needed);
      found = {
        state: status.readUInt32LE(4),
        exitCode: status.readUInt32LE(12),
        ownExitCode: status.readUInt32LE(16),
        processId: status.readUInt32LE(28),
        startType: config.readUInt32LE(4),
        commandLine: text(16),
        account: text(48),
        isDelayed: Boolean(isKnown) && delayed.readUInt32LE(0) !== 0,
      };
    });
  } catch (error) {
    if (error instanceof ManagerError && error.code === numbers.ERROR_SERVICE_DOES_NOT_EXIST) return undefined;
    throw error;
  }
  return found;
}

function put(calls: Calls, name: string, wanted: Wanted): readonly string[] {
  const access = numbers.SC_MANAGER_CONNECT | numbers.SC_MANAGER_CREATE_SERVICE;
  return withManager(calls, access, (manager) => {
    let service = calls.OpenServiceW(manager, name, numbers.SERVICE_ALL_ACCESS) as Handle | null;
    const { SERVICE_WIN32_OWN_PROCESS: own, SERVICE_AUTO_START: automatic, SERVICE_ERROR_NORMAL: normal } = numbers;
    const { displayName, commandLine, account } = wanted;
    const needs = wideText(`${wanted.dependencies.join('\0')}\0`);
    if (service) {
      const [type, start, error] = [own, wanted.isStartKept ? numbers.SERVICE_NO_CHANGE : automatic, normal];
      check(
        calls,
        'ChangeServiceConfigW',
        calls.ChangeServiceConfigW(
          service,
          type,
          start,
          error,
          commandLine,
          null,
          null,
          needs,
          account,
          null,
          displayName,
        ),
      );
    } else {
      const given = [displayName, numbers.SERVICE_ALL_ACCESS, own, automatic, normal, commandLine];
      service = calls.CreateServiceW(manager, name, ...given, null, null, needs, account, null) as Handle | null;
      if (!service) throw new ManagerError('CreateServiceW', calls.GetLastError());
    }
    try {
      return describe(calls, service, wanted);
    } finally {
      calls.CloseServiceHandle(service);
    }
  });
}

/** What a service has besides its program. Each is asked for, and none of them is worth having no service. */
function describe(calls: Calls, service: Handle, wanted: Wanted): readonly string[] {
  const refused: string[] = [];
  const say = (level: number, value: Buffer, what: string): void => {
    if (!calls.ChangeServiceConfig2W(service, level, value)) refused.push(`${what}: error ${calls.GetLastError()}`);
  };
  // What a structure points to stands behind it in the same buffer, so that it lives as long.
  const description = Buffer.concat([Buffer.alloc(8), wideText(wanted.description)]);
  description.writeBigUInt64LE(calls.addressOf(description) + 8n);
  say(numbers.SERVICE_CONFIG_DESCRIPTION, description, 'the description');
  const failure = failureActions(wanted, calls.addressOf);
  say(numbers.SERVICE_CONFIG_FAILURE_ACTIONS, failure, 'the restart after a failure');
  const yes = Buffer.from(Uint32Array.of(1).buffer);
  say(numbers.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, yes, 'the restart after an exit code that is not 0');
  if (!wanted.isStartKept) say(numbers.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, yes, 'the delayed start');
  const preshutdown = Buffer.from(Uint32Array.of(wanted.preshutdownMs).buffer);
  say(numbers.SERVICE_CONFIG_PRESHUTDOWN_INFO, preshutdown, 'the time for the last save at a shutdown');
  return refused;
}

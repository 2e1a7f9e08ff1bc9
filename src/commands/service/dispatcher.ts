/**
 * The process as Windows' service manager knows it: says that it starts, runs, stops and has stopped, and hears that it
 * is to stop. The manager talks to a thread of its own; what it says arrives in the event loop.
 */
import { loadKoffi, wideText } from '../../runtime/native.js';

// Values of winsvc.h and winerror.h; a test compares them with the headers.
export const serviceNumbers = {
  SERVICE_WIN32_OWN_PROCESS: 0x10,
  SERVICE_STOPPED: 1,
  SERVICE_START_PENDING: 2,
  SERVICE_STOP_PENDING: 3,
  SERVICE_RUNNING: 4,
  SERVICE_ACCEPT_STOP: 0x1,
  SERVICE_ACCEPT_SHUTDOWN: 0x4,
  SERVICE_ACCEPT_PRESHUTDOWN: 0x100,
  SERVICE_CONTROL_STOP: 1,
  SERVICE_CONTROL_INTERROGATE: 4,
  SERVICE_CONTROL_SHUTDOWN: 5,
  SERVICE_CONTROL_PRESHUTDOWN: 0xf,
  ERROR_CALL_NOT_IMPLEMENTED: 120,
  ERROR_SERVICE_SPECIFIC_ERROR: 1066,
} as const;

const numbers = serviceNumbers;
const stopControls: ReadonlyMap<number, string> = new Map([
  [numbers.SERVICE_CONTROL_STOP, 'stop'],
  [numbers.SERVICE_CONTROL_SHUTDOWN, 'shutdown'],
  [numbers.SERVICE_CONTROL_PRESHUTDOWN, 'preshutdown'],
]);
const stoppable = numbers.SERVICE_ACCEPT_STOP | numbers.SERVICE_ACCEPT_SHUTDOWN | numbers.SERVICE_ACCEPT_PRESHUTDOWN;

/** The manager gives a service up that shows no progress for this long; it is shown far more often. Milliseconds. */
const waitHint = 30_000;
const checkpointMs = 1_000;

export type ServiceProcess = {
  /** It serves from now on, and may be stopped. */
  readonly running: () => void;
  /** Settles with what the manager wants it to end for: stop, shutdown or preshutdown. */
  readonly stopAsked: Promise<string>;
  /** Says that it has stopped; resolves when the manager knows. @param exitCode 0 for a clean stop; any other is a failure */
  readonly stopped: (exitCode: number) => Promise<void>;
};

type Calls = {
  readonly dispatch: (table: Buffer) => Promise<number>;
  readonly register: (name: string, handler: bigint) => bigint | null;
  readonly setStatus: (handle: bigint, status: Uint32Array) => number;
  readonly table: (main: () => void) => Buffer;
  readonly handler: (control: (control: number) => number) => bigint;
};

/**
 * Becomes the service: shows progress from now until `running` is called.
 * @throws when the service manager did not start this process, or koffi cannot be loaded
 */
export async function becomeService(name: string): Promise<ServiceProcess> {
  const calls = await loadCalls(name);
  let handle: bigint | null = null;
  let askedToStop: (why: string) => void;
  const stopAsked = new Promise<string>((resolve) => (askedToStop = resolve));
  let checkpoint = 0;
  const say = (state: number, accepted: number, exitCode = 0): void => {
    const isPending = state === numbers.SERVICE_START_PENDING || state === numbers.SERVICE_STOP_PENDING;
    checkpoint = isPending ? checkpoint + 1 : 0;
    const win32 = exitCode === 0 ? 0 : numbers.ERROR_SERVICE_SPECIFIC_ERROR;
    const hint = isPending ? waitHint : 0;
    const type = numbers.SERVICE_WIN32_OWN_PROCESS;
    if (handle) {
      calls.setStatus(handle, Uint32Array.of(type, state, accepted, win32, exitCode, checkpoint, hint));
    }
  };
  let progress: NodeJS.Timeout | undefined;
  const pending = (state: number): void => {
    clearInterval(progress);
    checkpoint = 0;
    say(state, 0);
    progress = setInterval(() => {
      say(state, 0);
    }, checkpointMs);
  };
  const handler = calls.handler((control) => {
    const why = stopControls.get(control);
    if (why === undefined) {
      return control === numbers.SERVICE_CONTROL_INTERROGATE ? 0 : numbers.ERROR_CALL_NOT_IMPLEMENTED;
    }
    pending(numbers.SERVICE_STOP_PENDING);
    askedToStop(why);
    return 0;
  });
  const { begun, ended } = start(calls, () => {
    handle = calls.register(name, handler);
    pending(numbers.SERVICE_START_PENDING);
  });
  await begun;
  return {
    running: () => {
      clearInterval(progress);
      say(numbers.SERVICE_RUNNING, stoppable);
    },
    stopAsked,
    stopped: async (exitCode) => {
      clearInterval(progress);
      say(numbers.SERVICE_STOPPED, 0, exitCode);
      await ended;
    },
  };
}

/** Gives a thread to the manager. @returns when it has called us, and when it gives the thread back after the stop */
function start(calls: Calls, main: () => void): { begun: Promise<void>; ended: Promise<unknown> } {
  let ended: Promise<unknown> = Promise.resolve();
  const begun = new Promise<void>((resolve, reject) => {
    const table = calls.table(() => {
      main();
      resolve();
    });
    ended = calls.dispatch(table).then((done) => {
      if (!done)
        reject(new Error('only the service manager can start this; run: send-connector-exporter service start'));
    });
  });
  return { begun, ended };
}

async function loadCalls(name: string): Promise<Calls> {
  const koffi = await loadKoffi();
  const library = koffi.load('advapi32.dll');
  const mainType = koffi.proto('void __stdcall ServiceMain(uint32, void *)');
  const handlerType = koffi.proto('uint32 __stdcall HandlerEx(uint32, uint32, void *, void *)');
  const dispatch = library.func('int __stdcall StartServiceCtrlDispatcherW(void *)');
  const register = library.func('void * __stdcall RegisterServiceCtrlHandlerExW(str16, void *, void *)');
  return {
    dispatch: (table) =>
      new Promise<number>((resolve, reject) => {
        dispatch.async(table, (error: Error | null, done: number) => {
          if (error) reject(error);
          else resolve(done);
        });
      }),
    register: (service, handler) => register(service, handler, null) as bigint | null,
    setStatus: library.func('int __stdcall SetServiceStatus(void *, void *)'),
    table: (main) => {
      // The name stands behind the table in the same buffer, so that it lives as long.
      const table = Buffer.concat([Buffer.alloc(32), wideText(name)]);
      table.writeBigUInt64LE(koffi.address(table) + 32n, 0);
      table.writeBigUInt64LE(koffi.register(main, koffi.pointer(mainType)), 8);
      return table;
    },
    handler: (control) => koffi.register(control, koffi.pointer(handlerType)),
  };
}

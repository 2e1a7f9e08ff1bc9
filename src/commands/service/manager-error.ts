/** Numbers of the service manager of Windows, and what its errors mean for a person. */

// Values of winsvc.h, winnt.h and winerror.h; a test compares them with the headers.
export const managerNumbers = {
  SC_MANAGER_CONNECT: 0x1,
  SC_MANAGER_CREATE_SERVICE: 0x2,
  SERVICE_ALL_ACCESS: 0xf01ff,
  SERVICE_QUERY_CONFIG: 0x1,
  SERVICE_QUERY_STATUS: 0x4,
  SERVICE_START: 0x10,
  SERVICE_STOP: 0x20,
  DELETE: 0x10000,
  SERVICE_WIN32_OWN_PROCESS: 0x10,
  SERVICE_AUTO_START: 2,
  SERVICE_ERROR_NORMAL: 1,
  SERVICE_NO_CHANGE: 0xffffffff,
  SERVICE_CONTROL_STOP: 1,
  SERVICE_CONFIG_DESCRIPTION: 1,
  SERVICE_CONFIG_FAILURE_ACTIONS: 2,
  SERVICE_CONFIG_DELAYED_AUTO_START_INFO: 3,
  SERVICE_CONFIG_FAILURE_ACTIONS_FLAG: 4,
  SERVICE_CONFIG_PRESHUTDOWN_INFO: 7,
  ERROR_ACCESS_DENIED: 5,
  ERROR_SERVICE_ALREADY_RUNNING: 1056,
  ERROR_SERVICE_DISABLED: 1058,
  ERROR_SERVICE_DOES_NOT_EXIST: 1060,
  ERROR_SERVICE_CANNOT_ACCEPT_CTRL: 1061,
  ERROR_SERVICE_NOT_ACTIVE: 1062,
  ERROR_SERVICE_LOGON_FAILED: 1069,
  ERROR_SERVICE_MARKED_FOR_DELETE: 1072,
} as const;

const numbers = managerNumbers;

/** What a call of the manager failed with. */
export class ManagerError extends Error {
  constructor(
    call: string,
    readonly code: number,
  ) {
    super(`${call} failed with error ${code}: ${meanings.get(code) ?? `net helpmsg ${code} explains it`}`);
    this.name = 'ManagerError';
  }
}

const meanings = new Map<number, string>([
  [numbers.ERROR_ACCESS_DENIED, 'access denied; run it in a terminal that was started as administrator'],
  [
    numbers.ERROR_SERVICE_DISABLED,
    'it is disabled; to have it start with Windows: sc.exe config SendConnectorExporter start= delayed-auto',
  ],
  [
    numbers.ERROR_SERVICE_LOGON_FAILED,
    'its account may not log on as a service; a group policy may keep NT SERVICE\\ALL SERVICES from it',
  ],
  [
    numbers.ERROR_SERVICE_DOES_NOT_EXIST,
    'there is no such service; install it: send-connector-exporter service install',
  ],
  [numbers.ERROR_SERVICE_MARKED_FOR_DELETE, 'it is being removed; close the Services window and try again'],
]);

/** Turns the codes and names of socket errors in the transport logs into the closed list of reasons. */
import type { Reason } from '../../model/words.js';

/** Numbers of Winsock with the name that .NET gives them. Source: Microsoft, "Windows Sockets Error Codes". */
export const winsock: readonly (readonly [code: number, name: string, reason: Reason])[] = [
  [995, 'OperationAborted', 'other'],
  [10004, 'Interrupted', 'other'],
  [10013, 'AccessDenied', 'access_denied'],
  [10022, 'InvalidArgument', 'other'],
  [10024, 'TooManyOpenSockets', 'no_buffers'],
  [10035, 'WouldBlock', 'other'],
  [10047, 'AddressFamilyNotSupported', 'network_unreachable'],
  [10048, 'AddressAlreadyInUse', 'no_buffers'],
  [10049, 'AddressNotAvailable', 'address_not_available'],
  [10050, 'NetworkDown', 'network_unreachable'],
  [10051, 'NetworkUnreachable', 'network_unreachable'],
  [10052, 'NetworkReset', 'reset'],
  [10053, 'ConnectionAborted', 'reset'],
  [10054, 'ConnectionReset', 'reset'],
  [10055, 'NoBufferSpaceAvailable', 'no_buffers'],
  [10057, 'NotConnected', 'other'],
  [10058, 'Shutdown', 'other'],
  [10060, 'TimedOut', 'timeout'],
  [10061, 'ConnectionRefused', 'refused'],
  [10064, 'HostDown', 'host_unreachable'],
  [10065, 'HostUnreachable', 'host_unreachable'],
  [10101, 'Disconnecting', 'closed_by_remote'],
  [11001, 'HostNotFound', 'name_not_found'],
  [11002, 'TryAgain', 'name_server_failure'],
  [11003, 'NoRecovery', 'name_server_failure'],
  [11004, 'NoData', 'name_no_address'],
];

const reasonByCode = new Map(winsock.map(([code, , reason]) => [code, reason]));

/** @returns undefined for a number that is not known */
export function reasonOfWinsock(code: number): Reason | undefined {
  return reasonByCode.get(code);
}

/** Those that .NET names besides, and that no connect gives. Source: Microsoft, "SocketError Enum". */
const otherNames: readonly (readonly [name: string, reason: Reason])[] = [
  ['ProcessLimit', 'no_buffers'],
  ['SystemNotReady', 'other'],
  ['NotInitialized', 'other'],
  ['MessageSize', 'not_smtp'],
  ['IsConnected', 'other'],
  ['NotSocket', 'other'],
  ['Fault', 'other'],
  ['InProgress', 'other'],
  ['AlreadyInProgress', 'other'],
  ['IOPending', 'other'],
  ['OperationNotSupported', 'other'],
  ['ProtocolNotSupported', 'other'],
  ['ProtocolFamilyNotSupported', 'network_unreachable'],
  ['SocketError', 'other'],
];

const reasonByName = new Map([
  ...winsock.map(([, name, reason]): [string, Reason] => [name.toLowerCase(), reason]),
  ...otherNames.map(([name, reason]): [string, Reason] => [name.toLowerCase(), reason]),
]);

/** @param name as .NET writes it, such as `ConnectionReset` @returns undefined for a name that is not known */
export function reasonOfSocketError(name: string): Reason | undefined {
  return reasonByName.get(name.toLowerCase());
}

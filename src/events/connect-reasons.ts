/** Turns the codes and names that the transport logs give for a failure into the closed list of reasons. */
import type { Reason } from '../model.js';

/** Numbers of Winsock with the name that .NET gives them. Source: Microsoft, "Windows Sockets Error Codes". */
const winsock: readonly (readonly [code: number, name: string, reason: Reason])[] = [
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

/** The numbers known, with their names, for the test that holds them against the reference. */
export function winsockCodes(): readonly (readonly [code: number, name: string, reason: Reason])[] {
  return winsock;
}

/** Names of the status of a DNS query, as the connectivity log writes them before "reported by". */
const dnsReasons: Readonly<Record<string, Reason>> = {
  infodomainnonexistent: 'name_not_found',
  infonorecords: 'name_no_address',
  infotruncated: 'name_server_failure',
  errorinvaliddata: 'name_server_failure',
  errorexcessivedata: 'name_server_failure',
  errorretry: 'name_server_failure',
  errordisconnected: 'name_server_failure',
  errornodns: 'name_server_failure',
  serverfailure: 'name_server_failure',
  errortimeout: 'name_timeout',
};

/** @returns undefined for a name that is not known */
export function reasonOfDns(status: string): Reason | undefined {
  return dnsReasons[status.toLowerCase()];
}

const tlsReasons: readonly (readonly [RegExp, Reason])[] = [
  [/CertExpired|expired/i, 'certificate_expired'],
  [/NotYetValid/i, 'certificate_not_yet_valid'],
  [/WrongPrincipal|SubjectMismatch|NameMismatch|DomainValidation/i, 'certificate_name_mismatch'],
  [/UntrustedRoot|CertUnknown|CertWrongUsage|Chain|Revoked|CertificateValidation|untrusted/i, 'certificate_untrusted'],
];

/** What went wrong in a TLS handshake, by the name of the status anywhere in the text. */
export function reasonOfTls(text: string): Reason {
  return tlsReasons.find(([pattern]) => pattern.test(text))?.[1] ?? 'tls_handshake';
}

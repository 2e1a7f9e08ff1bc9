/** Turns the errors of the system, of DNS and of TLS into the closed list of reasons. */
import type { Reason } from '../model/words.js';
import { isClearText, tlsReason, tlsWords, wantsClientCertificate } from './tls-words.js';

/** Why something did not work: the reason for machines, one line for a person. */
export type Failure = {
  readonly reason: Reason;
  readonly detail: string;
  /** True when the visit cannot count as good, whatever the connector's settings say. */
  readonly fatal?: true;
};

/** Is this the sad half of a result? */
export function isFailure(value: object | undefined): value is Failure {
  return value !== undefined && 'reason' in value;
}

/** Failure of a socket: connect, read or write. */
export function socketFailure(error: unknown): Failure {
  const { code } = wordsOf(error);
  return { reason: socketReasons[code] ?? 'other', detail: tlsWords(error) };
}

/**
 * Failure of a TLS handshake; a reset or a hang-up in the middle of it keeps its own reason.
 * @param ourPartIsSent true once the client has sent all it has to send, which holds no certificate
 */
export function tlsFailure(error: unknown, ourPartIsSent = false): Failure {
  const { code, message } = wordsOf(error);
  // Node reports a peer that hangs up during the handshake as ECONNRESET in its own words, a true reset with a syscall.
  if (code === 'ECONNRESET' && !message.startsWith('read ') && !message.startsWith('write ')) {
    return { reason: 'closed_by_remote', detail: 'the server closed the connection during the TLS handshake' };
  }
  return securedFailure(error, ourPartIsSent);
}

/**
 * Failure of a connection whose handshake is done for us: under TLS 1.3 the server may judge it only now. Clear text in
 * place of TLS is fatal: replies slipped in behind the 220 are the same whether they come before our hello or after it.
 */
export function securedFailure(error: unknown, ourPartIsSent = true): Failure {
  const { code, message } = wordsOf(error);
  const reason = socketReasons[code];
  if (reason) return { reason, detail: message };
  if (!wantsClientCertificate(error, ourPartIsSent)) {
    const failure: Failure = { reason: 'tls_handshake', detail: tlsWords(error) };
    return isClearText(error) ? { ...failure, fatal: true } : failure;
  }
  const detail = `the server wants a certificate of the client, and a probe has none to show (${tlsReason(error)})`;
  // A connector that has one may pass; whether it does cannot be told from here, and good it is not.
  return { reason: 'client_certificate_required', detail, fatal: true };
}

/** Failure of a DNS query. */
export function dnsFailure(error: unknown, question: string): Failure {
  const { code, message } = wordsOf(error);
  const reason = dnsReasons[code] ?? 'other';
  return { reason, detail: `${question}: ${dnsDetails[reason] ?? message} (${code})` };
}

/**
 * Names of libuv; Windows' own numbers arrive under the same names (10061 as ECONNREFUSED and so on).
 * EADDRINUSE and EADDRNOTAVAIL without a source address mean the same trouble, ephemeral ports used up, on
 * Windows and Linux; only the first is never anything else.
 */
const socketReasons: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  EHOSTUNREACH: 'host_unreachable',
  EHOSTDOWN: 'host_unreachable',
  ENETUNREACH: 'network_unreachable',
  ENETDOWN: 'network_unreachable',
  EAFNOSUPPORT: 'network_unreachable',
  EADDRNOTAVAIL: 'address_not_available',
  EACCES: 'access_denied',
  EPERM: 'access_denied',
  ENOBUFS: 'no_buffers',
  ENOMEM: 'no_buffers',
  EMFILE: 'no_buffers',
  ENFILE: 'no_buffers',
  EADDRINUSE: 'no_buffers',
};

/** Codes of c-ares as Node gives them. */
const dnsReasons: Readonly<Record<string, Reason>> = {
  ENOTFOUND: 'name_not_found',
  EBADNAME: 'name_not_found',
  ENODATA: 'name_no_address',
  ESERVFAIL: 'name_server_failure',
  EREFUSED: 'name_server_failure',
  EFORMERR: 'name_server_failure',
  ENOTIMP: 'name_server_failure',
  EBADRESP: 'name_server_failure',
  ECONNREFUSED: 'name_server_failure',
  ETIMEOUT: 'name_timeout',
  ECANCELLED: 'name_timeout',
  EAI_AGAIN: 'name_server_failure',
};

const dnsDetails: Readonly<Partial<Record<Reason, string>>> = {
  name_not_found: 'the name does not exist',
  name_no_address: 'the name has no such record',
  name_server_failure: 'the DNS server failed or refused to answer',
  name_timeout: 'the DNS server did not answer in time',
};

function wordsOf(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  const { code } = error as NodeJS.ErrnoException;
  return { code: typeof code === 'string' ? code : '', message: error.message };
}

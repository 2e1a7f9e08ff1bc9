/** Reads why a next hop was not resolved: the connectivity log and the replies of front ends say it in a sentence. */
import type { Reason } from '../../model/words.js';

/** What a sentence says; `unknown` holds the words that are not in our lists, which count as `other`. */
export type DnsFailure = { readonly reason: Reason; readonly unknown?: string };

/**
 * Status names of a DNS query. A mail loop is a fault of the zone that no other word of the closed list describes.
 * Source: decompiled Exchange 2013, DnsStatus.
 */
const statuses: Readonly<Record<string, Reason>> = {
  infonorecords: 'name_no_address',
  infodomainnonexistent: 'name_not_found',
  infomxloopback: 'other',
  infotruncated: 'name_server_failure',
  errorinvaliddata: 'name_server_failure',
  errorexcessivedata: 'name_server_failure',
  errorretry: 'name_server_failure',
  errordisconnectexception: 'name_server_failure',
  errornodns: 'name_server_failure',
  serverfailure: 'name_server_failure',
  errortimeout: 'name_timeout',
  errorsubquerytimeout: 'name_timeout',
  pending: 'other',
  configchanged: 'other',
  nooutboundfrontendservers: 'other',
};

/** What is written in place of three of them. Source: decompiled Exchange 2013, SmtpOutConnection. */
const sentences: Readonly<Record<string, Reason>> = {
  'non-existent domain': 'name_not_found',
  'mail would loop back to itself': 'other',
  'invalid dns data returned': 'name_server_failure',
};

/** `DNS server returned ErrorRetry` in the log, `DNS query failed with error ErrorRetry` in a reply. */
const beforeStatus = /^(?:dns server returned|dns query .{0,80}?failed with error)\s+/i;
const longest = 256;

/**
 * A row of the connectivity log: `<what> reported by <server>. <details>`, or for the front end that was to be used
 * `<what> reported for the outbound proxy frontend server fqdn by <server>. <details>`.
 * @returns undefined when it is no such row
 */
export function dnsFailureOf(text: string): DnsFailure | undefined {
  const head = text.slice(0, longest);
  const at = head.search(/ reported (?:by|for) /i);
  return at <= 0 ? undefined : dnsStatusOf(head.slice(0, at));
}

/** @param what a status name, or a sentence that stands for one */
export function dnsStatusOf(what: string): DnsFailure {
  const words = what.trim().replace(beforeStatus, '').replace(/\.$/, '').trim();
  const reason = statuses[words.toLowerCase()] ?? sentences[words.toLowerCase()];
  return reason === undefined ? { reason: 'other', unknown: words } : { reason };
}

/** Reads what a front end answers to XPROXYTO: which destination behind it failed, and why. */
import { destinationOf, endpointOf } from '../../model/endpoint.js';
import type { Reason } from '../../model/words.js';
import { reasonOfSocketError, reasonOfWinsock } from './connect-reasons.js';
import { dnsStatusOf } from './dns-failures.js';
import { chainReasonIn, tlsVerdictOf } from './tls-status.js';

/** `destination` is undefined where the front end itself refused. */
export type ProxyRefusal = { readonly reason: Reason; readonly destination?: string | undefined };

const longest = 2_000;

/**
 * The destination that XPROXYTO asks for, as `host:port`. Its keys may be spread over several commands; the first of
 * several destinations stands for all.
 * @returns undefined when this command names none
 */
export function proxiedDestination(command: string): string | undefined {
  const text = command.slice(0, longest);
  const host = /\sDESTINATIONS=\[?([^\s,\]]{1,255})/i.exec(text)?.[1];
  if (host === undefined) return undefined;
  return labelOf(host, /\sPORT=(\d{1,5})(?!\d)/i.exec(text)?.[1] ?? '25');
}

/**
 * `451 4.4.0 Primary target IP address responded with: "421 4.2.1 Unable to connect." Attempted failover to alternate
 * host, ... The last endpoint attempted was 203.0.113.25:25`, alone or inside of `Proxy session setup failed on
 * Frontend with '...'`. Source: decompiled Exchange 2013, SmtpOutConnection and ProxySessionSetupHandler; public NDRs.
 * @param asked what XPROXYTO asked for, where that is known
 */
export function readProxyRefusal(reply: string, asked: string | undefined): ProxyRefusal {
  const text = reply.slice(0, longest);
  const last = lastEndpointIn(text);
  const inner = innerReply(text);
  const isInner = last !== undefined || inner !== undefined || behind.test(text);
  const destination = last ?? asked;
  // Without a name for the destination its reason would be laid at the front end's door.
  if (!isInner || destination === undefined) return { reason: 'proxy_failed' };
  return { reason: reasonIn(inner ?? text), destination };
}

/**
 * What a front end tells of its own way out, also without a word that introduces it: the connection on which it answers
 * stands, so that the connect, the lookup or the handshake that failed was that to the destination.
 */
const behind = new RegExp(
  [
    'DNS query',
    'Proxy session setup failed',
    'Winsock error code',
    String.raw`Socket ?error\b`,
    'Security status',
    'Failed to connect',
    'Unable to connect',
    'Connection (?:timed out|dropped)',
  ].join('|'),
  'i',
);

/** What the destination answered, or what went wrong on the way to it: the innermost text in quotes. */
function innerReply(text: string): string | undefined {
  const marks = [...text.matchAll(/responded with:?\s|communicating with [^:"']{1,80}:\s/gi)];
  const mark = marks.at(-1);
  if (mark === undefined) return undefined;
  const rest = text.slice(mark.index + mark[0].length).replace(/^[\s"'\\]+/, '');
  const end = rest.search(/["']\s+Attempted|["']{1,2}\s*(?:$|[.;}])|(?<!\s)\s+Attempted failover/i);
  return end < 0 ? rest : rest.slice(0, end);
}

/** `203.0.113.25:25`; IPv6 stands there without brackets: the last colon separates the port. */
function lastEndpointIn(text: string): string | undefined {
  const [, written = ''] = /last endpoint attempted was ([^\s"'};]{3,64})/i.exec(text) ?? [];
  const [, host = '', port = ''] = /^\[?([0-9a-z._:%-]+?)\]?:(\d{1,5})\.?$/i.exec(written) ?? [];
  return host === '' ? undefined : labelOf(host, port);
}

function labelOf(host: string, port: string): string | undefined {
  const endpoint = endpointOf(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
  return endpoint && destinationOf(endpoint);
}

/** How to find a reason in what was answered, the most exact first. */
const readings: readonly ((text: string) => Reason | undefined)[] = [
  (text) => {
    const code = /Winsock error code:?\s{0,2}(\d{1,6})/i.exec(text)?.[1];
    return code === undefined ? undefined : (reasonOfWinsock(Number(code)) ?? 'other');
  },
  (text) => {
    const name = /Security status (\w{1,64})/i.exec(text)?.[1];
    return name === undefined ? undefined : tlsVerdictOf(name, 'tls_handshake').reason;
  },
  (text) => {
    const name = /(?:Socket ?error:?|due to|with error) (\w{1,64})/i.exec(text)?.[1];
    const reason = name === undefined ? undefined : reasonOfSocketError(name);
    return reason === 'other' ? undefined : reason;
  },
  (text) => {
    const status = /DNS query .{0,80}?with error (\w{1,64})/i.exec(text)?.[1];
    return status === undefined ? undefined : dnsStatusOf(status).reason;
  },
  chainReasonIn,
  (text) => {
    const { reason, unknown } = dnsStatusOf(text.replace(/^\d{3}[ -](?:\d\.\d{1,3}\.\d{1,3} )?/, ''));
    return unknown === undefined ? reason : undefined;
  },
  (text) => sentences.find(([pattern]) => pattern.test(text))?.[1],
];

/** Replies that Exchange makes itself. Sources: KB 4051498, KB 979174, and the pages of TlsCertificateName and XPROXYTO. */
const sentences: readonly (readonly [RegExp, Reason])[] = [
  [/STARTTLS is required|requires? TLS/i, 'starttls_not_offered'],
  [/Certificate validation fail/i, 'certificate_untrusted'],
  [/authenticat/i, 'auth_rejected'],
  [/Connection timed out/i, 'timeout'],
  [/Connection dropped/i, 'closed_by_remote'],
];

function reasonIn(text: string): Reason {
  for (const read of readings) {
    const reason = read(text);
    if (reason !== undefined) return reason;
  }
  return 'proxy_failed';
}

/**
 * Reads out the certificates that servers show. OpenSSL checks signature and chain in every handshake; only the reading
 * is spared while a server shows what it showed before, for it costs as much as a third of the handshake.
 */
import { X509Certificate } from 'node:crypto';
import type tls from 'node:tls';
import { keepLatest } from '../runtime/keep-latest.js';
import type { Trust } from './authorities.js';
import { faultOf } from './chain-faults.js';
import { leniencyOf } from './chain-leniency.js';
import { chainOf, endOf, oneLine, sentBy } from './chain.js';
import { contentOf } from './der.js';
import { weaknessOf, weakKeyText } from './weaknesses.js';

/** What a server showed, and what OpenSSL thinks of it. Times are milliseconds since 1970 UTC. */
export type ShownCertificate = {
  readonly leaf: X509Certificate;
  /** Whose it is and who issued it, on one line each, fit to be shown. */
  readonly subject: string;
  readonly issuer: string;
  readonly validFrom: number;
  readonly validTo: number;
  /** Sentences for a person: the certificate, and what the server sent that its chain does not need. */
  readonly sentences: readonly string[];
  /** The earliest end in the chain that was verified; where none was, in what there is of it. */
  readonly earliestEnd: number;
  /** The earliest end of all that the server sent. */
  readonly earliestSentEnd: number;
  /** OpenSSL's name of what is wrong with the chain, undefined when it is trusted: `CERT_HAS_EXPIRED`. */
  readonly verdict: string | undefined;
  /** What is too weak in it, under OpenSSL's name; Node has none for it. */
  readonly weakness: string | undefined;
  /** What else is wrong with it, in words: where the verdict does not explain itself, and where OpenSSL is too lenient. */
  readonly fault: string | undefined;
};

export type Certificates = {
  /** The certificate of a connection whose handshake is done; undefined when the server showed none. */
  readonly shownBy: (destination: string, socket: tls.TLSSocket, trust: Trust) => ShownCertificate | undefined;
};

/** An issuer that was replaced under the same leaf, with the same verdict, is seen after this time. */
const keptMs = 10 * 60_000;

/** Some 4 kB each. With more destinations than this the one that was read out first is read out again. */
const maxKept = 2000;

type Kept = { readonly certificate: ShownCertificate; readonly at: number };

/** @param now milliseconds since 1970 UTC */
export function createCertificates(now: () => number): Certificates {
  // By destination: two servers may show the same leaf, and one of them with an issuer that is about to expire.
  const kept = new Map<string, Kept>();
  const keep = (destination: string, certificate: ShownCertificate): void => {
    keepLatest(kept, destination, { certificate, at: now() }, maxKept);
  };
  return {
    shownBy(destination, socket, trust) {
      const verdict = verdictOf(socket);
      const leaf = leafOfSession(socket.getSession());
      const known = kept.get(destination);
      const isFresh = known && Math.abs(now() - known.at) < keptMs;
      if (isFresh && leaf?.equals(known.certificate.leaf.raw) && known.certificate.verdict === verdict) {
        return known.certificate;
      }
      const certificate = readOut(socket, verdict, trust);
      if (certificate) keep(destination, certificate);
      return certificate;
    },
  };
}

/** Node gives OpenSSL's verdict on the chain as a code in `authorizationError`, whatever its type says. */
function verdictOf(socket: tls.TLSSocket): string | undefined {
  const verdict = socket.authorizationError as unknown as string | null | undefined;
  return socket.authorized ? undefined : (verdict ?? undefined);
}

function readOut(socket: tls.TLSSocket, verdict: string | undefined, trust: Trust): ShownCertificate | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) return undefined;
  const now = Date.now();
  const sent = sentBy(leaf);
  const chain = chainOf(leaf, trust.issuersOf, now);
  const needless = sent.filter((each) => !chain.some(({ raw }) => raw.equals(each.raw)));
  return {
    // A copy of its own: the certificate from the socket holds its issuers in memory.
    leaf: new X509Certificate(leaf.raw),
    subject: oneLine(leaf.subject),
    issuer: oneLine(leaf.issuer),
    validFrom: Date.parse(leaf.validFrom),
    validTo: endOf(leaf),
    sentences: [
      `certificate of ${sentenceOf(leaf)}`,
      ...[weakKeyText(leaf) ?? []].flat(),
      ...needless.slice(0, 4).map((each) => needlessText(each, now)),
    ],
    earliestEnd: Math.min(...chain.map(endOf)),
    earliestSentEnd: Math.min(...sent.map(endOf)),
    verdict,
    weakness: weaknessOf([...chain, ...needless]),
    fault:
      verdict === undefined
        ? leniencyOf(chain)
        : faultOf(verdict, chain, [...trust.issuersOf(chain.at(-1) ?? leaf), ...sent]),
  };
}

function sentenceOf(certificate: X509Certificate): string {
  const { subject, issuer } = certificate;
  return `${oneLine(subject)}, issued by ${oneLine(issuer)}, valid to ${dayOf(endOf(certificate))}`;
}

/** One that has expired is the owner's to remove: some clients stumble over it. */
function needlessText(certificate: X509Certificate, now: number): string {
  const state = endOf(certificate) < now ? ', which has expired and does no harm here' : '';
  return `the server also sent a certificate that the chain does not need: ${sentenceOf(certificate)}${state}`;
}

/** The day of a time in a certificate: `2026-11-25`. */
export function dayOf(time: number): string {
  return Number.isNaN(time) ? '(no date)' : new Date(time).toISOString().slice(0, 10);
}

const sequenceTag = 0x30;
/** Before the SEQUENCE stands a name of a host at most, and some words. */
const mostBefore = 512;

/**
 * Where the elements of a session begin. Node 20 and 22 give what OpenSSL writes; 24.21 and 26.10 write for which host it
 * was made before it (captured): the SEQUENCE is the one that reaches to the end.
 */
function startOf(session: Buffer): number {
  for (let at = 0; at < Math.min(session.length, mostBefore); at++) {
    if (session[at] !== sequenceTag) continue;
    const { start, end } = contentOf(session, at);
    if (end === session.length) return start;
  }
  return session.length;
}

/** The tag of the peer's certificate in the session: context-specific, constructed, number 3. */
const peerTag = 0xa3;

/**
 * The leaf (DER) of a session as OpenSSL writes it: a SEQUENCE whose element [3] is the certificate of the peer. To be
 * had without copying the chain, as all that Node has to read certificates does.
 * Source: the manual page d2i_SSL_SESSION and ssl/ssl_asn1.c of OpenSSL.
 * @returns undefined where it is not found, for instance in a later form of the session
 */
export function leafOfSession(session: Buffer | undefined): Buffer | undefined {
  if (!session) return undefined;
  for (let at = startOf(session); at < session.length;) {
    const { start, end } = contentOf(session, at);
    if (session[at] === peerTag) return session.subarray(start, end);
    at = end;
  }
  return undefined;
}

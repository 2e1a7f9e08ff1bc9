/** The chain that was verified, found again: of all that a server sends, only that decides how long its certificate lasts. */
import type { X509Certificate } from 'node:crypto';
import { shown } from './smtp-lines.js';

/** The longest chain that is looked at, and the most certificates of a server. */
const maxLength = 12;

/** The certificates in the order in which the server sent them, its own first. */
export function sentBy(leaf: X509Certificate): readonly X509Certificate[] {
  const sent: X509Certificate[] = [];
  for (let next: X509Certificate | undefined = leaf; next && sent.length < maxLength; next = next.issuerCertificate) {
    if (sent.includes(next)) break;
    sent.push(next);
  }
  return sent;
}

/**
 * From the leaf to its root, as OpenSSL goes since version 1.1: at each link a trusted issuer comes before one that the
 * server sent, and a valid one before one that has ended. It ends early where no issuer is found.
 * Source: the manual page X509_VERIFY_PARAM_set_flags, X509_V_FLAG_TRUSTED_FIRST.
 * @param trusted gives the trusted certificates that carry the name of the issuer
 * @param now milliseconds since 1970 UTC
 */
export function chainOf(
  leaf: X509Certificate,
  trusted: (certificate: X509Certificate) => readonly X509Certificate[],
  now: number,
): readonly X509Certificate[] {
  const sent = sentBy(leaf).slice(1);
  const chain = [leaf];
  for (let last = leaf; chain.length < maxLength && !isIssuedBy(last, last);) {
    const next = bestOf(trusted(last), last, now) ?? bestOf(sent, last, now);
    if (!next || chain.some((each) => each.raw.equals(next.raw))) break;
    chain.push(next);
    last = next;
  }
  return chain;
}

function bestOf(
  candidates: readonly X509Certificate[],
  issued: X509Certificate,
  now: number,
): X509Certificate | undefined {
  const fitting = candidates.filter((candidate) => isIssuedBy(issued, candidate));
  const valid = fitting.filter((candidate) => isValid(candidate, now));
  return (valid.length > 0 ? valid : fitting).toSorted((a, b) => endOf(b) - endOf(a))[0];
}

/** By names and key identifiers first, which costs nothing; then by the signature. */
function isIssuedBy(issued: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return issued.checkIssued(issuer) && issued.verify(issuer.publicKey);
  } catch {
    // A key of a kind that OpenSSL does not know.
    return false;
  }
}

function isValid(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= endOf(certificate);
}

/** Milliseconds since 1970 UTC. */
export function endOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

/** A distinguished name of Node on one line, fit to be shown; Node gives undefined for an empty one, whatever its types say. */
export function oneLine(distinguishedName: string | undefined): string {
  return shown(distinguishedName?.replaceAll('\n', ', ') ?? '') || '(no name)';
}

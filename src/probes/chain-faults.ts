/** Which certificate of a chain is at fault, and why, where OpenSSL or Node give no name to it or a misleading one. */
import type { X509Certificate } from 'node:crypto';
import { oneLine } from './chain.js';
import { extensionsOf } from './extensions.js';
import { shown } from './smtp-lines.js';

/**
 * Node knows some of OpenSSL's verdicts and calls the others UNSPECIFIED. Of an issuer that is none it says that an issuer
 * is missing or that a purpose is wrong.
 */
const unclear: ReadonlySet<string> = new Set([
  'UNSPECIFIED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * @param chain the leaf first, as far as it goes
 * @param others certificates that may have issued its last one
 * @returns a sentence half for a person with OpenSSL's own name in brackets, or undefined where nothing is found
 */
export function faultOf(
  verdict: string,
  chain: readonly X509Certificate[],
  others: readonly X509Certificate[],
): string | undefined {
  if (!unclear.has(verdict)) return undefined;
  const issuer = chain.slice(1).find((each) => !mayIssue(each)) ?? issuerThatMayNot(chain.at(-1), others);
  if (issuer) return noIssuerWords(issuer);
  return verdict === 'UNSPECIFIED' ? (unknownCriticalWords(chain) ?? constraintWords(chain)) : undefined;
}

function mayIssue(certificate: X509Certificate): boolean {
  const { isAuthority, maySignCertificates } = extensionsOf(certificate);
  return isAuthority && maySignCertificates;
}

/** One that signed the last certificate of the chain, and does not belong to it because it may not sign any. */
function issuerThatMayNot(
  last: X509Certificate | undefined,
  others: readonly X509Certificate[],
): X509Certificate | undefined {
  if (!last) return undefined;
  return others.find((each) => each.subject === last.issuer && !mayIssue(each) && isSignedBy(last, each));
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // A key of a kind that OpenSSL does not know.
    return false;
  }
}

function noIssuerWords(issuer: X509Certificate): string {
  const why = extensionsOf(issuer).isAuthority
    ? 'its key usage lacks keyCertSign (KEYUSAGE_NO_CERTSIGN)'
    : 'its basic constraints do not say CA:TRUE (INVALID_CA)';
  return `${oneLine(issuer.subject)} issued a certificate of it and may not: ${why}. The operator of the server gets a certificate of an authority that may`;
}

function unknownCriticalWords(chain: readonly X509Certificate[]): string | undefined {
  for (const each of chain) {
    const [id] = extensionsOf(each).unknownCritical;
    if (id !== undefined)
      return `${oneLine(each.subject)} has an extension marked critical that is not known here, OID ${id}, so it has to be refused (UNHANDLED_CRITICAL_EXTENSION). The operator of the server gets a certificate without it`;
  }
  return undefined;
}

function constraintWords(chain: readonly X509Certificate[]): string | undefined {
  const issuer = chain.slice(1).find((each) => extensionsOf(each).hasNameConstraints);
  if (!issuer) return undefined;
  const { permitted, excluded } = extensionsOf(issuer);
  const domains = [
    ...(permitted.length > 0 ? [`only for ${listed(permitted)}`] : []),
    ...(excluded.length > 0 ? [`not for ${listed(excluded)}`] : []),
  ];
  const bounds = domains.length > 0 ? `: it may vouch ${domains.join(' and ')}` : '';
  const verdict = permitted.length === 0 && excluded.length > 0 ? 'EXCLUDED_VIOLATION' : 'PERMITTED_VIOLATION';
  return `a name of the certificate lies outside the name constraints of ${oneLine(issuer.subject)}${bounds} (${verdict}). The operator of the server gets a certificate of an authority that may vouch for its names`;
}

function listed(domains: readonly string[]): string {
  const more = domains.length > 5 ? ` and ${domains.length - 5} more` : '';
  return `${domains.slice(0, 5).map(shown).join(', ')}${more}`;
}

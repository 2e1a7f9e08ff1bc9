/** Weak keys and digests of certificates, which Node does not name: it calls OpenSSL's verdict on them UNSPECIFIED. */
import type { X509Certificate } from 'node:crypto';
import { contentOf } from './der.js';

/** Signature algorithms whose digest is broken, as the bytes of their OID. Source: RFC 3279 2.2. */
const brokenDigests: ReadonlySet<string> = new Set([
  '2a864886f70d010102', // MD2 with RSA
  '2a864886f70d010104', // MD5 with RSA
  '2a864886f70d010105', // SHA-1 with RSA
  '2a8648ce3d0401', // SHA-1 with ECDSA
  '2a8648ce380403', // SHA-1 with DSA
]);

/** Shorter RSA keys are refused by OpenSSL at its default level of security, bits. */
const refusedBelow = 1024;

/** The recommendation since 2014 (NIST SP 800-131A), bits. */
const weakBelow = 2048;

/**
 * @param chain the leaf first
 * @returns OpenSSL's own name of what is too weak to be trusted: `CA_MD_TOO_WEAK`, `EE_KEY_TOO_SMALL`, `CA_KEY_TOO_SMALL`
 */
export function weaknessOf(chain: readonly X509Certificate[]): string | undefined {
  const short = chain.findIndex((each) => rsaBits(each) < refusedBelow);
  if (short !== -1) return short === 0 ? 'EE_KEY_TOO_SMALL' : 'CA_KEY_TOO_SMALL';
  return chain.some((each) => brokenDigests.has(signatureOf(each.raw))) ? 'CA_MD_TOO_WEAK' : undefined;
}

/** A sentence about a key that is still accepted. */
export function weakKeyText(leaf: X509Certificate): string | undefined {
  const bits = rsaBits(leaf);
  return bits < weakBelow
    ? `the key of the certificate is RSA of ${bits} bits, which is weak: ${weakBelow} is usual`
    : undefined;
}

/** Infinity for keys of another kind, or of one that OpenSSL does not know. */
function rsaBits(certificate: X509Certificate): number {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
    return asymmetricKeyType === 'rsa' ? (asymmetricKeyDetails?.modulusLength ?? Infinity) : Infinity;
  } catch {
    return Infinity;
  }
}

/** The OID behind the signed part: `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID ...` */
function signatureOf(der: Buffer): string {
  const signed = contentOf(der, contentOf(der, 0).start);
  const oid = contentOf(der, contentOf(der, signed.end).start);
  return der.subarray(oid.start, oid.end).toString('hex');
}

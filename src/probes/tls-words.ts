/** Errors of OpenSSL about TLS and certificates in plain words, and never with a memory address. */
import { shown } from './smtp-lines.js';

/**
 * The peer's complaints about the certificate of a client (RFC 8446 6.2, RFC 5246 7.2.2), as OpenSSL names them. A probe
 * shows none, so all that such an alert can mean is that the server wants one.
 */
const aboutClientCertificate =
  /alert (?:certificate required|no certificate|bad certificate|unsupported certificate|certificate revoked|certificate expired|certificate unknown|unknown ca|access denied)$/;

/** Does this end of a TLS connection mean that the server wants a certificate of the client? */
export function wantsClientCertificate(error: unknown, ourPartIsSent: boolean): boolean {
  const reason = opensslReason(error) ?? '';
  // An alert that is sent for many reasons; after our part, which holds no certificate, it is sent for one.
  return aboutClientCertificate.test(reason) || (ourPartIsSent && reason.endsWith('alert handshake failure'));
}

/** A record that is none: where a letter stands in place of the version. */
const clearText = /wrong version number|https? (?:proxy )?request/;

/** Did the server answer in clear text, or with something else that is not TLS? */
export function isClearText(error: unknown): boolean {
  return clearText.test(opensslReason(error) ?? '');
}

const explained: readonly (readonly [RegExp, string])[] = [
  [/alert handshake failure$/, 'the server shares no version, cipher or key exchange with us'],
  [
    /alert protocol version$|unsupported protocol|no protocols available/,
    'no TLS version in common (1.2 and 1.3 are offered)',
  ],
  [
    /wrong version number|packet length too long|https? (?:proxy )?request/,
    'the server answered in clear text, or with something else that is not TLS',
  ],
  [/no shared cipher|alert insufficient security$/, 'no cipher in common that is strong enough'],
  [/dh key too small/, 'the Diffie-Hellman parameters of the server are too weak'],
  [/ee key too small|ca key too small/, 'a key in the chain of certificates is too short'],
  [/md too weak/, 'a certificate of the chain is signed with a digest that is broken, such as SHA-1 or MD5'],
  [
    /wrong signature type|no suitable signature algorithm/,
    'the server signs with an algorithm that is no longer accepted, such as SHA-1',
  ],
  [/unsafe legacy renegotiation/, 'the server supports only the insecure renegotiation used before 2010'],
  [/alert unrecognized name$/, 'the server does not serve the name that we asked for (SNI)'],
  [/alert internal error$/, 'the server had an internal error; often it has no usable certificate or key'],
];

/** One line about an error of TLS: the explanation where there is one, and OpenSSL's own short reason. */
export function tlsWords(error: unknown): string {
  const reason = opensslReason(error);
  if (reason === undefined) return shown(error instanceof Error ? error.message.trim() : String(error));
  const words = explained.find(([pattern]) => pattern.test(reason))?.[1];
  return shown(words === undefined ? `TLS: ${reason}` : `${words} (TLS: ${reason})`);
}

/** OpenSSL's own short reason, where what it means is said elsewhere. */
export function tlsReason(error: unknown): string {
  return shown(`TLS: ${opensslReason(error) ?? 'no reason given'}`);
}

/**
 * OpenSSL's message is a line of colons that begins with an address of memory and holds the paths of its sources:
 * `80FC:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../rec_layer_s3.c:1601:`. Its reason
 * is a property of most errors; of an error on writing it is found in the line only.
 */
function opensslReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { reason } = error as { readonly reason?: unknown };
  if (typeof reason === 'string' && reason !== '') return reason;
  return /error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/i.exec(error.message)?.[1]?.trim();
}

/** OpenSSL's verdicts on a chain (X509_V_ERR_*, as Node gives them) in the words of a person. */
const verdictWords: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed and not among the trusted certificates',
  SELF_SIGNED_CERT_IN_CHAIN: 'its root is not among the trusted authorities',
  UNABLE_TO_GET_ISSUER_CERT: 'an issuer is missing in the chain and is not among the trusted authorities',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its issuer is not among the trusted authorities: an unknown authority, or an intermediate certificate that the server does not send',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its issuer is not among the trusted authorities: an unknown authority, or an intermediate certificate that the server does not send',
  CERT_SIGNATURE_FAILURE: 'a signature in the chain is wrong',
  CERT_REVOKED: 'a certificate of the chain was revoked',
  INVALID_CA: 'a certificate of the chain was issued by one that may not issue certificates',
  INVALID_PURPOSE: 'a certificate of the chain is not for servers',
  CERT_UNTRUSTED: 'the root is not trusted for servers',
  CERT_REJECTED: 'the root is marked as not to be trusted',
  PATH_LENGTH_EXCEEDED: 'the chain is longer than one of its issuers allows',
  CERT_CHAIN_TOO_LONG: 'the chain is too long',
  EE_KEY_TOO_SMALL: 'the key of the server is too short (RSA below 2048 bits is weak, below 1024 it is refused)',
  CA_KEY_TOO_SMALL: 'the key of an issuer is too short (RSA below 2048 bits is weak, below 1024 it is refused)',
  CA_MD_TOO_WEAK: 'a certificate of the chain is signed with a digest that is broken, such as SHA-1 or MD5',
  CERT_HAS_EXPIRED: 'a certificate of the chain has expired',
  CERT_NOT_YET_VALID: 'a certificate of the chain is not yet valid',
};

/** @param verdict `CA_MD_TOO_WEAK` @returns a sentence half, with the verdict behind it in brackets */
export function verdictText(verdict: string): string {
  const words = verdictWords[verdict];
  return words === undefined ? verdict : `${words} (${verdict})`;
}

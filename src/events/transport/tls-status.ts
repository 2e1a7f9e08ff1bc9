/** Names and numbers with which Exchange says what is wrong with TLS or a certificate, as reasons. */
import type { Reason } from '../../model/words.js';
import { reasonOfSocketError } from './connect-reasons.js';

/** `undefined` as a reason: the certificate is good. */
type Status = readonly [name: string, number: number | undefined, reason: Reason | undefined];

/** Verdicts on the chain of a certificate. Source: decompiled Exchange 2013, ChainValidityStatus. */
const chain: readonly Status[] = [
  ['Valid', 0, undefined],
  ['ValidSelfSigned', 1, undefined],
  ['EmptyCertificate', 2, 'certificate_untrusted'],
  ['SubjectMismatch', 3, 'certificate_name_mismatch'],
  ['SignatureFailure', 0x80096004, 'certificate_untrusted'],
  ['UntrustedRoot', 0x800b0109, 'certificate_untrusted'],
  ['UntrustedTestRoot', 0x800b010d, 'certificate_untrusted'],
  ['InternalChainFailure', 0x800b010a, 'certificate_untrusted'],
  ['WrongUsage', 0x800b0110, 'certificate_untrusted'],
  ['CertificateExpired', 0x800b0101, 'certificate_expired'],
  ['ValidityPeriodNesting', 0x800b0102, 'certificate_untrusted'],
  ['PurposeError', 0x800b0106, 'certificate_untrusted'],
  ['BasicConstraintsError', 0x80096019, 'certificate_untrusted'],
  ['WrongRole', 0x800b0103, 'certificate_untrusted'],
  ['NoCNMatch', 0x800b010f, 'certificate_name_mismatch'],
  ['Revoked', 0x80092010, 'certificate_untrusted'],
  ['RevocationOffline', 0x80092013, 'certificate_untrusted'],
  ['CertificateRevoked', 0x800b010c, 'certificate_untrusted'],
  ['RevocationFailure', 0x800b010e, 'certificate_untrusted'],
  ['NoRevocationCheck', 0x80092012, 'certificate_untrusted'],
];

/**
 * What a handshake ends with. Sources: Microsoft, "Schannel Error Codes for TLS and SSL Alerts" (the names without
 * SEC_E_) and, for IncompleteCredentials, "InitializeSecurityContext (Schannel)": the server asks for a certificate of
 * ours and gets none that it accepts.
 */
const handshake: readonly Status[] = [
  ['CertExpired', undefined, 'certificate_expired'],
  ['CertUnknown', undefined, 'certificate_untrusted'],
  ['CertWrongUsage', undefined, 'certificate_untrusted'],
  ['IssuingCAUntrusted', undefined, 'certificate_untrusted'],
  ['WrongPrincipal', undefined, 'certificate_name_mismatch'],
  ['NameMismatch', undefined, 'certificate_name_mismatch'],
  ['CertNotYetValid', undefined, 'certificate_not_yet_valid'],
  ['NotYetValid', undefined, 'certificate_not_yet_valid'],
  ['IncompleteCredentials', undefined, 'client_certificate_required'],
  ...['AlgorithmMismatch', 'IllegalMessage', 'InvalidToken', 'MessageAltered', 'DecryptFailure', 'InternalError'].map(
    (name): Status => [name, undefined, 'tls_handshake'],
  ),
  ...[
    'NoCredentials',
    'UnknownCredentials',
    'UnsupportedFunction',
    'Unsupported',
    'OutOfSequence',
    'InvalidHandle',
  ].map((name): Status => [name, undefined, 'tls_handshake']),
  ...['IncompleteMessage', 'ContextExpired', 'TLS1_0NotSupported', 'BufferNotEnough', 'TargetUnknown'].map(
    (name): Status => [name, undefined, 'tls_handshake'],
  ),
];

const byWord = new Map<string, Status>();
for (const status of [...handshake, ...chain]) {
  byWord.set(status[0].toLowerCase(), status);
  if (status[1] !== undefined) byWord.set(String(status[1]), status);
}
/** Newer builds write other names for the same; what they hold is enough. */
const parts: readonly (readonly [RegExp, Reason])[] = [
  [/expired/i, 'certificate_expired'],
  [/NotYetValid/i, 'certificate_not_yet_valid'],
  [/Mismatch|WrongPrincipal/i, 'certificate_name_mismatch'],
  [/Untrusted|Revo|Chain|^Cert/i, 'certificate_untrusted'],
];

/** What a status says: no reason for one that is good; `unknown` when only `otherwise` is left. */
export type TlsVerdict = { readonly reason: Reason | undefined; readonly unknown?: string };

/**
 * @param word a status name, its number, or the name of a socket error that ended the handshake
 * @param otherwise the reason of a word that is not known
 */
export function tlsVerdictOf(word: string, otherwise: Reason): TlsVerdict {
  const key = /^0x[0-9a-f]{8}$/i.test(word) ? String(Number(word)) : word.toLowerCase();
  const known = byWord.get(key);
  if (known) return { reason: known[2] };
  const socket = reasonOfSocketError(word);
  // A socket error that says nothing of the network, such as `SocketError`: that the handshake failed says more.
  if (socket === 'other' || socket === 'not_smtp') return { reason: 'tls_handshake' };
  const reason = socket ?? parts.find(([pattern]) => pattern.test(word))?.[1];
  return reason === undefined ? { reason: otherwise, unknown: word } : { reason };
}

/** The first word of a text that is a status of a certificate; undefined when there is none. */
export function chainReasonIn(text: string): Reason | undefined {
  for (const word of text.split(/[^A-Za-z0-9_]+/)) {
    const known = byWord.get(word.toLowerCase());
    // Plain numbers stand in such texts for other things too.
    if (known?.[2] !== undefined && /^[a-z]/i.test(word)) return known[2];
  }
  return undefined;
}

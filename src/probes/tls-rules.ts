/** Which trouble with TLS fails a visit: what a Send connector with these settings would do. */
import type { Reason } from '../model/words.js';
import type { TargetSettings } from '../model/connectors.js';

/**
 * | connector                       | STARTTLS missing or rejected, handshake fails | expired, not yet valid, untrusted | name differs |
 * | ------------------------------- | --------------------------------------------- | --------------------------------- | ------------ |
 * | IgnoreSTARTTLS                  | not asked                                     | not asked                         | not asked    |
 * | neither (opportunistic TLS)     | warning: mail goes on in clear text           | warning: any certificate will do  | warning      |
 * | RequireTLS, or EncryptionOnly   | fatal                                         | warning: encryption is all it asks | warning     |
 * | CertificateValidation           | fatal                                         | fatal                             | warning      |
 * | DomainValidation                | fatal                                         | fatal                             | fatal        |
 *
 * Exchange accepts a TlsAuthLevel only together with RequireTLS, so each level counts as requiring TLS here.
 * Source: Set-SendConnector, parameters RequireTLS, TlsAuthLevel, TlsDomain, IgnoreSTARTTLS.
 */
export function tlsTroubleIsFatal(reason: Reason, settings: TargetSettings): boolean {
  const level = settings.tlsAuthLevel;
  switch (reason) {
    case 'certificate_name_mismatch':
      return level === 'DomainValidation';
    case 'certificate_expired':
    case 'certificate_not_yet_valid':
    case 'certificate_untrusted':
      return level === 'CertificateValidation' || level === 'DomainValidation';
    default:
      return settings.requireTls === true || level !== undefined;
  }
}

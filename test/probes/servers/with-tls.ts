/** Servers that differ in TLS, or inside it. */
import { certificates } from './certificates.js';
import { row, type Row } from './talk.js';

const alert = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]);
const broken = (reason: string) => [`warns tls ${reason}`, `fails tls ${reason}`] as const;
const loose = 'DEFAULT@SECLEVEL=0';

export const handshakes: readonly Row[] = [
  row('TLS 1.2', { tls: { maxVersion: 'TLSv1.2' } }, 'passes'),
  row('a client certificate asked for', { tls: { requestCert: 'asked' } }, 'passes'),
  row('TLS 1.3', { tls: { minVersion: 'TLSv1.3' } }, 'passes'),
  row('a slow handshake', { slow: { 'hello of TLS': 150 } }, 'passes'),
  row(
    'TLS 1.1',
    { tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: loose } },
    ...broken('tls_handshake'),
    /1\.2 and 1\.3 are asked for/,
  ),
  row('TLS 1.0', { tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: loose } }, ...broken('tls_handshake')),
  row(
    'no cipher in common',
    { tls: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0' } },
    ...broken('tls_handshake'),
    /no version, cipher or key exchange/,
  ),
  row(
    'clear text in place of TLS',
    { insteadOfTls: '250-slipped.example\r\n250 in\r\n' },
    'fails tls tls_handshake',
    undefined,
    /clear text/,
  ),
  row('454 in place of TLS', { insteadOfTls: '454 no\r\n' }, 'fails tls tls_handshake', undefined, /clear text/),
  row(
    'HTTP in place of TLS',
    { insteadOfTls: 'GET / HTTP/1.1\r\n' },
    'fails tls tls_handshake',
    undefined,
    /clear text/,
  ),
  row('an alert in place of TLS', { insteadOfTls: alert }, ...broken('tls_handshake')),
  row('a hang-up in place of TLS', { closesAt: 'hello of TLS' }, ...broken('closed_by_remote')),
  row('a reset in place of TLS', { resetsAt: 'hello of TLS' }, ...broken('reset')),
  row('silence in place of TLS', { silentAt: 'hello of TLS' }, ...broken('timeout')),
  row(
    'a client certificate required under TLS 1.2',
    { tls: { requestCert: true, maxVersion: 'TLSv1.2' } },
    'fails tls client_certificate_required',
    undefined,
    /^the server wants a certificate of the client, and a probe has none to show \(TLS: [^:]*\)$/,
  ),
  row(
    'a client certificate required under TLS 1.3',
    { tls: { requestCert: true, minVersion: 'TLSv1.3' } },
    'fails ehlo_tls client_certificate_required',
  ),
];

export const shownCertificates: readonly Row[] = [
  row('an intermediate sent along', { tls: certificates.withIntermediate }, 'passes'),
  row('RSA of 2048 bits', { tls: certificates.rsa }, 'passes'),
  row('a needless expired one sent along', { tls: certificates.needlessExpired }, 'passes'),
  row('several names', { tls: certificates.severalNames }, 'passes'),
  row('its name in upper case', { tls: certificates.upperCase }, 'passes'),
  row('a wildcard', { tls: certificates.wildcard }, 'passes'),
  row('expired', { tls: certificates.expired }, ...broken('certificate_expired'), /expired on \d{4}-/),
  row('not yet valid', { tls: certificates.notYetValid }, ...broken('certificate_not_yet_valid')),
  row('behind an expired intermediate', { tls: certificates.behindExpired }, ...broken('certificate_expired')),
  row('another name', { tls: certificates.otherName }, ...broken('certificate_name_mismatch'), /other\.example/),
  row('*.example', { tls: certificates.wildcardTooHigh }, ...broken('certificate_name_mismatch')),
  row('*', { tls: certificates.wildcardOfAll }, ...broken('certificate_name_mismatch')),
  row('mail.*.example', { tls: certificates.wildcardInside }, ...broken('certificate_name_mismatch')),
  row('m*.contoso.example', { tls: certificates.wildcardPart }, ...broken('certificate_name_mismatch')),
  row('*.mail.contoso.example', { tls: certificates.wildcardBelow }, ...broken('certificate_name_mismatch')),
  row(
    'a common name only',
    { tls: certificates.commonNameOnly },
    ...broken('certificate_name_mismatch'),
    /common name does not count/,
  ),
  row('an address only', { tls: certificates.addressOnly }, ...broken('certificate_name_mismatch'), /127\.0\.0\.1/),
  row('signed by itself', { tls: certificates.selfSigned }, ...broken('certificate_untrusted'), /signed by itself/),
  row(
    'of an unknown authority',
    { tls: certificates.untrusted },
    ...broken('certificate_untrusted'),
    /not among the trusted/,
  ),
  row(
    'without its intermediate',
    { tls: certificates.incomplete },
    ...broken('certificate_untrusted'),
    /server does not send/,
  ),
  row('signed with SHA-1', { tls: certificates.sha1 }, ...broken('certificate_untrusted'), /SHA-1/),
  row('signed with MD5', { tls: certificates.md5 }, ...broken('certificate_untrusted'), /MD5/),
  row('RSA of 1024 bits', { tls: certificates.rsa1024 }, 'passes'),
  row('RSA of 512 bits', { tls: certificates.rsa512 }, ...broken('tls_handshake')),
  row('behind RSA of 512 bits', { tls: certificates.behindRsa512 }, ...broken('certificate_untrusted'), /too short/),
];

export const insideTls: readonly Row[] = [
  row('554 inside', { inside: '554 5.7.1 not you\r\n' }, 'fails ehlo_tls ehlo_rejected', undefined, /inside TLS/),
  row('504 inside', { inside: '504 full name\r\n' }, 'fails ehlo_tls ehlo_rejected'),
  row('421 inside', { inside: '421 bye\r\n' }, 'fails ehlo_tls ehlo_rejected'),
  row('450 inside', { inside: '450 later\r\n' }, 'fails ehlo_tls ehlo_rejected'),
  row('no SMTP inside', { inside: 'hello\r\n' }, 'fails ehlo_tls not_smtp'),
  row('two answers inside', { inside: '250 a\r\n250 b\r\n' }, 'fails ehlo_tls not_smtp', undefined, /too many: 250 b/),
  row('codes that differ inside', { inside: '250-a\r\n554 b\r\n' }, 'fails ehlo_tls not_smtp'),
  row('silent inside', { silentAt: 'inside' }, 'fails ehlo_tls timeout'),
  row('hangs up inside', { closesAt: 'inside' }, 'fails ehlo_tls closed_by_remote'),
  row('resets inside', { resetsAt: 'inside' }, 'fails ehlo_tls reset'),
  row('refuses QUIT', { quit: '500 no\r\n' }, 'warns quit other'),
  row('250 to QUIT', { quit: '250 bye\r\n' }, 'passes'),
  row(
    'two answers to QUIT',
    { quit: '250 ok\r\n221 bye\r\n' },
    'fails quit not_smtp',
    undefined,
    /250 ok, and then: 221 bye/,
  ),
  row('silent at QUIT', { silentAt: 'quit' }, 'warns quit timeout'),
  row('hangs up at QUIT', { closesAt: 'quit' }, 'warns quit closed_by_remote'),
  row('no SMTP to QUIT', { quit: 'bye\r\n' }, 'warns quit not_smtp'),
];

/** SMTP servers on loopback, one for each way in which a mail server can fail, for the demo and the tests. */
import type tls from 'node:tls';
import { type Certificate, selfSigned } from './certificates.js';
import {
  type ClosingStep,
  demoAuthority,
  goodCertificate,
  goodNames,
  type ListenOptions,
  serve,
  type SmtpServer,
} from './smtp-talk.js';

/** Greets, offers STARTTLS, and shows a certificate of the authority, or the one it is given. */
export function healthy(
  options: ListenOptions & { readonly names?: readonly string[]; readonly certificate?: Certificate } = {},
): Promise<SmtpServer> {
  const { names, certificate = names ? demoAuthority().issue(names) : goodCertificate() } = options;
  return serve(options, { certificate });
}

/** A port that nobody listens on: it was bound, then given back. */
export async function refusing(options: ListenOptions = {}): Promise<SmtpServer> {
  const server = await serve(options, {});
  await server.close();
  return server;
}

/** Accepts and says nothing, ever. */
export function silent(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: undefined });
}

/** Greets after a while, as many do to try the patience of spammers. */
export function slowBanner(bannerAfterMs: number, options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), bannerAfterMs });
}

/** Sends its greeting one byte at a time and does not come to an end. */
export function tarpit(everyMs: number, options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: undefined, drip: { pieces: Array.from('220-please wait\r\n'), everyMs } });
}

/** Wants nothing to do with us. */
export function rude(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: '554 5.7.1 mail.contoso.example: your address is on our list' });
}

/** Not now. */
export function greylisting(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: '450 4.7.1 mail.contoso.example: come back in five minutes' });
}

/** Another protocol on the port. */
export function notSmtp(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: 'SSH-2.0-OpenSSH_9.6' });
}

/** Hangs up instead of answering at this step. */
export function closesAt(closeAt: ClosingStep, options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), closeAt });
}

/** Falls silent instead of answering at this step, and keeps the connection. */
export function stallsAt(stallAt: ClosingStep, options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), stallAt });
}

/** Tears the connection down instead of greeting. */
export function resets(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { reset: true });
}

/** Clear text only. */
export function withoutStartTls(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, {});
}

/** Offers STARTTLS and then has no certificate to show for it. */
export function rejectsStartTls(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), startTlsReply: '454 4.7.0 TLS not available' });
}

export function expiredCertificate(options: ListenOptions = {}): Promise<SmtpServer> {
  const validity = { from: daysFromNow(-100), to: daysFromNow(-10) };
  return serve(options, { certificate: demoAuthority().issue(goodNames, validity) });
}

export function notYetValid(options: ListenOptions = {}): Promise<SmtpServer> {
  const validity = { from: daysFromNow(10), to: daysFromNow(100) };
  return serve(options, { certificate: demoAuthority().issue(goodNames, validity) });
}

export function selfSignedCertificate(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: selfSigned(goodNames) });
}

export function wrongName(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: demoAuthority().issue(['mail.fabrikam.example']) });
}

/** TLS 1.0 and 1.1 only, as an appliance that nobody has looked at for years. */
export function oldTls(options: ListenOptions = {}): Promise<SmtpServer> {
  const tlsOptions: tls.SecureContextOptions = {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  };
  return serve(options, { certificate: goodCertificate(), tlsOptions });
}

/** A greeting without an end of line and without an end. */
export function endlessLine(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: undefined, drip: { pieces: ['220 '.padEnd(1024, 'x')], everyMs: 1 } });
}

/** A greeting of many lines that never comes to its last one. */
export function endlessBanner(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: undefined, drip: { pieces: ['220-please wait\r\n'.repeat(20)], everyMs: 1 } });
}

/** Greets in several lines. */
export function wordyBanner(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, {
    certificate: goodCertificate(),
    banner: '220-mail.contoso.example\r\n220-no spam\r\n220 ready',
  });
}

/** Greets and hangs up its half of the connection, but goes on listening. */
export function halfOpen(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { hangsUpAfterBanner: true });
}

/** Not now, and hangs up: the code that announces it. */
export function tooBusy(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { ehloReply: '421 4.3.2 too many connections' });
}

/** Asks for a certificate of the client. */
export function wantsClientCertificate(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), requestCert: true });
}

/** TLS 1.2 and no newer. */
export function tls12(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), tlsOptions: { maxVersion: 'TLSv1.2' } });
}

/** Bytes that are no text in any encoding, under the right code. */
export function garbage(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { banner: '220 \xff\xfe\x00\x1b[31m\x80\x9d gr\xfc\xdfe' });
}

/** Speaks on in clear text after it agreed to TLS, as an attacker in between would. */
export function injectsAfterStartTls(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { certificate: goodCertificate(), startTlsReply: '220 2.0.0 Ready\r\n250 injected' });
}

/** Likes neither EHLO nor HELO. */
export function rejectsEhlo(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { ehloReply: '550 5.7.1 who are you?', heloReply: '550 5.7.1 who are you?' });
}

/** Does not let go. */
export function rejectsQuit(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { quitReply: '502 5.5.1 stay' });
}

/** Knows the SMTP of 1982 only. */
export function heloOnly(options: ListenOptions = {}): Promise<SmtpServer> {
  return serve(options, { ehloReply: '502 5.5.1 command not implemented' });
}

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * 86_400_000);
}

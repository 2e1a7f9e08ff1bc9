/** Does the handshake succeed, and would the connector accept the certificate? No certificate of ours is ever sent. */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type tls from 'node:tls';
import type { TargetSettings } from '../../model.js';
import { isFailure, type Failure } from '../reason.js';
import { shown } from '../smtp-lines.js';
import type { Step, Visit } from '../steps.js';
import { tlsTroubleIsFatal } from '../tls-rules.js';

export const tlsHandshake: Step = {
  name: 'tls',
  applies: ({ startTlsAgreed }) => startTlsAgreed,
  fatal: tlsTroubleIsFatal,
  async run(visit) {
    const { talk, limits, target, secureContext } = visit;
    const servername = isIP(target.host) === 0 ? { servername: target.host } : {};
    const socket = await talk.secure({ ...servername, secureContext, checkServerIdentity: noCheck }, limits.replyMs);
    return isFailure(socket) ? socket : certificateTrouble(visit, socket);
  },
};

/** The name is checked below, by the rules of the connector. */
const noCheck = (): undefined => undefined;

function certificateTrouble({ target, settings, facts, note }: Visit, socket: tls.TLSSocket): Failure | undefined {
  const cipher = socket.getCipher();
  facts.tlsVersion = socket.getProtocol() ?? 'unknown';
  facts.tlsCipher = cipher.standardName;
  note(`${facts.tlsVersion} with ${facts.tlsCipher}`);
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) return { reason: 'certificate_untrusted', detail: 'the server showed no certificate' };
  facts.leafExpiresAt = Date.parse(leaf.validTo);
  facts.certificateExpiresAt = earliestEnd(leaf);
  note(`certificate of ${oneLine(leaf.subject)}, issued by ${oneLine(leaf.issuer)}, valid to ${isoOf(leaf.validTo)}`);
  return dateTrouble(leaf) ?? trustTrouble(socket, leaf) ?? nameTrouble(leaf, nameToCheck(target.host, settings));
}

function dateTrouble(leaf: X509Certificate): Failure | undefined {
  const now = Date.now();
  const who = `the certificate of ${oneLine(leaf.subject)}`;
  if (Date.parse(leaf.validTo) < now) {
    return { reason: 'certificate_expired', detail: `${who} expired on ${isoOf(leaf.validTo)}` };
  }
  if (Date.parse(leaf.validFrom) > now) {
    return { reason: 'certificate_not_yet_valid', detail: `${who} is valid only from ${isoOf(leaf.validFrom)}` };
  }
  return undefined;
}

/** Node gives OpenSSL's verdict on the chain as a code in `authorizationError`, whatever its type says. */
function trustTrouble(socket: tls.TLSSocket, leaf: X509Certificate): Failure | undefined {
  const verdict = socket.authorizationError as unknown as string | null | undefined;
  if (socket.authorized || !verdict) return undefined;
  const detail = `the chain of ${oneLine(leaf.subject)}, issued by ${oneLine(leaf.issuer)}, is not good: ${verdict}`;
  if (verdict === 'CERT_HAS_EXPIRED') return { reason: 'certificate_expired', detail };
  if (verdict === 'CERT_NOT_YET_VALID') return { reason: 'certificate_not_yet_valid', detail };
  return { reason: 'certificate_untrusted', detail };
}

/** TlsDomain when the connector has one, else the name of the host; an address alone gives no name to check. */
function nameToCheck(host: string, settings: TargetSettings): string | undefined {
  return settings.tlsDomain ?? (isIP(host) === 0 ? host : undefined);
}

function nameTrouble(leaf: X509Certificate, name: string | undefined): Failure | undefined {
  // TlsDomain may be `*.contoso.example`: any name below it. OpenSSL writes that with a leading dot.
  if (name === undefined || leaf.checkHost(name.replace(/^\*\./, '.')) !== undefined) return undefined;
  const names = leaf.subjectAltName ?? oneLine(leaf.subject);
  return {
    reason: 'certificate_name_mismatch',
    detail: shown(`expected a certificate for ${name}, got one for ${names}`),
  };
}

/** The chain as the server showed it, at most a dozen certificates long. */
function earliestEnd(leaf: X509Certificate): number {
  let earliest = Date.parse(leaf.validTo);
  let current = leaf.issuerCertificate;
  for (let depth = 0; current && depth < 12; depth += 1) {
    earliest = Math.min(earliest, Date.parse(current.validTo));
    if (current.issuerCertificate === current) break;
    current = current.issuerCertificate;
  }
  return earliest;
}

function oneLine(distinguishedName: string): string {
  return shown(distinguishedName.replaceAll('\n', ', ')) || '(no name)';
}

function isoOf(date: string): string {
  const time = Date.parse(date);
  return Number.isNaN(time) ? shown(date) : new Date(time).toISOString().slice(0, 10);
}

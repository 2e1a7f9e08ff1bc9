/** Does the handshake succeed, and would the connector accept the certificate? No certificate of ours is ever sent. */
import { isIP } from 'node:net';
import type tls from 'node:tls';
import type { CertificateFacts } from '../../model/probes.js';
import type { TargetSettings } from '../../model/connectors.js';
import { dayOf, type ShownCertificate } from '../certificates.js';
import { isFailure, type Failure } from '../reason.js';
import { shown } from '../smtp-lines.js';
import type { Step, Visit } from './step.js';
import { tlsTroubleIsFatal } from '../tls-rules.js';
import { verdictText } from '../tls-words.js';

export const tlsHandshake: Step = {
  name: 'tls',
  applies: ({ startTlsAgreed }) => startTlsAgreed,
  fatal: tlsTroubleIsFatal,
  async run(visit) {
    const { talk, limits, target, trust } = visit;
    // A dot at the end belongs to DNS: neither SNI (RFC 6066 3) nor a certificate has it.
    const servername = isIP(target.host) === 0 ? { servername: withoutDot(target.host) } : {};
    const socket = await talk.secure({ ...servername, secureContext: trust.secureContext }, limits.replyMs);
    return isFailure(socket) ? socket : certificateTrouble(visit, socket);
  },
};

function certificateTrouble(visit: Visit, socket: tls.TLSSocket): Failure | undefined {
  const { target, settings, facts, note, certificates, trust } = visit;
  facts.tlsVersion = socket.getProtocol() ?? 'unknown';
  facts.tlsCipher = socket.getCipher().standardName;
  note(`${facts.tlsVersion} with ${facts.tlsCipher}`);
  const certificate = certificates.shownBy(target.destination, socket, trust);
  if (!certificate) return { reason: 'certificate_untrusted', detail: 'the server showed no certificate' };
  facts.leafExpiresAt = certificate.validTo;
  facts.certificateExpiresAt = certificate.earliestEnd;
  facts.certificate = factsOf(certificate);
  certificate.sentences.forEach(note);
  return (
    dateTrouble(certificate) ??
    trustTrouble(certificate) ??
    addressTrouble(certificate, target.host, settings) ??
    nameTrouble(certificate, nameToCheck(target.host, settings))
  );
}

function factsOf({ leaf, verdict, fault, earliestSentEnd }: ShownCertificate): CertificateFacts {
  const names = leaf.subjectAltName?.match(/(?<=DNS:|IP Address:)[^,\s]+/g) ?? [];
  return {
    verified: verdict === undefined && fault === undefined,
    earliestSentEndsAt: earliestSentEnd,
    fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    serialNumber: leaf.serialNumber.toLowerCase(),
    subject: nameText(leaf.subject),
    issuer: nameText(leaf.issuer),
    names: names.slice(0, 100).map(shown),
  };
}

/** A distinguished name as RFC 2253 writes it: the narrowest part first. Node gives undefined for an empty one. */
function nameText(distinguishedName: string | undefined): string {
  return shown(distinguishedName?.split('\n').reverse().join(',') ?? '');
}

function dateTrouble({ subject, validFrom, validTo }: ShownCertificate): Failure | undefined {
  const now = Date.now();
  const who = `the certificate of ${subject}`;
  if (validTo < now) return { reason: 'certificate_expired', detail: `${who} expired on ${dayOf(validTo)}` };
  if (validFrom > now) {
    return { reason: 'certificate_not_yet_valid', detail: `${who} is valid only from ${dayOf(validFrom)}` };
  }
  return undefined;
}

function trustTrouble({ subject, issuer, verdict, weakness, fault }: ShownCertificate): Failure | undefined {
  if (verdict === undefined && fault === undefined) return undefined;
  const named = verdict === 'UNSPECIFIED' ? (weakness ?? verdict) : verdict;
  const words = (named === verdict ? fault : undefined) ?? verdictText(named ?? '');
  const detail = `the chain of ${subject}, issued by ${issuer}, is not valid: ${words}`;
  if (verdict === 'CERT_HAS_EXPIRED') return { reason: 'certificate_expired', detail };
  if (verdict === 'CERT_NOT_YET_VALID') return { reason: 'certificate_not_yet_valid', detail };
  return { reason: 'certificate_untrusted', detail };
}

/** TlsDomain when the connector has one, else the name of the host; an address alone gives no name to check. */
function nameToCheck(host: string, settings: TargetSettings): string | undefined {
  const name = settings.tlsDomain ?? (isIP(host) === 0 ? host : undefined);
  return name === undefined ? undefined : withoutDot(name);
}

/** DomainValidation needs a name; a smart host that is an address and no TlsDomain leave only the address to compare with. */
function addressTrouble(
  { leaf, subject }: ShownCertificate,
  host: string,
  settings: TargetSettings,
): Failure | undefined {
  const isWithoutName = settings.tlsAuthLevel === 'DomainValidation' && nameToCheck(host, settings) === undefined;
  if (!isWithoutName || leaf.checkIP(host) !== undefined) return undefined;
  const names = namesOf(leaf) ?? `no names under subjectAltName (${subject})`;
  return {
    reason: 'certificate_name_mismatch',
    detail: shown(
      `no name to compare with: TlsDomain is empty and the smart host is the address ${host}, for which the certificate is not; got one for ${names}: set TlsDomain of the connector`,
    ),
  };
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, '');
}

/**
 * Names count where RFC 9525 6.3 has them: under subjectAltName, never the common name; `*` only as the whole first label.
 * TlsDomain may be `*.contoso.example`: any name below it. OpenSSL writes that with a leading dot.
 */
function nameTrouble({ leaf, subject }: ShownCertificate, name: string | undefined): Failure | undefined {
  if (name === undefined || covers(leaf, name)) return undefined;
  const names = namesOf(leaf) ?? `no names under subjectAltName; its common name does not count (${subject})`;
  return {
    reason: 'certificate_name_mismatch',
    detail: shown(`expected a certificate for ${name}, got one for ${names}${wildcardWords(leaf, name)}`),
  };
}

function covers(leaf: ShownCertificate['leaf'], name: string): boolean {
  if (leaf.checkHost(name.replace(/^\*\./, '.'), asRfc9525) !== undefined) return true;
  // Hosts of Windows have underscores in their names, for which an asterisk of OpenSSL does not stand.
  const first = /^[a-z\d_-]+(?=\.)/i.exec(name)?.[0] ?? '';
  const alike = 'a'.repeat(63) + name.slice(first.length);
  return first.includes('_') && leaf.checkHost(alike, asRfc9525)?.startsWith('*.') === true;
}

const asRfc9525 = { subject: 'never', partialWildcards: false, multiLabelWildcards: false } as const;

/** Why a wildcard that looks as if it covered the name does not. */
function wildcardWords(leaf: ShownCertificate['leaf'], name: string): string {
  const names = leaf.subjectAltName?.split(', ').filter((each) => each.startsWith('DNS:')) ?? [];
  for (const pattern of names.map((each) => each.slice('DNS:'.length)).filter((each) => each.includes('*'))) {
    const why = whyNotCovered(pattern.toLowerCase(), name.toLowerCase());
    if (why !== undefined) return `; ${pattern} does not cover it: ${why}`;
  }
  return '';
}

/** @returns undefined for a pattern of other names */
function whyNotCovered(pattern: string, name: string): string | undefined {
  const rest = pattern.slice(pattern.lastIndexOf('*') + 1);
  if (!name.endsWith(rest.replace(/^\./, ''))) return undefined;
  if (!/^\*(\.[^.*]+)*$/.test(pattern)) return 'an asterisk counts only as the whole first label';
  if (rest.split('.').length < 3)
    return 'an asterisk counts only above two labels or more, never right above a top-level domain';
  return 'an asterisk stands for exactly one label';
}

/** What stands under subjectAltName, which may be there and empty. */
function namesOf(leaf: ShownCertificate['leaf']): string | undefined {
  return leaf.subjectAltName === '' ? undefined : leaf.subjectAltName;
}

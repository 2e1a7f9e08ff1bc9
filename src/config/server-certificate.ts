/** The certificate and key of this server, and the authority of its clients, tried before they are taken. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { duplexPair } from 'node:stream';
import { connect, createSecureContext, TLSSocket, type SecureContextOptions } from 'node:tls';

/** Undefined where all is well; otherwise what stands in the way, as "expected ..., got ...". */
export type Mistake = string | undefined;

const day = 86_400_000;

// ------------------------------------------------------------------------------------------------- certificate and key

/** Whether this is a certificate and its own private key, PEM; the reason names the remedy. */
export function pairMistake(cert: string, key: string): Mistake {
  const read = keyOf(key);
  if (typeof read === 'string') return read;
  const { certificates, unreadable } = certificatesOf(cert);
  const leaf = certificates[0];
  if (unreadable > 0) return 'expected certificates in cert_file, got one that cannot be read';
  if (leaf === undefined) return 'expected a certificate as PEM in cert_file, got none';
  if (fits(leaf, read)) return undefined;
  const place = certificates.findIndex((each) => fits(each, read));
  if (place > 0)
    return `expected the certificate of the key first in cert_file, got it at place ${place + 1}: put it before those of its issuers`;
  const types = [read.asymmetricKeyType, leaf.publicKey.asymmetricKeyType];
  const kinds = types[0] === types[1] ? '' : ` (${types[0]} key, ${types[1]} certificate)`;
  return `expected a certificate and its own private key, got a key that belongs to another certificate${kinds}`;
}

function keyOf(pem: string): KeyObject | string {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem))
    return 'expected a private key without a passphrase, got an encrypted one: openssl pkey -in OLD -out NEW writes it without';
  if (!/-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(pem)) return 'expected a private key as PEM in key_file, got none';
  try {
    return createPrivateKey(pem);
  } catch (error) {
    return `expected a private key as PEM in key_file, got one that cannot be read: ${reasonOf(error)}`;
  }
}

function fits(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    return false;
  }
}

/** What Prometheus will trip over, though a server can be started with it. @param now milliseconds since 1970 UTC */
export function doubtsOfChain(pem: string, what: string, now: number): string[] {
  const { certificates } = certificatesOf(pem);
  return certificates.flatMap((certificate, place) => {
    const issuer = certificates[place + 1];
    const name = place === 0 ? what : `${what}: certificate ${place + 1}`;
    return [
      ...doubtsOfDates(certificate, name, now),
      ...(issuer !== undefined && !certificate.checkIssued(issuer)
        ? [`${name} was not issued by the next: put every certificate before the one of its issuer`]
        : []),
    ];
  });
}

function doubtsOfDates({ validFrom, validTo }: X509Certificate, name: string, now: number): string[] {
  if (Date.parse(validTo) < now) return [`${name} expired on ${dateOf(validTo)}: clients will reject it`];
  if (Date.parse(validFrom) > now)
    return [`${name} is valid from ${dateOf(validFrom)} on: clients will reject it until then`];
  if (Date.parse(validTo) < now + day) return [`${name} expires within a day, on ${validTo}`];
  return [];
}

function dateOf(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}

// -------------------------------------------------------------------------------------------- authority of the clients

/** Those certificates that can be read, and what to say of the others. */
export function authorityOf(pem: string, now: number): { readonly ca: string[]; readonly doubts: string[] } | string {
  const { certificates, unreadable } = certificatesOf(pem);
  if (certificates.length === 0)
    return 'expected certificates of an authority as PEM in client_ca_file, got none that can be read';
  const doubts = certificates.flatMap((certificate, place) =>
    doubtsOfDates(certificate, `client_ca_file: certificate ${place + 1}`, now),
  );
  if (unreadable > 0) doubts.push(`client_ca_file: ${unreadable} of its certificates cannot be read and are left out`);
  if (!certificates.some((each) => each.checkIssued(each)))
    doubts.push(
      'client_ca_file has no root certificate: clients are verified up to a root, so put that of the authority into it',
    );
  return { ca: certificates.map(String), doubts };
}

/** Every certificate of a PEM text; what stands around them, keys for instance, does not count. */
function certificatesOf(pem: string): { readonly certificates: X509Certificate[]; readonly unreadable: number } {
  const [begin, end] = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'];
  const certificates: X509Certificate[] = [];
  let unreadable = 0;
  for (const part of pem.split(begin).slice(1)) {
    const length = part.indexOf(end);
    try {
      certificates.push(new X509Certificate(begin + part.slice(0, Math.max(0, length)) + end));
    } catch {
      unreadable++;
    }
  }
  return { certificates, unreadable };
}

// ----------------------------------------------------------------------------------------------------------- handshake

/** A handshake in memory stalls only where something is wrong that nobody thought of. */
const handshakePatienceMs = 10_000;

/** Shakes hands with a client that takes anything. @returns why no client whatever could come in */
export async function handshakeMistake(context: SecureContextOptions): Promise<Mistake> {
  try {
    await shakeHands(context);
    return undefined;
  } catch (error) {
    return `expected settings that let a client connect, got a handshake that fails: ${reasonOf(error)}`;
  }
}

function shakeHands(context: SecureContextOptions): Promise<void> {
  const [here, there] = duplexPair();
  const server = new TLSSocket(here, { isServer: true, secureContext: createSecureContext(context) });
  const client = connect({
    socket: there,
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    ciphers: 'ALL:@SECLEVEL=0',
  });
  const done = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new Error('no answer'));
    }, handshakePatienceMs);
    for (const socket of [server, client])
      socket.on('error', reject).once('close', () => {
        clearTimeout(late);
        reject(new Error('closed before its end'));
      });
    client.once('secureConnect', resolve);
  });
  return done.finally(() => {
    client.destroy();
    server.destroy();
  });
}

/** `error:0A00018F:SSL routines::ee key too small` says no more than its end. */
function reasonOf(error: unknown): string {
  const { message } = error as Error;
  const [reason = ''] = message.replace(/^.*error:[0-9A-F]{8}:[^:]*:[^:]*:/s, '').split(/:\.\.|\n/, 1);
  return reason;
}

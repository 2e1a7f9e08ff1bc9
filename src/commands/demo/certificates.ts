/**
 * Makes X.509 certificates at run time for servers that show something: good, expired, for another name. It hides the
 * DER encoding (X.690, RFC 5280), of which a certificate needs little enough to do without a library.
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** A certificate with its key, both PEM, ready for `tls.createSecureContext`. */
export type Certificate = {
  /** The certificate, then those of its issuers that a server shows. */
  readonly cert: string;
  readonly key: string;
};

/** An authority that issues certificates. */
export type Authority = {
  /** The authority's own certificate, PEM: trust this. */
  readonly cert: string;
  /** `from` and `to` default to yesterday and in 90 days. */
  readonly issue: (names: readonly string[], validity?: Validity) => Certificate;
};

type Validity = { readonly from?: Date; readonly to?: Date };

/**
 * `ec` (P-256) is made in a millisecond. `rsa` (2048 bits) takes a tenth of a second or more, and is what Exchange shows:
 * before its hotfix update of April 2024 it took no other.
 */
export type KeyType = 'ec' | 'rsa';

export function createAuthority(name: string, keyType: KeyType = 'ec'): Authority {
  const keys = newKeys(keyType);
  const subject = nameOf(name);
  const own = pemOf(
    encode({
      subject,
      issuer: subject,
      publicKey: keys.publicKey,
      signWith: keys.privateKey,
      names: [],
      authority: true,
    }),
  );
  return {
    cert: own,
    issue(names, validity) {
      const leaf = newKeys(keyType);
      const body = {
        subject: nameOf(names[0] ?? 'unnamed'),
        issuer: subject,
        publicKey: leaf.publicKey,
        names,
        authority: false,
      };
      const cert = pemOf(encode({ ...body, signWith: keys.privateKey, ...(validity && { validity }) }));
      return { cert: cert + own, key: pemOfKey(leaf.privateKey) };
    },
  };
}

/** A certificate that nobody but its owner vouches for. */
export function selfSigned(names: readonly string[]): Certificate {
  const keys = newKeys('ec');
  const subject = nameOf(names[0] ?? 'unnamed');
  const body = {
    subject,
    issuer: subject,
    publicKey: keys.publicKey,
    signWith: keys.privateKey,
    names,
    authority: false,
  };
  return { cert: pemOf(encode(body)), key: pemOfKey(keys.privateKey) };
}

function newKeys(keyType: KeyType): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return keyType === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
}

type Body = {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly publicKey: KeyObject;
  readonly signWith: KeyObject;
  readonly names: readonly string[];
  readonly authority: boolean;
  readonly validity?: Validity;
};

const day = 86_400_000;

function encode({ subject, issuer, publicKey, signWith, names, authority, validity = {} }: Body): Buffer {
  const from = validity.from ?? new Date(Date.now() - day);
  const to = validity.to ?? new Date(Date.now() + 90 * day);
  const algorithm =
    signWith.asymmetricKeyType === 'rsa'
      ? sequence(oid('2a864886f70d01010b'), der(0x05)) // sha256WithRSAEncryption, whose parameter is NULL
      : sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(12)])),
    algorithm,
    issuer,
    sequence(time(from), time(to)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensionsOf(names, authority))),
  );
  return sequence(body, algorithm, bits(sign('sha256', body, signWith)));
}

function extensionsOf(names: readonly string[], authority: boolean): readonly Buffer[] {
  const constraints = sequence(oid('551d13'), boolean(true), octets(authority ? sequence(boolean(true)) : sequence()));
  if (names.length === 0) return [constraints];
  const alternatives = names.map((name) => der(0x82, Buffer.from(name, 'ascii')));
  return [constraints, sequence(oid('551d11'), octets(sequence(...alternatives)))];
}

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName, 'utf8')))));
}

/** Tag, length and content. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const size = body.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function sequence(...content: readonly Buffer[]): Buffer {
  return der(0x30, ...content);
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function boolean(value: boolean): Buffer {
  return der(0x01, Buffer.from([value ? 0xff : 0]));
}

function bits(bytes: Buffer): Buffer {
  return der(0x03, Buffer.from([0]), bytes);
}

function octets(bytes: Buffer): Buffer {
  return der(0x04, bytes);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

/** GeneralizedTime, to the second; RFC 5280 asks for UTCTime up to 2049. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\..*/g, '');
  return date.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(`${digits.slice(2)}Z`, 'ascii'))
    : der(0x18, Buffer.from(`${digits}Z`, 'ascii'));
}

function pemOf(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function pemOfKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

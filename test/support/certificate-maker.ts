/** Certificates of every kind that a server may show, well made or not: for the tests alone (X.690, RFC 5280). */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
export type KeyKind = 'ec' | 'brainpool' | 'ed448' | 'rsa2048' | 'rsa1024' | 'rsa512';
type Digest = 'sha256' | 'sha224' | 'sha1' | 'md5';

/** The bits of the extension (RFC 5280 4.2.1.3). */
const keyUsages = { digitalSignature: 0x80, keyCertSign: 0x04, cRLSign: 0x02 } as const;
type KeyUsage = keyof typeof keyUsages;

/** A certificate that may vouch for others. */
export type Issuer = { readonly name: string; readonly keys: Keys; readonly pem: string };

export type Wishes = {
  /** Common name of the subject; an empty one makes a subject without any name. */
  readonly subject: string;
  /** Names under subjectAltName; none at all when absent. Addresses become iPAddress. */
  readonly names?: readonly string[];
  /** Who signs; itself when absent. */
  readonly issuer?: { readonly name: string; readonly keys: Keys };
  readonly keys?: Keys;
  readonly digest?: Digest;
  readonly authority?: boolean;
  /** Issuers that may stand between it and a leaf. */
  readonly pathLength?: number;
  readonly usage?: readonly KeyUsage[];
  /** extendedKeyUsage, in place of none. */
  readonly purpose?: 'server' | 'client' | 'sgc';
  /** Below so many certificates each needs a policy. */
  readonly explicitPolicy?: number;
  /** Whether it names a policy. */
  readonly policy?: boolean;
  /** Whether the policy that stands for all is none below it. */
  readonly inhibitAnyPolicy?: boolean;
  /** Domains of which alone it may vouch for names, or may not. */
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
  /** The OID (hex) of an extension that nobody knows, marked critical. */
  readonly unknownCritical?: string;
  /** Days from now. @default -1 and 90 */
  readonly from?: number;
  readonly to?: number;
};

const keyKinds: Readonly<Record<KeyKind, () => Keys>> = {
  ec: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  brainpool: () => generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }),
  ed448: () => generateKeyPairSync('ed448'),
  rsa2048: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  rsa1024: () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
  rsa512: () => generateKeyPairSync('rsa', { modulusLength: 512 }),
};

export function newKeys(kind: KeyKind = 'ec'): Keys {
  return keyKinds[kind]();
}

/** An authority; with an issuer one between a root and a leaf. */
export function authorityOf(name: string, wishes: Omit<Wishes, 'subject' | 'authority'> = {}): Issuer {
  const keys = wishes.keys ?? newKeys();
  return { name, keys, pem: certificateOf({ ...wishes, subject: name, keys, authority: true }).cert };
}

/** @returns certificate and key as PEM, without the certificates of its issuers */
export function certificateOf(wishes: Wishes): { readonly cert: string; readonly key: string } {
  const keys = wishes.keys ?? newKeys();
  const issuer = wishes.issuer ?? { name: wishes.subject, keys };
  const digest = wishes.digest ?? 'sha256';
  const algorithm = algorithmOf(issuer.keys.privateKey, digest);
  const body = sequence(
    der(0xa0, der(2, Buffer.from([2]))),
    der(2, Buffer.concat([Buffer.from([1]), randomBytes(12)])),
    algorithm,
    nameOf(issuer.name),
    sequence(time(wishes.from ?? -1), time(wishes.to ?? 90)),
    nameOf(wishes.subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensionsOf(wishes))),
  );
  const signature = der(
    3,
    Buffer.from([0]),
    sign(algorithmOfEd448.equals(algorithm) ? null : digest, body, issuer.keys.privateKey),
  );
  return {
    cert: pem('CERTIFICATE', sequence(body, algorithm, signature)),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const algorithmOfEd448 = sequence(oid('2b6571'));

function algorithmOf(key: KeyObject, digest: Digest): Buffer {
  const rsa = {
    sha256: '2a864886f70d01010b',
    sha224: '2a864886f70d01010e',
    sha1: '2a864886f70d010105',
    md5: '2a864886f70d010104',
  };
  const ec = { sha256: '2a8648ce3d040302', sha224: '2a8648ce3d040301', sha1: '2a8648ce3d0401', md5: '' };
  if (key.asymmetricKeyType === 'ed448') return algorithmOfEd448;
  return key.asymmetricKeyType === 'rsa' ? sequence(oid(rsa[digest]), der(5)) : sequence(oid(ec[digest]));
}

function extensionsOf(wishes: Wishes): readonly Buffer[] {
  const { authority = false, names = [], pathLength, usage, purpose, permitted, excluded, unknownCritical } = wishes;
  const { explicitPolicy, policy = false, inhibitAnyPolicy = false } = wishes;
  const isAuthority = authority ? [der(1, Buffer.from([0xff]))] : [];
  const length = pathLength === undefined ? [] : [der(2, Buffer.from([pathLength]))];
  const found = [critical('551d13', sequence(...isAuthority, ...length))];
  if (names.length > 0) found.push(sequence(oid('551d11'), der(4, sequence(...names.map(alternativeOf)))));
  if (usage) found.push(critical('551d0f', usageOf(usage)));
  const purposes = { server: '2b06010505070301', client: '2b06010505070302', sgc: '6086480186f8420401' };
  if (purpose) found.push(sequence(oid('551d25'), der(4, sequence(oid(purposes[purpose])))));
  const subtrees = (tag: number, domains: readonly string[] = []): readonly Buffer[] =>
    domains.length === 0 ? [] : [der(tag, ...domains.map((domain) => sequence(alternativeOf(domain))))];
  const constraints = [...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded)];
  if (constraints.length > 0) found.push(critical('551d1e', sequence(...constraints)));
  if (explicitPolicy !== undefined) found.push(critical('551d24', sequence(der(0x80, Buffer.from([explicitPolicy])))));
  if (policy) found.push(sequence(oid('551d20'), der(4, sequence(sequence(oid('2b060104018237150801'))))));
  if (inhibitAnyPolicy) found.push(critical('551d36', der(2, Buffer.from([0]))));
  if (unknownCritical !== undefined) found.push(critical(unknownCritical, der(5)));
  return found;
}

function critical(id: string, value: Buffer): Buffer {
  return sequence(oid(id), der(1, Buffer.from([0xff])), der(4, value));
}

function usageOf(usage: readonly KeyUsage[]): Buffer {
  const bits = usage.reduce((sum, each) => sum | keyUsages[each], 0);
  // Bits that are not used at the end are left out of the count (X.690 11.2.2).
  const unused = Math.clz32(bits & -bits) === 32 ? 0 : 31 - Math.clz32(bits & -bits);
  return der(3, Buffer.from([unused, bits]));
}

function alternativeOf(name: string): Buffer {
  return /^[\d.]+$/.test(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));
}

function nameOf(commonName: string): Buffer {
  if (commonName === '') return sequence();
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
}

function time(days: number): Buffer {
  const digits = new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\..*/g, '');
  return der(0x18, Buffer.from(`${digits}Z`));
}

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const size = body.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function sequence(...content: readonly Buffer[]): Buffer {
  return der(0x30, ...content);
}

function oid(hex: string): Buffer {
  return der(6, Buffer.from(hex, 'hex'));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

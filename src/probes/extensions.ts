/** What the extensions of a certificate say that Node does not read out (RFC 5280 4.2). */
import type { X509Certificate } from 'node:crypto';
import { contentOf, elementsWithin, type Element } from './der.js';

export type Extensions = {
  /** basicConstraints say that it is an authority. */
  readonly isAuthority: boolean;
  /** keyUsage, where there is one, has keyCertSign. */
  readonly maySignCertificates: boolean;
  /** Domains, as in `.contoso.example`, of which alone it may vouch for names, and those for which it may not. */
  readonly permitted: readonly string[];
  readonly excluded: readonly string[];
  /** extendedKeyUsage as OIDs; undefined where there is none and every purpose is allowed. */
  readonly purposes: readonly string[] | undefined;
  /** policyConstraints: below so many certificates each needs a policy (requireExplicitPolicy). */
  readonly explicitPolicyAfter: number | undefined;
  /** Whether certificatePolicies are there. */
  readonly namesPolicies: boolean;
  /** Whether nameConstraints are there, of whatever kind. */
  readonly hasNameConstraints: boolean;
  /** Extensions marked critical that OpenSSL does not know, as OIDs: `1.3.6.1.4.1.311.21.10`. */
  readonly unknownCritical: readonly string[];
};

const ids = {
  keyUsage: '551d0f',
  basicConstraints: '551d13',
  nameConstraints: '551d1e',
  certificatePolicies: '551d20',
  policyConstraints: '551d24',
  extendedKeyUsage: '551d25',
} as const;

/** Those that OpenSSL judges. Source: the list of X509_supported_extension in crypto/x509/v3_purp.c of OpenSSL 3. */
const known: ReadonlySet<string> = new Set([
  ...Object.values(ids),
  '551d11', // subjectAltName
  '551d1f', // cRLDistributionPoints
  '551d21', // policyMappings
  '551d36', // inhibitAnyPolicy
  '6086480186f8420101', // Netscape certificate type
  '2b06010505070107', // IP address blocks
  '2b06010505070108', // autonomous system numbers
  '2b0601050507010e', // proxy certificates
  '2b0601050507300105', // OCSP without check
]);

const [booleanTag, bitsTag, oidTag, octetsTag, dnsNameTag] = [0x01, 0x03, 0x06, 0x04, 0x82];
const [extensionsTag, permittedTag, excludedTag, explicitPolicyTag] = [0xa3, 0xa0, 0xa1, 0x80];
const keyCertSign = 0x04;

type Extension = { readonly id: string; readonly isCritical: boolean; readonly value: Buffer };

/** Never throws: of what is no DER nothing is found. */
export function extensionsOf({ raw }: X509Certificate): Extensions {
  const all = listOf(raw);
  const valueOf = (id: string): Buffer | undefined => all.find((each) => each.id === id)?.value;
  const [usage, constraints] = [valueOf(ids.keyUsage), valueOf(ids.nameConstraints)];
  return {
    isAuthority: isTrueFirst(valueOf(ids.basicConstraints)),
    maySignCertificates: usage === undefined || hasBit(usage, keyCertSign),
    permitted: domainsOf(constraints, permittedTag),
    excluded: domainsOf(constraints, excludedTag),
    purposes: purposesOf(valueOf(ids.extendedKeyUsage)),
    explicitPolicyAfter: explicitPolicyOf(valueOf(ids.policyConstraints)),
    namesPolicies: valueOf(ids.certificatePolicies) !== undefined,
    hasNameConstraints: constraints !== undefined,
    unknownCritical: all.filter(({ id, isCritical }) => isCritical && !known.has(id)).map(({ id }) => dotted(id)),
  };
}

/** `TBSCertificate ::= SEQUENCE { ..., extensions [3] SEQUENCE OF SEQUENCE { OID, critical BOOLEAN, OCTET STRING } }` */
function listOf(raw: Buffer): readonly Extension[] {
  const signed = contentOf(raw, contentOf(raw, 0).start);
  const place = elementsWithin(raw, signed).find(({ tag }) => tag === extensionsTag);
  if (!place) return [];
  return elementsWithin(raw, contentOf(raw, place.start)).flatMap((each) => {
    const parts = elementsWithin(raw, each);
    const bytesOf = (tag: number): Buffer | undefined => {
      const found = parts.find((part) => part.tag === tag);
      return found && bytes(raw, found);
    };
    const [id, value] = [bytesOf(oidTag), bytesOf(octetsTag)];
    if (!id || !value) return [];
    return [{ id: id.toString('hex'), isCritical: (bytesOf(booleanTag)?.[0] ?? 0) !== 0, value }];
  });
}

function bytes(der: Buffer, { start, end }: Element): Buffer {
  return der.subarray(start, end);
}

/** `BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, ... }` */
function isTrueFirst(value: Buffer | undefined): boolean {
  const [first] = value ? elementsWithin(value, contentOf(value, 0)) : [];
  return first?.tag === booleanTag && value?.[first.start] !== 0;
}

/** `KeyUsage ::= BIT STRING`: a byte that counts unused bits, then the bits. */
function hasBit(value: Buffer, bit: number): boolean {
  return value[0] === bitsTag && ((value[contentOf(value, 0).start + 1] ?? 0) & bit) !== 0;
}

/** `NameConstraints ::= SEQUENCE { [0] SEQUENCE OF SEQUENCE { GeneralName, ... }, [1] likewise }` */
function domainsOf(value: Buffer | undefined, tag: number): readonly string[] {
  if (!value) return [];
  const subtrees = elementsWithin(value, contentOf(value, 0)).filter((each) => each.tag === tag);
  return subtrees
    .flatMap((list) => elementsWithin(value, list))
    .flatMap((subtree) => elementsWithin(value, subtree))
    .filter((name) => name.tag === dnsNameTag)
    .map((name) => value.toString('latin1', name.start, name.end));
}

/** `ExtKeyUsageSyntax ::= SEQUENCE OF OID` */
function purposesOf(value: Buffer | undefined): readonly string[] | undefined {
  return value && elementsWithin(value, contentOf(value, 0)).map((each) => dotted(bytes(value, each).toString('hex')));
}

/** `PolicyConstraints ::= SEQUENCE { requireExplicitPolicy [0] INTEGER OPTIONAL, ... }` */
function explicitPolicyOf(value: Buffer | undefined): number | undefined {
  const found = value && elementsWithin(value, contentOf(value, 0)).find(({ tag }) => tag === explicitPolicyTag);
  return found && bytes(value, found).reduce((sum, byte) => sum * 256 + byte, 0);
}

/** The arcs of an OID: seven bits a byte, and the first two in one number. */
function dotted(hex: string): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of Buffer.from(hex, 'hex')) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (arcs.length > 0) arcs.push(arc);
    else arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
    arc = 0;
  }
  return arcs.join('.');
}

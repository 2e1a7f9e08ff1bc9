/** The certificates of the servers of the table, all under one root that the visits trust. */
import { authorityOf, certificateOf, newKeys, type Wishes } from '../../support/certificate-maker.js';

const host = 'mail.contoso.example';
const root = authorityOf('Table Root');
const intermediate = authorityOf('Table Intermediate', { issuer: root });
const stranger = authorityOf('Somebody Else');
const old = authorityOf('Expired Intermediate', { issuer: root, from: -400, to: -10 });
const short = authorityOf('Short Intermediate', { issuer: root, keys: newKeys('rsa512') });
const brainpoolRoot = authorityOf('Table Brainpool Root', { keys: newKeys('brainpool') });
const ed448Root = authorityOf('Table Ed448 Root', { keys: newKeys('ed448') });
const rsaRoot = authorityOf('Table RSA Root', { keys: newKeys('rsa2048') });

/** PEM of what the visits trust. */
export const trusted = [root, rsaRoot, brainpoolRoot, ed448Root].map(({ pem }) => pem).join('');

const made = (wishes: Partial<Wishes>) => certificateOf({ subject: host, names: [host], issuer: root, ...wishes });
const behind = (issuer: typeof root, more = issuer.pem) => {
  const { cert, key } = made({ issuer });
  return { cert: cert + more, key };
};
/** One between the root and a leaf that is no authority, or one with limits. */
const between = (name: string, wishes: Partial<Wishes>): typeof root => {
  const keys = newKeys();
  return { name, keys, pem: certificateOf({ authority: true, ...wishes, subject: name, issuer: root, keys }).cert };
};
const shortPath = authorityOf('Short Path', { issuer: root, pathLength: 0 });
const belowShortPath = authorityOf('Below Short Path', { issuer: shortPath });
/** OpenSSL refuses to show weak ones unless it is told to. */
const weak = (wishes: Partial<Wishes>) => ({ ...made(wishes), ciphers: 'DEFAULT@SECLEVEL=0' });

export const goodCertificate = made({});

export const certificates = {
  withIntermediate: behind(intermediate),
  rsa: made({ keys: newKeys('rsa2048'), issuer: rsaRoot }),
  incomplete: behind(intermediate, ''),
  behindExpired: behind(old),
  needlessExpired: { ...goodCertificate, cert: goodCertificate.cert + old.pem },
  expired: made({ from: -90, to: -1 }),
  notYetValid: made({ from: 5, to: 90 }),
  otherName: made({ names: ['other.example'], subject: 'other.example' }),
  severalNames: made({ names: ['a.example', host, 'b.example'] }),
  upperCase: made({ names: [host.toUpperCase()] }),
  wildcard: made({ names: ['*.contoso.example'] }),
  wildcardTooHigh: made({ names: ['*.example'] }),
  wildcardOfAll: made({ names: ['*'] }),
  wildcardInside: made({ names: ['mail.*.example'] }),
  wildcardPart: made({ names: ['m*.contoso.example'] }),
  wildcardBelow: made({ names: ['*.mail.contoso.example'] }),
  commonNameOnly: made({ names: [] }),
  noSubject: made({ subject: '' }),
  noSubjectOtherName: made({ subject: '', names: ['other.example'] }),
  behindNoSubject: behind(between('', {})),
  addressOnly: made({ names: ['127.0.0.1'] }),
  selfSigned: certificateOf({ subject: host, names: [host] }),
  untrusted: behind(stranger),
  sha1: weak({ digest: 'sha1', issuer: rsaRoot }),
  md5: weak({ digest: 'md5', issuer: rsaRoot }),
  rsa1024: weak({ keys: newKeys('rsa1024'), issuer: rsaRoot }),
  behindRsa512: { ...behind(short), ciphers: 'DEFAULT@SECLEVEL=0' },
  withinConstraints: behind(between('Narrow', { permitted: ['contoso.example'] })),
  outsidePermitted: behind(between('Narrow', { permitted: ['fabrikam.example', 'adatum.example'] })),
  insideExcluded: behind(between('Barred', { excluded: ['contoso.example'] })),
  unknownCritical: made({ unknownCritical: '2b0601040182371507' }),
  behindUnknownCritical: behind(between('Strange', { unknownCritical: '2b06010401823763' })),
  behindNoAuthority: behind(between('No Authority', { authority: false })),
  behindNoAuthorityOfUsage: behind(between('No Authority', { authority: false, usage: ['digitalSignature'] })),
  behindNoCertSign: behind(between('No Signer', { usage: ['digitalSignature'] })),
  behindCrlSigner: behind(between('List Signer', { usage: ['cRLSign'] })),
  behindCertSign: behind(between('Signer', { usage: ['keyCertSign', 'cRLSign'] })),
  forClients: made({ purpose: 'client' }),
  forOldServers: made({ purpose: 'sgc' }),
  behindForOldServers: behind(between('Old Servers', { purpose: 'sgc' })),
  policyMissing: behind(between('Strict', { explicitPolicy: 0, policy: true })),
  policyThere: (() => {
    const strict = between('Strict', { explicitPolicy: 0, policy: true });
    const { cert, key } = made({ issuer: strict, policy: true });
    return { cert: cert + strict.pem, key };
  })(),
  policyMissingFarther: behind(between('Less Strict', { explicitPolicy: 2 })),
  inhibitsAnyPolicy: behind(between('Inhibiting', { inhibitAnyPolicy: true })),
  ofBrainpool: made({ issuer: brainpoolRoot }),
  ofEd448: made({ issuer: ed448Root }),
  sha224: made({ digest: 'sha224' }),
  ed448: made({ keys: newKeys('ed448') }),
  forServers: made({ purpose: 'server' }),
  pathTooLong: behind(belowShortPath, belowShortPath.pem + shortPath.pem),
  rsa512: weak({ keys: newKeys('rsa512'), issuer: rsaRoot }),
} as const;

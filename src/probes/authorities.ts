/** The certificate authorities that this host trusts: Node's, the system's, and those of the configuration. */
import { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { createBreath } from '../runtime/breath.js';
import { readDatedFile } from '../runtime/plain-file.js';

export type AuthoritiesOptions = {
  /** Certificates (PEM) trusted besides, for instance of a company's own authority. */
  readonly extraCa?: string | undefined;
  /** Bundles of the system; the first one that is there counts. @default as the environment and the system have it */
  readonly systemBundles?: readonly string[];
  /** Milliseconds on any clock. @default performance.now */
  readonly now?: () => number;
};

/** Whom this host trusts at the moment. */
export type Trust = {
  /** What handshakes are made with. */
  readonly secureContext: tls.SecureContext;
  /** The trusted certificates that may have issued this one, by their names. */
  readonly issuersOf: (certificate: X509Certificate) => readonly X509Certificate[];
};

export type Authorities = {
  /** Read and built when it is first asked for; a changed bundle is seen within ten minutes. Never fails. */
  readonly trust: () => Promise<Trust>;
};

/**
 * Where the distributions of Linux keep their bundle: Debian, Ubuntu, Alpine; Fedora, RHEL; openSUSE; BSD and others.
 * Source: the places that the packages ca-certificates of these distributions write.
 */
const wellKnownBundles: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * What a visit offers to a server: of what Node offers, that which Windows Server speaks too. A server with nothing but
 * ARIA, CCM, X448 or signatures with SHA-224 would be good for us, and out of reach for Exchange.
 * Source: learn.microsoft.com, "TLS Cipher Suites in Windows Server 2022" and "TLS Elliptic Curves in Windows 10".
 */
const offered: tls.SecureContextOptions = {
  ciphers: `${tls.DEFAULT_CIPHERS}:!ARIA:!CAMELLIA:!AESCCM:@SECLEVEL=1`,
  ecdhCurve: 'X25519:P-256:P-384:P-521',
  sigalgs: [
    'ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519',
    'rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512',
    'rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512',
  ].join(':'),
};

/** How often the files are looked at for a change. */
const lookAgainMs = 10 * 60_000;

/** Far more than any bundle: a wrong name in SSL_CERT_FILE must not fill the memory. */
const maxBundleBytes = 8 * 1024 * 1024;

type Built = Trust & {
  /** Which bundle it was built from, and of when. */
  readonly stamp: string;
};

export function createAuthorities(options: AuthoritiesOptions = {}): Authorities {
  const { extraCa, now = () => performance.now(), systemBundles = bundlesOf(process.env, process.platform) } = options;
  let built: Promise<Built> | undefined;
  let lookedAt = -Infinity;
  const refresh = async (before: Promise<Built> | undefined): Promise<Built> => {
    const bundle = await firstBundle(systemBundles);
    const known = await before;
    return known?.stamp === (bundle?.stamp ?? '') ? known : build(bundle, extraCa);
  };
  return {
    trust() {
      if (built && now() - lookedAt < lookAgainMs) return built;
      lookedAt = now();
      return (built = refresh(built));
    },
  };
}

/** SSL_CERT_FILE takes the place of the system's bundle, as for every program that uses OpenSSL. */
export function bundlesOf(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): readonly string[] {
  const named = env.SSL_CERT_FILE;
  if (named !== undefined && named !== '') return [named];
  return platform === 'win32' ? [] : wellKnownBundles;
}

/** The certificates of a text in PEM, each once and whole; what is between them does not matter. */
export function certificatesIn(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
}

type Bundle = { readonly stamp: string; readonly text: string };

async function firstBundle(paths: readonly string[]): Promise<Bundle | undefined> {
  for (const path of paths) {
    const found = await readDatedFile(path, { largest: maxBundleBytes }).catch(() => undefined);
    if (!found) continue;
    const text = found.content.toString('latin1');
    return { stamp: `${path} ${found.modifiedAt} ${text.length}`, text };
  }
  return undefined;
}

/** Node's own authorities are parsed once for the whole process; only those that it lacks are added to the context. */
async function build(bundle: Bundle | undefined, extraCa: string | undefined): Promise<Built> {
  const known = new Set(tls.rootCertificates.map(withoutSpace));
  // Node knows those of NODE_EXTRA_CA_CERTS by itself; here they are read for the sake of the index.
  const ofNode = await firstBundle([process.env.NODE_EXTRA_CA_CERTS ?? '']);
  const found = [bundle?.text ?? '', ofNode?.text ?? '', extraCa ?? ''].flatMap(certificatesIn);
  const secureContext = tls.createSecureContext(offered);
  const breath = createBreath();
  const bySubject = new Map<string, string[]>();
  for (const pem of tls.rootCertificates) {
    await breath();
    enter(bySubject, pem);
  }
  for (const pem of [...found, ...storeOfSystem()]) {
    const body = withoutSpace(pem);
    if (known.has(body)) continue;
    known.add(body);
    await breath();
    if (enter(bySubject, pem)) addTo(secureContext, pem);
  }
  return {
    stamp: bundle?.stamp ?? '',
    secureContext,
    issuersOf: ({ issuer }) => (bySubject.get(issuer) ?? []).map((pem) => new X509Certificate(pem)),
  };
}

/** A certificate that cannot be read is none: one spoilt entry of a bundle does not take the others with it. */
function enter(bySubject: Map<string, string[]>, pem: string): boolean {
  try {
    const { subject } = new X509Certificate(pem);
    const same = bySubject.get(subject);
    if (same) same.push(pem);
    else bySubject.set(subject, [pem]);
    return true;
  } catch {
    return false;
  }
}

/** With the option `ca` Node would parse its own authorities again for each context. */
function addTo(secureContext: tls.SecureContext, pem: string): void {
  (secureContext.context as { readonly addCACert: (pem: string) => void }).addCACert(pem);
}

function withoutSpace(pem: string): string {
  return pem.replace(/\s+/g, '');
}

/** The store of Windows (and of macOS), from Node 22.15 on; Linux has its bundle. */
function storeOfSystem(): readonly string[] {
  const { getCACertificates } = tls as { readonly getCACertificates?: (type: 'system') => string[] };
  if (process.platform === 'linux' || !getCACertificates) return [];
  try {
    return getCACertificates('system');
  } catch {
    return [];
  }
}

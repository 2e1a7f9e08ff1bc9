/** The web configuration (`--web.config.file`): TLS, users and headers, in the schema that all exporters share. */
import { dirname, isAbsolute, join } from 'node:path';
import { DEFAULT_CIPHERS, type SecureContextOptions } from 'node:tls';
import { readPlainFile } from '../runtime/plain-file.js';
import { authorityOf, doubtsOfChain, handshakeMistake, pairMistake } from './server-certificate.js';
import type { CheckedTls, CheckedWebConfig, ClientAuthType } from './web-config-schema.js';

/** A web configuration with the contents of the files it names. */
export type WebConfig = {
  readonly tls: TlsSettings | undefined;
  /** Name to bcrypt hash; empty: nobody needs to log in. */
  readonly users: ReadonlyMap<string, string>;
  /** Put over our own; an empty value takes ours away. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rateLimit: { readonly intervalMs: number; readonly burst: number } | undefined;
  /** What does not stop it, but will surprise somebody: one line each, with its remedy. */
  readonly doubts: readonly string[];
  /** Every file that was read, to be watched for changes. */
  readonly files: readonly string[];
  /** Those of them that not everybody should read: private keys and password hashes. */
  readonly secretFiles: readonly string[];
};

export type TlsSettings = {
  /** Certificate, key, authority, versions, ciphers, curves in the form of node:tls. */
  readonly context: SecureContextOptions;
  readonly clientAuth: ClientAuthType;
  /** A client certificate must carry one of these as a subject alternative name; undefined: any will do. */
  readonly clientAllowedSans: readonly string[] | undefined;
};

/** A web configuration, or all that is wrong with it, one line each, and the files to watch for its repair. */
export type LoadedWebConfig =
  | { readonly ok: true; readonly config: WebConfig }
  | { readonly ok: false; readonly mistakes: readonly string[]; readonly files: readonly string[] };

export const openToAll: WebConfig = {
  tls: undefined,
  users: new Map(),
  headers: {},
  rateLimit: undefined,
  doubts: [],
  files: [],
  secretFiles: [],
};

/** Reads the file and the certificates it names; paths in it are relative to it. Never throws. */
export async function loadWebConfig(name: string): Promise<LoadedWebConfig> {
  // Loaded only for those who have such a file.
  const { readYamlFile } = await import('./yaml-file.js');
  const { webConfigSchema, withoutBlanks } = await import('./web-config-schema.js');
  // As text: YAML 1.1, which the toolkit reads, and 1.2 differ in what they make of it. Merge keys (`<<`) are 1.1 too.
  const read = await readYamlFile(name, webConfigSchema, {
    parse: { schema: 'failsafe', merge: true },
    prepare: withoutBlanks,
  });
  if (!read.ok) return { ok: false, mistakes: read.mistakes, files: [name] };
  const given = read.checked;
  const seen = (path: string): string => (isAbsolute(path) ? path : join(dirname(name), path));
  const tls = given.tls_server_config;
  const named = [tls?.cert_file, tls?.key_file, tls?.client_ca_file].filter((path) => path !== undefined).map(seen);
  const files = [name, ...named];
  const loaded = tls && isEnabled(tls) ? await loadTls(tls, given.http_server_config.http2, seen) : {};
  if (loaded.mistake !== undefined)
    return { ok: false, mistakes: [`${name}: tls_server_config: ${loaded.mistake}`], files };
  const users = new Map(Object.entries(given.basic_auth_users));
  const doubts = [...(loaded.doubts ?? []).map((doubt) => `tls_server_config: ${doubt}`), ...doubtsOf(given)];
  return {
    ok: true,
    config: {
      tls: loaded.settings,
      users,
      headers: given.http_server_config.headers as Record<string, string>,
      rateLimit: rateLimitOf(given),
      doubts: doubts.map((doubt) => `${name}: ${doubt}`),
      files,
      secretFiles: [
        ...(tls?.key !== undefined || users.size > 0 ? [name] : []),
        ...(tls?.key_file === undefined ? [] : [seen(tls.key_file)]),
      ],
    },
  };
}

function rateLimitOf({ rate_limit: { interval, burst } }: CheckedWebConfig): WebConfig['rateLimit'] {
  return interval > 0 ? { intervalMs: interval, burst } : undefined;
}

function doubtsOf(given: CheckedWebConfig): string[] {
  const { tls_server_config: tls, rate_limit: limit, basic_auth_users: users } = given;
  return [
    ...(tls && !isEnabled(tls) ? ['tls_server_config names no certificate: plain HTTP is served'] : []),
    ...(limit.interval < 0 ? ['rate_limit: an interval below 0 sets no limit: leave it out, or write 0'] : []),
    ...(limit.interval > 0 && limit.burst < 1 ? ['rate_limit: with a burst below 1 every request is rejected'] : []),
    ...(Object.keys(users).some((name) => name.includes(':'))
      ? ['basic_auth_users: nobody can log in with a name that contains a colon']
      : []),
  ];
}

// -------------------------------------------------------------------------------------------------------------- TLS

type LoadedTls = { readonly settings?: TlsSettings; readonly doubts?: readonly string[]; readonly mistake?: string };

/** Go's names to those of OpenSSL. */
const versions = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;
const curves = { X25519: 'X25519', CurveP256: 'P-256', CurveP384: 'P-384', CurveP521: 'P-521' } as const;

/** Without any of these the toolkit serves plain HTTP. */
function isEnabled(tls: CheckedTls): boolean {
  const { cert, key, client_ca: ca, cert_file: certFile, key_file: keyFile, client_ca_file: caFile } = tls;
  return [cert, key, ca, certFile, keyFile, caFile, tls.client_auth_type].some((each) => each !== undefined);
}

async function loadTls(given: CheckedTls, isHttp2: boolean, seen: (path: string) => string): Promise<LoadedTls> {
  const wrong = contradictionIn(given, isHttp2);
  if (wrong !== undefined) return { mistake: wrong };
  const doubts = tlsDoubtsOf(given);
  try {
    const [cert, key, ca] = [
      await contentOf(given, 'cert', seen),
      await contentOf(given, 'key', seen),
      await contentOf(given, 'client_ca', seen),
    ];
    const pair = pairMistake(cert ?? '', key ?? '');
    if (pair !== undefined) return { mistake: pair };
    doubts.push(...doubtsOfChain(cert ?? '', 'the certificate', Date.now()));
    const clientAuth = given.client_auth_type ?? 'NoClientCert';
    const read = ca === undefined ? undefined : authorityOf(ca, Date.now());
    const verifies = clientAuth.includes('Verify');
    if (typeof read === 'string' && verifies) return { mistake: read };
    const authority = typeof read === 'string' ? undefined : read;
    if (typeof read === 'string')
      doubts.push(
        `client_ca_file has no certificate that can be read; it does not count, for ${clientAuth} verifies none`,
      );
    doubts.push(...(authority?.doubts ?? []));
    const context: SecureContextOptions = { cert, key, ...(authority && { ca: authority.ca }), ...settingsOf(given) };
    const fails = await handshakeMistake(context);
    if (fails !== undefined) return { mistake: fails };
    return { settings: { context, clientAuth, clientAllowedSans: given.client_allowed_sans }, doubts };
  } catch (error) {
    return { mistake: (error as Error).message };
  }
}

/** A file goes before what stands in the configuration itself. @throws when it cannot be read */
async function contentOf(given: CheckedTls, key: 'cert' | 'key' | 'client_ca', seen: (path: string) => string) {
  const path = given[`${key}_file`];
  if (path === undefined) return given[key];
  try {
    return (await readPlainFile(seen(path))).toString('utf8');
  } catch (error) {
    throw new Error(`${key}_file: expected a readable file, got ${(error as Error).message}`, { cause: error });
  }
}

function settingsOf(given: CheckedTls): SecureContextOptions {
  // OpenSSL speaks what is older than TLS 1.2 at its lowest level of security only.
  const isOld = given.min_version < 'TLS12';
  const ciphers = given.cipher_suites.length > 0 ? withTls13(given.cipher_suites) : isOld ? DEFAULT_CIPHERS : undefined;
  return {
    minVersion: versions[given.min_version],
    maxVersion: versions[given.max_version],
    honorCipherOrder: given.prefer_server_cipher_suites,
    ...(ciphers !== undefined && { ciphers: isOld ? `${ciphers}:@SECLEVEL=0` : ciphers }),
    ...(given.curve_preferences.length > 0 && { ecdhCurve: given.curve_preferences.map((c) => curves[c]).join(':') }),
  };
}

/** The list is for versions up to TLS 1.2; those of TLS 1.3 are always on, as in Go. */
function withTls13(suites: readonly string[]): string {
  const always = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];
  return [...new Set([...always, ...suites])].join(':');
}

/** What the toolkit refuses too, and what would let nobody in. */
function contradictionIn(given: CheckedTls, isHttp2: boolean): string | undefined {
  const { client_auth_type: clientAuth = 'NoClientCert', client_allowed_sans: sans, cipher_suites: suites } = given;
  const hasAuthority = given.client_ca !== undefined || given.client_ca_file !== undefined;
  if (given.cert === undefined && given.cert_file === undefined)
    return 'expected cert_file, got nothing: the certificate of this server, PEM';
  if (given.key === undefined && given.key_file === undefined)
    return 'expected key_file, got nothing: the private key of the certificate, PEM';
  if (given.min_version > given.max_version)
    return `expected min_version up to max_version, got ${given.min_version} and ${given.max_version}`;
  if (hasAuthority && clientAuth === 'NoClientCert')
    return 'expected a client_auth_type with client_ca_file, got NoClientCert: no client would be asked for a certificate';
  if (sans !== undefined && !clientAuth.startsWith('Require'))
    return 'expected client_auth_type RequireAndVerifyClientCert with client_allowed_sans';
  if (isHttp2 && suites.length > 0 && given.min_version < 'TLS13' && !suites.some((suite) => needsHttp2.test(suite)))
    return 'expected a suite that HTTP/2 needs in cipher_suites (TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or its ECDSA form), or http_server_config.http2: false';
  return undefined;
}

const needsHttp2 = /^ECDHE-(RSA|ECDSA)-AES128-GCM-SHA256$/;

function tlsDoubtsOf(given: CheckedTls): string[] {
  const { client_auth_type: clientAuth = 'NoClientCert', client_allowed_sans: sans } = given;
  const hasAuthority = given.client_ca !== undefined || given.client_ca_file !== undefined;
  const twice = (['cert', 'key', 'client_ca'] as const).filter(
    (key) => given[key] !== undefined && given[`${key}_file`] !== undefined,
  );
  return [
    ...twice.map((key) => `${key}_file goes before ${key}: leave one of them out`),
    ...(clientAuth.includes('Verify') && !hasAuthority
      ? [`${clientAuth} without client_ca_file lets in the certificates of every authority that Node trusts`]
      : []),
    ...(sans?.length === 0 ? ['client_allowed_sans is empty: no client is let in'] : []),
    ...(given.min_version < 'TLS12'
      ? [
          `min_version ${given.min_version}: versions before TLS 1.2 are broken; weak keys and ciphers are taken with them`,
        ]
      : []),
  ];
}

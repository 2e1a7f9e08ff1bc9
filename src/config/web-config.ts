/** The web configuration (`--web.config.file`): TLS, users and headers, in the schema that all exporters share. */
import { X509Certificate } from 'node:crypto';
import { dirname, isAbsolute, join } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { z } from 'zod';
import { readPlainFile } from '../plain-file.js';
import { list, mapping, settings, text, whole } from './schema.js';
import { readYamlFile } from './yaml-file.js';

// Keys and defaults: docs/web-configuration.md of prometheus/exporter-toolkit.

const clientAuthTypes = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
export type ClientAuthType = (typeof clientAuthTypes)[number];

/** A web configuration with the contents of the files it names. */
export type WebConfig = {
  readonly tls: TlsSettings | undefined;
  /** Name to bcrypt hash; empty: nobody needs to log in. */
  readonly users: ReadonlyMap<string, string>;
  /** Put over our own; an empty value takes ours away. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rateLimit: { readonly intervalMs: number; readonly burst: number } | undefined;
  /** Every file that was read, to be watched for changes. */
  readonly files: readonly string[];
  /** Those of them that not everybody should read: private keys and password hashes. */
  readonly secretFiles: readonly string[];
};

export type TlsSettings = {
  /** Certificate, key, authority, versions, ciphers, curves in the form of node:tls. */
  readonly context: SecureContextOptions;
  readonly clientAuth: ClientAuthType;
  /** When not empty, a client certificate must carry one of these as a subject alternative name. */
  readonly clientAllowedSans: readonly string[];
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
  files: [],
  secretFiles: [],
};

// ----------------------------------------------------------------------------------------------------------- schema

const versions = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;
const versionNames = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;

/** Go's names of curves to those of OpenSSL. */
const curves = { X25519: 'X25519', CurveP256: 'P-256', CurveP384: 'P-384', CurveP521: 'P-521' } as const;
const curveNames = ['X25519', 'CurveP256', 'CurveP384', 'CurveP521'] as const;

/** Cost 10 takes about 70 ms; each step doubles it. Beyond 14 a few wrong passwords would hold a core. */
const highestCost = 14;

const string = (expected: string): z.ZodString => z.string({ error: expected }).min(1, { error: expected });
const pem = (what: string): z.ZodString => string(`${what} as PEM`);
const file = string('the path of a file');
const oneOf = <const Names extends readonly [string, ...string[]]>(names: Names) =>
  z.enum(names, { error: `one of ${names.join(', ')}` });

const tlsSchema = mapping({
  cert: pem('a certificate').optional(),
  key: pem('a private key').optional(),
  client_ca: pem('certificates of an authority').optional(),
  cert_file: file.optional(),
  key_file: file.optional(),
  client_ca_file: file.optional(),
  client_auth_type: oneOf(clientAuthTypes).prefault('NoClientCert'),
  client_allowed_sans: list(string('a name'), 'a list of names').prefault([]),
  min_version: oneOf(versionNames).prefault('TLS12'),
  max_version: oneOf(versionNames).prefault('TLS13'),
  cipher_suites: list(cipherSuite(), 'a list of cipher suites').prefault([]),
  prefer_server_cipher_suites: z.boolean({ error: 'true or false' }).prefault(true),
  curve_preferences: list(oneOf(curveNames), 'a list of curves').prefault([]),
});

export const webConfigSchema = mapping({
  tls_server_config: tlsSchema.optional(),
  http_server_config: settings({
    http2: z.boolean({ error: 'true or false' }).optional(),
    headers: settings({
      'Content-Security-Policy': headerValue().optional(),
      'X-Frame-Options': headerValue().optional(),
      'X-Content-Type-Options': headerValue().optional(),
      'X-XSS-Protection': headerValue().optional(),
      'Strict-Transport-Security': headerValue().optional(),
    }),
  }),
  basic_auth_users: z
    .record(userName(), bcryptHash(), { error: 'a mapping of user names to bcrypt hashes' })
    .prefault({}),
  rate_limit: mapping({ interval: goDuration(), burst: whole(1, 1_000_000, 'Requests at once.') }).optional(),
});

/** `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` to `ECDHE-RSA-AES128-GCM-SHA256`: the names of Go to those of OpenSSL. */
function cipherSuite() {
  return text('a cipher suite like TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', (given) => {
    // The suites of TLS 1.3 have one name everywhere.
    if (/^TLS_(AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256)$/.test(given)) return given;
    const match = /^TLS_(?:(ECDHE)_)?(RSA|ECDSA)_WITH_(\w+)$/.exec(given);
    const cipher = match?.[3]
      ?.replace(/^AES_(128|256)_CBC_(SHA\d*)$/, 'AES$1-$2')
      .replace(/^AES_(128|256)_GCM_(SHA\d+)$/, 'AES$1-GCM-$2')
      .replace(/^CHACHA20_POLY1305(_SHA256)?$/, 'CHACHA20-POLY1305');
    if (cipher === undefined || cipher.includes('_')) return undefined;
    return match?.[1] === undefined ? cipher : `ECDHE-${match[2]}-${cipher}`;
  });
}

function headerValue() {
  return text('the value of a header', (given) => (/^[\t\x20-\x7e]*$/.test(given) ? given : undefined));
}

function userName() {
  return text('a user name without a colon', (given) => (/^[^:\p{Cc}]+$/u.test(given) ? given : undefined));
}

/** The value is never repeated in a message: it is a secret. */
function bcryptHash() {
  const isHash = (given: unknown): boolean => {
    const cost = Number(/^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(String(given))?.[1]);
    return cost >= 4 && cost <= highestCost;
  };
  const error = `a bcrypt hash of cost 4 to ${highestCost} (htpasswd -nBC 10 "")`;
  return z
    .unknown()
    .refine(isHash, { error, params: { secret: true } })
    .transform(String);
}

/** Durations as Go writes them: `0`, `500ms`, `1s`, `1m30s`. */
function goDuration() {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  return z.union([z.literal(0), z.string()], { error: 'a duration like 500ms or 1s' }).transform((given, context) => {
    const parts = [...String(given).matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/gy)];
    const milliseconds = parts.reduce((sum, part) => sum + Number(part[1]) * (units[part[2] ?? ''] ?? 0), 0);
    if (parts.map((part) => part[0]).join('') === given || Number(given) === 0) return milliseconds;
    context.addIssue({ code: 'custom', message: 'a duration like 500ms or 1s', input: given });
    return z.NEVER;
  });
}

// ---------------------------------------------------------------------------------------------------------- loading

type Checked = z.output<typeof webConfigSchema>;
type CheckedTls = z.output<typeof tlsSchema>;

/** Reads the file and the certificates it names; paths in it are relative to it. Never throws. */
export async function loadWebConfig(name: string): Promise<LoadedWebConfig> {
  const read = await readYamlFile(name, webConfigSchema);
  if (!read.ok) return { ok: false, mistakes: read.mistakes, files: [name] };
  const given: Checked = read.checked;
  const seen = (path: string): string => (isAbsolute(path) ? path : join(dirname(name), path));
  const tls = given.tls_server_config;
  const named = [tls?.cert_file, tls?.key_file, tls?.client_ca_file].filter((path) => path !== undefined).map(seen);
  const files = [name, ...named];
  const loaded = tls && (await loadTls(tls, seen));
  if (loaded?.mistakes) {
    return { ok: false, mistakes: loaded.mistakes.map((mistake) => `${name}: tls_server_config: ${mistake}`), files };
  }
  const { interval, burst } = given.rate_limit ?? { interval: 0, burst: 1 };
  return {
    ok: true,
    config: {
      tls: loaded?.settings,
      users: new Map(Object.entries(given.basic_auth_users)),
      headers: given.http_server_config.headers as Record<string, string>,
      rateLimit: interval > 0 ? { intervalMs: interval, burst } : undefined,
      files,
      secretFiles: [
        ...(tls?.key !== undefined || Object.keys(given.basic_auth_users).length > 0 ? [name] : []),
        ...(tls?.key_file === undefined ? [] : [seen(tls.key_file)]),
      ],
    },
  };
}

type LoadedTls = { readonly settings?: TlsSettings; readonly mistakes?: readonly string[] };

async function loadTls(given: CheckedTls, seen: (path: string) => string): Promise<LoadedTls> {
  const mistakes: string[] = [];
  const content = async (key: 'cert' | 'key' | 'client_ca'): Promise<string | undefined> => {
    const path = given[`${key}_file`];
    if (path !== undefined && given[key] !== undefined) mistakes.push(`expected ${key} or ${key}_file, got both`);
    if (path === undefined) return given[key];
    try {
      return (await readPlainFile(seen(path))).toString('utf8');
    } catch (error) {
      mistakes.push(`${key}_file: expected a readable file, got ${(error as Error).message}`);
      return undefined;
    }
  };
  const [cert, key, ca] = [await content('cert'), await content('key'), await content('client_ca')];
  if (mistakes.length > 0) return { mistakes };
  const context: SecureContextOptions = {
    cert,
    key,
    ...(ca !== undefined && { ca }),
    minVersion: versions[given.min_version],
    maxVersion: versions[given.max_version],
    honorCipherOrder: given.prefer_server_cipher_suites,
    ...(given.cipher_suites.length > 0 && { ciphers: withTls13(given.cipher_suites) }),
    ...(given.curve_preferences.length > 0 && { ecdhCurve: given.curve_preferences.map((c) => curves[c]).join(':') }),
  };
  const wrong = mistakeIn(context, given);
  if (wrong !== undefined) return { mistakes: [wrong] };
  return {
    settings: { context, clientAuth: given.client_auth_type, clientAllowedSans: given.client_allowed_sans },
  };
}

/** The list is for versions up to TLS 1.2; those of TLS 1.3 are always on, as in Go. */
function withTls13(suites: readonly string[]): string {
  const always = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];
  return [...new Set([...always, ...suites])].join(':');
}

/** What no server could be started with, or what would let in more people than its author meant. */
function mistakeIn(context: SecureContextOptions, given: CheckedTls): string | undefined {
  const { client_auth_type: clientAuth, client_allowed_sans: sans } = given;
  if (context.cert === undefined) return 'expected cert_file, got nothing: the certificate of this server, PEM';
  if (context.key === undefined) return 'expected key_file, got nothing: the private key of the certificate, PEM';
  if (given.min_version > given.max_version)
    return `expected min_version up to max_version, got ${given.min_version} and ${given.max_version}`;
  if (clientAuth.includes('Verify') && context.ca === undefined)
    return `expected client_ca_file for client_auth_type ${clientAuth}, got nothing`;
  if (context.ca !== undefined && clientAuth === 'NoClientCert')
    return 'expected a client_auth_type with client_ca_file, got NoClientCert: nobody would be asked for a certificate';
  if (sans.length > 0 && !clientAuth.startsWith('Require'))
    return 'expected client_auth_type RequireAndVerifyClientCert with client_allowed_sans';
  try {
    new X509Certificate(context.cert as string);
    createSecureContext(context);
    return undefined;
  } catch (error) {
    return `expected a certificate, its own private key and known ciphers, got ${reasonOf(error)}`;
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return 'a key that belongs to another certificate';
  return message;
}

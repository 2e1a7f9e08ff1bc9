/** The schema of the web configuration file: every key of exporter-toolkit, with exactly the values that it accepts. */
import * as z from 'zod';
import { list, mapping, settings, text } from './forms.js';

// Keys, defaults and what is refused: docs/web-configuration.md and web/*.go of prometheus/exporter-toolkit. Every value
// comes as the text that stands in the file, for the toolkit takes `X-XSS-Protection: 1` and `http2: yes` as they are.

const clientAuthTypes = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
export type ClientAuthType = (typeof clientAuthTypes)[number];

const versionNames = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;
const curveNames = ['X25519', 'CurveP256', 'CurveP384', 'CurveP521'] as const;

/** Go's names of cipher suites to those of OpenSSL. Those of TLS 1.3 have one name everywhere. */
const cipherSuites: Readonly<Record<string, string>> = {
  TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
  ...Object.fromEntries(
    ['RSA', 'ECDSA'].flatMap((key) => [
      [`TLS_ECDHE_${key}_WITH_AES_128_CBC_SHA`, `ECDHE-${key}-AES128-SHA`],
      [`TLS_ECDHE_${key}_WITH_AES_256_CBC_SHA`, `ECDHE-${key}-AES256-SHA`],
      [`TLS_ECDHE_${key}_WITH_AES_128_GCM_SHA256`, `ECDHE-${key}-AES128-GCM-SHA256`],
      [`TLS_ECDHE_${key}_WITH_AES_256_GCM_SHA384`, `ECDHE-${key}-AES256-GCM-SHA384`],
      [`TLS_ECDHE_${key}_WITH_CHACHA20_POLY1305_SHA256`, `ECDHE-${key}-CHACHA20-POLY1305`],
    ]),
  ),
  // Known to toolkits that were built with Go before 1.22.
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
};

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
  client_auth_type: clientAuthType().optional(),
  client_allowed_sans: list(string('a name'), 'a list of names').optional(),
  min_version: oneOf(versionNames).prefault('TLS12'),
  max_version: oneOf(versionNames).prefault('TLS13'),
  cipher_suites: list(cipherSuite(), 'a list of cipher suites').prefault([]),
  prefer_server_cipher_suites: trueOrFalse().prefault('true'),
  curve_preferences: list(oneOf(curveNames), 'a list of curves').prefault([]),
});

export const webConfigSchema = mapping({
  tls_server_config: tlsSchema.optional(),
  http_server_config: settings({
    http2: trueOrFalse().prefault('true'),
    headers: settings({
      'Content-Security-Policy': headerValue().optional(),
      'X-Frame-Options': headerValue(['deny', 'sameorigin']).optional(),
      'X-Content-Type-Options': headerValue(['nosniff']).optional(),
      'X-XSS-Protection': headerValue().optional(),
      'Strict-Transport-Security': headerValue().optional(),
    }),
  }),
  basic_auth_users: z
    .record(z.string(), bcryptHash(), { error: 'a mapping of user names to bcrypt hashes' })
    .prefault({}),
  rate_limit: settings({ interval: goDuration().prefault('0'), burst: goInteger().prefault('0') }),
});

export type CheckedWebConfig = z.output<typeof webConfigSchema>;
export type CheckedTls = z.output<typeof tlsSchema>;

const sectionsWithBlanks: ReadonlySet<string> = new Set(['tls_server_config', 'http_server_config', 'rate_limit']);

/**
 * Without the keys that were left blank, which is as good as leaving them out (`cert_file:`, `""`, `~`, `null`). A blank
 * header takes ours away, and a blank hash is no hash: they stay.
 */
export function withoutBlanks(value: unknown): unknown {
  if (!isMapping(value)) return value;
  const kept = Object.entries(value).filter(([, each]) => !isBlank(each));
  return Object.fromEntries(kept.map(([key, each]) => [key, sectionsWithBlanks.has(key) ? withoutBlanks(each) : each]));
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isBlank(value: unknown): boolean {
  return value === null || (typeof value === 'string' && /^(|~|null|Null|NULL)$/.test(value));
}

function clientAuthType() {
  // The name that older toolkits had for it.
  const known = (given: string): string => (given === 'RequireClientCert' ? 'RequireAnyClientCert' : given);
  return text(`one of ${clientAuthTypes.join(', ')}`, (given) => clientAuthTypes.find((each) => each === known(given)));
}

function cipherSuite() {
  return text('a cipher suite like TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', (given) =>
    Object.hasOwn(cipherSuites, given) ? cipherSuites[given] : undefined,
  );
}

/** Over several lines it is one all the same, as Go sends it. @param values the only ones there are */
function headerValue(values?: readonly string[]) {
  const parse = (given: string): string | undefined => {
    const line = isBlank(given) ? '' : given.replace(/[\r\n]+/g, ' ').trim();
    if (values !== undefined && line !== '') return values.find((each) => each === given);
    return /^[\t\x20-\x7e]*$/.test(line) ? line : undefined;
  };
  return text(values === undefined ? 'the value of a header' : `one of ${values.join(', ')}`, parse);
}

/** The value is never repeated in a message: it is a secret. @returns it with the prefix that all implementations know */
function bcryptHash() {
  const form = /^\$2[^$]?(\$(\d\d)\$[./A-Za-z0-9]{53})$/;
  const isHash = (given: unknown): boolean => {
    const cost = Number(form.exec(String(given))?.[2]);
    return cost >= 4 && cost <= highestCost;
  };
  const error = `a bcrypt hash of cost 4 to ${highestCost} (htpasswd -nBC 10 "")`;
  return z
    .unknown()
    .refine(isHash, { error, params: { secret: true } })
    .transform((given) => String(given).replace(form, '$$2b$1'));
}

/** Booleans of YAML 1.1, which the toolkit reads. */
function trueOrFalse() {
  return text('true or false', (given) => {
    if (/^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(given)) return true;
    return /^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(given) ? false : undefined;
  });
}

function goInteger() {
  return text('a whole number', (given) =>
    /^[+-]?\d[\d_]{0,15}$/.test(given) ? Number(given.replaceAll('_', '')) : undefined,
  );
}

/** Durations as Go writes them, in milliseconds: `0`, `500ms`, `1s`, `1m30s`, `-1s`; a bare number counts nanoseconds. */
function goDuration() {
  const units: Readonly<Record<string, number>> = {
    ...{ ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3 },
    ...{ ms: 1, s: 1000, m: 60_000, h: 3_600_000 },
  };
  return text('a duration like 500ms or 1s', (given) => {
    if (/^[+-]?\d{1,19}$/.test(given)) return withinGo(Number(given) * 1e-6);
    const [, sign, length = ''] = /^([+-]?)(.*)$/s.exec(given) ?? [];
    const parts = [...length.matchAll(/(\d{1,19}(?:\.\d{0,19})?|\.\d{1,19})(ns|[uµμ]s|ms|s|m|h)/gy)];
    if (parts.length === 0 || parts.map((part) => part[0]).join('') !== length) return undefined;
    const sum = parts.reduce((so, part) => so + Number(part[1]) * (units[part[2] ?? ''] ?? 0), 0);
    return withinGo(sign === '-' ? -sum : sum);
  });
}

/** Go counts nanoseconds in 64 bits, some 292 years; what is longer it refuses. */
function withinGo(milliseconds: number): number | undefined {
  return Math.abs(milliseconds) < 2 ** 63 * 1e-6 ? milliseconds : undefined;
}

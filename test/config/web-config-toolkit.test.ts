/**
 * Every kind of web configuration that exporter-toolkit takes or refuses, and what becomes of it here. A taken one is
 * shown by the part of it that counts, a refused one by what its author is told.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthority } from '../../src/commands/demo/certificates.js';
import { loadWebConfig, type LoadedWebConfig } from '../../src/config/web-config.js';

const bcryptHash = '$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze';
const pair = 'cert_file: s.crt, key_file: s.key';
const tls = (more: string): string => `tls_server_config: { ${pair}, ${more} }`;
const headers = (more: string): string => `http_server_config: { headers: { ${more} } }`;

let folder: string;
const authority = createAuthority('Contoso Test CA');
const server = authority.issue(['exporter.contoso.example']);
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'send-connector-exporter-'));
  await writeFile(path.join(folder, 's.crt'), server.cert);
  await writeFile(path.join(folder, 's.key'), server.key);
  await writeFile(path.join(folder, 'ca.crt'), authority.cert);
  await writeFile(path.join(folder, 'words.txt'), 'no certificate\n');
});

afterAll(() => rm(folder, { recursive: true }));

async function load(yaml: string): Promise<LoadedWebConfig> {
  const file = path.join(folder, 'web.yml');
  await writeFile(file, yaml);
  return loadWebConfig(file);
}

const indented = (pem: string): string => pem.trim().replaceAll('\n', '\n    ');
const noTls = { tls: undefined };
const withTls = (clientAuth: string, context = {}): object => ({ tls: { clientAuth, context } });

const taken: readonly (readonly [what: string, yaml: string, expected: object, doubt?: string])[] = [
  // Sections and blanks
  ['an empty file', '', noTls],
  ...['null', '~', 'NULL', '# later\n', '---\n', '--- null\n...\n', '\ufeffnull'].map(
    (yaml) => [`a file of nothing but ${JSON.stringify(yaml)}`, yaml, noTls] as const,
  ),
  ['blank sections', 'tls_server_config:\nhttp_server_config:\nbasic_auth_users:\nrate_limit:\n', noTls],
  [
    'sections of braces',
    'tls_server_config: {}\nhttp_server_config: {}\nrate_limit: {}',
    noTls,
    'plain HTTP is served',
  ],
  [
    'a section with all its keys blank',
    'tls_server_config:\n  cert_file:\n  key_file: ""\n  client_auth_type: ~',
    noTls,
    'plain HTTP is served',
  ],
  ['TLS without a certificate or policy', 'tls_server_config: { min_version: TLS13 }', noTls, 'plain HTTP is served'],
  ['blank headers', 'http_server_config: { headers: }', { headers: {} }],
  ['merged keys', 'rate_limit: { <<: { interval: 1s }, burst: 2 }', { rateLimit: { intervalMs: 1000, burst: 2 } }],
  // Certificates
  ['certificate and key in files', tls(''), withTls('NoClientCert')],
  [
    'certificate, key and authority in the file itself',
    `tls_server_config:\n  cert: |\n    ${indented(server.cert)}\n  key: |\n    ${indented(server.key)}\n  client_ca: |\n    ${indented(authority.cert)}\n  client_auth_type: RequireAndVerifyClientCert`,
    withTls('RequireAndVerifyClientCert'),
  ],
  ['a certificate twice: the file counts', tls('cert: none'), withTls('NoClientCert'), 'cert_file goes before cert'],
  // Clients
  ['NoClientCert', tls('client_auth_type: NoClientCert'), withTls('NoClientCert')],
  ['RequestClientCert', tls('client_auth_type: RequestClientCert'), withTls('RequestClientCert')],
  ['RequireAnyClientCert', tls('client_auth_type: RequireAnyClientCert'), withTls('RequireAnyClientCert')],
  ['RequireClientCert of old', tls('client_auth_type: RequireClientCert'), withTls('RequireAnyClientCert')],
  [
    'VerifyClientCertIfGiven without an authority',
    tls('client_auth_type: VerifyClientCertIfGiven'),
    withTls('VerifyClientCertIfGiven'),
    'every authority that Node trusts',
  ],
  [
    'RequireAndVerifyClientCert without an authority',
    tls('client_auth_type: RequireAndVerifyClientCert'),
    withTls('RequireAndVerifyClientCert'),
    'every authority that Node trusts',
  ],
  [
    'names of any client',
    tls('client_auth_type: RequireAnyClientCert, client_allowed_sans: [a.example, "2001:db8::1"]'),
    { tls: { clientAllowedSans: ['a.example', '2001:db8::1'] } },
  ],
  [
    'no name at all',
    tls('client_auth_type: RequireAnyClientCert, client_allowed_sans: []'),
    { tls: { clientAllowedSans: [] } },
    'no client is let in',
  ],
  // Versions, ciphers, curves
  ['TLS 1.0', tls('min_version: TLS10'), withTls('NoClientCert', { minVersion: 'TLSv1' }), 'versions before TLS 1.2'],
  [
    'TLS 1.1 alone',
    tls('min_version: TLS11, max_version: TLS11'),
    withTls('NoClientCert', { maxVersion: 'TLSv1.1' }),
    'TLS11',
  ],
  ['TLS 1.3 alone', tls('min_version: TLS13'), withTls('NoClientCert', { minVersion: 'TLSv1.3' })],
  [
    'all ciphers',
    tls(`cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256,
      ${['RSA', 'ECDSA'].flatMap((key) => ['AES_128_CBC_SHA', 'AES_256_CBC_SHA', 'AES_128_GCM_SHA256', 'AES_256_GCM_SHA384', 'CHACHA20_POLY1305_SHA256'].map((cipher) => `TLS_ECDHE_${key}_WITH_${cipher}`)).join(', ')},
      TLS_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_256_CBC_SHA, TLS_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_256_GCM_SHA384]`),
    withTls('NoClientCert', {
      ciphers: expect.stringMatching(/^(TLS_\w+:){3}(ECDHE-[\w-]+:){10}AES[\w-]+(:AES[\w-]+){3}$/) as string,
    }),
  ],
  [
    'ciphers without those of HTTP/2, and HTTP/2 off',
    `${tls('cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA]')}\nhttp_server_config: { http2: no }`,
    withTls('NoClientCert'),
  ],
  [
    'ciphers without those of HTTP/2 for TLS 1.3',
    tls('min_version: TLS13, cipher_suites: [TLS_AES_128_GCM_SHA256]'),
    withTls('NoClientCert'),
  ],
  [
    'the order of the client',
    tls('prefer_server_cipher_suites: false'),
    withTls('NoClientCert', { honorCipherOrder: false }),
  ],
  [
    'true and false of YAML 1.1',
    tls('prefer_server_cipher_suites: Off'),
    withTls('NoClientCert', { honorCipherOrder: false }),
  ],
  [
    'all curves',
    tls('curve_preferences: [CurveP521, CurveP384, CurveP256, X25519]'),
    withTls('NoClientCert', { ecdhCurve: 'P-521:P-384:P-256:X25519' }),
  ],
  // Headers
  ['X-XSS-Protection as a number', headers('X-XSS-Protection: 1'), { headers: { 'X-XSS-Protection': '1' } }],
  ['X-XSS-Protection as zero', headers('X-XSS-Protection: 0'), { headers: { 'X-XSS-Protection': '0' } }],
  [
    'X-Frame-Options: sameorigin',
    headers('X-Frame-Options: sameorigin'),
    { headers: { 'X-Frame-Options': 'sameorigin' } },
  ],
  ['nosniff', headers('X-Content-Type-Options: nosniff'), { headers: { 'X-Content-Type-Options': 'nosniff' } }],
  [
    'a header over several lines',
    "http_server_config:\n  headers:\n    Content-Security-Policy: |\n      default-src 'self';\n      img-src *\n",
    { headers: { 'Content-Security-Policy': "default-src 'self'; img-src *" } },
  ],
  [
    'Strict-Transport-Security',
    headers('Strict-Transport-Security: max-age=3600'),
    { headers: { 'Strict-Transport-Security': 'max-age=3600' } },
  ],
  [
    'an authority in a file',
    tls('client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert'),
    withTls('RequireAndVerifyClientCert', { ca: expect.anything() as unknown }),
  ],
  ...['RequestClientCert', 'RequireClientCert', 'RequireAnyClientCert'].map(
    (policy) =>
      [
        `words for an authority that nothing is verified with, ${policy}`,
        tls(`client_ca_file: words.txt, client_auth_type: ${policy}`),
        withTls(policy === 'RequestClientCert' ? policy : 'RequireAnyClientCert'),
        'no certificate that can be read',
      ] as const,
  ),
  ['http2 on', 'http_server_config: { http2: true }', noTls],
  // Users
  ['no users', 'basic_auth_users: {}', { users: new Map() }],
  [
    'a user',
    `basic_auth_users: { alice: ${bcryptHash} }`,
    { users: new Map([['alice', bcryptHash.replace('$2y', '$2b')]]) },
  ],
  [
    'every form of a hash',
    `basic_auth_users: { a: ${bcryptHash.replace('2y', '2a')}, b: ${bcryptHash.replace('2y', '2b')}, c: ${bcryptHash.replace('2y', '2x')}, d: ${bcryptHash.replace('2y', '2')} }`,
    { users: new Map(['a', 'b', 'c', 'd'].map((name) => [name, bcryptHash.replace('$2y', '$2b')])) },
  ],
  ['a user with a number for a name', `basic_auth_users: { 42: ${bcryptHash} }`, { users: expect.any(Map) as object }],
  [
    'a user with a colon',
    `basic_auth_users: { "a:b": ${bcryptHash} }`,
    { users: expect.any(Map) as object },
    'nobody can log in',
  ],
  // Rate limit
  ['a limit', 'rate_limit: { interval: 1s, burst: 20 }', { rateLimit: { intervalMs: 1000, burst: 20 } }],
  ['a limit that is off', 'rate_limit: { interval: 0, burst: 20 }', { rateLimit: undefined }],
  ['a limit that is off, in seconds', 'rate_limit: { interval: 0s }', { rateLimit: undefined }],
  [
    'an interval below none, which the toolkit takes for no limit',
    'rate_limit: { interval: -1s, burst: 1 }',
    { rateLimit: undefined },
    'an interval below 0 sets no limit',
  ],
  [
    'a burst below none',
    'rate_limit: { interval: 1s, burst: -1 }',
    { rateLimit: { burst: -1 } },
    'every request is rejected',
  ],
  [
    'burst 0',
    'rate_limit: { interval: 1s, burst: 0 }',
    { rateLimit: { intervalMs: 1000, burst: 0 } },
    'every request is rejected',
  ],
  [
    'no burst',
    'rate_limit: { interval: 1s }',
    { rateLimit: { intervalMs: 1000, burst: 0 } },
    'every request is rejected',
  ],
  ['burst 0 of a limit that is off', 'rate_limit: { interval: 0, burst: 0 }', { rateLimit: undefined }],
  [
    'an interval in parts',
    'rate_limit: { interval: 1m1.5s, burst: 1 }',
    { rateLimit: { intervalMs: 61_500, burst: 1 } },
  ],
  [
    'an interval in microseconds',
    'rate_limit: { interval: 250us, burst: 1 }',
    { rateLimit: { intervalMs: 0.25, burst: 1 } },
  ],
  [
    'an interval in nanoseconds',
    'rate_limit: { interval: 2000000, burst: 1 }',
    { rateLimit: { intervalMs: 2, burst: 1 } },
  ],
];

const refused: readonly (readonly [what: string, yaml: string, told: string])[] = [
  // Form
  ['no mapping', 'just words', 'expected a mapping with the keys tls_server_config'],
  ['a list', '- tls_server_config', 'expected a mapping with the keys tls_server_config'],
  ['broken YAML', 'tls_server_config: [', 'web.yml:1:21: not readable as YAML'],
  ['a key twice', 'rate_limit: {}\nrate_limit: {}', 'web.yml:2:1: not readable as YAML'],
  ['an unknown section', 'tls_config: {}', 'the unknown key "tls_config"'],
  ['an unknown key', tls('cert_files: s.crt'), 'the unknown key "cert_files" (did you mean cert_file?)'],
  ['a section that is a word', 'tls_server_config: on', 'tls_server_config: expected a mapping'],
  // Certificates
  ['no certificate', 'tls_server_config: { key_file: s.key }', 'expected cert_file, got nothing'],
  ['a blank certificate', 'tls_server_config: { cert_file: "", key_file: s.key }', 'expected cert_file, got nothing'],
  ['no key', 'tls_server_config: { cert_file: s.crt }', 'expected key_file, got nothing'],
  [
    'blank certificate, key, and a policy',
    'tls_server_config: { cert: "", key: "", client_auth_type: RequestClientCert }',
    'expected cert_file',
  ],
  ['a policy alone', 'tls_server_config: { client_auth_type: NoClientCert }', 'expected cert_file, got nothing'],
  [
    'a certificate that is not there',
    'tls_server_config: { cert_file: no.crt, key_file: s.key }',
    'cert_file: expected a readable file, got ENOENT',
  ],
  [
    'a key that is not there',
    'tls_server_config: { cert_file: s.crt, key_file: no.key }',
    'key_file: expected a readable file, got ENOENT',
  ],
  [
    'words for a certificate',
    'tls_server_config: { cert_file: words.txt, key_file: s.key }',
    'expected a certificate as PEM in cert_file',
  ],
  [
    'words for a key',
    'tls_server_config: { cert_file: s.crt, key: words }',
    'expected a private key as PEM in key_file',
  ],
  // Clients
  ['an unknown policy', tls('client_auth_type: RequireAll'), 'expected one of NoClientCert, RequestClientCert'],
  ['an authority without a policy', tls('client_ca_file: ca.crt'), 'no client would be asked for a certificate'],
  [
    'an authority that is not there',
    tls('client_ca_file: no.crt, client_auth_type: RequireAndVerifyClientCert'),
    'client_ca_file: expected a readable file, got ENOENT',
  ],
  [
    'words for an authority',
    tls('client_ca_file: words.txt, client_auth_type: RequireAndVerifyClientCert'),
    'expected certificates of an authority as PEM',
  ],
  [
    'words for an authority of clients that need not show a certificate',
    tls('client_ca_file: words.txt, client_auth_type: VerifyClientCertIfGiven'),
    'expected certificates of an authority as PEM',
  ],
  ['a space before the value of a header', headers('X-Frame-Options: " deny"'), 'expected one of deny, sameorigin'],
  ['true in odd capitals', 'http_server_config: { http2: tRUE }', 'expected true or false'],
  [
    'names without a policy',
    tls('client_allowed_sans: [a.example]'),
    'expected client_auth_type RequireAndVerifyClientCert',
  ],
  [
    'names of clients that need not show any',
    tls('client_allowed_sans: [a], client_auth_type: VerifyClientCertIfGiven'),
    'expected client_auth_type RequireAndVerifyClientCert',
  ],
  ['no names without a policy', tls('client_allowed_sans: []'), 'expected client_auth_type RequireAndVerifyClientCert'],
  // Versions, ciphers, curves
  ['an invented version', tls('min_version: TLS111'), 'expected one of TLS10, TLS11, TLS12, TLS13, got "TLS111"'],
  [
    'an older version as the newest',
    tls('min_version: TLS13, max_version: TLS12'),
    'expected min_version up to max_version',
  ],
  ['an invented cipher', tls('cipher_suites: [TLS_RSA_WITH_AES_256_CBC_SHA2048]'), 'expected a cipher suite like'],
  ['a cipher that Go holds unsafe', tls('cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]'), 'expected a cipher suite like'],
  [
    'another such cipher',
    tls('cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256]'),
    'expected a cipher suite like',
  ],
  ['a name that every object has', tls('cipher_suites: [constructor]'), 'expected a cipher suite like'],
  [
    'ciphers without those of HTTP/2',
    tls('cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA]'),
    'expected a suite that HTTP/2 needs',
  ],
  ['an invented curve', tls('curve_preferences: [CurveP257]'), 'expected one of X25519, CurveP256'],
  ['a word for the order', tls('prefer_server_cipher_suites: maybe'), 'expected true or false, got "maybe"'],
  [
    'ciphers for another kind of certificate, without TLS 1.3',
    tls('max_version: TLS12, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]'),
    'got a handshake that fails: no shared cipher',
  ],
  // Headers
  [
    'X-Frame-Options: allowall',
    headers('X-Frame-Options: allowall'),
    'expected one of deny, sameorigin, got "allowall"',
  ],
  ['X-Frame-Options: DENY', headers('X-Frame-Options: DENY'), 'expected one of deny, sameorigin, got "DENY"'],
  ['X-Content-Type-Options: sniff', headers('X-Content-Type-Options: sniff'), 'expected one of nosniff, got "sniff"'],
  ['another header', headers('X-Test: 1'), 'the unknown key "X-Test"'],
  // Users
  ['users in a list', 'basic_auth_users: [alice]', 'expected a mapping of user names'],
  [
    'a password that is no hash',
    'basic_auth_users: { alice: secret-word }',
    'basic_auth_users.alice: expected a bcrypt hash',
  ],
  ['a blank password', 'basic_auth_users: { alice: }', 'basic_auth_users.alice: expected a bcrypt hash'],
  ['a hash of cost 3', `basic_auth_users: { alice: ${bcryptHash.replace('$10$', '$03$')} }`, 'of cost 4 to 14'],
  [
    'a hash of cost 15, which the toolkit takes',
    `basic_auth_users: { alice: ${bcryptHash.replace('$10$', '$15$')} }`,
    'of cost 4 to 14',
  ],
  ['a hash that is cut off', `basic_auth_users: { alice: ${bcryptHash.slice(0, -3)} }`, 'expected a bcrypt hash'],
  // Rate limit
  [
    'a word for the interval',
    'rate_limit: { interval: soon, burst: 1 }',
    'expected a duration like 500ms or 1s, got "soon"',
  ],
  ['an interval in days', 'rate_limit: { interval: 1d, burst: 1 }', 'expected a duration'],
  ['an interval of more than 292 years', 'rate_limit: { interval: 2562048h, burst: 1 }', 'expected a duration'],
  ['so many nanoseconds', 'rate_limit: { interval: 9999999999999999999, burst: 1 }', 'expected a duration'],
  ['a word for http2', 'http_server_config: { http2: maybe }', 'http2: expected true or false, got "maybe"'],
  ['an invented newest version', tls('max_version: TLS14'), 'max_version: expected one of TLS10, TLS11, TLS12, TLS13'],
  [
    'X-XSS-Protection with a zero byte',
    headers('X-XSS-Protection: "1\\0"'),
    'X-XSS-Protection: expected the value of a header',
  ],
  [
    'Strict-Transport-Security in letters beyond ASCII',
    headers('Strict-Transport-Security: "max-age=ä"'),
    'Strict-Transport-Security: expected the value of a header',
  ],
  [
    'Content-Security-Policy in letters beyond ASCII',
    headers('Content-Security-Policy: "ä"'),
    'Content-Security-Policy: expected the value of a header',
  ],
  [
    'a certificate that is words',
    'tls_server_config: { cert: words, key_file: s.key }',
    'expected a certificate as PEM in cert',
  ],
  [
    'an authority that is words',
    tls('client_ca: words, client_auth_type: RequireAndVerifyClientCert'),
    'expected certificates of an authority as PEM',
  ],
  ['a word for the burst', 'rate_limit: { interval: 1s, burst: many }', 'expected a whole number, got "many"'],
];

test.each(
  taken.map(([what, yaml, expected, doubt]) => ({ what, yaml, expected, doubts: doubt === undefined ? [] : [doubt] })),
)('2.2 taken: $what', async ({ yaml, expected, doubts }) => {
  const loaded = await load(yaml);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  expect(loaded.config).toMatchObject(expected);
  expect(loaded.config.doubts).toEqual(doubts.map((doubt) => expect.stringContaining(doubt) as string));
});

test.each(refused)('2.2 refused: %s', async (_what, yaml, told) => {
  const loaded = await load(yaml);
  expect(loaded).toMatchObject({ ok: false, mistakes: [expect.stringContaining(told)] });
  expect(JSON.stringify(loaded)).not.toContain('secret-word');
});

/** Every key of the toolkit's documentation (docs/web-configuration.md there), in its order. */
const documented = [
  ...['cert', 'key', 'client_ca', 'cert_file', 'key_file', 'client_auth_type', 'client_ca_file', 'client_allowed_sans'],
  ...['min_version', 'max_version', 'cipher_suites', 'prefer_server_cipher_suites', 'curve_preferences'],
  ...['http2', 'Content-Security-Policy', 'X-Frame-Options', 'X-Content-Type-Options', 'X-XSS-Protection'],
  ...['Strict-Transport-Security', 'basic_auth_users', 'interval', 'burst'],
];

test.each(documented)('2.2 every key of the toolkit stands in both tables and in the docs: %s', async (key) => {
  const holds = ([, yaml]: readonly [string, string, ...unknown[]]): boolean =>
    new RegExp(`(^|[\\s{,])${key}:`).test(yaml);
  expect(taken.some(holds)).toBe(true);
  expect(refused.some(holds)).toBe(true);
  const docs = await readFile(new URL('../../docs/web-configuration.md', import.meta.url), 'utf8');
  expect(docs).toMatch(new RegExp(`^\\|.*[\`.]${key}\``, 'm'));
});

test.each([
  ['UTF-16 of Windows', 'fffe', (text: string) => Buffer.from(text, 'utf16le')],
  ['UTF-16, big end first', 'feff', (text: string) => Buffer.from(text, 'utf16le').swap16()],
  ['UTF-8 with a byte order mark', 'efbbbf', (text: string) => Buffer.from(text)],
])('2.2 taken: a file in %s', async (_what, mark, encoded) => {
  const file = path.join(folder, 'encoded.yml');
  await writeFile(
    file,
    Buffer.concat([Buffer.from(mark, 'hex'), encoded(`basic_auth_users: { "é": ${bcryptHash} }\n`)]),
  );
  const loaded = await loadWebConfig(file);
  expect(loaded.ok && [...loaded.config.users.keys()]).toEqual(['é']);
});

test('a file that is not there is refused', async () => {
  const loaded = await loadWebConfig(path.join(folder, 'nowhere.yml'));
  expect(loaded).toMatchObject({ ok: false, mistakes: [expect.stringContaining('expected a readable YAML file')] });
});

/** The web configuration file: what is accepted, and a line with place and remedy for what is not. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createAuthority } from '../../src/commands/demo/certificates.js';
import { loadWebConfig } from '../../src/config/web-config.js';
import { temporaryFolder } from '../support/folder.js';

async function load(yaml: string) {
  const folder = await temporaryFolder();
  const { cert, key } = createAuthority('CA').issue(['a.example']);
  await writeFile(path.join(folder, 's.crt'), cert);
  await writeFile(path.join(folder, 's.key'), key);
  await writeFile(path.join(folder, 'web.yml'), yaml);
  const loaded = await loadWebConfig(path.join(folder, 'web.yml'));
  return loaded.ok ? loaded.config : loaded.mistakes.map((line) => line.replaceAll(`${folder}${path.sep}`, ''));
}

test('every key of exporter-toolkit is understood, with the names of Go', async () => {
  const config = await load(`
tls_server_config:
  cert_file: s.crt
  key_file: s.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: s.crt
  client_allowed_sans: [prometheus.example]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_RSA_WITH_AES_256_CBC_SHA]
  prefer_server_cipher_suites: false
  curve_preferences: [X25519, CurveP256]
http_server_config:
  http2: false
  headers: { X-Frame-Options: deny }
basic_auth_users:
  alice: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze
rate_limit: { interval: 1s500ms, burst: 20 }
`);
  expect(config).toMatchObject({
    tls: {
      clientAuth: 'RequireAndVerifyClientCert',
      clientAllowedSans: ['prometheus.example'],
      context: {
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.3',
        honorCipherOrder: false,
        ecdhCurve: 'X25519:P-256',
        ciphers:
          'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:AES256-SHA',
      },
    },
    headers: { 'X-Frame-Options': 'deny' },
    rateLimit: { intervalMs: 1500, burst: 20 },
  });
});

const pair = 'cert_file: s.crt, key_file: s.key';

test.each([
  ['# nothing', undefined],
  ['tls_server_config: { key_file: s.key }', 'web.yml: tls_server_config: expected cert_file, got nothing'],
  ['tls_server_config: { cert_file: s.crt }', 'web.yml: tls_server_config: expected key_file, got nothing'],
  ['tls_server_config: { cert_file: none.crt, key_file: s.key }', 'cert_file: expected a readable file, got ENOENT'],
  ['tls_server_config: { cert_file: s.key, key_file: s.key }', 'expected a certificate as PEM in cert_file, got none'],
  [`tls_server_config: { ${pair}, client_ca_file: s.crt }`, 'got NoClientCert: no client would be asked'],
  [`tls_server_config: { ${pair}, client_allowed_sans: [a] }`, 'RequireAndVerifyClientCert with client_allowed_sans'],
  [`tls_server_config: { ${pair}, min_version: TLS13, max_version: TLS12 }`, 'expected min_version up to max_version'],
  [
    `tls_server_config: { ${pair}, min_version: SSL30 }`,
    'web.yml:1: tls_server_config.min_version: expected one of TLS10',
  ],
  [`tls_server_config: { ${pair}, cipher_suites: [RC4] }`, 'expected a cipher suite like'],
  ['basic_auth_users: { alice: secret-word }', 'web.yml:1: basic_auth_users.alice: expected a bcrypt hash'],
  ['basic_auth_users: { alice: $2y$18$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze }', 'of cost 4 to 14'],
  ['http_server_config: { headers: { X-Powered-By: me } }', 'the unknown key "X-Powered-By"'],
  ['rate_limit: { interval: soon, burst: 1 }', 'expected a duration like 500ms or 1s, got "soon"'],
  ['basic_auth: {}', 'the unknown key "basic_auth"'],
])('%s', async (yaml, mistake) => {
  const loaded = await load(yaml);
  const told = JSON.stringify(loaded);
  if (mistake === undefined) expect(loaded).toMatchObject({ tls: undefined });
  else expect(loaded).toEqual([expect.stringContaining(mistake)]);
  expect(told).not.toContain('secret-word');
});

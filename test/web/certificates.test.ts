/** Certificates and keys of the web configuration: what is taken into force shakes hands, what would not is refused. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAuthority, type Certificate } from '../../src/commands/demo/certificates.js';
import { runTool } from '../support/promtool.js';
import { ask, authority, secured, tls } from './secured.js';

const day = 86_400_000;
const names = ['localhost', '127.0.0.1'];
const rsaAuthority = createAuthority('Contoso RSA CA', 'rsa');
const rsa = rsaAuthority.issue(names);
const ec = authority.issue(names);

const inForm = (pem: string, type: 'pkcs1' | 'sec1' | 'pkcs8', passphrase?: string): string =>
  createPrivateKey(pem)
    .export({
      type: type,
      format: 'pem',
      ...(passphrase !== undefined && { cipher: 'aes-256-cbc', passphrase }),
    })
    .toString();
const parametersOfP256 = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
const [leaf = '', root = ''] = ec.cert.split(/(?<=-----END CERTIFICATE-----\n)/);

describe('2.1 a pair that cannot shake hands', () => {
  test.each<[string, Certificate, string]>([
    [
      'a key of another type',
      { cert: rsa.cert, key: ec.key },
      'a key that belongs to another certificate (ec key, rsa certificate)',
    ],
    ['a key of another type, the other way', { cert: ec.cert, key: rsa.key }, '(rsa key, ec certificate)'],
    [
      'a key of the same type',
      { cert: ec.cert, key: authority.issue(names).key },
      'got a key that belongs to another certificate',
    ],
    ['an Ed25519 key', { cert: ec.cert, key: newEd25519() }, '(ed25519 key, ec certificate)'],
    [
      'the issuer before the certificate',
      { cert: root + leaf, key: ec.key },
      'got it at place 2: put it before those of its issuers',
    ],
    [
      'an encrypted PKCS#8 key',
      { cert: ec.cert, key: inForm(ec.key, 'pkcs8', 'secret-word') },
      'without a passphrase, got an encrypted one: openssl pkey',
    ],
    [
      'an encrypted PKCS#1 key',
      { cert: rsa.cert, key: inForm(rsa.key, 'pkcs1', 'secret-word') },
      'without a passphrase, got an encrypted one',
    ],
    [
      'a key that is cut off',
      { cert: ec.cert, key: ec.key.replace(/\n.{20}/, '\n') },
      'expected a private key as PEM in key_file, got one that cannot be read',
    ],
    [
      'a public key',
      { cert: ec.cert, key: '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n' },
      'expected a private key as PEM in key_file, got none',
    ],
    [
      'a certificate that is cut off',
      { cert: leaf.replace(/\n.{20}/, '\n'), key: ec.key },
      'expected certificates in cert_file, got one that cannot be read',
    ],
    [
      'a certificate without its end',
      { cert: leaf.slice(0, -40), key: ec.key },
      'expected certificates in cert_file, got one that cannot be read',
    ],
    ['an empty file', { cert: '', key: ec.key }, 'expected a certificate as PEM in cert_file, got none'],
  ])('%s: not at the start, and while running the last good pair stays', async (_what, pair, told) => {
    await expect(secured(tls, pair)).rejects.toThrow(told);
    const { port, access, writePair } = await secured(tls);
    await writePair(pair);
    expect(await access.reload()).toBe(false);
    expect(access.problem()).toContain(told);
    expect(access.problem()).not.toContain('secret-word');
    expect(await ask(port)).toBe(200);
  });
});

describe('a pair that can', () => {
  test.each<[string, Certificate]>([
    ['an RSA key, PKCS#1', { cert: rsa.cert, key: inForm(rsa.key, 'pkcs1') }],
    ['an RSA key, PKCS#8', { cert: rsa.cert, key: inForm(rsa.key, 'pkcs8') }],
    ['an EC key, SEC 1', { cert: ec.cert, key: inForm(ec.key, 'sec1') }],
    ['an EC key after its parameters', { cert: ec.cert, key: parametersOfP256 + inForm(ec.key, 'sec1') }],
    ['key and certificate in one file', { cert: ec.key + ec.cert, key: ec.key + ec.cert }],
    ['lines that end as on Windows', { cert: ec.cert.replaceAll('\n', '\r\n'), key: ec.key.replaceAll('\n', '\r\n') }],
    ['words between the certificates', { cert: `subject=localhost\n${leaf}issuer=\n${root}`, key: ec.key }],
    ['a certificate without its issuer', { cert: leaf, key: ec.key }],
  ])('%s', async (_what, pair) => {
    const { port, log } = await secured(tls, pair);
    expect(await ask(port, { ca: [authority.cert, rsaAuthority.cert] })).toBe(200);
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test.each<[string, Certificate, string]>([
    [
      'expired',
      authority.issue(names, { from: new Date(Date.now() - 9 * day), to: new Date(Date.now() - 2 * day) }),
      'the certificate expired on',
    ],
    [
      'not yet valid',
      authority.issue(names, { from: new Date(Date.now() + 2 * day) }),
      'the certificate is valid from',
    ],
    [
      'about to expire',
      authority.issue(names, { to: new Date(Date.now() + day / 2) }),
      'the certificate expires within a day',
    ],
    [
      'followed by the issuer of another',
      { cert: leaf + rsaAuthority.cert, key: ec.key },
      'the certificate was not issued by the next',
    ],
  ])('%s: taken, with a warning', async (_what, pair, told) => {
    const { port, log } = await secured(tls, pair);
    expect(await ask(port, { rejectUnauthorized: false })).toBe(200);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { doubt: expect.stringContaining(told) as string } }]);
  });
});

describe('2.2 settings of the toolkit have effect', () => {
  test('min_version TLS10 lets an old client in, and one of today', async () => {
    const { port } = await secured(
      'tls_server_config: { cert_file: server.crt, key_file: server.key, min_version: TLS10 }',
    );
    const old = { ciphers: 'DEFAULT@SECLEVEL=0' };
    expect(await ask(port, { ...old, minVersion: 'TLSv1', maxVersion: 'TLSv1' })).toBe(200);
    expect(await ask(port, { ...old, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' })).toBe(200);
    expect(await ask(port, { minVersion: 'TLSv1.3' })).toBe(200);
  });

  test('min_version TLS11 refuses TLS 1.0; max_version TLS12 is the newest', async () => {
    const { port } = await secured(
      'tls_server_config: { cert_file: server.crt, key_file: server.key, min_version: TLS11, max_version: TLS12 }',
    );
    const only = (version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
      ask(port, { ciphers: 'DEFAULT@SECLEVEL=0', minVersion: version, maxVersion: version });
    expect(await only('TLSv1')).toMatch(/alert protocol version/);
    expect([await only('TLSv1.1'), await only('TLSv1.2')]).toEqual([200, 200]);
    expect(await only('TLSv1.3')).toMatch(/alert protocol version/);
  });

  test('VerifyClientCertIfGiven without an authority: none is let in, a stranger’s is not', async () => {
    const { port } = await secured(
      'tls_server_config: { cert_file: server.crt, key_file: server.key, client_auth_type: VerifyClientCertIfGiven }',
    );
    expect(await ask(port)).toBe(200);
    expect(await ask(port, authority.issue(['x']))).toMatch(/ERR_SSL|ECONNRESET|EPIPE/);
  });

  test('RequireClientCert is RequireAnyClientCert', async () => {
    const { port } = await secured(
      'tls_server_config: { cert_file: server.crt, key_file: server.key, client_auth_type: RequireClientCert }',
    );
    expect(await ask(port)).toMatch(/ERR_SSL|ECONNRESET|EPIPE/);
    expect(await ask(port, createAuthority('Stranger CA').issue(['x']))).toBe(200);
  });

  test('client_allowed_sans holds addresses as Go writes them', async (context) => {
    const { port, folder } = await secured(
      'tls_server_config: { cert_file: server.crt, key_file: server.key, client_auth_type: RequireAnyClientCert, client_allowed_sans: ["2001:db8::25", 192.0.2.25] }',
    );
    const clientAt = async (address: string): Promise<Certificate> => {
      const [key, cert] = [path.join(folder, 'client.key'), path.join(folder, 'client.crt')];
      const asked = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert];
      const args = ['req', '-x509', ...asked, '-subj', '/CN=client', '-addext', `subjectAltName=IP:${address}`];
      expect(runTool(context, 'openssl', args).code).toBe(0);
      return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
    };
    expect(await ask(port, await clientAt('2001:db8:0:0::25'))).toBe(200);
    expect(await ask(port, await clientAt('192.0.2.25'))).toBe(200);
    expect(await ask(port, await clientAt('2001:db8::26'))).toMatch(/ERR_SSL|ECONNRESET|EPIPE/);
  });

  test('an empty list of names lets nobody in', async () => {
    const { port } = await secured(
      'tls_server_config: { cert_file: server.crt, key_file: server.key, client_auth_type: RequireAnyClientCert, client_allowed_sans: [] }',
    );
    expect(await ask(port, authority.issue(['x']))).toMatch(/ERR_SSL|ECONNRESET|EPIPE/);
  });

  test('an authority with a certificate that cannot be read beside a good one', async () => {
    const { port, folder, write, access, log } = await secured(tls);
    await writeFile(path.join(folder, 'ca.crt'), `${leaf.replace(/\n.{20}/, '\n')}${authority.cert}`);
    await write(
      'tls_server_config: { cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert }',
    );
    expect(await access.reload()).toBe(true);
    expect(await ask(port, authority.issue(['x']))).toBe(200);
    expect(await ask(port)).toMatch(/ERR_SSL|ECONNRESET|EPIPE/);
    expect(JSON.stringify(log.lines)).toContain('1 of its certificates cannot be read');
  });
});

function newEd25519(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

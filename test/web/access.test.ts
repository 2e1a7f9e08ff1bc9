/** TLS, client certificates, users and headers over real sockets: who is let in, who is not, and how it changes at run time. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createAuthority, selfSigned } from '../../src/commands/demo/certificates.js';
import { createHandshakes } from '../../src/model/handshakes.js';
import { createLogin } from '../../src/web/http/login.js';
import { createBucket } from '../../src/web/http/security.js';
import { silentLog } from '../support/log-double.js';
import { ask, authority, hash, secured, tls, users } from './secured.js';

const hour = 3_600_000;

describe('users', () => {
  test('no password, a wrong one, an unknown name and a broken header are refused; the right one is let in', async () => {
    const { web } = await secured(users);
    const status = async (authorization?: string) =>
      (await fetch(new URL('/metrics', web.url), { headers: authorization === undefined ? {} : { authorization } }))
        .status;
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(await status()).toBe(401);
    expect(await status(basic('prometheus:guess'))).toBe(401);
    expect(await status(basic('nobody:open sesame'))).toBe(401);
    expect(await status('Basic !!!')).toBe(401);
    expect(await status('Bearer open sesame')).toBe(401);
    expect(await status(basic(`prometheus:open sesame${' '.repeat(80)}`))).toBe(401);
    expect(await status(basic('prometheus:open sesame'))).toBe(200);
    for (const page of ['/', '/-/healthy', '/-/ready', '/api/v1/x', '/assets/x', '/nowhere'])
      expect((await fetch(new URL(page, web.url))).status, page).toBe(401);
  });

  test('an address that guesses has to wait, while a login known already goes on being let in', async () => {
    let now = 0;
    const login = createLogin({ users: () => new Map([['prometheus', hash]]), now: () => now });
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    const judge = async (text: string, address = '127.0.0.1') => (await login.judge(basic(text), address)).kind;
    expect(await judge('prometheus:open sesame')).toBe('admitted');
    for (let guess = 0; guess < 10; guess++) expect(await judge(`prometheus:${guess}`)).toBe('unauthorized');
    expect(await login.judge(basic('prometheus:11'), '127.0.0.1')).toEqual({ kind: 'wait', seconds: 6 });
    expect(await judge('prometheus:open sesame')).toBe('admitted');
    expect(await judge('prometheus:other', '127.0.0.2')).toBe('unauthorized');
    now += 6000;
    expect(await judge('prometheus:12')).toBe('unauthorized');
    expect(await judge('prometheus:13')).toBe('wait');
  });

  test('a hundred guesses at once are not all checked', async () => {
    const login = createLogin({ users: () => new Map([['prometheus', hash]]), now: () => 0 });
    const verdicts = await Promise.all(
      Array.from({ length: 100 }, (_, each) =>
        login.judge(`Basic ${Buffer.from(`prometheus:${each}`).toString('base64')}`, `127.0.1.${each}`),
      ),
    );
    expect(verdicts.filter(({ kind }) => kind === 'unauthorized')).toHaveLength(16);
    expect(verdicts.filter(({ kind }) => kind === 'wait')).toHaveLength(84);
  });

  test('a user who is removed is out at once, also with a login known already', async () => {
    const { web, write, access } = await secured(users);
    const headers = { authorization: `Basic ${Buffer.from('prometheus:open sesame').toString('base64')}` };
    const status = async () => (await fetch(new URL('/metrics', web.url), { headers })).status;
    expect(await status()).toBe(200);
    await write(`basic_auth_users: { other: "${hash}" }`);
    await access.reload();
    expect(await status()).toBe(401);
  });
});

describe('TLS', () => {
  test('serves with the certificate of the file; versions before 1.2 are refused', async () => {
    const { port, web } = await secured(tls);
    expect(web.url).toBe(`https://127.0.0.1:${port}`);
    expect(await ask(port)).toBe(200);
    expect(await ask(port, { maxVersion: 'TLSv1.2' })).toBe(200);
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await ask(port, old)).toMatch(/alert protocol version/);
  });

  test('a client certificate: ours is let in; none, an expired one, a stranger’s and another name are not', async () => {
    const handshakes = createHandshakes('web', silentLog);
    const { port } = await secured(
      `tls_server_config: { cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt,
         client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: [prometheus.contoso.example] }`,
      undefined,
      { handshakes },
    );
    const past = { from: new Date(Date.now() - 48 * hour), to: new Date(Date.now() - 24 * hour) };
    const mine = authority.issue(['prometheus.contoso.example']);
    expect(await ask(port, mine)).toBe(200);
    for (const [why, client] of Object.entries({
      none: {},
      expired: authority.issue(['prometheus.contoso.example'], past),
      stranger: createAuthority('Stranger CA').issue(['prometheus.contoso.example']),
      'self-signed': selfSigned(['prometheus.contoso.example']),
      'another name': authority.issue(['alice.contoso.example']),
    }))
      expect(await ask(port, client), why).toMatch(/ERR_SSL|ECONNRESET|EPIPE/);
    expect(await ask(port, mine)).toBe(200);
    const failed = Object.entries(handshakes.counts() ?? {}).filter(([, count]) => count > 0);
    expect(failed).toEqual([
      ['no_client_certificate', 1],
      ['unknown_authority', 2],
      ['expired', 1],
      ['name_not_allowed', 1],
    ]);
  });

  test.each([
    ['RequestClientCert', { none: 200, stranger: 200 }, {}],
    ['RequireAnyClientCert', { none: 'refused', stranger: 200 }, { no_client_certificate: 1 }],
    ['VerifyClientCertIfGiven', { none: 200, stranger: 'refused' }, { unknown_authority: 1 }],
  ])('client_auth_type %s', async (type, expected, failures) => {
    const handshakes = createHandshakes('web', silentLog);
    const { port } = await secured(
      `tls_server_config: { cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt, client_auth_type: ${type} }`,
      undefined,
      { handshakes },
    );
    const stranger = createAuthority('Stranger CA').issue(['prometheus.contoso.example']);
    const seen = async (client: object) => {
      const answer = await ask(port, client);
      return typeof answer === 'number' ? answer : 'refused';
    };
    expect({ none: await seen({}), stranger: await seen(stranger) }).toEqual(expected);
    expect(await seen(authority.issue(['x']))).toBe(200);
    expect(handshakes.counts()).toMatchObject(failures);
  });

  test('a certificate is rotated while it is scraped: no scrape fails, open connections stay', async () => {
    const { port, writePair, access } = await secured(tls + users);
    const headers = { authorization: `Basic ${Buffer.from('prometheus:open sesame').toString('base64')}` };
    const answers: (number | string)[] = [];
    const rotated = { done: false };
    const scraping = (async () => {
      while (!rotated.done) answers.push(await ask(port, { headers }));
    })();
    const serials = new Set<string>();
    for (let turn = 0; turn < 5; turn++) {
      await writePair(authority.issue(['localhost', '127.0.0.1']));
      expect(await access.reload()).toBe(true);
      const socket = connectSecurely({ host: '127.0.0.1', servername: 'localhost', port, ca: authority.cert });
      await once(socket, 'secureConnect');
      serials.add(socket.getPeerCertificate().serialNumber);
      socket.destroy();
      await vi.waitFor(() => {
        expect(answers.length).toBeGreaterThan(turn * 3);
      }, 20_000);
    }
    rotated.done = true;
    await scraping;
    expect(serials.size).toBe(5);
    expect(new Set(answers)).toEqual(new Set([200]));
  });

  test('TLS and the kind of client check are changed over on the same port', async () => {
    const { port, write, access, web } = await secured('');
    const plain = async () => (await fetch(`http://127.0.0.1:${port}/-/healthy`)).status;
    expect(await plain()).toBe(200);
    await write(tls);
    expect(await access.reload()).toBe(true);
    expect(await ask(port)).toBe(200);
    expect(await plain()).toBe(400);
    await write(
      'tls_server_config: { cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert }',
    );
    await access.reload();
    expect(await ask(port)).toMatch(/ERR_SSL|ECONNRESET/);
    expect(await ask(port, authority.issue(['x']))).toBe(200);
    await write('');
    await access.reload();
    expect(await plain()).toBe(200);
    expect(web.url).toContain(String(port));
  });
});

describe('changes of the file', () => {
  test('a wrong file, or a key that does not fit yet, keeps the last good one and is told once', async () => {
    const { port, writePair, write, access, log, folder } = await secured(tls);
    await writeFile(path.join(folder, 'server.key'), authority.issue(['x']).key);
    expect(await access.reload()).toBe(false);
    expect(await access.reload()).toBe(false);
    expect(access.problem()).toContain('a key that belongs to another certificate');
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(await ask(port)).toBe(200);
    await write('tls_server_config: [');
    expect(await access.reload()).toBe(false);
    expect(access.problem()).toContain('web.yml:1');
    expect(await ask(port)).toBe(200);
    await write(tls);
    await writePair(authority.issue(['localhost', '127.0.0.1']));
    expect(await access.reload()).toBe(true);
    expect(access.problem()).toBeUndefined();
  });

  test('is noticed without being asked', async () => {
    const { write, web } = await secured('');
    expect((await fetch(new URL('/-/healthy', web.url))).status).toBe(200);
    await write(users);
    await vi.waitFor(async () => {
      expect((await fetch(new URL('/-/healthy', web.url))).status).toBe(401);
    }, 20_000);
  });

  test('headers of the file go over ours; an empty one takes ours away', async () => {
    const { web } = await secured(
      `http_server_config: { headers: { Strict-Transport-Security: max-age=60, X-Frame-Options: "" } }`,
    );
    const { headers } = await fetch(new URL('/', web.url));
    expect(headers.get('strict-transport-security')).toBe('max-age=60');
    expect(headers.get('x-frame-options')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('rate_limit: beyond the burst 429, later let in again', () => {
    let now = 0;
    const take = createBucket(() => now);
    const limit = { intervalMs: 1000, burst: 3 };
    expect([take(limit), take(limit), take(limit), take(limit)]).toEqual([0, 0, 0, 1000]);
    now = 1000;
    expect([take(limit), take(limit)]).toEqual([0, 1000]);
  });
});

test('a thousand idle connections from one network and slow headers from it: another network is still served', async () => {
  const { web, port } = await secured('');
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const closed = { count: 0 };
  await Promise.all(
    Array.from({ length: 1000 }, async (_, each) => {
      const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.1.${1 + (each % 200)}` });
      sockets.push(socket);
      socket
        .resume()
        .on('error', () => undefined)
        .on('close', () => (closed.count += 1));
      await once(socket, 'connect');
      // Every other one begins a request and never ends it.
      if (each % 2 === 0) socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    }),
  );
  await vi.waitFor(() => {
    expect(closed.count).toBeGreaterThanOrEqual(744);
  }, 20_000);
  expect((await fetch(new URL('/metrics', web.url))).status).toBe(200);
  // Those that were let in are ended too when their time for the headers is over.
  await vi.waitFor(() => {
    expect(closed.count).toBe(1000);
  }, 28_000);
});

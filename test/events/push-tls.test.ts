/** Sources that listen over TLS: whose certificate lets in, and how handshakes that fail are counted and told. */
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectSecurely } from 'node:tls';
import { request } from 'node:https';
import { describe, expect, test, vi } from 'vitest';
import { createHandshakes, handshakeFailureOf, handshakeFailures } from '../../src/model/handshakes.js';
import { authorityOf, certificateOf } from '../support/certificate-maker.js';
import { temporaryFolder } from '../support/folder.js';
import { keepingLog } from '../support/log-double.js';
import { errorsOf, receive } from '../support/receiving.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

const [ours, theirs] = [authorityOf('Ours'), authorityOf('Theirs')];
const own = certificateOf({ subject: 'localhost', names: ['localhost'], issuer: ours, purpose: 'server' });
const client = { subject: 'exch01.contoso.local', purpose: 'client' } as const;
const known = certificateOf({ ...client, issuer: ours });

/** Settings of a source that asks for certificates of our authority. */
const settings = {
  http: async () => {
    const folder = await filesIn();
    const webConfigFile = join(folder, 'web.yml');
    const tls =
      '{ cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert }';
    await fs.writeFile(webConfigFile, `tls_server_config: ${tls}\n`);
    return { type: 'http', listenAddress: ':0', webConfigFile };
  },
  lumberjack: async () => {
    const folder = await filesIn();
    const [cert, key, clientCa] = ['cert.pem', 'key.pem', 'ca.pem'].map((name) => join(folder, name));
    return { type: 'lumberjack', listenAddress: '127.0.0.1:0', tls: { cert, key, clientCa } };
  },
};

async function filesIn(): Promise<string> {
  const folder = await temporaryFolder();
  await fs.writeFile(join(folder, 'cert.pem'), own.cert);
  await fs.writeFile(join(folder, 'key.pem'), own.key);
  await fs.writeFile(join(folder, 'ca.pem'), ours.pem);
  return folder;
}

const secure = (options: ConnectionOptions) => (port: number) =>
  connectSecurely({ port, host: '127.0.0.1', servername: 'localhost', ca: ours.pem, ...options });
const plain = (bytes: string) => (port: number) => {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return socket;
};
const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;

/** Clients that do not get in, and why. */
const strangers: readonly (readonly [string, (port: number) => Socket])[] = [
  ['no_client_certificate', secure({})],
  ['no_client_certificate', secure({ maxVersion: 'TLSv1.2' })],
  ['unknown_authority', secure(certificateOf({ ...client, issuer: theirs }))],
  ['unknown_authority', secure({ ...certificateOf({ ...client, issuer: theirs }), maxVersion: 'TLSv1.2' })],
  ['unknown_authority', secure(certificateOf(client))],
  ['expired', secure(certificateOf({ ...client, issuer: ours, from: -9, to: -2 }))],
  ['other', secure(certificateOf({ ...client, issuer: ours, purpose: 'server' }))],
  ['protocol_version', secure({ ...known, ...old })],
  ['plain_text', plain('POST /ingest HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')],
  ['plain_text', plain('2W\0\0\0\x01')],
];

test('whoever leaves before the handshake, as a health check does, is let go of at once', async () => {
  const { port } = await receive([await settings.lumberjack()]);
  const left = [0, 1, 2].map(async () => {
    const socket = connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true });
    socket.end();
    socket.resume();
    await once(socket, 'end');
    socket.destroy();
  });
  await Promise.all(left);
  // Long before the handshake is out of time.
}, 5_000);

describe.each(['http', 'lumberjack'] as const)('type: %s', (type) => {
  test('whoever has no certificate of our authority does not get in; each is counted and told by its reason', async () => {
    const { followed, logged, port, ledger } = await receive([await settings[type]()]);
    expect(Object.values(followed.statuses()[0]?.handshakes ?? {})).toEqual(handshakeFailures.map(() => 0));
    for (const [, knock] of strangers) {
      const socket = knock(port()).on('error', () => undefined);
      socket.write('x');
      await new Promise((resolve) => socket.resume().once('close', resolve));
    }
    const wanted = Object.fromEntries(
      handshakeFailures.map((each) => [each, strangers.filter(([reason]) => reason === each).length]),
    );
    await vi.waitFor(() => {
      expect(followed.statuses()[0]?.handshakes).toEqual(wanted);
    });
    expect(logged()).toContain('"client":"127.0.0.1","reason":"unknown_authority"');
    expect(logged()).toContain('the handshake failed: INVALID_PURPOSE');
    expect(ledger.rows()).toEqual([]);
  });
});

test('type: http takes records from a certificate of our authority', async () => {
  const { ledger, port } = await receive([await settings.http()]);
  const status = await new Promise((resolve, reject) => {
    const to = { host: '127.0.0.1', servername: 'localhost', port: port(), path: '/ingest', method: 'POST' };
    request({ ...to, ca: ours.pem, agent: false, ...known }, (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode);
      });
    })
      .on('error', reject)
      .end(winlogbeatLine({ recordId: 1 }));
  });
  expect([status, errorsOf(ledger)]).toEqual([200, 1]);
});

describe('failures by what Node says of them', () => {
  test.each([
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'not_trusted'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'not_trusted'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'not_trusted'],
    ['ERR_SSL_NO_SHARED_CIPHER', 'protocol_version'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'protocol_version'],
    ['ERR_SSL_HTTPS_PROXY_REQUEST', 'plain_text'],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'gone'],
    ['ECONNRESET', 'gone'],
    ['ERR_SSL_BAD_EXTENSION', 'other'],
  ])('%s is %s', (code, failure) => {
    expect(handshakeFailureOf({ error: Object.assign(new Error('x'), { code }) })).toBe(failure);
  });

  test('of many clients so many are named in the log within a minute', () => {
    const log = keepingLog();
    let now = 0;
    const handshakes = createHandshakes('web', log, () => now);
    for (let each = 0; each < 100; each++) handshakes.refused('plain_text', `192.0.2.${each}`);
    const named = (): Set<unknown> => new Set(log.lines.map(({ fields }) => (fields as { client: string }).client));
    expect(named().size).toBe(17);
    now = 60_001;
    handshakes.refused('plain_text', '192.0.2.99');
    expect(named()).toContain('192.0.2.99');
    expect(handshakes.counts()).toBeUndefined();
    handshakes.expected();
    expect(handshakes.counts()).toMatchObject({ plain_text: 101, gone: 0 });
  });
});

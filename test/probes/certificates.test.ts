import { once } from 'node:events';
import tls from 'node:tls';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { createAuthority, type Certificate } from '../../src/commands/demo/certificates.js';
import { healthy } from '../../src/commands/demo/smtp-servers.js';
import type { SmtpServer } from '../../src/commands/demo/smtp-talk.js';
import type { ProbeResult } from '../../src/model/probes.js';
import { leafOfSession } from '../../src/probes/certificates.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber } from '../../src/probes/visit.js';
import { targetOf } from '../../src/probes/targets.js';
import { authorityOf, certificateOf, newKeys } from '../support/certificate-maker.js';

const day = 86_400_000;
const names = ['mail.contoso.example'];
const inDays = (days: number): Date => new Date(Date.now() + days * day);
/** Its own certificate ends in 90 days. */
const authority = createAuthority('Contoso Test CA');

const stranger = createAuthority('Fabrikam Test CA').cert;

function leafAloneOf({ cert, key }: Certificate): Certificate {
  return { cert: cert.slice(0, cert.indexOf('-----BEGIN', 1)), key };
}

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

describe('of servers that are visited again and again', () => {
  let time = 0;
  const policy = createPolicy({ allow: ['127.0.0.0/8'], ports: ['1-65535'] });

  type Shown = { readonly certificate: Certificate; readonly at: number; readonly address?: string };

  /** Visits servers that show one certificate after another, at each address on the same port. */
  async function visits(shown: readonly Shown[], extraCa = authority.cert) {
    const prober = createProber({ policy, extraCa, ehloName: 'probe.contoso.example', now: () => time });
    const facts: ProbeResult['facts'][] = [];
    let port = 0;
    for (const { certificate, at, address = '127.0.0.1' } of shown) {
      const server: SmtpServer = await healthy({ certificate, address, port });
      port = server.port;
      time = at;
      const [result] = await prober.visit(targetOf(server.destination, 'configured')!, new AbortController().signal);
      expect(result).toMatchObject({ success: true });
      expect(result?.warning?.reason).toBe(extraCa === stranger ? 'certificate_untrusted' : undefined);
      facts.push(result!.facts);
      await server.close();
    }
    return facts.map(({ leafExpiresAt, certificateExpiresAt }) =>
      [leafExpiresAt, certificateExpiresAt].map((end) => Math.round((end! - Date.now()) / day)),
    );
  }

  test('a new leaf is seen at once', async () => {
    const [first, second] = [30, 60].map((days) => authority.issue(names, { to: inDays(days) }));
    const seen = await visits([
      { certificate: first!, at: 0 },
      { certificate: first!, at: 1000 },
      { certificate: second!, at: 2000 },
      { certificate: first!, at: 3000 },
    ]);
    expect(seen).toEqual([
      [30, 30],
      [30, 30],
      [60, 60],
      [30, 30],
    ]);
  });

  /** One key and one name between root and leaf, under certificates that end in 50 and in 80 days. */
  const root = authorityOf('Contoso Root', { to: 300 });
  const keys = newKeys();
  const [in50, in80] = [50, 80].map((to) => authorityOf('Contoso Issuing CA', { issuer: root, keys, to }).pem);
  const leaf = certificateOf({ subject: names[0]!, names, issuer: { name: 'Contoso Issuing CA', keys }, to: 200 });
  const under = (middle: string | undefined): Certificate => ({ cert: leaf.cert + (middle ?? ''), key: leaf.key });

  test('another server with the same leaf has a chain of its own', async () => {
    const shown = [
      { certificate: under(in50), at: 0 },
      { certificate: under(in80), at: 1000, address: '127.0.0.2' },
      { certificate: under(in50), at: 2000 },
    ];
    expect(await visits(shown, root.pem)).toEqual([
      [200, 50],
      [200, 80],
      [200, 50],
    ]);
  });

  test('a chain of which OpenSSL thinks otherwise is seen at once', async () => {
    const whole = authority.issue(names, { to: inDays(200) });
    const shown = [
      { certificate: whole, at: 0 },
      { certificate: leafAloneOf(whole), at: 1000 },
    ];
    expect(await visits(shown, stranger)).toEqual([
      [200, 90],
      [200, 200],
    ]);
  });

  test('a new chain under the same leaf is seen after ten minutes, also when the clock was set back', async () => {
    const minutes = (count: number): number => count * 60_000;
    const shown = [
      { certificate: under(in50), at: minutes(100) },
      { certificate: under(in80), at: minutes(109) },
      { certificate: under(in80), at: minutes(110) },
      { certificate: under(in50), at: minutes(50) },
    ];
    expect(await visits(shown, root.pem)).toEqual([
      [200, 50],
      [200, 50],
      [200, 80],
      [200, 50],
    ]);
  });
});

describe('the leaf in a session', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('is the one that was shown, in %s', async (version) => {
    for (const keyType of ['ec', 'rsa'] as const) {
      const issued = createAuthority('Contoso Test CA', keyType).issue(names);
      const server = tls.createServer({ ...issued, minVersion: version, maxVersion: version }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      open.push(async () => {
        socket.destroy();
        server.close();
        await once(server, 'close');
      });
      expect(socket.getProtocol()).toBe(version);
      expect(leafOfSession(socket.getSession())).toEqual(socket.getPeerX509Certificate()?.raw);
    }
  });

  test('is the element with the tag 3, and nothing else in whatever bytes there are', () => {
    expect(leafOfSession(Buffer.from('3006020101a30101', 'hex'))).toEqual(Buffer.from('01', 'hex'));
    const forHost = Buffer.concat([Buffer.from('\0words\0\0\x090.0.0.0.0'), Buffer.from('3006020101a30101', 'hex')]);
    expect(leafOfSession(forHost)).toEqual(Buffer.from('01', 'hex'));
    expect(leafOfSession(Buffer.from('3006020101a40101', 'hex'))).toBeUndefined();
    expect(leafOfSession(Buffer.from('30050203a30101', 'hex'))).toBeUndefined();
    expect(leafOfSession(undefined)).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const leaf = leafOfSession(Buffer.from(bytes));
        if (leaf) expect(leaf.length).toBeLessThan(bytes.length);
      }),
    );
  });
});

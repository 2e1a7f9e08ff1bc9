/** Servers of every kind, as two connectors find them: one without a rule for TLS, one that checks the certificate. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../../src/model/probes.js';
import type { TargetSettings } from '../../src/model/connectors.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber } from '../../src/probes/visit.js';
import { targetOf } from '../../src/probes/targets.js';
import { certificateOf } from '../support/certificate-maker.js';
import { playScript } from './scripted-server.js';
import { answersToEhlo, answersToStartTls, greetings } from './servers/before-tls.js';
import { goodCertificate, trusted } from './servers/certificates.js';
import { row, scriptOf, type Row } from './servers/talk.js';
import { handshakes, insideTls, shownCertificates } from './servers/with-tls.js';

const prober = createProber({
  policy: createPolicy({ allow: ['127.0.0.0/8'], ports: ['1-65535'] }),
  ehloName: 'probe.contoso.example',
  extraCa: trusted,
  limits: { connectMs: 5000, bannerMs: 1500, replyMs: 3000, quitMs: 1500 },
});
const open: TargetSettings = { tlsDomain: 'mail.contoso.example' };
const strict: TargetSettings = { ...open, requireTls: true, tlsAuthLevel: 'DomainValidation' };

async function visit({ talk, name }: Row, asked: TargetSettings): Promise<ProbeResult> {
  const settings = name === undefined ? asked : { ...asked, tlsDomain: name };
  const server = await playScript(scriptOf(talk));
  try {
    const target = { ...targetOf(server.destination, 'configured')!, settings };
    return (await prober.visit(target, new AbortController().signal))[0]!;
  } finally {
    await server.close();
  }
}

function outcomeOf({ success, failedStep, reason, warning }: ProbeResult): string {
  if (!success) return `fails ${failedStep} ${reason}`;
  return warning ? `warns ${warning.step} ${warning.reason}` : 'passes';
}

/** Several at a time: most of them wait for something. */
async function visitAll(rows: readonly Row[]): Promise<readonly (readonly [ProbeResult, ProbeResult])[]> {
  const results: [ProbeResult, ProbeResult][] = [];
  for (let first = 0; first < rows.length; first += 8) {
    const some = rows.slice(first, first + 8);
    results.push(...(await Promise.all(some.map((row) => Promise.all([visit(row, open), visit(row, strict)])))));
  }
  return results;
}

const tables = {
  greetings: greetings,
  'answers to EHLO': answersToEhlo,
  'answers to STARTTLS': answersToStartTls,
  handshakes: handshakes,
  certificates: shownCertificates,
  'inside TLS': insideTls,
};

describe('1.1 to 1.8: 108 servers and more: step, reason and warning of each', () => {
  it.each(Object.entries(tables))(
    '%s',
    async (_table, rows) => {
      const results = await visitAll(rows);
      expect(
        Object.fromEntries(results.map(([a, b], at) => [rows[at]?.what, `${outcomeOf(a)} | ${outcomeOf(b)}`])),
      ).toEqual(Object.fromEntries(rows.map((row) => [row.what, `${row.open} | ${row.strict}`])));
      const unsaid = rows.flatMap(({ what, says }, at) => {
        const details = results[at]?.map(
          ({ steps }) => steps.find(({ outcome }) => outcome === 'failed')?.detail ?? '',
        );
        return says && !details?.every((detail) => says.test(detail)) ? [{ what, details }] : [];
      });
      expect(unsaid).toEqual([]);
    },
    120_000,
  );

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a reply inside TLS that comes before our EHLO is no answer to it (%s)',
    async (version) => {
      const talk = { early: '250 early\r\n', tls: { minVersion: version, maxVersion: version } };
      const results = await Promise.all([open, strict].map((settings) => visit(row('early', talk, ''), settings)));
      // Which step meets the reply too many is a matter of timing; that the visit fails for it is not.
      expect(results.map(outcomeOf)).toEqual(
        [0, 1].map(() => expect.stringMatching(/^fails (ehlo_tls|quit) not_smtp$/) as string),
      );
    },
    20_000,
  );

  it('are more than 108', () => {
    expect(Object.values(tables).flat().length).toBeGreaterThanOrEqual(108);
  });
});

/** A server that is TLS from the first byte, or behind STARTTLS, and the name that it was asked for (SNI). */
async function tlsServer(port = 0): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = tls.createServer(goodCertificate, (socket) => {
    socket.on('error', () => undefined).write('220 mail.contoso.example ESMTP\r\n');
  });
  server.on('tlsClientError', () => undefined).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

describe('1.8 and 1.6: what is said of TLS', () => {
  const quick = createProber({
    policy: createPolicy({ allow: ['127.0.0.0/8'], ports: ['1-65535'] }),
    ehloName: 'probe.contoso.example',
    extraCa: trusted,
    limits: { bannerMs: 300, quitMs: 3000 },
  });
  const look = async (port: number): Promise<ProbeResult> =>
    (await quick.visit(targetOf(`127.0.0.1:${port}`, 'configured')!, new AbortController().signal))[0]!;

  it('a server that is silent because it speaks TLS at once is recognised', async () => {
    const server = await tlsServer();
    const result = await look(server.port);
    server.close();
    expect(outcomeOf(result)).toBe('fails banner banner_timeout');
    expect(result.steps.at(-1)?.detail).toMatch(/speaks TLS at once, which Send connectors do not: port 465\?/);
  });

  it('one that is silent for another reason is not taken for it', async () => {
    const server = await playScript(scriptOf({ silentAt: 'banner' }));
    const result = await look(server.port);
    await server.close();
    expect(result.steps.at(-1)?.detail).not.toMatch(/TLS/);
  }, 20_000);

  it('a dot at the end of a name reaches neither SNI nor the check, and names hold addresses', async () => {
    const asked: (string | false | null)[] = [];
    const certificate = certificateOf({ subject: 'x', names: ['localhost', '127.0.0.1'] });
    const server = await playScript(
      scriptOf({ tls: { ...certificate, requestCert: 'asked' }, onName: (name) => asked.push(name) }),
    );
    const target = { ...targetOf(`localhost.:${server.port}`, 'configured')!, settings: {} };
    const results = await prober.visit(target, new AbortController().signal);
    await server.close();
    const result = results.find(({ facts }) => facts.address === '127.0.0.1');
    expect(asked[0]).toBe('localhost');
    expect(result?.warning?.reason).toBe('certificate_untrusted');
    expect(result?.facts.certificate?.names).toEqual(['localhost', '127.0.0.1']);
  });

  it.each([
    ['names only', 'a good server', 'fails tls certificate_name_mismatch'],
    ['its address', 'an address only', 'passes'],
  ])(
    'DomainValidation of an address without TlsDomain compares the address: a certificate for %s',
    async (_of, what, outcome) => {
      const found = [...greetings, ...shownCertificates].find((each) => each.what === what)!;
      const result = await visit(found, { requireTls: true, tlsAuthLevel: 'DomainValidation' });
      expect(outcomeOf(result)).toBe(outcome);
      const detail = result.steps.find(({ step }) => step === 'tls')?.detail ?? '';
      if (outcome !== 'passes')
        expect(detail).toMatch(/^no name to compare with: .*127\.0\.0\.1.*mail\.contoso\.example.*TlsDomain/);
    },
  );

  it('a weak key that is still accepted is noted', async () => {
    const row = shownCertificates.find(({ what }) => what === 'RSA of 1024 bits')!;
    const { transcript } = await visit(row, strict);
    expect(transcript.map(({ text }) => text).join('\n')).toContain('RSA of 1024 bits, which is weak');
  });
});

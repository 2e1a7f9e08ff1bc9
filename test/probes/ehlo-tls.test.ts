/** EHLO inside TLS: what a server says there decides the visit (RFC 3207 4.2). */
import { afterEach, describe, expect, it } from 'vitest';
import { demoAuthority } from '../../src/commands/demo/smtp-talk.js';
import type { ProbeResult } from '../../src/model/probes.js';
import type { TargetSettings } from '../../src/model/connectors.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber } from '../../src/probes/visit.js';
import { securedFailure, socketFailure, tlsFailure } from '../../src/probes/reason.js';
import { targetOf } from '../../src/probes/targets.js';
import { playScript, type Peer, type Script, type ScriptedServer } from './scripted-server.js';

const certificate = demoAuthority().issue(['mail.contoso.example']);
const prober = createProber({
  policy: createPolicy({ allow: ['127.0.0.0/8'], ports: ['1-65535'] }),
  ehloName: 'probe.contoso.example',
  extraCa: demoAuthority().cert,
  limits: { connectMs: 2000, bannerMs: 400, replyMs: 400, quitMs: 400 },
});

const servers: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function visit(script: Script, settings: TargetSettings = {}): Promise<ProbeResult> {
  const server = await playScript(script);
  servers.push(server);
  const target = { ...targetOf(server.destination, 'configured')!, settings };
  const [result] = await prober.visit(target, new AbortController().signal);
  return result!;
}

/** As far as TLS, which the rest of the script is about. */
const secured =
  (rest: Script, options: Parameters<Peer['secure']>[0] = {}): Script =>
  async (peer) => {
    await peer.say('220 mail.contoso.example ESMTP\r\n');
    await peer.hear();
    await peer.say('250-mail.contoso.example\r\n250 STARTTLS\r\n');
    await peer.hear();
    await peer.say('220 go\r\n');
    await peer.secure({ ...certificate, ...options });
    await rest(peer);
  };

const summary = ({ success, steps }: ProbeResult): string =>
  `${success ? 'good' : 'failed'}: ${steps.map(({ step, reason }) => (reason ? `${step}!${reason}` : step)).join(' ')}`;

const upToTls = 'tcp banner ehlo starttls tls';
const requireTls = { requireTls: true };

describe('1.1: a server that refuses inside TLS is never good', () => {
  const after =
    (reply: string): Script =>
    async (peer) => {
      await peer.hear();
      await peer.say(reply);
      await peer.hear();
      await peer.say('221 bye\r\n');
      peer.close();
    };
  const table: readonly [string, Script, string][] = [
    ['250', secured(after('250-mail.contoso.example\r\n250 SIZE\r\n')), `good: ${upToTls} ehlo_tls quit`],
    ['554 to EHLO', secured(after('554 5.7.1 not you\r\n')), `failed: ${upToTls} ehlo_tls!ehlo_rejected`],
    ['504 to EHLO', secured(after('504 5.5.2 need a full name\r\n')), `failed: ${upToTls} ehlo_tls!ehlo_rejected`],
    ['421 to EHLO', secured(after('421 4.3.2 going down\r\n')), `failed: ${upToTls} ehlo_tls!ehlo_rejected`],
    ['no SMTP', secured(after('hello\r\n')), `failed: ${upToTls} ehlo_tls!not_smtp`],
    [
      'a hang-up',
      secured(({ close }) => Promise.resolve().then(close)),
      `failed: ${upToTls} ehlo_tls!closed_by_remote`,
    ],
    [
      'a hang-up after EHLO',
      secured(async (peer) => {
        await peer.hear();
        peer.close();
      }),
      `failed: ${upToTls} ehlo_tls!closed_by_remote`,
    ],
    ['silence', secured(() => Promise.resolve()), `failed: ${upToTls} ehlo_tls!timeout`],
    [
      'a client certificate wanted under TLS 1.3',
      secured(after('250 ok\r\n'), { requestCert: true, minVersion: 'TLSv1.3' }),
      `failed: ${upToTls} ehlo_tls!client_certificate_required`,
    ],
    [
      'a client certificate wanted under TLS 1.2',
      secured(after('250 ok\r\n'), { requestCert: true, maxVersion: 'TLSv1.2' }),
      'failed: tcp banner ehlo starttls tls!client_certificate_required',
    ],
  ];

  it.each(table)('%s', async (_what, script, expected) => {
    for (const settings of [{}, requireTls]) {
      const result = await visit(script, settings);
      expect(summary(result)).toBe(expected);
      const texts = [...result.steps.map(({ detail = '' }) => detail), ...result.transcript.map(({ text }) => text)];
      for (const text of texts) expect(text).not.toMatch(/error:[0-9A-F]{8}|[0-9A-F]{12}:|\.c:\d/);
    }
  });

  it('is asked with the name of the connector, and QUIT follows', async () => {
    await visit(secured(after('554 no\r\n')), { ehloName: 'mail.contoso.example' });
    expect(servers[0]?.heard).toEqual(['EHLO mail.contoso.example', 'STARTTLS', 'EHLO mail.contoso.example', 'QUIT']);
  });
});

describe('1.1: no detail holds a raw line of OpenSSL', () => {
  const raw =
    '80FCE1A01C7F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl3_record.c:350:\n';
  const errors = [
    Object.assign(new Error(raw), { code: 'ERR_SSL_WRONG_VERSION_NUMBER', reason: 'wrong version number' }),
    Object.assign(new Error(`write EPROTO ${raw}`), { code: 'EPROTO', syscall: 'write' }),
    new Error(raw),
  ];
  it.each([tlsFailure, securedFailure, socketFailure])('%o', (failureOf) => {
    for (const error of errors) {
      const { detail } = failureOf(error);
      expect(detail).toContain('wrong version number');
      expect(detail).not.toMatch(/0A00010B|80FC|deps/);
    }
  });
});

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import * as servers from '../../src/commands/demo/smtp-servers.js';
import { demoAuthority, type SmtpServer } from '../../src/commands/demo/smtp-talk.js';
import type { ProbeResult } from '../../src/model/probes.js';
import type { Reason, StepName } from '../../src/model/words.js';
import type { TargetSettings } from '../../src/model/connectors.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber, type ProberOptions } from '../../src/probes/visit.js';
import { targetOf } from '../../src/probes/targets.js';
import { hasIpv6 } from '../support/dns-server.js';
import { builtModule, loopbackOnly } from '../support/exporter.js';

const policy = createPolicy({ allow: ['127.0.0.0/8', '::1'], ports: ['1-65535'] });
const ipv6 = await hasIpv6();

const open: SmtpServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function start(starting: Promise<SmtpServer>): Promise<SmtpServer> {
  const server = await starting;
  open.push(server);
  return server;
}

type Visiting = Partial<ProberOptions> & {
  readonly settings?: TargetSettings;

  readonly signal?: AbortSignal;
};

/** One visit with short waits: what takes 30 s in life takes a fraction of a second here. */
async function visit(
  server: { readonly destination: string; readonly port: number },
  how: Visiting = {},
): Promise<ProbeResult> {
  const { settings, signal, ...options } = how;
  const prober = createProber({
    policy,
    ehloName: 'probe.contoso.example',
    extraCa: demoAuthority().cert,
    limits: { connectMs: 2000, bannerMs: 300, replyMs: 2000, quitMs: 2000 },
    ...options,
  });
  const target = targetOf(server.destination, 'configured');
  if (!target) throw new Error(server.destination);
  const results = await prober.visit(
    { ...target, ...(settings && { settings }) },
    signal ?? new AbortController().signal,
  );
  expect(results).toHaveLength(1);
  return results[0]!;
}

function summary(result: ProbeResult): string {
  const steps = result.steps.map(({ step, reason }) => (reason ? `${step}!${reason}` : step));
  return `${result.success ? 'good' : 'failed'}: ${steps.join(' ')}`;
}

const allGood = 'good: tcp banner ehlo starttls tls ehlo_tls quit';
const requireTls: TargetSettings = { requireTls: true };
const checkCertificate: TargetSettings = { requireTls: true, tlsAuthLevel: 'CertificateValidation' };
const checkDomain: TargetSettings = {
  requireTls: true,
  tlsAuthLevel: 'DomainValidation',
  tlsDomain: 'mail.contoso.example',
};

test('15, 1: a step that throws is a failed visit, so that no earlier one is taken for the latest', async () => {
  const server = await start(servers.healthy());
  const result = await visit(server, { settings: { sourceAddress: 'no address' } });
  expect(summary(result)).toBe('failed: tcp!other');
  expect(result.steps[0]?.detail).toMatch(/^a bug in the exporter, please report it: .*no address/);
});

describe('one server for each way to fail', () => {
  const table: readonly [string, () => Promise<SmtpServer>, TargetSettings, string][] = [
    ['healthy', servers.healthy, {}, allGood],
    ['healthy', servers.healthy, checkDomain, allGood],
    ['healthy', servers.healthy, { ignoreStartTls: true }, 'good: tcp banner ehlo quit'],
    ['healthy', servers.healthy, { forceHelo: true }, 'good: tcp banner ehlo quit'],
    [
      'healthy',
      servers.healthy,
      { forceHelo: true, requireTls: true },
      'failed: tcp banner ehlo starttls!starttls_not_offered',
    ],
    ['refusing', servers.refusing, {}, 'failed: tcp!refused'],
    ['silent', servers.silent, {}, 'failed: tcp banner!banner_timeout'],
    ['slowBanner', () => servers.slowBanner(100), {}, allGood],
    ['tarpit', () => servers.tarpit(20), {}, 'failed: tcp banner!banner_timeout'],
    ['rude', servers.rude, {}, 'failed: tcp banner!banner_5xx'],
    ['greylisting', servers.greylisting, {}, 'failed: tcp banner!banner_4xx'],
    ['notSmtp', servers.notSmtp, {}, 'failed: tcp banner!not_smtp'],
    ['endlessLine', servers.endlessLine, {}, 'failed: tcp banner!not_smtp'],
    ['endlessBanner', servers.endlessBanner, {}, 'failed: tcp banner!not_smtp'],
    ['wordyBanner', servers.wordyBanner, {}, allGood],
    ['halfOpen', servers.halfOpen, {}, 'failed: tcp banner ehlo!closed_by_remote'],
    ['tooBusy', servers.tooBusy, {}, 'failed: tcp banner ehlo!ehlo_rejected'],
    ['tls12', servers.tls12, checkDomain, allGood],
    [
      'oldTls',
      servers.oldTls,
      { ...requireTls, tlsAuthLevel: 'EncryptionOnly' },
      'failed: tcp banner ehlo starttls tls!tls_handshake',
    ],
    [
      'selfSigned',
      servers.selfSignedCertificate,
      { ...requireTls, tlsAuthLevel: 'EncryptionOnly' },
      'good: tcp banner ehlo starttls tls!certificate_untrusted ehlo_tls quit',
    ],
    [
      'ignores STARTTLS that is rejected',
      servers.rejectsStartTls,
      { ignoreStartTls: true },
      'good: tcp banner ehlo quit',
    ],
    ['injection', servers.injectsAfterStartTls, requireTls, 'failed: tcp banner ehlo starttls!starttls_rejected'],
    ['garbage', servers.garbage, {}, 'good: tcp banner ehlo starttls!starttls_not_offered quit'],
    ['closesAt banner', () => servers.closesAt('banner'), {}, 'failed: tcp banner!closed_by_remote'],
    ['resets', servers.resets, {}, 'failed: tcp banner!reset'],
    ['closesAt ehlo', () => servers.closesAt('ehlo'), {}, 'failed: tcp banner ehlo!closed_by_remote'],
    ['closesAt starttls', () => servers.closesAt('starttls'), {}, 'good: tcp banner ehlo starttls!closed_by_remote'],
    [
      'closesAt starttls',
      () => servers.closesAt('starttls'),
      requireTls,
      'failed: tcp banner ehlo starttls!closed_by_remote',
    ],
    [
      'closesAt tls',
      () => servers.closesAt('tls'),
      requireTls,
      'failed: tcp banner ehlo starttls tls!closed_by_remote',
    ],
    [
      'closesAt quit',
      () => servers.closesAt('quit'),
      {},
      'good: tcp banner ehlo starttls tls ehlo_tls quit!closed_by_remote',
    ],
    ['rejectsEhlo', servers.rejectsEhlo, {}, 'failed: tcp banner ehlo!ehlo_rejected'],
    ['heloOnly', servers.heloOnly, {}, 'good: tcp banner ehlo starttls!starttls_not_offered quit'],
    ['rejectsQuit', servers.rejectsQuit, {}, 'good: tcp banner ehlo starttls!starttls_not_offered quit!other'],
    ['withoutStartTls', servers.withoutStartTls, {}, 'good: tcp banner ehlo starttls!starttls_not_offered quit'],
    ['withoutStartTls', servers.withoutStartTls, requireTls, 'failed: tcp banner ehlo starttls!starttls_not_offered'],
    ['rejectsStartTls', servers.rejectsStartTls, {}, 'good: tcp banner ehlo starttls!starttls_rejected quit'],
    ['rejectsStartTls', servers.rejectsStartTls, requireTls, 'failed: tcp banner ehlo starttls!starttls_rejected'],
    ['injectsAfterStartTls', servers.injectsAfterStartTls, {}, 'failed: tcp banner ehlo starttls!starttls_rejected'],
    ['oldTls', servers.oldTls, {}, 'good: tcp banner ehlo starttls tls!tls_handshake'],
    ['oldTls', servers.oldTls, requireTls, 'failed: tcp banner ehlo starttls tls!tls_handshake'],
    [
      'expiredCertificate',
      servers.expiredCertificate,
      {},
      'good: tcp banner ehlo starttls tls!certificate_expired ehlo_tls quit',
    ],
    [
      'expiredCertificate',
      servers.expiredCertificate,
      requireTls,
      'good: tcp banner ehlo starttls tls!certificate_expired ehlo_tls quit',
    ],
    [
      'expiredCertificate',
      servers.expiredCertificate,
      checkCertificate,
      'failed: tcp banner ehlo starttls tls!certificate_expired',
    ],
    [
      'notYetValid',
      servers.notYetValid,
      checkCertificate,
      'failed: tcp banner ehlo starttls tls!certificate_not_yet_valid',
    ],
    [
      'selfSigned',
      servers.selfSignedCertificate,
      {},
      'good: tcp banner ehlo starttls tls!certificate_untrusted ehlo_tls quit',
    ],
    [
      'selfSigned',
      servers.selfSignedCertificate,
      checkCertificate,
      'failed: tcp banner ehlo starttls tls!certificate_untrusted',
    ],
    [
      'wrongName',
      servers.wrongName,
      { tlsDomain: 'mail.contoso.example' },
      'good: tcp banner ehlo starttls tls!certificate_name_mismatch ehlo_tls quit',
    ],
    [
      'wrongName',
      servers.wrongName,
      { ...checkCertificate, tlsDomain: 'mail.contoso.example' },
      'good: tcp banner ehlo starttls tls!certificate_name_mismatch ehlo_tls quit',
    ],
    ['wrongName', servers.wrongName, checkDomain, 'failed: tcp banner ehlo starttls tls!certificate_name_mismatch'],
    ['wrongName', servers.wrongName, checkCertificate, allGood],
    ['wildcard', servers.healthy, { ...checkDomain, tlsDomain: '*.contoso.example' }, allGood],
    [
      'wildcard',
      servers.healthy,
      { ...checkDomain, tlsDomain: '*.fabrikam.example' },
      'failed: tcp banner ehlo starttls tls!certificate_name_mismatch',
    ],
  ];

  test.each(table)('%s %#', async (_name, starting, settings, expected) => {
    const server = await start(starting());
    const result = await visit(server, { settings });
    expect(summary(result)).toBe(expected);
    const failed = result.steps.find(({ outcome }) => outcome === 'failed');
    const seen: { step: StepName; reason: Reason } | undefined = result.success
      ? result.warning
      : result.failedStep && result.reason && { step: result.failedStep, reason: result.reason };
    expect(seen).toEqual(failed && { step: failed.step, reason: failed.reason });
    if (failed) expect(failed.detail, `the detail of ${failed.step}`).toMatch(/\S/);
    // A silent server is asked whether it waits for TLS, on ports that are not known to begin in clear text.
    const [text = ''] = server.commands().join('\n').split('\x16\x03');
    const commands = text.split('\n').filter((line) => line !== '');
    expect(commands.filter((line) => !/^(EHLO|HELO|STARTTLS|QUIT)/.test(line))).toEqual([]);
  });
});

describe('a visit', () => {
  test('leaves with QUIT after a fatal failure, without a sample for it', async () => {
    const server = await start(servers.rude());
    const result = await visit(server);
    expect(server.commands()).toEqual(['QUIT']);
    expect(result.steps.map(({ step }) => step)).toEqual(['tcp', 'banner']);
    expect(result.transcript.map(({ direction, text }) => `${direction} ${text}`).slice(-2)).toEqual([
      '> QUIT',
      '< 221 2.0.0 bye',
    ]);
  });

  test.each([
    ['tcp', 'good: tcp', []],
    ['banner', 'good: tcp banner quit', ['QUIT']],
    ['ehlo', 'good: tcp banner ehlo quit', ['EHLO probe.contoso.example', 'QUIT']],
  ] as const)('ends after %s when it is told to', async (quitAfter, expected, commands) => {
    const server = await start(servers.healthy());
    expect(summary(await visit(server, { quitAfter, settings: requireTls }))).toBe(expected);
    expect(server.commands()).toEqual(commands);
  });

  test('records version, cipher, expiry, address and the conversation', async () => {
    const server = await start(servers.healthy());
    const result = await visit(server, { now: () => 1_700_000_000_000 });
    expect(result).toMatchObject({
      id: `${server.destination}@1700000000000`,
      at: 1_700_000_000_000,
      host: '127.0.0.1',
      origin: 'configured',
      facts: { address: '127.0.0.1', tlsVersion: 'TLSv1.3' },
    });
    expect(result.facts.tlsCipher).toMatch(/^TLS_/);
    const days = (result.facts.certificateExpiresAt! - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(89);
    expect(days).toBeLessThan(91);
    const talk = result.transcript.filter(({ direction }) => direction !== '*').map(({ text }) => text);
    expect(talk).toEqual([
      '220 mail.contoso.example ESMTP ready',
      'EHLO probe.contoso.example',
      '250-mail.contoso.example',
      '250-PIPELINING',
      '250-STARTTLS',
      '250 SIZE 10485760',
      'STARTTLS',
      '220 2.0.0 ready to start TLS',
      'EHLO probe.contoso.example',
      '250-mail.contoso.example',
      '250-PIPELINING',
      '250 SIZE 10485760',
      'QUIT',
      '221 2.0.0 bye',
    ]);
  });

  test('keeps the transcript clean of control characters', async () => {
    const result = await visit(await start(servers.garbage()));
    const texts = result.transcript.map(({ text }) => text).join('');
    expect(texts).toContain('\\x1b[31m');
    expect(/\p{Cc}/u.test(texts)).toBe(false);
  });

  test('gives the name of the connector in EHLO and never anything that is not a name', async () => {
    const server = await start(servers.withoutStartTls());
    await visit(server, { settings: { ehloName: 'mail.contoso.example' } });
    await visit(server, { settings: { ehloName: 'x\r\nMAIL FROM:<a@b>' } });
    expect(server.commands().filter((line) => line.startsWith('EHLO'))).toEqual([
      'EHLO mail.contoso.example',
      'EHLO probe.contoso.example',
    ]);
  });

  test('connects from the source address of the connector', async () => {
    const server = await start(servers.withoutStartTls());
    const result = await visit(server, { settings: { sourceAddress: '127.0.0.2' } });
    expect(result.transcript[0]?.text).toContain('from 127.0.0.2');
    const wrong = await visit(server, { settings: { sourceAddress: '192.0.2.77' } });
    expect(summary(wrong)).toBe('failed: tcp!address_not_available');
  });

  test('never shows a certificate of its own', async () => {
    const server = await start(servers.wantsClientCertificate());
    expect(summary(await visit(server))).toBe(allGood);
    expect(server.commands()).toContain('NO CLIENT CERTIFICATE');
  });

  test('records TLS 1.2 and the end of the certificate and of its chain', async () => {
    const { facts } = await visit(await start(servers.tls12()));
    expect(facts.tlsVersion).toBe('TLSv1.2');
    expect(facts.tlsCipher).toMatch(/^TLS_\w+_WITH_/);
    expect(facts.leafExpiresAt).toBeGreaterThanOrEqual(facts.certificateExpiresAt!);
  });

  test.skipIf(process.platform !== 'linux')('tells a network that cannot be reached', async () => {
    // The broadcast address of loopback: no connection can be made to it, and nothing is sent.
    const result = await visit({ destination: '127.255.255.255:25', port: 25 });
    expect(summary(result)).toBe('failed: tcp!network_unreachable');
  });

  test.skipIf(process.platform === 'win32')('tells that this machine has no more sockets to give', async () => {
    const server = await start(servers.healthy());
    const { stdout, stderr } = await promisify(execFile)('sh', [
      '-c',
      'ulimit -n 64 && exec "$@"',
      'sh',
      process.execPath,
      ...loopbackOnly,
      '--input-type=module',
      '--eval',
      `import { openSync } from 'node:fs';
       import { createPolicy } from ${JSON.stringify(builtModule('probes/policy.js'))};
       import { createProber } from ${JSON.stringify(builtModule('probes/visit.js'))};
       import { targetOf } from ${JSON.stringify(builtModule('probes/targets.js'))};
       const prober = createProber({ policy: createPolicy({ allow: ['127.0.0.1'], ports: ['1-65535'] }) });
       const signal = new AbortController().signal;
       const visit = async () => (await prober.visit(targetOf('${server.destination}', 'configured'), signal))[0];
       const before = await visit();
       try { for (;;) openSync('/dev/null'); } catch (error) { if (error.code !== 'EMFILE') throw error; }
       const { failedStep, reason } = await visit();
       console.log(before.success, failedStep, reason);`,
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: 'true tcp no_buffers\n', stderr: '' });
  });

  test.skipIf(!ipv6)('speaks IPv6', async () => {
    const server = await start(servers.healthy({ address: '::1' }));
    expect(summary(await visit(server))).toBe(allGood);
  });

  test('obeys its deadline in every step', async () => {
    const server = await start(servers.silent());
    const result = await visit(server, { timeoutMs: 50, limits: {} });
    expect(summary(result)).toBe('failed: tcp banner!banner_timeout');
    for (const step of ['ehlo', 'starttls', 'tls'] as const) {
      const stalling = await start(servers.stallsAt(step));
      const stalled = await visit(stalling, { timeoutMs: 200, limits: {}, settings: requireTls });
      expect(stalled).toMatchObject({ success: false, failedStep: step, reason: 'timeout' });
    }
    const last = await visit(await start(servers.stallsAt('quit')), { timeoutMs: 2_000, limits: {} });
    expect(summary(last)).toBe('good: tcp banner ehlo starttls tls ehlo_tls quit!timeout');
  });

  test('ends at once when it is called off, and closes its connection', async () => {
    const server = await start(servers.silent());
    const controller = new AbortController();
    const visiting = visit(server, { signal: controller.signal, limits: {} });
    while (server.connections() === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect(await visiting).toMatchObject({ success: false, failedStep: 'banner', reason: 'other' });
    expect(await visit(server, { signal: AbortSignal.abort() })).toMatchObject({ success: false, reason: 'other' });
    expect(server.connections()).toBe(1);
  });

  test('connects nowhere that policy forbids, and says so', async () => {
    const server = await start(servers.healthy());
    const strict = createPolicy({ ports: ['1-65535'] });
    const places = [
      '169.254.169.254:25',
      '127.0.0.1:6379',
      '[::ffff:10.0.0.1]:22',
      '0.0.0.0:25',
      '224.0.0.1:25',
      '[ff02::1]:25',
      server.destination,
    ];
    for (const destination of places) {
      const result = await visit(
        { destination, port: 25 },
        { policy: destination.includes('10.0.0.1') ? createPolicy() : strict },
      );
      expect(result, destination).toMatchObject({ success: false, failedStep: 'tcp', reason: 'blocked_by_policy' });
      expect(result.steps[0]?.detail).not.toBe('');
    }
    expect(server.connections()).toBe(0);
  });

  test('shares a visit that is already under way to the same address', async () => {
    const server = await start(servers.slowBanner(50));
    const prober = createProber({ policy, ehloName: 'probe.contoso.example' });
    const target = targetOf(server.destination, 'configured')!;
    const { signal } = new AbortController();
    const [[first], [second]] = await Promise.all([prober.visit(target, signal), prober.visit(target, signal)]);
    expect(first).toBe(second);
    expect(server.connections()).toBe(1);
  });
});

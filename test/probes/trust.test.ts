/** Whom a probe trusts, and which chain decides how long a certificate lasts. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { healthy } from '../../src/commands/demo/smtp-servers.js';
import type { SmtpServer } from '../../src/commands/demo/smtp-talk.js';
import type { ProbeResult } from '../../src/model/probes.js';
import { bundlesOf, certificatesIn, createAuthorities } from '../../src/probes/authorities.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber, type ProberOptions } from '../../src/probes/visit.js';
import { openProber } from '../../src/probes/probing.js';
import { targetOf } from '../../src/probes/targets.js';
import { authorityOf, certificateOf, newKeys } from '../support/certificate-maker.js';
import { builtModule, loopbackOnly } from '../support/exporter.js';

const names = ['mail.contoso.example'];
const policy = createPolicy({ allow: ['127.0.0.0/8'], ports: ['1-65535'] });
const settings = { requireTls: true, tlsAuthLevel: 'DomainValidation', tlsDomain: 'mail.contoso.example' } as const;
/** The day of an end, counted from now. */
const days = (end: number | undefined): number => Math.round(((end ?? NaN) - Date.now()) / 86_400_000);

let folder: string;
const servers: SmtpServer[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trust-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(folder, { recursive: true });
});

async function serverWith(cert: string, key: string): Promise<SmtpServer> {
  const server = await healthy({ certificate: { cert, key } });
  servers.push(server);
  return server;
}

async function visit(server: SmtpServer, options: Partial<ProberOptions>): Promise<ProbeResult> {
  const prober = createProber({ policy, ehloName: 'probe.contoso.example', ...options });
  const target = { ...targetOf(server.destination, 'configured')!, settings };
  const [result] = await prober.visit(target, new AbortController().signal);
  return result!;
}

describe('1.3: the authorities of the system are trusted beside those of Node, and caFile adds', () => {
  const system = authorityOf('Contoso System CA');
  const company = authorityOf('Contoso Company CA');

  it('in the bundle of the distribution, of which a spoilt entry is no harm', async () => {
    const spoilt = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const bundle = join(folder, 'ca-certificates.crt');
    await writeFile(bundle, `# Contoso\n${spoilt}${system.pem}# end\n`);
    const trust = { systemBundles: [join(folder, 'not-there.pem'), bundle] };
    const { cert, key } = certificateOf({ subject: names[0]!, names, issuer: system });
    expect(await visit(await serverWith(cert, key), { trust })).toMatchObject({ success: true });
    const own = certificateOf({ subject: names[0]!, names, issuer: company });
    const server = await serverWith(own.cert, own.key);
    expect(await visit(server, { trust })).toMatchObject({ success: false, reason: 'certificate_untrusted' });
    expect(await visit(server, { trust, extraCa: company.pem })).toMatchObject({ success: true });
  });

  it('in a bundle that has changed, within ten minutes', async () => {
    const bundle = join(folder, 'bundle.pem');
    await writeFile(bundle, company.pem);
    let now = 0;
    const authorities = createAuthorities({ systemBundles: [bundle], now: () => now });
    const first = await authorities.trust();
    await writeFile(bundle, company.pem + system.pem);
    now = 9 * 60_000;
    expect(await authorities.trust()).toBe(first);
    now = 10 * 60_000;
    expect(await authorities.trust()).not.toBe(first);
  });

  it('in a process without NODE_EXTRA_CA_CERTS', async () => {
    const bundle = join(folder, 'bundle.pem');
    await writeFile(bundle, system.pem);
    const { cert, key } = certificateOf({ subject: names[0]!, names, issuer: system });
    const server = await serverWith(cert, key);
    const script = `
      import { createPolicy } from ${JSON.stringify(builtModule('probes/policy.js'))};
      import { createProber } from ${JSON.stringify(builtModule('probes/visit.js'))};
      import { targetOf } from ${JSON.stringify(builtModule('probes/targets.js'))};
      const prober = createProber({ policy: createPolicy({ allow: ['127.0.0.1'], ports: ['1-65535'] }), ehloName: 'x' });
      const target = { ...targetOf('${server.destination}', 'configured'), settings: ${JSON.stringify(settings)} };
      const [{ success, reason }] = await prober.visit(target, new AbortController().signal);
      console.log(success, reason);`;
    const run = async (file: string | undefined): Promise<string> => {
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined, SSL_CERT_FILE: file };
      const words = [...loopbackOnly, '--input-type=module', '--eval', script];
      return (await promisify(execFile)(process.execPath, words, { env })).stdout.trim();
    };
    expect(await run(bundle)).toBe('true undefined');
    expect(await run(undefined)).toBe('false certificate_untrusted');
  });

  it('in the places that the distributions use, or where SSL_CERT_FILE says', () => {
    expect(bundlesOf({}, 'linux')).toContain('/etc/pki/tls/certs/ca-bundle.crt');
    expect(bundlesOf({ SSL_CERT_FILE: '/srv/ca.pem' }, 'linux')).toEqual(['/srv/ca.pem']);
    expect(bundlesOf({}, 'win32')).toEqual([]);
    expect(certificatesIn(`x${system.pem}y${company.pem}`)).toHaveLength(2);
  });

  it('a caFile without a certificate is refused, by its name', async () => {
    const file = join(folder, 'empty.pem');
    await writeFile(file, 'nothing\n');
    await expect(openProber({ caFile: file, timeout: 1000 } as never, policy)).rejects.toThrow(file);
  });
});

describe('1.4: the chain that was verified decides the expiry, not what else was sent', () => {
  const keys = newKeys();
  const oldRoot = authorityOf('Old Root', { to: 400 });
  const root = authorityOf('New Root', { keys, to: 300 });
  /** The key of the new root under the name of the new root, vouched for by the old one, and long expired. */
  const cross = authorityOf('New Root', { keys, issuer: oldRoot, from: -900, to: -30 });
  const middle = authorityOf('Contoso Issuing CA', { issuer: root, to: 200 });
  const leaf = certificateOf({ subject: names[0]!, names, issuer: middle, to: 100 });
  const stranger = certificateOf({ subject: 'somebody.example', to: -5, from: -9 });

  it('an expired cross-signed certificate and a stray one beside a good chain raise nothing', async () => {
    const server = await serverWith(leaf.cert + middle.pem + cross.pem + stranger.cert, leaf.key);
    const { success, warning, facts, transcript } = await visit(server, { extraCa: root.pem });
    expect({ success, warning }).toEqual({ success: true, warning: undefined });
    expect(days(facts.certificateExpiresAt)).toBe(100);
    expect(days(facts.certificate?.earliestSentEndsAt)).toBe(-30);
    expect(facts.certificate).toMatchObject({ verified: true, names });
    const notes = transcript.filter(({ text }) => text.includes('does not need')).map(({ text }) => text);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toMatch(/CN=New Root, issued by CN=Old Root, valid to .*, which has expired/);
  });

  it('the end of an intermediate, and of a root that the server does not send, counts', async () => {
    const soon = authorityOf('Soon Issuing CA', { issuer: root, to: 20 });
    const own = certificateOf({ subject: names[0]!, names, issuer: soon, to: 100 });
    const server = await serverWith(own.cert + soon.pem, own.key);
    expect(days((await visit(server, { extraCa: root.pem })).facts.certificateExpiresAt)).toBe(20);
    const shortRoot = authorityOf('Short Root', { to: 7 });
    const other = certificateOf({ subject: names[0]!, names, issuer: shortRoot, to: 100 });
    const { facts } = await visit(await serverWith(other.cert, other.key), { extraCa: shortRoot.pem });
    expect(days(facts.certificateExpiresAt)).toBe(7);
  });

  it('a chain that itself has expired is expired', async () => {
    const ended = authorityOf('Ended Issuing CA', { issuer: root, from: -50, to: -2 });
    const own = certificateOf({ subject: names[0]!, names, issuer: ended });
    const result = await visit(await serverWith(own.cert + ended.pem, own.key), { extraCa: root.pem });
    expect(result).toMatchObject({ success: false, reason: 'certificate_expired' });
    expect(days(result.facts.certificateExpiresAt)).toBe(-2);
    expect(result.facts.certificate?.verified).toBe(false);
  });
});

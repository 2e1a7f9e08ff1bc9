/** 1.2: a visit gives a name that strict servers accept: a full one, or the literal of its address. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../src/config/schema.js';
import { ehloNameOf } from '../../src/model/endpoint.js';
import type { ProbeResult } from '../../src/model/probes.js';
import type { TargetSettings } from '../../src/model/connectors.js';
import { createEhloNames } from '../../src/probes/ehlo-name.js';
import { fullHostName } from '../../src/probes/host-name.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber, type ProberOptions } from '../../src/probes/visit.js';
import { searchDomains } from '../../src/probes/search-domains.js';
import { targetOf } from '../../src/probes/targets.js';
import { hasIpv6 } from '../support/dns-server.js';
import { playScript, type Script, type ScriptedServer } from './scripted-server.js';

let folder: string;
const ipv6 = await hasIpv6();
const servers: ScriptedServer[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ehlo-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(folder, { recursive: true });
});

/** Accepts full names and literals only, as Postfix does with reject_non_fqdn_helo_hostname. */
const strict =
  (refusal: string): Script =>
  async (peer) => {
    await peer.say('220 mail.contoso.example ESMTP\r\n');
    for (;;) {
      const [verb, name = ''] = (await peer.hear()).split(' ');
      if (verb === 'QUIT') {
        peer.close();
        return;
      }
      const isFull = /^\[(?:[\d.]+|IPv6:[0-9a-f:.]+)\]$|^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(name);
      await peer.say(isFull ? '250 mail.contoso.example\r\n' : refusal);
    }
  };

async function visit(
  refusal: string,
  options: Partial<ProberOptions>,
  settings: TargetSettings = {},
  address = '127.0.0.1',
): Promise<ProbeResult> {
  const server = await playScript(strict(refusal), address);
  servers.push(server);
  const policy = createPolicy({ allow: ['127.0.0.0/8', '::1'], ports: ['1-65535'] });
  const prober = createProber({ policy, ...options });
  const target = targetOf(server.destination, 'configured')!;
  const [result] = await prober.visit({ ...target, settings }, new AbortController().signal);
  return result!;
}

const said = (): readonly string[] => servers[0]?.heard.filter((line) => /^(EHLO|HELO)/.test(line)) ?? [];
const nobody = (): Promise<undefined> => Promise.resolve(undefined);

describe('1.2: a server that refuses short names', () => {
  it.each(['504 5.5.2 <ex01>: Helo command rejected: need fully-qualified hostname\r\n', '501 5.5.4 Invalid name\r\n'])(
    '%s',
    async (refusal) => {
      const passed = await visit(refusal, { hostName: nobody });
      expect(passed).toMatchObject({ success: true, warning: { reason: 'starttls_not_offered' } });
      expect(said()).toEqual(['EHLO [127.0.0.1]']);
      const failed = await visit(refusal, { hostName: nobody, ehloName: 'ex01' });
      expect(failed).toMatchObject({ success: false, failedStep: 'ehlo', reason: 'ehlo_rejected' });
      expect(failed.steps.at(-1)?.detail).toContain('ex01 is not a full name: see Fqdn');
    },
  );

  it.skipIf(!ipv6)('over IPv6', async () => {
    expect((await visit('504 no\r\n', { hostName: nobody }, {}, '::1')).success).toBe(true);
    expect(said()).toEqual(['EHLO [IPv6:::1]']);
  });

  it('hears the name of the connector first, then the configured one, then that of the host', async () => {
    const hostName = (): Promise<string> => Promise.resolve('ex01.contoso.example');
    await visit('504 no\r\n', { hostName, ehloName: 'set.example' }, { ehloName: 'fqdn.example' });
    expect(said()).toEqual(['EHLO fqdn.example']);
    const names = createEhloNames({ configured: 'set.example', hostName, now: Date.now });
    expect(await names.nameFor('x\r\nMAIL FROM:<a@b>', '192.0.2.1')).toBe('set.example');
    const plain = createEhloNames({ hostName, now: Date.now });
    expect(await plain.nameFor(undefined, '192.0.2.1')).toBe('ex01.contoso.example');
  });

  it('tells that STARTTLS was not seen because EHLO was refused and HELO was not', async () => {
    const server = await playScript(async (peer) => {
      await peer.say('220 mail.contoso.example\r\n');
      for (;;) await peer.say((await peer.hear()).startsWith('HELO') ? '250 hello\r\n' : '504 5.5.2 full name\r\n');
    });
    servers.push(server);
    const prober = createProber({
      policy: createPolicy({ allow: ['127.0.0.1'], ports: ['1-65535'] }),
      ehloName: 'ex01',
    });
    const [result] = await prober.visit(targetOf(server.destination, 'configured')!, new AbortController().signal);
    expect(result?.steps.find(({ step }) => step === 'starttls')?.detail).toContain(
      'refused EHLO and accepted HELO: 504 5.5.2 full name',
    );
  });
});

describe('1.2: the full name of the host', () => {
  const refuse = (): Promise<never> => Promise.reject(new Error('asked'));
  type Sources = NonNullable<Parameters<typeof fullHostName>[0]>;
  const nameOf = async (hosts: string, sources: Sources): Promise<string | undefined> => {
    const hostsFile = join(folder, 'hosts');
    await writeFile(hostsFile, hosts);
    const nothing = { lookup: refuse, reverse: refuse, domains: () => Promise.resolve([]) };
    return fullHostName({ hostname: () => 'ex01', ...nothing, hostsFile, ...sources });
  };

  it('is what the system calls it', async () => {
    expect(await nameOf('', { hostname: () => 'EX01.Contoso.Example.' })).toBe('ex01.contoso.example');
  });

  it('stands beside the short name in the hosts file', async () => {
    expect(await nameOf('127.0.1.1 ex01.contoso.example ex01\n', {})).toBe('ex01.contoso.example');
    expect(await nameOf('127.0.1.1 ex01 ex01.contoso.example\n', {})).toBe('ex01.contoso.example');
  });

  it('is found by the resolver, forward and back, unless that is the name of something else', async () => {
    const lookup = (): Promise<string[]> => Promise.resolve(['192.0.2.7']);
    expect(await nameOf('', { lookup, reverse: () => Promise.resolve('ex01.corp.example') })).toBe('ex01.corp.example');
    expect(await nameOf('', { lookup, reverse: () => Promise.resolve('7-2-0-192.isp.example') })).toBeUndefined();
  });

  it('is the short name in a domain of the search list where it exists', async () => {
    const domains = (): Promise<string[]> => Promise.resolve(['a.example', 'b.example']);
    const lookup = (name: string): Promise<string[]> =>
      name === 'ex01.b.example.' ? Promise.resolve(['192.0.2.7']) : refuse();
    expect(await nameOf('192.0.2.7 ex01\n', { domains, lookup })).toBe('ex01.b.example');
  });

  it('is not invented: a container has none, and nobody is asked for it', async () => {
    expect(await nameOf('172.17.0.2 ex01\n', {})).toBeUndefined();
    expect(await nameOf('', {})).toBeUndefined();
    expect(await nameOf('', { hostname: () => 'localhost.localdomain' })).toBeUndefined();
  });

  it('reads search lists', async () => {
    const file = join(folder, 'resolv.conf');
    await writeFile(file, 'domain old.example\nnameserver 192.0.2.53\nsearch Corp.Example. contoso.example\n');
    expect(await searchDomains(file)).toEqual(process.platform === 'win32' ? [] : ['corp.example', 'contoso.example']);
    expect(await searchDomains(join(folder, 'none'))).toEqual([]);
  });

  it('keeps no visit waiting when the resolver is slow, and is used once it is known', async () => {
    let answer: (name: string) => void = () => undefined;
    const names = createEhloNames({ hostName: () => new Promise((resolve) => (answer = resolve)), now: Date.now });
    const first = await Promise.all([names.nameFor(undefined, '192.0.2.1'), names.nameFor(undefined, '192.0.2.1')]);
    expect(first).toEqual(['[192.0.2.1]', '[192.0.2.1]']);
    const begun = performance.now();
    expect(await names.nameFor(undefined, 'fe80::1%eth0')).toBe('[IPv6:fe80::1]');
    expect(performance.now() - begun).toBeLessThan(900);
    answer('ex01.contoso.example');
    await Promise.resolve();
    expect(await names.nameFor(undefined, '192.0.2.1')).toBe('ex01.contoso.example');
  });

  it('is looked for again when there was none', async () => {
    let time = 0;
    const found: string[] = [];
    const names = createEhloNames({ hostName: () => Promise.resolve(found[0]), now: () => time });
    expect(await names.nameFor(undefined, '::ffff:192.0.2.1')).toBe('[192.0.2.1]');
    found.push('ex01.contoso.example');
    expect(await names.nameFor(undefined, '192.0.2.1')).toBe('[192.0.2.1]');
    time = 11 * 60_000;
    expect(await names.nameFor(undefined, '192.0.2.1')).toBe('ex01.contoso.example');
  });
});

describe('1.2: what may stand after EHLO', () => {
  it.each([
    ['ex01.contoso.example', 'ex01.contoso.example'],
    ['ex01.contoso.example.', 'ex01.contoso.example'],
    ['ex01', 'ex01'],
    ['[192.0.2.1]', '[192.0.2.1]'],
    ['192.0.2.1', '[192.0.2.1]'],
    ['[IPv6:2001:db8::1]', '[IPv6:2001:db8::1]'],
    ['[ipv6:2001:DB8:0::1]', '[IPv6:2001:db8::1]'],
    ['2001:db8::1', '[IPv6:2001:db8::1]'],
    ['x\r\nMAIL FROM:<a@b>', undefined],
    ['[IPv6:nonsense]', undefined],
    ['[192.0.2.300]', undefined],
    ['', undefined],
    ['ex01:25', undefined],
  ])('%j', (text, expected) => {
    expect(ehloNameOf(text)).toBe(expected);
    const parsed = configSchema.safeParse({ probe: { ehloName: text } });
    expect(parsed.success ? parsed.data.probe.ehloName : undefined).toBe(expected);
  });
});

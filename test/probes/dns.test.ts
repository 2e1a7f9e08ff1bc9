import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { healthy, refusing } from '../../src/commands/demo/smtp-servers.js';
import type { SmtpServer } from '../../src/commands/demo/smtp-talk.js';
import { configSchema } from '../../src/config/schema.js';
import type { ProbeResult } from '../../src/model/probes.js';
import { createPolicy } from '../../src/probes/policy.js';
import { createProber } from '../../src/probes/visit.js';
import { isFailure } from '../../src/probes/reason.js';
import { fewAtATime } from '../../src/probes/lookups.js';
import { createNames, type NamesOptions } from '../../src/probes/steps/dns.js';
import { targetOf } from '../../src/probes/targets.js';
import { startDnsServer, type Answer, type DnsServer } from '../support/dns-server.js';

let dns: DnsServer;
let folder: string;
let hostsFile: string;

beforeEach(async () => {
  dns = await startDnsServer();
  folder = await mkdtemp(join(tmpdir(), 'names-'));
  hostsFile = join(folder, 'hosts');
  await writeFile(hostsFile, '# a comment\n127.0.0.7 relay relay.contoso.example # here\n::1 relay\nnonsense\n');
});

afterEach(async () => {
  dns.close();
  await rm(folder, { recursive: true });
});

async function resolve(name: string, records: Record<string, Answer>, limitMs = 10_000): Promise<string> {
  for (const [key, answer] of Object.entries(records)) dns.zone.set(key, answer);
  const names = createNames({ servers: [dns.server], hostsFile, timeoutMs: 100 });
  const found = await names.resolve(name, limitMs, new AbortController().signal);
  return isFailure(found) ? found.reason : found.join(' ');
}

const many = Array.from({ length: 20 }, (_, index) => `127.0.1.${index + 10}`);

describe('names', () => {
  const table: readonly [string, string, Record<string, Answer>, string][] = [
    [
      'MX, in order of preference',
      'c.example',
      {
        'c.example MX': ['20 b.c.example', '10 a.c.example'],
        'a.c.example A': ['127.0.0.1'],
        'b.c.example A': ['127.0.0.2'],
      },
      '127.0.0.1 127.0.0.2',
    ],
    [
      'equal preference, sorted',
      'c.example',
      {
        'c.example MX': ['10 b.c.example', '10 a.c.example'],
        'a.c.example A': ['127.0.0.1'],
        'b.c.example A': ['127.0.0.2'],
      },
      '127.0.0.1 127.0.0.2',
    ],
    ['implicit MX', 'c.example', { 'c.example A': ['127.0.0.1'], 'c.example AAAA': ['::1'] }, '127.0.0.1 ::1'],
    ['null MX', 'c.example', { 'c.example MX': ['0 .'] }, 'null_mx'],
    ['no such name', 'c.example', {}, 'name_not_found'],
    ['no address', 'c.example', { 'c.example MX': [] }, 'name_no_address'],
    [
      'MX without an address',
      'c.example',
      { 'c.example MX': ['10 a.c.example'], 'a.c.example A': [] },
      'name_no_address',
    ],
    ['MX to a name that does not exist', 'c.example', { 'c.example MX': ['10 gone.example'] }, 'name_no_address'],
    ['MX to an address', 'c.example', { 'c.example MX': ['10 127.0.0.9'] }, '127.0.0.9'],
    [
      'one MX broken, the other good',
      'c.example',
      { 'c.example MX': ['10 gone.example', '20 a.c.example'], 'a.c.example A': ['127.0.0.3'] },
      '127.0.0.3',
    ],
    ['A only, AAAA broken', 'c.example', { 'c.example A': ['127.0.0.4'], 'c.example AAAA': 'servfail' }, '127.0.0.4'],
    ['SERVFAIL', 'c.example', { 'c.example MX': 'servfail' }, 'name_server_failure'],
    [
      'SERVFAIL for the addresses',
      'c.example',
      { 'c.example MX': ['10 c.example'], 'c.example A': 'servfail', 'c.example AAAA': 'servfail' },
      'name_server_failure',
    ],
    ['REFUSED', 'c.example', { 'c.example MX': 'refused' }, 'name_server_failure'],
    ['no answer', 'c.example', { 'c.example MX': 'silent' }, 'name_timeout'],
    ['twenty addresses', 'c.example', { 'c.example A': [...many].reverse() }, [...many].sort().join(' ')],
    ['hosts file, without DNS', 'relay.contoso.example', { 'relay.contoso.example MX': 'servfail' }, '127.0.0.7'],
    ['hosts file, both families', 'RELAY', {}, '127.0.0.7 ::1'],
    ['hosts file for an exchange', 'c.example', { 'c.example MX': ['10 relay.contoso.example'] }, '127.0.0.7'],
    ['localhost', 'localhost', {}, '127.0.0.1 ::1'],
  ];

  test.each(table)('%s', async (_what, name, records, expected) => {
    expect(await resolve(name, records)).toBe(expected);
  });

  test('asks nobody for localhost and for names of the hosts file', async () => {
    await resolve('localhost', {});
    await resolve('relay', {});
    expect(dns.questions).toEqual([]);
  });

  test('gives up at its limit', async () => {
    expect(await resolve('c.example', { 'c.example MX': 'silent' }, 20)).toBe('name_timeout');
  });
});

describe('a visit of a name', () => {
  const signal = new AbortController().signal;
  const policy = createPolicy({ allow: ['127.0.0.0/8'], ports: ['1024-65535'] });
  let server: SmtpServer;

  beforeEach(async () => {
    server = await healthy();
  });
  afterEach(async () => {
    await server.close();
  });

  async function visit(port: number): Promise<readonly ProbeResult[]> {
    const prober = createProber({
      policy,
      ehloName: 'probe.contoso.example',
      names: { servers: [dns.server], hostsFile, timeoutMs: 100 },
    });
    return prober.visit(targetOf(`c.example:${port}`, 'configured')!, signal);
  }

  const short = (results: readonly ProbeResult[]): readonly string[] =>
    results.map(
      ({ destination, success, failedStep, reason }) =>
        `${destination} ${success ? 'good' : `${failedStep ?? ''} ${reason ?? ''}`}`,
    );

  test('visits every address and is good when one is', async () => {
    dns.zone.set('c.example A', ['127.0.0.1', '127.0.0.99']);
    const results = await visit(server.port);
    expect(short(results)).toEqual([
      `c.example:${server.port} good`,
      `127.0.0.1:${server.port} good`,
      `127.0.0.99:${server.port} tcp refused`,
    ]);
    expect(results[0]?.steps.map(({ step }) => step)).toEqual(['dns']);
    expect(results[0]?.facts.addresses).toEqual(['127.0.0.1', '127.0.0.99']);
    expect(results.map(({ host }) => host)).toEqual(['c.example', 'c.example', 'c.example']);
  });

  test('fails with the reason of the first address when none is good', async () => {
    const closed = await refusing();
    dns.zone.set('c.example A', ['127.0.0.1']);
    expect(short(await visit(closed.port))[0]).toBe(`c.example:${closed.port} tcp refused`);
  });

  test('fails with the reason of DNS', async () => {
    const results = await visit(server.port);
    expect(short(results)).toEqual([`c.example:${server.port} dns name_not_found`]);
    expect(results[0]?.steps[0]?.detail).toContain('MX of c.example: the name does not exist (ENOTFOUND)');
  });

  test('does not connect to an address that policy forbids', async () => {
    dns.zone.set('c.example MX', ['10 inside.example']);
    dns.zone.set('inside.example A', ['169.254.169.254']);
    expect(short(await visit(server.port))).toEqual([
      `c.example:${server.port} tcp blocked_by_policy`,
      `169.254.169.254:${server.port} tcp blocked_by_policy`,
    ]);
  });

  test('asks no DNS server about a port that policy forbids', async () => {
    expect(short(await visit(22))).toEqual(['c.example:22 dns blocked_by_policy']);
    expect(dns.questions).toEqual([]);
  });

  test('1.6: more than eight addresses are visited in turn over several visits', async () => {
    dns.zone.set('c.example A', many);
    const prober = createProber({
      policy,
      ehloName: 'probe.contoso.example',
      names: { servers: [dns.server], hostsFile },
    });
    const target = targetOf(`c.example:${server.port}`, 'configured')!;
    const visited: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const [name, ...addresses] = await prober.visit(target, signal);
      expect(name?.facts.addresses).toHaveLength(20);
      expect(addresses).toHaveLength(8);
      visited.push(...addresses.map(({ destination }) => destination));
    }
    expect(new Set(visited).size).toBe(20);
  });

  test('resolves anew each round', async () => {
    const prober = createProber({
      policy,
      ehloName: 'probe.contoso.example',
      names: { servers: [dns.server], hostsFile },
    });
    const target = targetOf(`c.example:${server.port}`, 'configured')!;
    dns.zone.set('c.example A', ['127.0.0.98']);
    await prober.visit(target, signal);
    dns.zone.set('c.example A', ['127.0.0.1']);
    const results = await prober.visit(target, signal);
    expect(results[0]).toMatchObject({ success: true, facts: { addresses: ['127.0.0.1'] } });
  });
});

describe('1.6: names resolve as the host resolves them', () => {
  const ask = async (name: string, options: NamesOptions, records: Record<string, Answer> = {}): Promise<string> => {
    for (const [key, answer] of Object.entries(records)) dns.zone.set(key, answer);
    const names = createNames({ servers: [dns.server], hostsFile, timeoutMs: 100, ...options });
    const found = await names.resolve(name, 5000, new AbortController().signal);
    return isFailure(found) ? found.reason : found.join(' ');
  };
  const domains = (): Promise<string[]> => Promise.resolve(['corp.example', 'contoso.example']);
  const asked: string[] = [];
  const lookup = (name: string): Promise<string[]> => {
    asked.push(name);
    if (['mailer', 'mailer.dc1', 'printer.local'].includes(name)) return Promise.resolve(['127.0.0.8', '::1']);
    return Promise.reject(Object.assign(new Error(`getaddrinfo ${name}`), { code: 'ENOTFOUND' }));
  };

  test('a name of one label: MX by DNS in the search list, addresses by the system', async () => {
    expect(await ask('mailer', { lookup, domains })).toBe('127.0.0.8 ::1');
    expect(dns.questions).toEqual(['mailer.corp.example MX', 'mailer.contoso.example MX']);
    const records = { 'mailer.contoso.example MX': ['10 mx.contoso.example'], 'mx.contoso.example A': ['127.0.0.9'] };
    expect(await ask('mailer', { lookup, domains }, records)).toBe('127.0.0.9');
    expect(await ask('gone', { lookup, domains })).toBe('name_not_found');
  });

  test('a name with dots that only the search list, or another source of the system, knows', async () => {
    expect(await ask('mailer.dc1', { lookup, domains })).toBe('127.0.0.8 ::1');
    expect(await ask('printer.local', { lookup, domains })).toBe('127.0.0.8 ::1');
    expect(await ask('gone.example', { lookup, domains })).toBe('name_not_found');
    expect(await ask('down.example', { lookup, domains }, { 'down.example MX': 'servfail' })).toBe(
      'name_server_failure',
    );
  });

  test('a name with a dot at its end is whole', async () => {
    asked.length = 0;
    expect(await ask('mailer.', { lookup, domains })).toBe('name_not_found');
    expect(asked).toEqual(['mailer.']);
    expect(dns.questions).toEqual(['mailer MX', 'mailer A', 'mailer AAAA']);
  });

  test('the system is asked for two names at a time, and once for each', async () => {
    let running = 0;
    let most = 0;
    const answers: (() => void)[] = [];
    const few = fewAtATime(async () => {
      most = Math.max(most, (running += 1));
      await new Promise<void>((resolve) => answers.push(resolve));
      running -= 1;
      return ['127.0.0.1'];
    });
    const all = Promise.all(['a', 'b', 'c', 'c', 'd'].map((name) => few(name)));
    for (let turn = 0; turn < 20; turn += 1) {
      answers.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await all).toHaveLength(5);
    expect(most).toBe(2);
  });

  test('nobody is asked for a name where the policy leaves no address', async () => {
    for (const options of [{ deny: ['0.0.0.0/0', '::/0'] }, { allow: ['10.1.0.0/16'], deny: ['10.0.0.0/8'] }]) {
      const prober = createProber({ policy: createPolicy(options), names: { servers: [dns.server], hostsFile } });
      const [result] = await prober.visit(targetOf('c.example:25', 'configured')!, new AbortController().signal);
      expect(result).toMatchObject({ success: false, failedStep: 'dns', reason: 'blocked_by_policy' });
    }
    expect(dns.questions).toEqual([]);
  });

  test('link-local addresses keep their zone, from every place where they are named', async () => {
    expect(targetOf('[fe80::25%eth7]:25', 'configured')).toMatchObject({
      host: 'fe80::25%eth7',
      destination: '[fe80::25%eth7]:25',
    });
    expect(targetOf('[2001:db8::25%eth7]:25', 'configured')).toMatchObject({ host: '2001:db8::25' });
    expect(targetOf('203.0.113.25:25', 'configured')).toMatchObject({ host: '203.0.113.25' });
    await writeFile(hostsFile, 'fe80::25%eth7 relay\n');
    expect(await ask('relay', {})).toBe('fe80::25%eth7');
    const policy = createPolicy({ deny: ['fe80::/10'] });
    expect(policy.judge('fe80::25%eth7', 25)).toContain('fe80::25%eth7');
    const parsed = configSchema.safeParse({ destinations: { static: ['[fe80::25%eth7]:25'] } });
    expect(parsed.data?.destinations.static).toEqual(['[fe80::25%eth7]:25']);
  });
});

import { describe, expect, test } from 'vitest';
import { createPolicy, networkOf, portsOf } from '../../src/probes/policy.js';

type Case = readonly [
  address: string,
  port: number,
  options: Parameters<typeof createPolicy>[0],
  why: RegExp | undefined,
];

const loopback = { allow: ['127.0.0.0/8'] };

const cases: readonly Case[] = [
  ['10.20.30.40', 25, {}, undefined],
  ['93.184.216.34', 587, {}, undefined],
  ['2a00:1450:4001::1', 25, {}, undefined],
  ['fd12:3456::25', 25, {}, undefined],
  // The cases of a log that names what it should not.
  ['169.254.169.254', 25, {}, /link-local|metadata/],
  ['127.0.0.1', 6379, {}, /port 6379/],
  ['127.0.0.1', 25, {}, /loopback/],
  ['::ffff:10.0.0.1', 22, {}, /port 22/],
  ['0.0.0.0', 25, {}, /unspecified/],
  ['224.0.0.1', 25, {}, /multicast/],
  ['239.255.255.250', 25, {}, /multicast/],
  ['255.255.255.255', 25, {}, /broadcast/],
  ['fd00:ec2::254', 25, {}, /metadata/],
  ['fd00:ec2::23', 25, {}, /metadata/],
  ['fd20:ce::254', 25, {}, /metadata/],
  ['fd00:42::42', 25, {}, /metadata/],
  ['fd00:a9fe:a9fe::1', 25, {}, /metadata/],
  ['fd00:a9fe:a9fe::1', 25, { allow: ['fd00::/8'] }, /metadata/],
  ['100.100.100.200', 25, {}, /metadata/],
  ['169.254.1.1', 25, {}, /link-local/],
  ['fe80::1', 25, {}, /link-local/],
  ['fe80::1%eth0', 25, {}, /link-local/],
  ['ff02::1', 25, {}, /multicast/],
  ['::', 25, {}, /unspecified/],
  ['::1', 25, {}, /loopback/],
  ['192.0.2.1', 25, {}, /documentation/],
  ['198.51.100.9', 25, {}, /documentation/],
  ['203.0.113.25', 25, {}, /documentation/],
  ['2001:db8::25', 25, {}, /documentation/],
  // The same addresses in disguise.
  ['::ffff:127.0.0.1', 25, {}, /loopback/],
  ['::ffff:a9fe:a9fe', 25, {}, /link-local|metadata/],
  ['::127.0.0.1', 25, {}, /loopback/],
  ['::ffff:0:127.0.0.1', 25, {}, /loopback/],
  ['64:ff9b::a9fe:a9fe', 25, {}, /link-local|metadata/],
  ['64:ff9b:1::7f00:1', 25, {}, /loopback/],
  ['2002:7f00:1::', 25, {}, /loopback/],
  ['::ffff:203.0.113.25', 25, {}, /documentation/],
  ['64:ff9b::808:808', 25, {}, undefined],
  // Allow lists.
  ['127.0.0.1', 25, loopback, undefined],
  ['::ffff:127.0.0.1', 25, loopback, undefined],
  ['10.20.30.40', 25, loopback, /not in probe.allow/],
  ['203.0.113.25', 25, { allow: ['203.0.113.25'] }, undefined],
  ['203.0.113.26', 25, { allow: ['203.0.113.25'] }, /not in probe.allow/],
  ['::1', 25, { allow: ['::1'] }, undefined],
  ['127.0.0.1', 25, { allow: ['::ffff:127.0.0.0/104'] }, /not in probe.allow/],
  ['::ffff:127.0.0.1', 25, { allow: ['::ffff:127.0.0.0/104'] }, undefined],
  // A wide entry does not name a special range, and the metadata address hides inside another special one.
  ['127.0.0.1', 25, { allow: ['0.0.0.0/0'] }, /loopback/],
  ['10.1.1.1', 25, { allow: ['0.0.0.0/0'] }, undefined],
  ['169.254.169.254', 25, { allow: ['169.254.0.0/16'] }, /metadata/],
  ['169.254.169.254', 25, { allow: ['169.254.169.254'] }, undefined],
  // Deny wins, in every disguise.
  ['127.0.0.1', 25, { ...loopback, deny: ['127.0.0.1/32'] }, /probe.deny/],
  ['::ffff:10.1.2.3', 25, { deny: ['10.0.0.0/8'] }, /probe.deny/],
  ['2002:a01:203::1', 25, { deny: ['10.0.0.0/8'] }, /probe.deny/],
  // Ports.
  ['10.1.2.3', 26, {}, /port 26/],
  ['10.1.2.3', 26, { ports: [26] }, undefined],
  ['10.1.2.3', 40000, { ports: ['1024-65535'] }, undefined],
  ['10.1.2.3', 25, { ports: ['1024-65535'] }, /port 25/],
  ['10.1.2.3', 25, { enabled: false }, /--no-probe/],
  ['mail.contoso.example', 25, {}, /not an IP address/],
];

describe('policy', () => {
  test.each(cases)('%s port %i with %j', (address, port, options, why) => {
    const verdict = createPolicy(options).judge(address, port);
    if (why) expect(verdict).toMatch(why);
    else expect(verdict).toBeUndefined();
  });

  test('judges the port alone while the address is not known', () => {
    expect(createPolicy().judge(undefined, 25)).toBeUndefined();
    expect(createPolicy().judge(undefined, 22)).toMatch(/port 22/);
    expect(createPolicy({ enabled: false }).judge(undefined, 25)).toMatch(/--no-probe/);
  });

  test('reads networks and ports, and nothing else', () => {
    expect(networkOf('10.0.0.0/8')).toMatchObject({ bits: 8 });
    expect(networkOf(' 2001:db8::/32 ')).toMatchObject({ bits: 32 });
    for (const wrong of [
      '10.0.0.0/33',
      '10.0.0/8',
      '10.0.0.0/8/8',
      'contoso',
      '',
      '10.0.0.0/x',
      '::1/129',
      '010.1.1.256',
    ]) {
      expect(networkOf(wrong), wrong).toBeUndefined();
    }
    expect(portsOf('1024-65535')).toEqual({ first: 1024, last: 65535 });
    for (const wrong of [0, 65536, '-1', '5-2', 'smtp', '25,26', ''])
      expect(portsOf(wrong), String(wrong)).toBeUndefined();
    expect(() => createPolicy({ deny: ['10.0.0.0/99'] })).toThrow('10.0.0.0/99');
    expect(() => createPolicy({ ports: ['x'] })).toThrow('got: x');
  });
});

/** 1.7: an IPv6 address that leads to a denied IPv4 address is denied, whatever the form; ordinary ones are not. */
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { createPolicy } from '../../src/probes/policy.js';

type Bytes = readonly number[];

/** An IPv4 address in the form of RFC 6052 2.2 under a prefix of so many bits. */
function translated(prefix: Bytes, bits: number, [a = 0, b = 0, c = 0, d = 0]: Bytes): Bytes {
  const bytes = [...prefix.slice(0, bits / 8)];
  for (const part of [a, b, c, d]) {
    if (bytes.length === 8) bytes.push(0);
    bytes.push(part);
  }
  return [...bytes, ...Array<number>(16).fill(0)].slice(0, 16);
}

const bytesOf = (text: string): Bytes => ipaddr.parse(text).toByteArray();
const textOf = (bytes: Bytes): string => ipaddr.fromByteArray([...bytes]).toString();

/** Fixed forms: the bytes before the IPv4 address, which stands at the end. */
const atTheEnd = ['::', '::ffff:0:0', '::ffff:0:0:0', '64:ff9b::', '64:ff9b:1::'];
const byte = fc.integer({ min: 0, max: 255 });
const bytes = (length: number): fc.Arbitrary<number[]> => fc.array(byte, { minLength: length, maxLength: length });
/** A network of the Internet, whose 64th to 71st bits are zero as RFC 6052 wants them. */
const ownPrefix = bytes(16).map(([, ...rest]) => [0x2a, ...rest].map((each, at) => (at === 8 ? 0 : each)));

type Form = (ipv4: Bytes, filler: Bytes) => Bytes;

const forms: Readonly<Record<string, Form>> = {
  ...Object.fromEntries(
    atTheEnd.map((base): [string, Form] => [`${base} before it`, (ipv4) => [...bytesOf(base).slice(0, 12), ...ipv4]]),
  ),
  ...Object.fromEntries(
    [32, 40, 48, 56, 64, 96].map((bits): [string, Form] => [
      `RFC 6052 /${bits}`,
      (ipv4, filler) => translated(filler, bits, ipv4),
    ]),
  ),
  ...Object.fromEntries(
    [48, 56, 64, 96].map((bits): [string, Form] => [
      `RFC 8215 with /${bits}`,
      (ipv4, filler) => translated([...bytesOf('64:ff9b:1::').slice(0, 6), ...filler.slice(6)], bits, ipv4),
    ]),
  ),
  ISATAP: (ipv4, filler) => [...filler.slice(0, 8), 0, 0, 0x5e, 0xfe, ...ipv4],
  'ISATAP of a global address': (ipv4, filler) => [...filler.slice(0, 8), 2, 0, 0x5e, 0xfe, ...ipv4],
  '6to4': (ipv4, filler) => [0x20, 0x02, ...ipv4, ...filler.slice(6)],
  'the server of Teredo': (ipv4, filler) => [0x20, 0x01, 0, 0, ...ipv4, ...filler.slice(8)],
  'the client of Teredo': (ipv4, filler) => [
    ...[0x20, 0x01, 0, 0, ...filler.slice(4, 12)],
    ...ipv4.map((each) => 255 - each),
  ],
};

/** What no translator connects to is told from an ordinary address only where the prefix tells the form. */
const meansSomething = ([first = 0]: Bytes): boolean => first > 0 && first < 224;

describe('1.7: every form of a denied IPv4 address', () => {
  const denied = { deny: ['10.0.0.0/8', '172.16.0.0/12', '8.8.8.0/24'] };
  const inDenied = fc.oneof(
    bytes(3).map((rest) => [10, ...rest]),
    bytes(2).map((rest) => [172, 31, ...rest]),
    byte.map((last) => [8, 8, 8, last]),
  );
  const special = fc.oneof(
    bytes(3).map((rest) => [127, ...rest]),
    bytes(2).map((rest) => [169, 254, ...rest]),
    fc.constantFrom([169, 254, 169, 254], [100, 100, 100, 200], [168, 63, 129, 16], [192, 0, 0, 192]),
    byte.map((last) => [203, 0, 113, last]),
  );

  it.each(Object.entries(forms))('%s', (_name, form) => {
    const policy = createPolicy(denied);
    fc.assert(
      fc.property(fc.oneof(inDenied, special), ownPrefix, (ipv4, filler) => {
        expect(meansSomething(ipv4)).toBe(true);
        expect(policy.judge(textOf(form(ipv4, filler)), 25)).toMatch(/denied|probe\.deny|probe\.allow/);
      }),
      { numRuns: 300 },
    );
  });

  it('is denied by an IPv6 network of probe.allow too, but for an entry that names it', () => {
    const mapped = { allow: ['2a00:1450::/32'] };
    expect(createPolicy(mapped).judge('2a00:1450::7f00:1', 25)).toContain('embeds 127.0.0.1, which is loopback');
    expect(createPolicy({ allow: ['2a00:1450::7f00:1'] }).judge('2a00:1450::7f00:1', 25)).toBeUndefined();
  });

  it('does not open an allow list with an address that somebody else may own', () => {
    const policy = createPolicy({ allow: ['93.184.216.0/24'] });
    for (const address of [
      '2a00:1450::5db8:d822',
      '2a00:1450:0:1:0:5efe:5db8:d822',
      '2001:0:5db8:d822::1',
      '2001:0:4136:e378:8000:63bf:a247:27dd',
    ])
      expect(policy.judge(address, 25), address).toMatch(/not in probe.allow/);
    expect(policy.judge('64:ff9b::5db8:d822', 25)).toBeUndefined();
  });

  it.each([
    ['2a00:1450:7f00:1::', '127.0.0.1'],
    ['2a00:1450:a9:fea9:fe::', '169.254.169.254'],
    ['2a00:1450:4001:a9fe:a9:fe00::', '169.254.169.254'],
    ['2a00:1450:4001:8a9:fe:a9fe::', '169.254.169.254'],
    ['2a00:1450:4001:80b:a9:fea9:fe00:0', '169.254.169.254'],
    ['2001:67c:2b0:db32:0:1:7f00:1', '127.0.0.1'],
    ['2a00:1450:4001:80b:200:5efe:7f00:1', '127.0.0.1'],
    ['2001:0:4136:e378:8000:63bf:80ff:fffe', '127.0.0.1'],
  ])('%s carries %s', (address, ipv4) => {
    expect(createPolicy().judge(address, 25)).toContain(`embeds ${ipv4}, which is`);
  });

  it.each(['fec0::1', 'fec0:0:0:1::25', 'feff:ffff::25'])('site-local %s', (address) => {
    expect(createPolicy().judge(address, 25)).toContain('site-local');
  });
});

describe('1.7: ordinary IPv6 addresses are not denied', () => {
  const policy = createPolicy({ deny: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] });
  const hosts = ['::1', '::25', '::2:1', '::ffff', '::1a', '::200e', '::53:1', '::25:0:1', '::f00d:1', '::face:b00c'];
  const networks = [
    '2a00:1450:4001:80b',
    '2606:4700:0:1',
    '2001:4860:4860:1',
    '2a01:111:f403:c000',
    'fd12:3456:789a:1',
  ];

  it.each(networks)('%s with host parts that people choose', (network) => {
    for (const host of hosts) {
      const address = textOf(bytesOf(network + host));
      expect(policy.judge(address, 25), address).toBeUndefined();
    }
  });

  it.each(['2a00:1450::', '2620:0:ce0::', '2400:cb00::', 'fd00::'])('%s with zeros up to the host part', (network) => {
    for (const host of ['1', '2', '25', '53', 'beef', '1:1', '25:25', 'a:b']) {
      expect(policy.judge(`${network}${host}`, 25), network + host).toBeUndefined();
    }
  });

  it('SLAAC with EUI-64, of real and of virtual network cards', () => {
    const mac = bytes(6);
    fc.assert(
      fc.property(ownPrefix, mac, ([...network], [a = 0, b = 0, c = 0, ...rest]) => {
        const address = textOf([...network.slice(0, 8), a ^ 2, b, c, 0xff, 0xfe, ...rest]);
        expect(policy.judge(address, 25), address).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('random host parts, as systems make them for privacy (RFC 7217, RFC 8981)', () => {
    fc.assert(
      fc.property(ownPrefix, fc.integer({ min: 1, max: 255 }), bytes(7), (network, first, rest) => {
        const address = textOf([...network.slice(0, 8), first, ...rest]);
        fc.pre(!/^2a.*:0?[0-3]00:5efe:/.test(address));
        expect(policy.judge(address, 25), address).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});

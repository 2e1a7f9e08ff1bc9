/** Listeners that would find another one of the same configuration at their address, and what else two sources must not share. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { isShared } from '../../src/config/listeners.js';
import { temporaryFolder } from '../support/folder.js';

async function mistakesOf(config: object, listenOn?: string[]): Promise<readonly string[]> {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'config.yml');
  await writeFile(file, JSON.stringify(config));
  const flag = { flag: '--web.listen-address', setting: 'web.listenAddresses', value: listenOn } as const;
  const loaded = await loadConfig({ file, overrides: listenOn ? [flag] : [] });
  return loaded.ok ? [] : loaded.mistakes.map((text) => text.replace(`${folder}/`, ''));
}

/** A source that may listen anywhere. */
function at(listenAddress: string): object {
  return { type: 'http', listenAddress, bearerTokenFile: 'token' };
}

test.each([
  [':4318', '127.0.0.1:4318'],
  ['localhost:4318', '127.0.0.1:4318'],
  ['[::1]:4318', 'LOCALHOST.:4318'],
  ['0.0.0.0:4318', '[::]:4318'],
  ['0.0.0.0:4318', '127.0.0.1:4318'],
  ['[::]:4318', '127.0.0.1:4318'],
  ['[::1]:4318', '[0:0:0:0:0:0:0:1]:4318'],
  ['[::1]:4318', '[0000::0001]:4318'],
  ['[::ffff:127.0.0.1]:4318', '127.0.0.1:4318'],
  ['[2001:DB8::1]:4318', '[2001:db8:0::1]:4318'],
  ['exch01.contoso.example:4318', 'EXCH01.contoso.example:4318'],
])('19.2 %s and %s are one address: both places are named', async (one, other) => {
  const [mistake, ...more] = await mistakesOf({ sources: [at(one), at(other)] });
  expect(more).toEqual([]);
  expect(mistake).toMatch(/^config\.yml:1: sources\[1\]\.listenAddress: expected an address apart from that of /);
  expect(mistake?.toLowerCase()).toContain(`sources[0].listenaddress (${shown(one)})`);
  expect(mistake?.toLowerCase()).toContain(`got "${shown(other)}"`);
  expect(await mistakesOf({ sources: [at(other)], web: { listenAddresses: [one] } })).toEqual([
    expect.stringContaining(
      'sources[0].listenAddress: expected an address apart from that of web.listenAddresses[0] (',
    ),
  ]);
});

function shown(address: string): string {
  return address.toLowerCase();
}

test.each([
  ['[::1]:4318', '127.0.0.1:4318'],
  ['0.0.0.0:4318', '[::1]:4318'],
  ['127.0.0.1:4318', '127.0.0.2:4318'],
  [':4318', ':4319'],
  [':0', '127.0.0.1:0'],
])('19.2 %s and %s are two addresses', async (one, other) => {
  expect(await mistakesOf({ sources: [at(one), at(other)] })).toEqual([]);
});

test('19.2 a flag that takes the address of a source is named, and so are two addresses of the pages', async () => {
  expect(await mistakesOf({ sources: [at(':4318')] }, ['127.0.0.1:4318'])).toEqual([
    'config.yml: sources[0].listenAddress: expected an address apart from that of --web.listen-address (127.0.0.1:4318), got ":4318"',
  ]);
  expect(await mistakesOf({ web: { listenAddresses: [':10202', '[::1]:10202'] } })).toEqual([
    'config.yml:1: web.listenAddresses[1]: expected an address apart from that of web.listenAddresses[0] (:10202), got "[::1]:10202"',
  ]);
});

test('19.2 whether two addresses are one does not depend on their order, and each is one with itself and with all', () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constantFrom('localhost', '0.0.0.0', '::'));
  const address = fc.record({ host, port: fc.constantFrom(4318, 5044) });
  fc.assert(
    fc.property(address, address, (one, other) => {
      expect(isShared(one, other)).toBe(isShared(other, one));
      expect(isShared(one, one)).toBe(true);
      expect(isShared(one, { port: one.port })).toBe(true);
      if (one.port !== other.port) expect(isShared(one, other)).toBe(false);
    }),
  );
});

test('19.2 a port has no zeros in front', async () => {
  expect(await mistakesOf({ sources: [at('127.0.0.1:010')] })).toEqual([
    'config.yml:1: sources[0].listenAddress: expected host:port or :port, got "127.0.0.1:010"',
  ]);
});

const kafka = { type: 'kafka', brokers: ['k1.example:9092', 'k2.example:9092'], topics: ['a', 'b'] };

test.each([
  [
    'the same topic of the same brokers in two sources',
    [kafka, { ...kafka, brokers: ['K2.example.:9092'], topics: ['c', 'b'], shard: { index: 1, of: 2 } }],
    'sources[1].topics[1]: expected a topic that sources[0] does not read from the same brokers, got "b"',
  ],
  [
    'gaps looked for in a share of the partitions',
    [{ ...kafka, unfiltered: true, shard: { index: 0, of: 2 } }],
    'sources[0].unfiltered: expected false or nothing beside a shard, which counts no gaps, got true',
  ],
  [
    'one subject for two servers',
    [
      {
        type: 'lumberjack',
        tls: { cert: 'c.pem', key: 'k.pem', clientCa: 'ca.pem' },
        clients: [
          { subject: 'exch01.example', server: 'exch01' },
          { subject: 'EXCH01.example', server: 'exch02' },
        ],
      },
    ],
    'sources[0].clients[1].subject: expected a subject that no other of the clients has, in any case, got "EXCH01.example"',
  ],
  [
    'a broker that is named twice',
    [{ ...kafka, brokers: ['k1.example:9092', 'K1.EXAMPLE:9092'] }],
    'sources[0].brokers[1]: expected each broker once, got "K1.EXAMPLE:9092"',
  ],
  [
    'a broker with port 0',
    [{ ...kafka, brokers: ['k1.example:0'] }],
    'sources[0].brokers[0]: expected host:port, got "k1.example:0"',
  ],
  [
    'a broker whose port has zeros in front',
    [{ ...kafka, brokers: ['k1.example:09092'] }],
    'sources[0].brokers[0]: expected host:port, got "k1.example:09092"',
  ],
  ...['.', '..'].map(
    (topic) =>
      [
        `the topic ${topic}`,
        [{ ...kafka, topics: [topic] }],
        `sources[0].topics[0]: expected the name of a topic (letters, digits, dot, dash, underscore; not . or ..), got "${topic}"`,
      ] as const,
  ),
] as const)('19.2 %s is refused', async (_what, sources, expected) => {
  expect(await mistakesOf({ sources })).toEqual([`config.yml:1: ${expected}`]);
});

test('19.2 a topic of the same name in another cluster is another topic', async () => {
  expect(await mistakesOf({ sources: [kafka, { ...kafka, brokers: ['other.example:9092'] }] })).toEqual([]);
});

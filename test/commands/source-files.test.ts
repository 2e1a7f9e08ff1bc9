/** What `check` and `doctor` say of the secrets, certificates and addresses of sources. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createAuthority } from '../../src/commands/demo/certificates.js';
import { sourceFileFindings } from '../../src/commands/source-files.js';
import { loadConfig } from '../../src/config/config.js';
import { temporaryFolder } from '../support/folder.js';

const now = Date.now();

/** Of a configuration beside these files. @returns state and text of each finding, and what the schema refuses */
async function found(config: object, files: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const file = path.join(folder, 'config.yml');
  await writeFile(file, JSON.stringify(config));
  const loaded = await loadConfig({ file });
  if (!loaded.ok) return loaded.mistakes.map((text) => text.replaceAll(`${folder}/`, ''));
  const each = await Promise.all(loaded.config.sources.map((source) => sourceFileFindings(source, now)));
  return each.flat().map(({ state, text }) => `${state}: ${text}`.replaceAll(`${folder}/`, ''));
}

const kafka = { type: 'kafka', brokers: ['k:9092'], topics: ['a'] };
const login = { mechanism: 'plain', username: 'u', passwordFile: 'pw' };
const authority = createAuthority('Test authority');
const [ours, theirs] = [authority.issue(['a.example']), authority.issue(['b.example'])];
const tls = { cert: 'c.pem', key: 'k.pem' };

test.each([
  ['a password that is missing', { ...kafka, sasl: login }, {}, ['failed: sasl.passwordFile: pw: is not there']],
  ['a password that is empty', { ...kafka, sasl: login }, { pw: '\n' }, ['failed: sasl.passwordFile: pw: is empty']],
  ['a password', { ...kafka, sasl: login }, { pw: 'x' }, []],
  [
    'an authority that is none',
    { ...kafka, tls: { ca: 'ca.pem' } },
    { 'ca.pem': 'hello' },
    ['failed: expected certificates of an authority as PEM in tls.ca, got none that can be read (ca.pem)'],
  ],
  [
    'a token that is too short',
    { type: 'http', bearerTokenFile: 'token' },
    { token: 'short' },
    [expect.stringContaining('failed: bearerTokenFile: token: expected a token of at least 16 characters')],
  ],
  [
    'a web configuration that lets everybody in',
    { type: 'http', listenAddress: ':4318', webConfigFile: 'web.yml' },
    { 'web.yml': '# open\n' },
    [expect.stringContaining('failed: http :4318: anyone who can reach this address could send records')],
  ],
  [
    'a key of another certificate',
    { type: 'lumberjack', tls },
    { 'c.pem': ours.cert, 'k.pem': theirs.key },
    [expect.stringContaining('failed: tls: expected a certificate and its own private key, got a key that belongs')],
  ],
  ['a certificate and its key', { type: 'lumberjack', tls }, { 'c.pem': ours.cert, 'k.pem': ours.key }, []],
  [
    'a key where the certificate should be',
    { type: 'lumberjack', tls },
    { 'c.pem': ours.key, 'k.pem': ours.key },
    ['failed: tls: expected a certificate as PEM in tls.cert, got none (c.pem, k.pem)'],
  ],
  [
    'the port of the pages',
    { type: 'http', listenAddress: '127.0.0.1:10202' },
    {},
    [
      'config.yml:1: sources[0].listenAddress: expected an address apart from that of web.listenAddresses[0] (:10202), got "127.0.0.1:10202"',
    ],
  ],
] as const)('19.4 %s', async (_what, source, files, expected) => {
  expect(await found({ sources: [source] }, files)).toEqual(expected);
});

test('19.4 a certificate that has expired is a warning', async () => {
  const old = authority.issue(['old.example'], { to: new Date(now - 3_600_000) });
  const [told] = await found({ sources: [{ type: 'lumberjack', tls }] }, { 'c.pem': old.cert, 'k.pem': old.key });
  expect(told).toMatch(/^warning: tls\.cert: c\.pem expired on \d{4}-\d\d-\d\d/);
});

test('19.4 a topic that is named twice is refused', async () => {
  expect(await found({ sources: [{ ...kafka, topics: ['a', 'b', 'a'] }] })).toEqual([
    'config.yml:1: sources[0].topics[2]: expected each topic once, got "a"',
  ]);
});

/** The inventory in every form that Get-SendConnector | ConvertTo-Json gives, and what is said of one that is wrong. */
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { expectedRows } from '../../src/inventory/expected-rows.js';
import { doubtsOf, loadInventory, openInventory } from '../../src/inventory/inventory.js';
import { decodeExport } from '../../src/inventory/export-file.js';
import { shown } from '../../src/inventory/export-values.js';
import type { SendConnector } from '../../src/model/connectors.js';
import { exportedConnectors } from '../support/exported.js';
import { createServerNames } from '../../src/ledger/server-names.js';
import { temporaryFolder } from '../support/folder.js';
import { keepingLog } from '../support/log-double.js';

const fixtures = path.resolve(import.meta.dirname, '../fixtures/connectors');

async function loaded(name: string): Promise<readonly SendConnector[]> {
  const inventory = await loadInventory(path.join(fixtures, name));
  if (!inventory.ok) throw new Error(inventory.problem);
  return inventory.connectors;
}

const three = [
  {
    name: 'Outbound to Internet',
    guid: '2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10',
    enabled: true,
    dnsRouting: true,
    smartHosts: [],
    port: 25,
    addressSpaces: ['*'],
    sourceServers: ['exch01', 'exch02'],
    requireTls: false,
    protocolLogging: true,
    settings: { ehloName: 'mail.contoso.example' },
  },
  {
    name: 'Büro → Außen',
    guid: '7b0d2c55-9a53-4b7e-8b1f-5a8d2f6d1a02',
    enabled: true,
    dnsRouting: false,
    smartHosts: ['relay6.aussen.example'],
    port: 25,
    addressSpaces: ['*.aussen.example'],
    sourceServers: ['exch01'],
    requireTls: true,
    protocolLogging: false,
    settings: { requireTls: true, tlsAuthLevel: 'CertificateValidation' },
  },
  {
    name: 'Relay, "Legacy" <DMZ> & Co',
    guid: 'c1c7a3f0-1d7e-4a0c-8f32-3f2f7f0a9e03',
    enabled: false,
    dnsRouting: false,
    smartHosts: ['10.20.30.40', 'relay2.contoso.local'],
    port: 587,
    addressSpaces: ['legacy.example', '*.legacy.example'],
    sourceServers: ['exch02'],
    requireTls: true,
    protocolLogging: true,
    settings: { requireTls: true, tlsAuthLevel: 'DomainValidation', tlsDomain: 'relay.contoso.local' },
  },
];

describe('forms', () => {
  test.each([
    'get-sendconnector-depth4.json',
    'get-sendconnector-flat.json',
    'get-sendconnector-flat-utf16le.json',
    'get-sendconnector-depth1-strings.json',
  ])('%s gives the same three connectors', async (name) => {
    const connectors = await loaded(name);
    expect(connectors.map(({ name }) => name)).toEqual(three.map(({ name }) => name));
    for (const [index, connector] of connectors.entries()) expect(connector).toMatchObject(three[index]!);
  });

  test('one connector is an object, not a list', async () => {
    expect(await loaded('get-sendconnector-single-object.json')).toMatchObject([three[0]]);
  });

  test('UTF-16 without a mark, big endian, and UTF-8 with a mark', async () => {
    const folder = await temporaryFolder();
    const text = JSON.stringify([{ Name: 'Büro' }]);
    const little = Buffer.from(text, 'utf16le');
    for (const bytes of [little, Buffer.from(`\ufeff${text}`, 'utf16le').swap16(), Buffer.from(`\ufeff${text}`)]) {
      const file = path.join(folder, 'c.json');
      await writeFile(file, bytes);
      expect(await loadInventory(file)).toMatchObject({ ok: true, connectors: [{ name: 'Büro' }] });
    }
  });

  test('a list that PowerShell wrapped, booleans as text, a missing list and the EdgeSync placeholder', () => {
    const edge = {
      Name: 'EdgeSync - Inbound to Berlin',
      Guid: '{2F6F0E8E-6A5C-4F0E-9D53-0B1B7F0F5F10}',
      Enabled: 'True',
      SmartHosts: { value: ['--'], Count: 1 },
      AddressSpaces: { value: ['SMTP:--;1'], Count: 1 },
    };
    const guid = '2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10';
    expect(exportedConnectors(edge)).toMatchObject([{ enabled: true, smartHosts: [], addressSpaces: [], guid }]);
  });

  test('single elements, joined texts, objects and enumerations mean the same as plain lists', () => {
    const plain = { Name: 'A', SmartHosts: ['[2001:DB8::1]'], Port: 2525, AddressSpaces: ['SMTP:A.example;1'] };
    const meant = exportedConnectors([plain]);
    expect(meant).toMatchObject([{ smartHosts: ['2001:db8::1'], port: 2525, addressSpaces: ['a.example'] }]);
    for (const same of [
      { value: [plain], Count: 1 },
      { ...plain, Port: '2525', SmartHosts: { value: ['[2001:db8::1]'], Count: 1 } },
      { ...plain, SmartHosts: '2001:db8::1', AddressSpaces: 'SMTP:a.example;1,X400:c=de;2' },
      { ...plain, SmartHosts: [], SmartHostsString: '[2001:db8::1]', AddressSpaces: 'a.example' },
    ])
      expect(exportedConnectors(same)).toEqual(meant);
    const level = { value: 4, Value: 'DomainValidation' };
    const servers = ['contoso.local/Configuration/Servers/EXCH01', { Name: 'EXCH02' }];
    expect(
      exportedConnectors({ Name: 'A', TlsAuthLevel: level, RequireTLS: 'True', SourceTransportServers: servers }),
    ).toMatchObject([
      { sourceServers: ['exch01', 'exch02'], settings: { tlsAuthLevel: 'DomainValidation', requireTls: true } },
    ]);
  });

  test('the servers that our script tells of', () => {
    const servers = [
      { Name: 'EXCH01', Fqdn: 'EXCH01.contoso.local', SmtpSendEventLevel: 'Lowest' },
      { Name: 'EXCH02' },
    ];
    const read = decodeExport(Buffer.from(JSON.stringify({ Connectors: { Name: 'A' }, Servers: servers })));
    expect(read).toMatchObject({
      connectors: [{ name: 'A', enabled: true }],
      servers: [
        { name: 'exch01.contoso.local', eventLevel: 'Lowest' },
        { name: 'exch02', eventLevel: undefined },
      ],
    });
  });
});

test('what is not seen is told with the command that changes it', () => {
  const told = (exported: object): string[] => {
    const read = decodeExport(Buffer.from(JSON.stringify(exported)));
    return read.ok ? doubtsOf(read).map(({ about, message }) => `${about}: ${message}`) : read.mistakes.slice();
  };
  const [verbose, none] = [1, 0].map((ProtocolLoggingLevel) => ({
    Name: `A${ProtocolLoggingLevel}`,
    ProtocolLoggingLevel,
  }));
  expect(told([verbose])).toEqual([expect.stringContaining('event levels: the inventory does not tell whether')]);
  expect(
    told({ Connectors: [verbose, { ...none, Enabled: false }], Servers: [{ Name: 'B', SmtpSendEventLevel: 5 }] }),
  ).toEqual([]);
  expect(told({ Connectors: [verbose], Servers: [{ Name: 'B', SmtpSendEventLevel: 'Expert' }] })).toEqual([]);
  const fqdn = 'EXCH01.contoso.local';
  expect(
    told({ Connectors: [none], Servers: [{ Fqdn: fqdn, SmtpSendEventLevel: 'Lowest' }, { Name: 'EXCH02' }] }),
  ).toEqual([
    expect.stringContaining('A0: failures after the connect'),
    'exch01.contoso.local: event 2002 of this server is not written: its event level of SmtpSend is Lowest; Set-EventLogLevel "exch01\\MSExchangeTransport\\SmtpSend" -Level High',
    expect.stringContaining('exch02: event 2002 of this server is perhaps not written'),
  ]);
});

describe('what is wrong is told with the place and the remedy', () => {
  test.each([
    ['', 'an empty file'],
    ['[{"Name": "a"', 'still being written, or cut off'],
    ['[{"Guid": null}]', 'connector 1, Name: expected a name'],
    ['["a"]', 'connector 1: expected an object with the properties of Get-SendConnector'],
    ['\x80\x81\x82', 'neither UTF-8 nor UTF-16'],
  ])('%j', async (content, problem) => {
    const file = path.join(await temporaryFolder(), 'connectors.json');
    await writeFile(file, Buffer.from(content, 'latin1'));
    const inventory = await loadInventory(file);
    expect(inventory).toMatchObject({ ok: false });
    expect(inventory).toHaveProperty('problem', expect.stringContaining(problem));
    expect(inventory).toHaveProperty('problem', expect.stringContaining('Export-SendConnectors.ps1'));
  });

  test.each([
    [{ Port: 99999 }, 'connector 1 "a", Port: expected a port from 1 to 65535, got 99999', { port: 25 }],
    [{ Guid: 'x' }, 'connector 1 "a", Guid: expected a GUID, got "x"', { guid: undefined }],
    [{ Enabled: 'maybe' }, 'connector 1 "a", Enabled: expected true or false, got "maybe"', { enabled: true }],
    [
      { TlsAuthLevel: 3, RequireTLS: true },
      'expected one of EncryptionOnly, CertificateValidation, DomainValidation, got 3',
      { settings: { requireTls: true } },
    ],
    [
      { SmartHosts: ['b', 'c!', '[10.0.0.1]'] },
      'SmartHosts: expected host names or addresses like [10.20.30.40], got "c!"',
      { smartHosts: ['b', '10.0.0.1'], dnsRouting: false },
    ],
    [{ SmartHosts: ['c!'] }, 'SmartHosts', { smartHosts: [], dnsRouting: false }],
    [{ SmartHosts: {} }, 'SmartHosts', { smartHosts: [], dnsRouting: false }],
    [{ AddressSpaces: ['SMTP:a.example;1', 'SMTP:no!domain;1'] }, 'AddressSpaces', { addressSpaces: ['a.example'] }],
    [{ Fqdn: 'not a name' }, 'Fqdn: expected a host name', { settings: {} }],
    [{ SourceIPAddress: 'here' }, 'SourceIPAddress: expected an IP address', { settings: {} }],
    [{ ProtocolLoggingLevel: 'Loud' }, 'ProtocolLoggingLevel: expected one of None, Verbose', { name: 'a' }],
    [{ TlsDomain: { a: 1 } }, 'TlsDomain: expected a domain', { settings: {} }],
  ])('4.11: one bad value costs one value and a warning: %j', (bad, problem, meant) => {
    const good = { Name: 'b', Port: 587, SmartHosts: ['relay.example'] };
    const read = decodeExport(Buffer.from(JSON.stringify([{ Name: 'a', ...bad }, good])));
    expect(read).toMatchObject({
      ok: true,
      connectors: [
        { name: 'a', ...meant },
        { name: 'b', port: 587 },
      ],
    });
    if (!read.ok) throw new Error('unreachable');
    expect(read.leftOut).toEqual([expect.stringContaining(problem)]);
    expect(doubtsOf(read)[0]).toEqual({
      about: 'inventory',
      message: expect.stringMatching(/a value is left out: connector 1 .*; export it again with/) as string,
    });
  });

  test('4.11: one bad connector or server does not refuse the others', () => {
    const exported = {
      Connectors: [{ Guid: null }, 'b', { Name: 'c' }, null],
      Servers: [{ Name: 'not a name' }, { Name: 'EXCH01', SmtpSendEventLevel: 'Loud' }],
    };
    const read = decodeExport(Buffer.from(JSON.stringify(exported)));
    expect(read).toMatchObject({ ok: true, connectors: [{ name: 'c' }], servers: [{ name: 'exch01' }] });
    expect(read.ok && read.leftOut).toEqual([
      'connector 1, Name: expected a name',
      'connector 2: expected an object with the properties of Get-SendConnector, got "b"',
      'connector 4: expected an object with the properties of Get-SendConnector, got null',
      'server 1 "not a name", Name: expected the name of the server, got "not a name"',
      'server 1 "not a name", Name: expected a name',
      'server 2 "EXCH01", SmtpSendEventLevel: expected one of Lowest, Low, Medium, High, Expert, got "Loud"',
    ]);
  });

  test('4.11: address spaces of X.400 and other types are left out without a word, in lists and joined', () => {
    const spaces = ['SMTP:fabrikam.example;1', 'X400:c=US;a= ;P=Contoso;5', 'NOTES:a b;1'];
    for (const AddressSpaces of [
      spaces,
      'SMTP:fabrikam.example;1 X400:c=US;a= ;P=Contoso;5',
      { value: spaces, Count: 3 },
    ]) {
      const read = decodeExport(Buffer.from(JSON.stringify({ Name: 'To X.400', AddressSpaces })));
      expect(read).toMatchObject({ ok: true, leftOut: [], connectors: [{ addressSpaces: ['fabrikam.example'] }] });
    }
  });

  test('4.11: a million bad values are twenty warnings', () => {
    const SmartHosts = Array.from({ length: 1_000_000 }, () => '!');
    const read = decodeExport(Buffer.from(JSON.stringify({ Name: 'a', SmartHosts })));
    expect(read.ok && read.leftOut.slice(-1)).toEqual(['and 999980 more']);
  });

  test('issue 14, 1.10: values nested without end are told in a sentence of ours, wherever they stand', () => {
    for (const open of ['[', '{"value":']) {
      const deep = `${open.repeat(50_000)}1${(open === '[' ? ']' : '}').repeat(50_000)}`;
      for (const name of [
        'Name',
        'SmartHosts',
        'AddressSpaces',
        'Port',
        'Fqdn',
        'TlsAuthLevel',
        'Guid',
        'Enabled',
        'value',
      ]) {
        const read = decodeExport(Buffer.from(`[{"Name":"a","${name}":${deep}},{"Name":"b"}]`));
        expect(JSON.stringify(read)).not.toMatch(/call stack/);
        expect(read.ok && read.connectors.map((each) => each.name)).toContain('b');
      }
      for (const text of [deep, `{"Connectors":${deep}}`, open.repeat(50_000)]) {
        const read = decodeExport(Buffer.from(text));
        expect(JSON.stringify(read)).not.toMatch(/call stack/);
      }
    }
  });

  test('issue 14, 1.2: a bad value is shown by its beginning, and the rest of it is not looked at', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const whole = JSON.stringify(value);
        const expected = whole.length > 100 ? `${whole.slice(0, 100)}...` : whole;
        expect(shown(JSON.parse(whole))).toBe(expected);
      }),
    );
    let reads = 0;
    const long = new Proxy(
      Array.from({ length: 1_000_000 }, (_, n) => n),
      {
        get: (target, key) => (reads++, Reflect.get(target, key) as unknown),
      },
    );
    expect(shown([long, long])).toMatch(/^\[\[0,1,.{94}\.\.\.$/);
    expect(reads).toBeLessThan(200);
    // Stringified as a whole it exhausts the stack, which takes seconds where the stack is large.
    expect(shown(JSON.parse('[{"a":'.repeat(50_000) + '1' + '}]'.repeat(50_000)))).toMatch(/^(\[\{"a":)+.{0,5}\.\.\.$/);
  });

  test('whatever is in the file, it never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .array(
              fc.dictionary(
                fc.constantFrom('Name', 'SmartHosts', 'Port', 'Fqdn', 'AddressSpaces', 'TlsAuthLevel', 'Guid'),
                fc.jsonValue(),
              ),
            )
            .map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const read = decodeExport(Buffer.from(text));
          if (read.ok)
            for (const { name, port } of read.connectors) expect([typeof name, port > 0]).toEqual(['string', true]);
          else expect(read.mistakes.length).toBeGreaterThan(0);
        },
      ),
    );
  });
});

test('is read again when it is replaced; while it is wrong the last good one stays; names are found by any form of a GUID', async () => {
  const file = path.join(await temporaryFolder(), 'connectors.json');
  const log = keepingLog();
  const heard: (readonly SendConnector[])[] = [];
  const write = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const guid = '2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10';
  const inventory = await openInventory(file, log, (connectors) => heard.push(connectors));
  onTestFinished(inventory.close);
  expect(inventory.status().problem).toContain('ENOENT');
  await write(JSON.stringify([{ Name: 'First', Guid: guid, ProtocolLoggingLevel: 0 }]));
  await vi.waitFor(() => {
    expect(inventory.nameOf(`{${guid.toUpperCase()}}`)).toBe('First');
  }, 20_000);
  expect(log.lines.some(({ message }) => message.includes('ProtocolLoggingLevel is None'))).toBe(true);
  await write('[{"Name": "Sec');
  await vi.waitFor(() => {
    expect(inventory.status().problem).toContain('cut off');
  }, 20_000);
  expect(inventory.nameOf(guid)).toBe('First');
  await write(JSON.stringify([{ Name: 'Second', Guid: guid }]));
  await vi.waitFor(() => {
    expect(inventory.nameOf(guid)).toBe('Second');
  }, 20_000);
  expect(inventory.status()).toMatchObject({ problem: undefined, file });
  await rm(file);
  await vi.waitFor(() => {
    expect(inventory.status().problem).toContain('ENOENT');
  }, 20_000);
  expect(inventory.nameOf(guid)).toBe('Second');
  expect(heard).toHaveLength(2);
});

describe('expected rows', () => {
  const connectors = three.map((each) => ({ ...each, enabled: true })) as unknown as SendConnector[];
  const resolved = (destination: string): readonly string[] =>
    destination === 'relay6.aussen.example:25' ? ['203.0.113.6', '2001:db8:25::1'] : [];

  test('one for each source server and address of a smart host, with the full name of a server once it is known', () => {
    const { nameOf: nameOfServer } = createServerNames([{ full: 'exch02.contoso.local' }]);
    const rows = expectedRows({ connectors, knownServers: [], nameOfServer, addressesOf: resolved });
    expect(rows).toEqual([
      { server: 'exch01', connector: 'Outbound to Internet', destination: 'other' },
      { server: 'exch02.contoso.local', connector: 'Outbound to Internet', destination: 'other' },
      { server: 'exch01', connector: 'Büro → Außen', destination: '203.0.113.6:25' },
      { server: 'exch01', connector: 'Büro → Außen', destination: '[2001:db8:25::1]:25' },
      { server: 'exch02.contoso.local', connector: 'Relay, "Legacy" <DMZ> & Co', destination: '10.20.30.40:587' },
      {
        server: 'exch02.contoso.local',
        connector: 'Relay, "Legacy" <DMZ> & Co',
        destination: 'relay2.contoso.local:587',
      },
    ]);
  });

  test('of this server alone where only its own records are read', () => {
    const rows = expectedRows({
      connectors,
      knownServers: [],
      nameOfServer: (name) => name,
      ownServers: ['EXCH02.contoso.local'],
      addressesOf: resolved,
    });
    expect(new Set(rows.map(({ server }) => server))).toEqual(new Set(['exch02']));
  });

  test('of a domain by its MX to port 25; without source servers of all servers known; never of a disabled connector', () => {
    const [domain] = connectors.map((each) => ({
      ...each,
      addressSpaces: ['*.a.example', 'a.example'],
      sourceServers: [],
    }));
    const expected = (known: readonly string[]) =>
      expectedRows({
        connectors: [domain!, { ...domain!, enabled: false }],
        knownServers: known,
        nameOfServer: (name) => name,
        addressesOf: resolved,
      });
    expect(expected([])).toEqual([]);
    expect(expected(['exch01.contoso.local'])).toEqual([
      { server: 'exch01.contoso.local', connector: 'Outbound to Internet', destination: 'a.example:25' },
    ]);
  });
});

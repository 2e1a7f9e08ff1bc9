/** The next commands: that each runs where it stands, and that no name from a log ever ends its word. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnoses } from '../../src/model/words.js';
import { findOwnHost } from '../../src/probes/own-host.js';
import { nextCommandsOf } from '../../src/web/parts/next-command.js';
import { powerShellWord, shWord } from '../../src/web/parts/quoting.js';
import type { OwnHost } from '../../src/model/status.js';
import { emoji, evil } from './world.js';

const destination = '203.0.113.25:25';
const whom = { connector: 'Outbound', destination, host: 'mx1.fabrikam.example' };
const linux: OwnHost = {
  windows: false,
  self: ['/usr/bin/node', '/opt/exporter of mail/main.js'],
  configured: ['--config.file', '/etc/exporter.yml'],
  programs: ['swaks', 'openssl'],
};
const windows: OwnHost = { ...linux, windows: true, self: ['C:\\Program Files\\exporter\\exporter.exe'] };
const commandsOf = (...asked: Parameters<typeof nextCommandsOf>): string[] =>
  nextCommandsOf(...asked).map(({ where, command }) => `${where}: ${command}`);

describe('16.4.1: the next command runs where it stands', () => {
  test('PowerShell on the server, probe on the host of the exporter', () => {
    expect(commandsOf('destination_down', whom, linux)).toEqual([
      'server: Test-NetConnection 203.0.113.25 -Port 25 -InformationLevel Detailed',
      "exporter: /usr/bin/node '/opt/exporter of mail/main.js' probe --config.file /etc/exporter.yml 203.0.113.25:25",
    ]);
  });

  test('an exporter on Windows gets PowerShell, too', () => {
    expect(commandsOf('destination_down', { ...whom, destination: '[2001:db8::25]:25' }, windows)[1]).toBe(
      "exporter: & 'C:\\Program Files\\exporter\\exporter.exe' probe '--config.file' /etc/exporter.yml '[2001:db8::25]:25'",
    );
  });

  test('openssl and swaks are offered where they are installed, and only for what they tell', () => {
    const tls = commandsOf('tls', whom, linux);
    expect(tls.at(-1)).toBe(
      'exporter: openssl s_client -starttls smtp -connect 203.0.113.25:25 -servername mx1.fabrikam.example </dev/null',
    );
    expect(commandsOf('smtp_refuses', whom, linux).at(-1)).toBe(
      'exporter: swaks --server 203.0.113.25 --port 25 --quit-after EHLO',
    );
    expect(commandsOf('tls', whom, { ...linux, programs: [] })).toHaveLength(2);
  });

  test('a Windows server is never told to run OpenSSL: TLS is looked at through .NET, in one line', () => {
    const [tls] = nextCommandsOf('tls', whom, linux);
    expect(tls?.where).toBe('server');
    expect(tls?.command).toContain("New-Object Net.Sockets.TcpClient('203.0.113.25', 25)");
    expect(tls?.command).toContain("AuthenticateAsClient('mx1.fabrikam.example', $null,");
    expect(tls?.command).not.toMatch(/openssl|["\r\n]/);
    expect(balanceOf(tls?.command ?? '')).toEqual({ '(': 0, '{': 0, '[': 0, quoted: false });
    for (const word of diagnoses)
      for (const { where, command } of nextCommandsOf(word, whom, linux))
        if (where === 'server') expect(command).not.toMatch(/openssl|swaks|\/dev\/null/);
  });

  test('names are resolved as names, and an address asks no DNS server', () => {
    expect(commandsOf('name_resolution', { ...whom, destination: 'mail.contoso.example:25', host: undefined })[0]).toBe(
      'server: Resolve-DnsName mail.contoso.example -Type MX; Resolve-DnsName mail.contoso.example -Type A',
    );
    expect(commandsOf('name_resolution', { ...whom, host: undefined })).toEqual([
      'exporter: send-connector-exporter probe 203.0.113.25:25',
    ]);
  });

  test('a connector may have any name: it stays one word', () => {
    expect(commandsOf('connector_wide', { ...whom, connector: `It's "ours"; $(calc) \u2019; calc` })[0]).toContain(
      "Get-SendConnector 'It''s \"ours\"; $(calc) \u2019\u2019; calc' | Format-List",
    );
    for (const connector of ['a\nb', 'a\u202eb', 'half \ud83d', 'a\u2028b', 'a\u0085b'])
      expect(commandsOf('connector_wide', { ...whom, connector }).join()).not.toContain('Get-SendConnector');
  });

  test('16.6: a name that an identity would take for a pattern picks out the one connector of that name', () => {
    for (const connector of ['*', 'Out*', 'a?b', '[ab]', "it's *"])
      expect(commandsOf('connector_wide', { ...whom, connector })[0]).toBe(
        `server: Get-SendConnector | Where-Object { $_.Name -eq ${powerShellWord(connector)!} } | Format-List ` +
          'Enabled,SmartHosts,Port,SourceIPAddress,SourceTransportServers',
      );
    // No connector is called as an escape shows its name.
    expect(commandsOf('connector_wide', { ...whom, connector: String.raw`a\u202Eb` }).join()).not.toContain('Get-Send');
  });

  test('16.7: probe is offered with the settings of this exporter, flags too', async () => {
    const given = { file: 'conf/exporter.yml', allow: ['127.0.0.0/8', '::1'], ports: ['25', '2500-2599'] };
    const own = { ...(await findOwnHost(given)), windows: false, self: ['send-connector-exporter'], programs: [] };
    expect(commandsOf('destination_down', whom, own)[1]).toBe(
      `exporter: send-connector-exporter probe --config.file ${path.resolve('conf/exporter.yml')} ` +
        '--probe.allow 127.0.0.0/8 --probe.allow ::1 --probe.ports 25,2500-2599 203.0.113.25:25'
          .replace(' ::1', " '::1'")
          .replace('25,2500-2599', "'25,2500-2599'"),
    );
    expect((await findOwnHost({})).configured).toEqual([]);
  });

  test('16.9: Windows chooses the version of TLS; where .NET cannot leave it the choice, it is 1.2', () => {
    const [tls] = nextCommandsOf('tls', whom, linux);
    const asks = (protocols: string): string =>
      `$tls.AuthenticateAsClient('mx1.fabrikam.example', $null, [Security.Authentication.SslProtocols]::${protocols}, $false)`;
    expect(tls?.command).toContain(`try { ${asks('None')} } catch [ArgumentException] { ${asks('Tls12')} }; `);
  });

  test('a host that looks like an option is quoted for PowerShell and given to no other program', () => {
    expect(commandsOf('destination_down', { ...whom, destination: '-Foo:25' }, linux)).toEqual([
      "server: Test-NetConnection '-foo' -Port 25 -InformationLevel Detailed",
    ]);
  });

  test('whatever a log says, each command is one line and its quotes are closed', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(evil, emoji, "'; calc; '", '-x:25'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...diagnoses), text, text, text, fc.boolean(), (word, connector, name, host, own) => {
        for (const { command, where } of nextCommandsOf(
          word,
          { connector, destination: name, host },
          own ? linux : windows,
        )) {
          expect(command).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
          if (where === 'server') expect(balanceOf(command).quoted).toBe(false);
        }
      }),
    );
  });
});

describe('16.4.1: quoting', () => {
  const printable = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => shWord(text) !== undefined);
  const hostile = fc.oneof(
    printable,
    fc.constantFrom("'", "''", `a'b"c`, '$(id)', '`id`', '\\', "\\'", '-n', '*', '!', '~'),
  );

  test('a POSIX shell reads back exactly what was quoted', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 20 }), (texts) => {
        const script = texts.map((text) => `printf '%s\\0' ${shWord(text) ?? ''}`).join('; ');
        expect(execFileSync('sh', ['-c', script]).toString()).toBe(texts.map((text) => `${text}\0`).join(''));
      }),
      { numRuns: 30 },
    );
  });

  test('PowerShell reads back exactly what was quoted, typographic quotes among it', () => {
    const quotes = fc.string({
      unit: fc.constantFrom("'", '\u2018', '\u2019', '\u201a', '\u201b', '"', 'a', '$'),
      minLength: 1,
    });
    fc.assert(
      fc.property(fc.oneof(hostile, quotes), (text) => {
        const word = powerShellWord(text) ?? '';
        expect(word.startsWith("'") ? unquoted(word) : word).toBe(text);
      }),
    );
  });
});

/** By the rules of PowerShell: any of five characters ends the text, two in a row are one of them. */
function unquoted(word: string): string | undefined {
  const isQuote = (character: string | undefined): boolean =>
    character !== undefined && /['\u2018-\u201b]/.test(character);
  let text = '';
  for (let place = 1; place < word.length; place++) {
    const character = word[place]!;
    if (isQuote(character) && !isQuote(word[++place])) return place === word.length ? text : undefined;
    text += character;
  }
  return undefined;
}

/** Brackets still open outside of quoted texts, and whether a text is. */
function balanceOf(command: string): { '(': number; '{': number; '[': number; quoted: boolean } {
  const balance = { '(': 0, '{': 0, '[': 0, quoted: false };
  for (const character of command) {
    if (/['\u2018-\u201b]/.test(character)) balance.quoted = !balance.quoted;
    if (balance.quoted) continue;
    if (character === '(' || character === '{' || character === '[') balance[character]++;
    if (character === ')') balance['(']--;
    if (character === '}') balance['{']--;
    if (character === ']') balance['[']--;
  }
  return balance;
}

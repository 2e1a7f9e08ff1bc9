/** What the Windows service is made of, as far as it is the same on every system. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  commandLine,
  configurationIn,
  serviceFolders,
  serviceName,
  serviceSid,
} from '../../../src/commands/service/definition.js';
import { serviceNumbers } from '../../../src/commands/service/dispatcher.js';
import { eventNumbers } from '../../../src/commands/service/event-log.js';
import { firstConfiguration } from '../../../src/commands/service/install.js';
import { managerNumbers } from '../../../src/commands/service/manager-error.js';
import {
  addressesProblem,
  dynamicRange,
  excludedRanges,
  firewallFinding,
  reservationFinding,
} from '../../../src/commands/service/network.js';
import { readNumbers, registryTypes } from '../../../src/commands/service/registry.js';
import { grantsFor, sidBytes } from '../../../src/commands/service/rights.js';
import { commandText } from '../../../src/commands/service/system-program.js';
import { exitText, lastErrorIn, statusText, type ServiceState } from '../../../src/commands/service/status-text.js';
import { loadConfig } from '../../../src/config/config.js';
import { openLogFile } from '../../../src/runtime/log-file.js';
import { temporaryFolder } from '../../support/folder.js';

test('the identifier of the account is the one that Windows computes from the name', () => {
  // The owner of Windows' own files, which every Windows shows.
  expect(serviceSid('TrustedInstaller')).toBe('S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464');
  expect(serviceSid('trustedinstaller')).toBe(serviceSid('TrustedInstaller'));
  expect(sidBytes('S-1-5-32-573').toString('hex')).toBe('010200000000000520000000' + '3d020000');
});

test('only the program and the place of the configuration stand in the command line, and the place is found in it', () => {
  const line = commandLine('C:\\Program Files\\x\\x.exe', 'D:\\my conf\\c.yml');
  expect(line).toBe('"C:\\Program Files\\x\\x.exe" service run --config.file="D:\\my conf\\c.yml"');
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Z]:\\[\w .-]{1,40}$/), (place) => {
      expect(configurationIn(commandLine('C:\\x.exe', place))).toBe(place);
    }),
  );
  expect(configurationIn('x.exe service run --config.file D:\\c.yml')).toBe('D:\\c.yml');
  expect(configurationIn('x.exe service run')).toBeUndefined();
});

test('the first configuration is one that the exporter takes, with whatever folder is named', async () => {
  const file = path.join(await temporaryFolder(), 'config.yml');
  const state = "D:\\O'Neil's state: #1";
  await writeFile(file, firstConfiguration({ port: 9999, state }));
  const loaded = await loadConfig({ file, overrides: [] });
  expect(loaded.ok && loaded.config.web.listenAddresses).toEqual([{ port: 9999 }]);
  expect(parse(await readFile(file, 'utf8'))).toEqual({
    web: { listenAddresses: [':9999'] },
    state: { directory: state },
  });
});

const state = (given: Partial<ServiceState>): ServiceState => ({
  state: 1,
  processId: 0,
  exitCode: 0,
  ownExitCode: 0,
  startType: 2,
  isDelayed: true,
  account: 'NT SERVICE\\SendConnectorExporter',
  commandLine: commandLine('C:\\x.exe', 'C:\\c.yml'),
  ...given,
});

describe('the status', () => {
  test.each([
    [{ exitCode: 0 }, '0: a clean stop'],
    [{ exitCode: 1066, ownExitCode: 1 }, '1: it could not start or not stop cleanly'],
    [{ exitCode: 1066, ownExitCode: 2 }, '2: its configuration is wrong'],
    [{ exitCode: 1067 }, '1067: it ended without a message: a crash or a kill'],
    [{ exitCode: 3 }, '3: an error of Windows; net helpmsg 3 explains it'],
    [{ state: 4, exitCode: 0 }, undefined],
  ])('says what the last exit code means: %j', (given, text) => {
    expect(exitText(state(given))).toBe(text);
  });

  test('has the last error of the log when the service failed, and not when it runs', () => {
    const log = [
      'p" level=error msg="half a line that is not the last"',
      'ts=2026-01-01T00:00:00.000Z level=error msg="cannot go on" error="cannot listen on 127.0.0.1:10202"',
      'ts=2026-01-01T00:00:00.001Z level=info msg="the service has stopped" exitCode=1',
      '',
    ].join('\n');
    const lastError = lastErrorIn(log);
    expect(lastError).toBe('msg="cannot go on" error="cannot listen on 127.0.0.1:10202"');
    const failed = statusText(state({ exitCode: 1066, ownExitCode: 1 }), { logFile: 'C:\\l.log', lastError });
    expect(failed).toMatch(/^state {9}stopped\nexit code {5}1: .*\nlast error {4}msg="cannot go on"/);
    expect(failed).toContain('start         automatic, delayed\n');
    expect(failed).toContain('configuration C:\\c.yml\n');
    expect(statusText(state({ state: 4, processId: 7 }), { logFile: 'x', lastError })).not.toContain('last error');
  });
});

test('20: the status has no error of an earlier run, and none where the program did not run', () => {
  const error = 'ts=2026-01-01T00:00:00.000Z level=error msg="cannot go on" error="old"';
  const begun = 'ts=2026-01-01T00:00:09.000Z level=info msg="starting as a Windows service" version=1.0.0';
  expect(lastErrorIn(`${begun}\n${error}\n`)).toContain('old');
  expect(lastErrorIn(`${error}\n${begun}\nts=x level=info msg=listening\n`)).toBeUndefined();
  for (const exitCode of [2, 5, 1069, 1077])
    expect(statusText(state({ exitCode }), { logFile: 'x', lastError: 'msg="old"' })).not.toContain('last error');
});

describe('rights', () => {
  const folders = serviceFolders('C:\\ProgramData');
  const account = `*${serviceSid(serviceName)}`;
  const usual = { configuration: folders.configuration, state: folders.state };
  const of = (chosen: Partial<typeof usual>) =>
    new Map(grantsFor(folders, { ...usual, ...chosen }).map(({ place, rights }) => [place, rights]));
  const alone = ['/inheritance:r', '/grant:r', '*S-1-5-32-544:(OI)(CI)F', '*S-1-5-18:(OI)(CI)F'];

  test('the data are for the service and administrators alone, and only state and log may be written', () => {
    expect([...of({})]).toEqual([
      [folders.data, [...alone, `${account}:(OI)(CI)RX`]],
      [folders.logs, [...alone, `${account}:(OI)(CI)M`]],
      [folders.state, [...alone, `${account}:(OI)(CI)M`]],
    ]);
  });

  test.each(['D:\\state', 'C:\\state', '\\\\server\\share\\state', 'C:\\ProgramData\\send-connector-exporter2'])(
    '20: a chosen state folder keeps the rights that it has: %s',
    (chosen) => {
      expect(of({ state: chosen }).get(chosen)).toEqual(['/grant', `${account}:(OI)(CI)M`]);
    },
  );

  test.each(['D:\\c.yml', 'C:\\conf\\c.yml'])('20: a chosen configuration may be read: %s', (chosen) => {
    expect(of({ configuration: chosen }).get(chosen)).toEqual(['/grant', `${account}:R`]);
  });

  test.each(['D:\\', 'C:\\', 'C:\\ProgramData', 'c:\\programdata\\Send-Connector-Exporter'])(
    '20: nothing is given to the service that holds more than its state: %s',
    (chosen) => {
      expect(of({ state: chosen }).get(folders.data)).toEqual([...alone, `${account}:(OI)(CI)RX`]);
      if (chosen.toLowerCase() !== folders.data.toLowerCase()) expect(of({ state: chosen }).has(chosen)).toBe(false);
      expect(of({ state: chosen }).size).toBe(2);
    },
  );
});

describe('the port', () => {
  const german = `
Portausschlussbereiche für das Protokoll "tcp"

Startport       Endport
---------       -------
      5357        5357
     10202       10202     *
     50000       50059     *

* - Verwaltete Portausschlüsse.
`;
  const dynamic = `
Protokoll tcp Dynamischer Portbereich
-------------------------------------
Startport      : 6005
Anzahl von Ports : 59530
`;

  test('is looked for among the reserved and the dynamic ports, in any language', () => {
    expect(excludedRanges(german.replaceAll('\n', '\r\n'))).toEqual([
      { first: 5357, last: 5357 },
      { first: 10202, last: 10202 },
      { first: 50000, last: 50059 },
    ]);
    expect(dynamicRange(dynamic)).toEqual({ first: 6005, last: 65534 });
    expect(reservationFinding(10202, german, dynamic)).toMatchObject({ state: 'ok' });
    expect(reservationFinding(50010, german, dynamic)).toMatchObject({ state: 'ok' });
    expect(reservationFinding(9999, german, dynamic)).toMatchObject({
      state: 'warning',
      remedy: 'netsh int ipv4 add excludedportrange protocol=tcp startport=9999 numberofports=1 store=persistent',
    });
    expect(reservationFinding(5000, german, dynamic)).toMatchObject({
      state: 'ok',
      text: expect.stringContaining('outside') as string,
    });
    expect(reservationFinding(10202, '', '')).toMatchObject({ state: 'skipped' });
  });

  test('is opened by the rule only if that is for it', () => {
    const output = 'Regelname: SendConnectorExporter\r\nRemote-IP:   10.1.2.3/32\r\nLokaler Port:   10202\r\nOk.\r\n';
    expect(firewallFinding([10202], { ok: true, output }).state).toBe('ok');
    expect(firewallFinding([10203], { ok: true, output }).state).toBe('warning');
    expect(firewallFinding([10202], { ok: false, output: 'Keine Regel' })).toMatchObject({ state: 'skipped' });
    expect(firewallFinding([10202], { ok: true, output: '' })).toMatchObject({ state: 'skipped' });
    // 20: a configuration may name several, and a rule lists them.
    const several = output.replace('10202', '10202,10300-10310');
    expect(firewallFinding([10202, 10305], { ok: true, output: several }).state).toBe('ok');
    expect(firewallFinding([10202, 10203], { ok: true, output })).toMatchObject({
      state: 'warning',
      text: 'the rule SendConnectorExporter does not open port 10203',
    });
  });

  test('is opened by a command that a person can paste into cmd and into PowerShell', () => {
    const rule = ['name=X', 'remoteip=10.1.2.3,10.1.0.0/16', 'program=C:\\Program Files\\x.exe'];
    expect(commandText('netsh', rule)).toBe(
      'netsh name=X "remoteip=10.1.2.3,10.1.0.0/16" "program=C:\\Program Files\\x.exe"',
    );
    expect(commandText('icacls', ['C:\\x', '/grant:r', '*S-1-5-18:(OI)(CI)F'])).toBe(
      'icacls C:\\x /grant:r "*S-1-5-18:(OI)(CI)F"',
    );
  });

  test('is opened for addresses and networks, and for nothing else', () => {
    expect(addressesProblem(['10.1.2.3', '10.1.0.0/16', '2001:db8::1', 'LocalSubnet'])).toBeUndefined();
    for (const wrong of ['any', '*', '10.1.2.3 & calc', 'prometheus.example', '10.0.0.0/33'])
      expect(addressesProblem(['10.1.2.3', wrong])).toContain(wrong);
  });
});

describe('the log file', () => {
  test('is rotated by its size and kept that often; nothing is lost between', async () => {
    const file = path.join(await temporaryFolder(), 'logs', 'x.log');
    const log = openLogFile(file, { largest: 100, kept: 3 });
    for (let line = 0; line < 50; line++) log.write(`line ${String(line).padStart(2, '0')} äöü\n`);
    log.close();
    const names = (await readdir(path.dirname(file))).sort();
    expect(names).toEqual(['x.log', 'x.log.1', 'x.log.2', 'x.log.3']);
    const texts = await Promise.all(
      [...names].reverse().map((name) => readFile(path.join(path.dirname(file), name), 'utf8')),
    );
    const lines = texts.join('').trim().split('\n');
    const last = 50 - lines.length;
    expect(lines).toEqual(lines.map((_, index) => `line ${String(last + index).padStart(2, '0')} äöü`));
    for (const text of texts) expect(Buffer.byteLength(text)).toBeLessThan(100 + 20);
  });

  test('goes on in the same file when it cannot be moved, and is written on after a restart', async () => {
    const file = path.join(await temporaryFolder(), 'x.log');
    // Folders in the place of older files: no system renames over one that holds something.
    await mkdir(path.join(`${file}.1`, 'held'), { recursive: true });
    for (const number of [2, 3]) await mkdir(path.join(`${file}.${number}`, 'held'), { recursive: true });
    for (const part of ['a', 'b']) {
      const log = openLogFile(file, { largest: 100, kept: 3 });
      for (let line = 0; line < 20; line++) log.write(`${part} ${line}\n`);
      log.close();
    }
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    expect(lines).toEqual(['a', 'b'].flatMap((part) => Array.from({ length: 20 }, (_, line) => `${part} ${line}`)));
  });
});

const headers = '/usr/share/mingw-w64/include';

test.skipIf(!existsSync(headers) && process.env.CI !== 'true')('numbers are those of the headers of Windows', () => {
  const names = ['winsvc.h', 'winerror.h', 'winnt.h', 'winreg.h'];
  const text = names.map((name) => readFileSync(`${headers}/${name}`, 'utf8')).join('\n');
  // The sum of its bits, as winsvc.h has it.
  const { SERVICE_ALL_ACCESS: all, ...plain } = {
    ...serviceNumbers,
    ...managerNumbers,
    ...eventNumbers,
    ...registryTypes,
    ...readNumbers,
  };
  expect(all).toBe(0xf0000 | 0x1ff);
  for (const [name, value] of Object.entries(plain)) {
    const given = new RegExp(`#define ${name}\\s+\\(?\\s*(?:__MSABI_LONG\\()?(0x[0-9A-Fa-f]+|\\d+)`).exec(text)?.[1];
    expect(Number(given), name).toBe(value);
  }
});

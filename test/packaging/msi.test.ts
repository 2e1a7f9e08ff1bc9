/** The MSI: what its tables say, the same bytes each time, and signatures. What it does is shown by `npm run bench -- windows-service`. */
import { execFileSync } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { buildExe, koffiNode } from '../../packaging/exe.mjs';
import { buildMsi } from '../../packaging/msi.mjs';
import { signAll, signFile } from '../../packaging/sign.mjs';
import { temporaryFolder } from '../support/folder.js';
import { hasProgram } from '../support/programs.js';

const has = ['wixl', 'msibuild', 'msiinfo'].every((name) => hasProgram(name));
const run = (name: string, ...args: string[]): string => execFileSync(name, args, { encoding: 'utf8' });

/** Rows of a table by their first column. */
function table(msi: string, name: string): ReadonlyMap<string, readonly string[]> {
  const [header = '', , , ...rows] = run('msiinfo', 'export', msi, name).replaceAll('\r', '').trimEnd().split('\n');
  expect(header).not.toBe('');
  return new Map(rows.map((row) => row.split('\t')).map(([key = '', ...rest]) => [key, rest]));
}

async function msiOf(text: string, version?: string): Promise<string> {
  const folder = await temporaryFolder();
  const program = path.join(folder, 'send-connector-exporter.exe');
  await writeFile(program, text);
  return buildMsi({ program, folder, ...(version !== undefined && { version }) });
}

describe.skipIf(!has)('the MSI', () => {
  test('lays the program and lets it make its service: only the path of the configuration is fixed', async () => {
    const msi = await msiOf('program');
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    const properties = table(msi, 'Property');
    expect(properties.get('ProductVersion')).toEqual([version]);
    expect(properties.get('ALLUSERS')).toEqual(['1']);
    expect(properties.get('LISTEN_PORT')).toEqual(['10202']);
    expect(properties.get('ADD_FIREWALL_RULE')).toEqual(['1']);
    const [secure = ''] = properties.get('SecureCustomProperties') ?? [];
    const open = ['CONFIG_FILE', 'LISTEN_PORT', 'ADD_FIREWALL_RULE', 'REMOTE_ADDRESSES', 'STATE_DIR', 'START_SERVICE'];
    expect(secure.split(';')).toEqual(expect.arrayContaining(open));

    const actions = table(msi, 'CustomAction');
    const install = actions.get('InstallService') ?? [];
    expect(install.slice(0, 2)).toEqual(['3090', 'Exe']);
    // A space before the quotation mark, which a backslash at the end of a folder would escape.
    for (const name of open.slice(0, 5)) expect(install[2]).toContain(`="[${name}] "`);
    const conditions = table(msi, 'LaunchCondition');
    const port = conditions.get('Installed OR (LISTEN_PORT >= 1 AND LISTEN_PORT <= 65535)');
    expect(port).toEqual(['LISTEN_PORT is [LISTEN_PORT]: expected a port from 1 to 65535.']);
    for (const name of ['ADD_FIREWALL_RULE', 'START_SERVICE'])
      expect(conditions.has(`Installed OR ${name} = "0" OR ${name} = "1"`)).toBe(true);
    // 64: goes on whatever happens. A start that fails must not take the installation back.
    expect(actions.get('StartService')).toEqual([String(3090 + 64), 'Exe', 'service start']);
    expect(table(msi, 'ServiceControl').get('StopService')).toEqual([
      'SendConnectorExporter',
      // 2 and 32: stopped by an installation and a removal; 128: removed by a removal, when the program cannot any more.
      '162',
      '',
      '1',
      'Program',
    ]);
  });

  test('stops before it replaces, removes the service only when it goes for good, and says what is kept', async () => {
    const msi = await msiOf('program');
    const sequence = table(msi, 'InstallExecuteSequence');
    const at = (name: string): number => Number(sequence.get(name)?.[1]);
    const order = [
      'InstallInitialize',
      'RemoveExistingProducts',
      'StopServices',
      'UninstallService',
      'DeleteServices',
      'RemoveFiles',
      'InstallFiles',
    ];
    const later = ['ForgetService', 'InstallService', 'StartService', 'InstallFinalize'];
    const numbers = [...order, ...later].map(at);
    expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
    expect(sequence.get('UninstallService')?.[0]).toBe('REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE');
    expect(sequence.get('DeleteServices')?.[0]).toBe('NOT UPGRADINGPRODUCTCODE');
    expect(sequence.get('InstallService')?.[0]).toBe('NOT REMOVE');
    expect(table(msi, 'ActionText').get('UninstallService')?.[0]).toContain('are kept in ProgramData');
    expect(table(msi, 'RemoveFile').size).toBe(0);
  });

  test('20.1: has the same bytes from every time zone', async () => {
    const one = await msiOf('program');
    try {
      vi.stubEnv('TZ', 'Asia/Tokyo');
      expect((await readFile(await msiOf('program'))).equals(await readFile(one))).toBe(true);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('is an upgrade of every other version, and the same file when it is made again', async () => {
    const one = await msiOf('program');
    // wixl writes its time in seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const [again, next] = [await msiOf('program'), await msiOf('other', '7.8.9-rc.1')];
    expect((await readFile(one)).equals(await readFile(again))).toBe(true);
    const code = (msi: string, name: string): string | undefined => table(msi, 'Property').get(name)?.[0];
    expect(code(next, 'UpgradeCode')).toBe(code(one, 'UpgradeCode'));
    expect(code(next, 'ProductCode')).not.toBe(code(one, 'ProductCode'));
    // 20: a release candidate has a version that Windows takes, and gives way to its release: 512, the highest version goes, too.
    expect(code(next, 'ProductVersion')).toBe('7.8.9');
    const rows = run('msiinfo', 'export', next, 'Upgrade').replaceAll('\r', '');
    expect(rows).toContain('\t\t7.8.9\t\t513\t\tWIX_UPGRADE_DETECTED\n');
    await expect(msiOf('program', '1.256.0')).rejects.toThrow('up to 255.255.65535');
  });
});

describe.skipIf(!has || !hasProgram('osslsigncode') || !hasProgram('openssl'))('signing', () => {
  test('puts the signature of a certificate on program and MSI; a wrong password is refused', async () => {
    const folder = await temporaryFolder();
    const [key, certificate, pkcs12] = ['key.pem', 'cert.pem', 'both.p12'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    const password = path.join(folder, 'password');
    await writeFile(password, 'open sesame');
    run(
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      certificate,
      '-days',
      '30',
      '-subj',
      '/CN=Test of signing',
      '-addext',
      'extendedKeyUsage=codeSigning',
    );
    run(
      'openssl',
      'pkcs12',
      '-export',
      '-inkey',
      key,
      '-in',
      certificate,
      '-out',
      pkcs12,
      '-passout',
      `file:${password}`,
    );
    const program = path.join(folder, 'send-connector-exporter.exe');
    // A program of Windows, and a small one.
    await copyFile(await koffiNode(), program);
    const signed = await signAll(folder, { pkcs12, passwordFile: password });
    const real = await buildExe(path.join(folder, 'real'));
    // 3.4: built in another folder it has the same bytes.
    expect((await readFile(real)).includes(folder), 'the folder that it was built in').toBe(false);
    await signFile(real, { pkcs12, passwordFile: password });
    for (const file of [...signed, real]) {
      const verdict = run('osslsigncode', 'verify', '-CAfile', certificate, '-in', file);
      expect(verdict).toMatch(/CN ?= ?Test of signing/);
      expect(verdict).toContain('Succeeded');
    }
    await writeFile(password, 'guess');
    await expect(signFile(program, { pkcs12, passwordFile: password })).rejects.toThrow('osslsigncode');
  }, 60_000);
});

/** The Debian package: what dpkg knows of it and what lies where. `npm run bench -- deb` installs and runs it. */
import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { debianVersion } from '../../packaging/deb.mjs';
import { loadConfig } from '../../src/config/config.js';
import { temporaryFolder } from '../support/folder.js';
import { hasProgram } from '../support/programs.js';

const run = promisify(execFile);

test('3.1: versions are ordered by Debian as by npm', () => {
  expect(debianVersion('1.2.3')).toBe('1.2.3-1');
  expect(debianVersion('1.2.3-rc.1')).toBe('1.2.3~rc.1-1');
  expect(debianVersion('1.2.3-beta-2.x')).toBe('1.2.3~beta.2.x-1');
});

test('3.1: the package runs on the nodejs of the system, and installs unit, account and configuration', async (context) => {
  if (!hasProgram('dpkg-deb')) context.skip();
  const folder = await temporaryFolder();
  // From another folder, which must change nothing.
  const { stdout: made } = await run(process.execPath, [path.resolve('packaging/deb.mjs'), folder], { cwd: folder });
  const deb = made.trim();
  const field = async (name: string) => (await run('dpkg-deb', ['-f', deb, name])).stdout.trim();
  const { version, engines } = JSON.parse(await readFile('package.json', 'utf8')) as {
    version: string;
    engines: { node: string };
  };
  expect(await field('Version')).toBe(debianVersion(version));
  expect(await field('Architecture')).toBe('all');
  expect(await field('Depends')).toContain(`nodejs (${engines.node.replace('>=', '>= ')})`);

  const { stdout: listed } = await run('dpkg-deb', ['-c', deb]);
  const lines = listed
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/));
  for (const [mode, owner, , , , place] of lines) {
    expect(owner, place).toBe('root/root');
    expect(mode, place).toMatch(/^(?:drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx)$/);
  }
  const out = path.join(folder, 'out');
  await mkdir(out);
  await run('dpkg-deb', ['-x', deb, out]);
  const { stdout: control } = await run('dpkg-deb', ['-I', deb, 'conffiles']);
  expect(control).toBe('/etc/send-connector-exporter/config.yml\n');
  const text = (place: string) => readFile(path.join(out, place), 'utf8');
  const unit = await text('usr/lib/systemd/system/send-connector-exporter.service');
  const account = await text('usr/lib/sysusers.d/send-connector-exporter.conf');
  expect(account).toContain(`u ${/^User=(.+)$/m.exec(unit)![1]!} - `);
  expect(unit).toContain(
    'ExecStart=/usr/bin/send-connector-exporter --config.file=/etc/send-connector-exporter/config.yml',
  );
  // A small system has a shell, but no /bin/kill.
  for (const [, command] of unit.matchAll(/^Exec\w+=(\S+)/gm))
    expect(['/usr/bin/send-connector-exporter', '/bin/sh']).toContain(command);
  const loaded = await loadConfig({ file: path.join(out, 'etc/send-connector-exporter/config.yml') });
  expect(loaded).toMatchObject({ ok: true, config: { sources: [{ paths: ['/var/spool/send-connector-exporter'] }] } });

  const program = path.join(out, 'usr/bin/send-connector-exporter');
  expect((await readFile(program, 'utf8')).startsWith('#!/usr/bin/node\n')).toBe(true);
  expect((await run(process.execPath, [program, '--version'])).stdout).toContain(version);
  // Nor may it say where this checkout is.
  expect(await readFile(program, 'utf8')).not.toContain(`${path.basename(process.cwd())}/node_modules/`);
  // In order: otherwise the same sources would give other bytes another time.
  const bundled = [...(await readFile(program, 'utf8')).matchAll(/\["((?:alerts|dashboards)\/[^"]+)", /g)].map(
    ([, name]) => name!,
  );
  expect(bundled.length).toBeGreaterThan(5);
  expect(bundled).toEqual([...bundled].sort());
  const copyright = await text('usr/share/doc/send-connector-exporter/copyright');
  for (const name of ['express', 'zod', '@platformatic/kafka'])
    expect(copyright).toMatch(new RegExp(`^${name} \\d`, 'm'));
}, 60_000);

test('3.1: upgrades restart, a removal keeps the state, and a purge takes it', async () => {
  const script = (name: string) => readFile(`packaging/debian/${name}`, 'utf8');
  expect(await script('postinst')).toContain('if [ -n "$2" ]; then action=restart; else action=start; fi');
  const removes = (await script('postrm')).split('\n').filter((line) => line.includes('rm -rf'));
  expect(removes).toEqual(['  rm -rf /var/lib/send-connector-exporter /var/lib/private/send-connector-exporter']);
  for (const name of ['postinst', 'prerm', 'postrm'])
    expect(await script(name)).toMatch(/^#!\/bin\/sh\n(?:#.*\n)+set -e\n/);
});

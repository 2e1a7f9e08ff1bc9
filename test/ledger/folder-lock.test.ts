import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { lockStateFolder, ownerOfStateFolder } from '../../src/ledger/folder-lock.js';
import { startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';

test('a second exporter is refused with the process id of the first, and may when that is gone', async () => {
  const folder = await temporaryFolder();
  const { release } = await lockStateFolder(folder);
  await expect(lockStateFolder(folder)).rejects.toThrow(`another exporter (process ${process.pid}) uses ${folder}`);
  await release();
  await (await lockStateFolder(folder)).release();
});

test('a folder with a long path is locked too', async () => {
  const folder = path.join(await temporaryFolder(), 'x'.repeat(120));
  await mkdir(folder);
  const { release } = await lockStateFolder(folder);
  await expect(lockStateFolder(folder)).rejects.toThrow('another exporter');
  await release();
});

test('20: where no folder holds a socket, as in a container that is read-only, the name holds, or the folder is named', async () => {
  const folder = path.join(await temporaryFolder(), 'a'.repeat(100));
  await mkdir(folder);
  const place = vi.spyOn(os, 'tmpdir').mockReturnValue('/nowhere');
  onTestFinished(() => {
    place.mockRestore();
  });
  await expect(lockStateFolder(folder, 'darwin')).rejects.toThrow(`${folder}: cannot be locked`);
  if (process.platform !== 'linux') return;
  const lock = await lockStateFolder(folder);
  await lock.renew();
  await expect(lockStateFolder(folder)).rejects.toThrow(`process ${process.pid}`);
  await lock.release();
  const again = await lockStateFolder(folder);
  await again.release();
});

test('a lock that kill -9 left over is taken over', async () => {
  const folder = await temporaryFolder();
  const code = `require('node:net').createServer().listen(${JSON.stringify(path.join(folder, 'exporter.sock'))}, () => console.log('listening'))`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await lockStateFolder(folder)).release();
});

test('the exporter itself refuses a folder in use, says whose it is, and leaves the first one alone', async () => {
  const stateDirectory = await temporaryFolder();
  const files = [path.join(stateDirectory, 'events.ndjson')];
  const first = await startExporter({ files, stateDirectory, args: ['--no-probe'] });
  await expect(startExporter({ files, stateDirectory, args: ['--no-probe'] })).rejects.toThrow(
    new RegExp(`another exporter \\(process ${first.pid}\\) uses`),
  );
  expect(await first.scrape()).toContain('exchange_exporter_build_info');
  expect(await first.stop()).toBe(0);
});

test('a second exporter is refused also when the socket of the first is deleted, by whatever path', async () => {
  const folder = await temporaryFolder();
  const { release } = await lockStateFolder(folder);
  await rm(path.join(folder, 'exporter.sock'));
  const link = path.join(await temporaryFolder(), 'link');
  await symlink(folder, link);
  if (process.platform === 'linux')
    for (const at of [folder, link])
      await expect(lockStateFolder(at)).rejects.toThrow(`another exporter (process ${process.pid}) uses ${at}`);
  await release();
});

test.each<NodeJS.Platform>(['linux', 'darwin'])(
  '1.9: what is deleted under the lock is taken again, on %s: the socket and the whole folder',
  async (platform) => {
    const folder = path.join(await temporaryFolder(), 'state');
    await mkdir(folder);
    const lock = await lockStateFolder(folder, platform);
    onTestFinished(() => lock.release());
    for (const lose of [() => rm(path.join(folder, 'exporter.sock')), () => rm(folder, { recursive: true })]) {
      await lose();
      await mkdir(folder, { recursive: true });
      await lock.renew();
      await expect(lockStateFolder(folder, platform)).rejects.toThrow(`another exporter (process ${process.pid})`);
      expect(await ownerOfStateFolder(folder)).toBe(String(process.pid));
    }
  },
);

test('1.9: a folder that another exporter took meanwhile is not taken back', async () => {
  const folder = path.join(await temporaryFolder(), 'state');
  await mkdir(folder);
  const lock = await lockStateFolder(folder, 'darwin');
  await rm(path.join(folder, 'exporter.sock'));
  const other = await lockStateFolder(folder, 'darwin');
  await expect(lock.renew()).rejects.toThrow('another exporter');
  await other.release();
  await lock.renew();
  await lock.release();
});

test('1.9: the owner is found by its name too, when the socket is deleted', async () => {
  if (process.platform !== 'linux') return;
  const folder = await temporaryFolder();
  const { release } = await lockStateFolder(folder);
  await rm(path.join(folder, 'exporter.sock'));
  expect(await ownerOfStateFolder(folder)).toBe(String(process.pid));
  await release();
  expect(await ownerOfStateFolder(folder)).toBeUndefined();
});

test('a socket that somebody else holds in silence is told in seconds, and holds nothing up', async () => {
  const folder = await temporaryFolder();
  const silent = createServer(() => undefined).listen(path.join(folder, 'exporter.sock'));
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  await expect(lockStateFolder(folder)).rejects.toThrow('another exporter (process unknown)');
});

test('a socket that was left over on a disk that is read-only locks the folder beside it', async () => {
  const folder = await temporaryFolder();
  // What cannot be removed, nor listened on.
  await mkdir(path.join(folder, 'exporter.sock', 'stays'), { recursive: true });
  const lock = await lockStateFolder(folder);
  await expect(lockStateFolder(folder)).rejects.toThrow(`process ${process.pid}) uses ${folder}`);
  await lock.release();
});

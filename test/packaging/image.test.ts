/** The OCI image: its configuration, its health check, and the form of the layout. `npm run bench -- image` builds and runs it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { imageConfig } from '../../packaging/image.mjs';
import { tarOf, writeImage } from '../../packaging/oci.mjs';
import { lockStateFolder } from '../../src/ledger/folder-lock.js';
import { temporaryFolder } from '../support/folder.js';
import { hasProgram } from '../support/programs.js';

const run = promisify(execFile);
const healthy = path.resolve(import.meta.dirname, '../../packaging/image/healthy.mjs');

test('3.2: the image runs as nobody, keeps the state in a volume, ends with SIGTERM, and its check needs no shell', () => {
  const { config } = imageConfig('1.2.3', 'abc');
  expect(config.User).toBe('65532:65532');
  expect(Object.keys(config.Volumes)).toEqual(['/var/lib/send-connector-exporter']);
  expect(config.Entrypoint.at(-1)).toBe('--state.directory=/var/lib/send-connector-exporter');
  expect(config.Env).toContain('UV_THREADPOOL_SIZE=16');
  expect(config.StopSignal).toBe('SIGTERM');
  expect(config.Healthcheck.Test).toEqual(['CMD', '/usr/bin/node', '/usr/share/send-connector-exporter/healthy.mjs']);
  expect(config.Labels).toMatchObject({
    'org.opencontainers.image.version': '1.2.3',
    'org.opencontainers.image.revision': 'abc',
  });
});

test('3.2: the health check passes while an exporter holds the state folder, and only then', async () => {
  const folder = await temporaryFolder();
  const check = () => run(process.execPath, [healthy, folder]);
  await expect(check()).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining('no exporter answers') as string,
  });
  const lock = await lockStateFolder(folder);
  await expect(check()).resolves.toMatchObject({ stdout: 'healthy\n' });
  await lock.release();
  await expect(check()).rejects.toMatchObject({ code: 1 });
  const stranger = createServer((client) => client.end('hello'));
  await new Promise<void>((resolve) => stranger.listen(path.join(folder, 'exporter.sock'), resolve));
  await expect(check()).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining('expected a process id') as string,
  });
  await new Promise((resolve) => stranger.close(resolve));
});

test('3.2: a folder becomes the same image each time, whose digests hold and whose owners are as wanted', async (context) => {
  if (!hasProgram('tar')) context.skip();
  const folder = await temporaryFolder();
  const rootfs = path.join(folder, 'rootfs');
  await mkdir(path.join(rootfs, 'var/lib/state'), { recursive: true });
  // Ends with zeros, as does a tar: nothing of it may be taken for the end.
  await writeFile(path.join(rootfs, 'zeros'), Buffer.alloc(2048));
  await symlink('zeros', path.join(rootfs, 'link'));
  const made = async (name: string) => {
    const tar = tarOf(rootfs, { epoch: 1_700_000_000, owned: { place: 'var/lib/state', owner: 65532 } });
    const file = path.join(folder, name);
    const given = { config: imageConfig('1.2.3'), name: 'exporter', tag: '1.2.3', epoch: 1_700_000_000 };
    return { tar, file, digest: await writeImage({ ...given, rootfs: tar, file }) };
  };
  const [first, second] = [await made('a.tar'), await made('b.tar')];
  expect(first.digest).toBe(second.digest);
  expect((await readFile(first.file)).equals(await readFile(second.file))).toBe(true);

  await mkdir(path.join(folder, 'out'));
  await run('tar', ['-xf', first.file, '-C', path.join(folder, 'out')]);
  const blob = async (digest: string) => {
    const content = await readFile(path.join(folder, 'out/blobs/sha256', digest.replace('sha256:', '')));
    expect(`sha256:${createHash('sha256').update(content).digest('hex')}`).toBe(digest);
    return content;
  };
  type Part = { readonly digest: string };
  const index = JSON.parse(await readFile(path.join(folder, 'out/index.json'), 'utf8')) as { manifests: Part[] };
  expect(index.manifests[0]!.digest).toBe(first.digest);
  const manifest = JSON.parse((await blob(first.digest)).toString()) as { config: Part; layers: Part[] };
  const config = JSON.parse((await blob(manifest.config.digest)).toString()) as { rootfs: { diff_ids: string[] } };
  const layer = gunzipSync(await blob(manifest.layers[0]!.digest));
  expect(config.rootfs.diff_ids).toEqual([`sha256:${createHash('sha256').update(layer).digest('hex')}`]);
  await writeFile(path.join(folder, 'layer.tar'), layer);
  const { stdout } = await run('tar', ['--numeric-owner', '-tvf', path.join(folder, 'layer.tar')]);
  const owners = stdout
    .split('\n')
    .flatMap((line) => /^\S+ (\S+) .* (\.\/\S*)/.exec(line)?.slice(1, 3).join(' ') ?? []);
  expect(owners).toEqual([
    '0/0 ./',
    '0/0 ./link',
    '0/0 ./var/',
    '0/0 ./var/lib/',
    '0/0 ./zeros',
    '65532/65532 ./var/lib/state/',
  ]);
});

/** What a release says of itself: the bill of materials and the checksums. */
import { execFileSync } from 'node:child_process';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checksums, demandReplaceable, replacing, setRights } from '../../packaging/release.mjs';
import { billOfMaterials } from '../../packaging/sbom.mjs';
import { shippedNode } from '../../packaging/shipped-node.mjs';
import { temporaryFolder } from '../support/folder.js';

type Bill = {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly { readonly name: string; readonly group?: string; readonly version: string }[];
};

test('the bill of materials names what is in the program, nothing of development, and is the same each time', async () => {
  const text = await billOfMaterials('7.8.9');
  expect(await billOfMaterials('7.8.9')).toBe(text);
  const bill = JSON.parse(text) as Bill;
  expect(bill.bomFormat).toBe('CycloneDX');
  expect(bill.metadata.component).toMatchObject({ name: 'send-connector-exporter', version: '7.8.9' });
  const manifest = JSON.parse(await readFile('package.json', 'utf8')) as Record<string, Record<string, string>>;
  const names = bill.components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
  for (const name of Object.keys(manifest.dependencies ?? {})) expect(names).toContain(name);
  // 20: the Node inside of exe and image, whichever Node builds them.
  expect(bill.components.find(({ name }) => name === 'node')?.version).toBe(shippedNode);
  for (const name of ['vitest', 'eslint', 'typescript', 'resedit']) expect(names).not.toContain(name);
});

test('the checksums are those of sha256sum, by name', async () => {
  const folder = await temporaryFolder();
  await writeFile(path.join(folder, 'b'), 'hello\n');
  await writeFile(path.join(folder, 'a'), '');
  await writeFile(path.join(folder, 'SHA256SUMS'), 'old');
  expect(await checksums(folder)).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n' +
      '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  b\n',
  );
});

test('3.4: a release replaces an earlier one, and no other folder', async () => {
  const folder = await temporaryFolder();
  const has = (name: string, text = ''): Promise<void> => writeFile(path.join(folder, name), text);
  await has('letters.txt');
  // 20: as a folder of downloads, with the checksums of something else or of a release in it.
  const of = (name: string): string => `${'0'.repeat(64)}  ${name}\n`;
  const ours = 'send-connector-exporter.exe';
  for (const sums of [undefined, '', of('letters.txt'), of(ours)]) {
    if (sums !== undefined) await has('SHA256SUMS', sums);
    await expect(demandReplaceable(folder)).rejects.toThrow('expected an empty folder or that of an earlier release');
  }
  await rm(path.join(folder, 'letters.txt'));
  await has(ours, 'old');
  await demandReplaceable(folder);
  await demandReplaceable(path.join(folder, 'new/one'));

  // 20: one that fails half way leaves the earlier one, and nothing beside it.
  const failing = replacing(folder, async (aside) => {
    await writeFile(path.join(aside, ours), 'new');
    throw new Error('no network');
  });
  await expect(failing).rejects.toThrow('no network');
  expect(await readFile(path.join(folder, ours), 'utf8')).toBe('old');
  await replacing(folder, (aside) => writeFile(path.join(aside, 'one'), ''));
  expect(await readdir(folder)).toEqual(['one']);
  const beside = (await readdir(path.dirname(folder))).filter((name) => name.startsWith(`${path.basename(folder)}.`));
  expect(beside).toEqual([]);
});

test('3.4: the bill of materials names the libraries of Debian in the image', async () => {
  const text = await billOfMaterials('7.8.9', [{ name: 'libstdc++6', version: '12.2.0-14+deb12u1' }]);
  const { components } = JSON.parse(text) as { components: readonly { readonly purl: string }[] };
  expect(components.at(-1)).toMatchObject({
    name: 'libstdc++6',
    purl: 'pkg:deb/debian/libstdc++6@12.2.0-14%2Bdeb12u1?arch=amd64',
  });
});

test('20.1: files are packed with the rights that git knows, whatever the umask of the clone was', async () => {
  const folder = await temporaryFolder();
  const git = (...args: string[]): Buffer => execFileSync('git', ['-C', folder, ...args]);
  git('init', '--quiet');
  const names = ['ünder one.txt', 'run.sh', 'not-ours.txt'];
  for (const name of names) await writeFile(path.join(folder, name), 'x');
  await chmod(path.join(folder, 'run.sh'), 0o755);
  git('add', '--', 'ünder one.txt', 'run.sh');
  for (const name of names) await chmod(path.join(folder, name), name === 'run.sh' ? 0o700 : 0o600);
  await setRights(folder);
  const rights = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).mode & 0o777));
  expect(rights).toEqual([0o644, 0o755, 0o600]);
});

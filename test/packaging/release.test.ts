/** What a release says of itself: the bill of materials and the checksums. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { billOfMaterials, checksums } from '../../packaging/release.mjs';
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
  expect(names).toContain('node');
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

/** Benchmarks compare their figures with those that are kept in the tree: what is worse by more than a fifth is a fault. */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from './support/folder.js';

const kept = new URL('../bench/kept.mjs', import.meta.url).href;

/** In a process of its own, as `npm run bench` runs it: what it says, and how it ends. */
function compared(file: string, figures: Readonly<Record<string, number>>, env: NodeJS.ProcessEnv = {}) {
  const script = `(await import(${JSON.stringify(kept)})).compare(${JSON.stringify(file)}, ${JSON.stringify(figures)}, { aimed: 2 })`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', `await ${script}`], {
    env: { ...process.env, KEEP: '', ...env },
    encoding: 'utf8',
  });
  return { status, stderr };
}

test('a figure worse by more than a fifth is named and ends with 1; so is one that has none to compare with', async () => {
  const file = path.join(await temporaryFolder(), 'kept.json');
  expect(compared(file, { reading: 1, 'not measured now': 5 }, { KEEP: '1' })).toEqual({ status: 0, stderr: '' });
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ reading: 1, 'not measured now': 5 });
  expect(compared(file, { reading: 1.2 })).toEqual({ status: 0, stderr: '' });
  expect(compared(file, { reading: 0.5 })).toEqual({ status: 0, stderr: '' });
  expect(compared(file, { reading: 1.21 })).toEqual({ status: 1, stderr: 'worse: reading: 1.21, was 1.00\n' });
  expect(compared(file, { saving: 1 })).toEqual({
    status: 1,
    stderr: 'worse: saving: 1.00, none is kept (KEEP=1 keeps them)\n',
  });
  // What is compared is not kept by that.
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ reading: 1, 'not measured now': 5 });
});

test('an aim that is missed is said, and is no fault', async () => {
  const file = path.join(await temporaryFolder(), 'kept.json');
  await writeFile(file, '{"aimed": 3}');
  expect(compared(file, { aimed: 3 })).toEqual({ status: 0, stderr: 'missed: aimed: 3.00, aim 2\n' });
});

/** What the system says of names in a folder: a new one brings a scan, and appends to files bring nothing. */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Found } from '../../src/events/sources/files/find-files.js';
import type { State } from '../../src/events/sources/files/state.js';
import { watchPattern } from '../../src/events/sources/files/watching.js';
import { temporaryFolder } from '../support/folder.js';

function watched(pattern: string, by: Found['by']) {
  const told = { scans: 0, warnings: [] as unknown[] };
  const state = {
    watchers: new Map(),
    pace: { isStopped: () => false, scanSoon: () => told.scans++ },
    log: { warn: (_message: string, fields: unknown) => told.warnings.push(fields) },
  } as unknown as State;
  watchPattern(state, pattern, { paths: [], problem: undefined, by });
  onTestFinished(async () => {
    for (const { watcher } of state.watchers.values()) await watcher.close();
  });
  return told;
}

test('a new name in a folder is told at once, what is appended to its files is not', async () => {
  const folder = await temporaryFolder();
  await writeFile(path.join(folder, 'a.log'), '');
  const told = watched(path.join(folder, '*.log'), 'glob');
  await appendFile(path.join(folder, 'a.log'), 'line\n');
  await writeFile(path.join(folder, 'b.log'), '');
  await vi.waitFor(() => {
    expect(told.scans).toBe(1);
  });
});

test('names in folders within folders are told too', async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'exch01'));
  const told = watched(path.join(folder, '*/*.log'), 'glob');
  let names = 0;
  await vi.waitFor(async () => {
    await writeFile(path.join(folder, 'exch01', `${names++}.log`), '');
    expect(told.scans).toBeGreaterThan(0);
  });
});

test('a folder that cannot be watched is said, and is no fault', async () => {
  const told = watched(path.join(await temporaryFolder(), 'gone', 'a.log'), 'name');
  expect(told).toEqual({ scans: 0, warnings: [{ error: expect.stringContaining('ENOENT') as string }] });
});

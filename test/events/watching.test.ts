/** What the system says of names in a folder: a new one brings a scan, and appends to files bring nothing. */
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
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
  const look = (): void => {
    watchPattern(state, pattern, { paths: [], problem: undefined, by });
  };
  look();
  onTestFinished(async () => {
    for (const { watcher } of state.watchers.values()) await watcher.close();
  });
  return { told, look, watched: () => state.watchers.size };
}

test('a new name in a folder is told at once, what is appended to its files is not', async () => {
  const folder = await temporaryFolder();
  await writeFile(path.join(folder, 'a.log'), '');
  const { told } = watched(path.join(folder, '*.log'), 'glob');
  await appendFile(path.join(folder, 'a.log'), 'line\n');
  await writeFile(path.join(folder, 'b.log'), '');
  await vi.waitFor(() => {
    expect(told.scans).toBe(1);
  });
});

test('names in folders within folders are told too', async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'exch01'));
  const { told } = watched(path.join(folder, '*/*.log'), 'glob');
  let names = 0;
  await vi.waitFor(async () => {
    await writeFile(path.join(folder, 'exch01', `${names++}.log`), '');
    expect(told.scans).toBeGreaterThan(0);
  });
});

test('a folder that is not there yet, or is deleted, is watched once it is there', async () => {
  const folder = path.join(await temporaryFolder(), 'logs');
  const watches = watched(path.join(folder, 'a.log'), 'name');
  expect(watches.told).toEqual({ scans: 0, warnings: [] });
  for (const round of [1, 2]) {
    await mkdir(folder);
    watches.look();
    await writeFile(path.join(folder, 'a.log'), '');
    await vi.waitFor(() => {
      expect(watches.told.scans, `round ${round}`).toBe(1);
    });
    await rm(folder, { recursive: true });
    await vi.waitFor(() => {
      expect(watches.watched()).toBe(0);
    });
    watches.told.scans = 0;
  }
});

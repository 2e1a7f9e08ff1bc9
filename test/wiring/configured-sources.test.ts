/** What is looked at by a configuration, on each kind of machine: the one answer that `serve` and `doctor` share. */
import os from 'node:os';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig, type Config } from '../../src/config/config.js';
import { sourceKinds } from '../../src/events/sources/sources.js';
import { isTold, lookedAt, tellSources } from '../../src/wiring/configured-sources.js';
import type { Log } from '../../src/runtime/log.js';
import type { SourceStatus } from '../../src/model/status.js';
import { temporaryFolder } from '../support/folder.js';
import { silentLog } from '../support/log-double.js';

async function configOf(...lines: string[]): Promise<Config> {
  const file = path.join(await temporaryFolder(), 'config.yml');
  await writeFile(file, ['state: { directory: /state }', ...lines].join('\n'));
  const loaded = await loadConfig({ file }, { platform: 'linux', env: {} });
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.config;
}

const mixed = `sources:
  - { type: windows-event-log, channels: [Application, ForwardedEvents] }
  - { type: file, paths: [/a, /b], server: ex01, mayBeEmpty: true }
  - { type: windows-event-log }
  - { type: file, paths: [/c], unfiltered: true }`;

function namesOf({ looked }: ReturnType<typeof lookedAt>): unknown {
  return looked.map(({ kind, parts }) => [kind.type, ...parts.map(({ name }) => name)]);
}

test('17.3: on Windows files, drills and channels, each channel once', async () => {
  const all = lookedAt(await configOf(mixed), 'win32');
  expect(all.refusals).toEqual([]);
  expect(namesOf(all)).toEqual([
    ['file', '/a', '/b', '/c', 'drills'],
    ['windows-event-log', 'Application', 'ForwardedEvents'],
  ]);
  expect(all.looked[0]!.parts).toMatchObject([
    { name: '/a', paths: ['/a'], server: 'ex01', unfiltered: undefined, mayBeEmpty: true },
    { name: '/b', paths: ['/b'], server: 'ex01', unfiltered: undefined, mayBeEmpty: true },
    { name: '/c', paths: ['/c'], server: os.hostname(), unfiltered: true, mayBeEmpty: undefined },
    { name: 'drills', paths: [path.join('/state', 'drills', 'drills.ndjson')], unfiltered: false },
  ]);
});

test('17.3: elsewhere a live log is refused, once and with what to do, and the rest is looked at', async () => {
  const all = lookedAt(await configOf(mixed), 'linux');
  expect(all.refusals).toEqual([expect.stringMatching(/read on Windows only; .* a file that a shipper writes/)]);
  expect(namesOf(all)).toEqual([['file', '/a', '/b', '/c', 'drills']]);
});

test('17.3: without sources there are the drills', async () => {
  expect(namesOf(lookedAt(await configOf(), 'linux'))).toEqual([['file', 'drills']]);
});

test.skipIf(process.platform === 'win32')(
  '17.3: serve tells what is looked at but the drills, or refuses',
  async () => {
    const said: unknown[] = [];
    const log: Log = { ...silentLog, info: (message, fields) => said.push([message, fields?.source, fields?.server]) };
    tellSources(await configOf('sources: [{ type: file, paths: [/a], server: ex01 }]'), log);
    expect(said).toEqual([['reading', '/a', 'ex01']]);
    const config = await configOf(mixed);
    expect(() => {
      tellSources(config, log);
    }).toThrow('windows-event-log is read on Windows only');
  },
);

test('17.3: drills are told of once there is one', () => {
  const status = (source: string, up: boolean) => ({ source, up }) as SourceStatus;
  expect([status('drills', false), status('drills', true), status('/a', false)].map(isTold)).toEqual([
    false,
    true,
    true,
  ]);
});

test('17.2: the word of each kind of source is the literal of its settings', () => {
  for (const { type, settings } of sourceKinds) expect(settings.shape.type.value).toBe(type);
});

/** Somebody sets the clock of the machine while files are followed: what is measured in seconds stays right. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { appendFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { followFiles } from '../../src/events/sources/files/files.js';
import type { Followed } from '../../src/events/sources/source.js';
import { temporaryFolder } from '../support/folder.js';
import { silentLog } from '../support/log-double.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

const year = 365 * 86_400_000;

type World = {
  readonly file: string;
  readonly followed: Followed;
  /** Both clocks, in milliseconds. */
  readonly clocks: { wall: number; steady: number };
  readonly counted: () => number;
};

/** Follows one file with one event in it. */
async function follow(): Promise<World> {
  const file = path.join(await temporaryFolder(), 'events.ndjson');
  await writeFile(file, winlogbeatLine({ recordId: 1 }));
  const clocks = { wall: Date.now(), steady: 0 };
  let events = 0;
  const followed = followFiles({
    sources: [{ name: file, paths: [file], server: 'fallback' }],
    checkpoints: () => [],
    post: ({ evidence }) => {
      events += evidence.length;
      return Promise.resolve();
    },
    knownConnectors: () => [],
    sessions: () => [],
    connectorOfGuid: () => undefined,
    log: silentLog,
    now: () => clocks.wall,
    steady: () => clocks.steady,
  });
  onTestFinished(() => followed.stop());
  const world = { file, followed, clocks, counted: () => events };
  await untilCounted(world, 1);
  return world;
}

async function untilCounted({ counted }: World, events: number): Promise<void> {
  await vi.waitFor(() => {
    expect(counted()).toBe(events);
  }, 30_000);
}

test.each([
  ['forward', year],
  ['back', -year],
])('issue 14: how long a file is behind is told in real seconds when the clock is set %s', async (_name, ms) => {
  const { file, followed, clocks } = await follow();
  await appendFile(file, '{"half":');
  await vi.waitFor(() => {
    expect(followed.statuses()[0]?.lagBytes).toBe(8);
  }, 30_000);
  clocks.steady += 5_000;
  clocks.wall += ms;
  expect(followed.statuses()[0]).toMatchObject({ lagSeconds: 5 });
});

test('issue 14: late lines of a file whose name is gone are read for a minute, though the clock is set forward', async () => {
  const world = await follow();
  const writer = openSync(world.file, 'a');
  onTestFinished(() => {
    closeSync(writer);
  });
  await rm(world.file);
  await vi.waitFor(() => {
    expect(world.followed.statuses()[0]?.detail).toContain('no such file');
  }, 30_000);
  world.clocks.wall += year;
  for (const [late, recordId] of [2, 3, 4, 5].entries()) {
    world.clocks.steady = late * 10_000;
    writeSync(writer, winlogbeatLine({ recordId }));
    await untilCounted(world, recordId);
  }
});

test('issue 14: a file whose name is gone is let go after a minute, though the clock is set back', async () => {
  const { file, followed, clocks } = await follow();
  await rm(file);
  await vi.waitFor(() => {
    expect(followed.statuses()[0]?.detail).toContain('no such file');
  }, 30_000);
  expect(followed.statuses()[0]?.up).toBe(true);
  clocks.wall -= year;
  clocks.steady += 61_000;
  await vi.waitFor(() => {
    expect(followed.statuses()[0]?.up).toBe(false);
  }, 30_000);
});

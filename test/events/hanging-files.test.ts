/** Pipes, devices, names that are no text, file operations that hang: none of them keeps another file from being read. */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemCalls, type SystemCalls } from '../../src/events/sources/files/file-system.js';
import { followFiles, type FollowOptions } from '../../src/events/sources/files/files.js';
import type { Followed } from '../../src/events/sources/source.js';
import { createCheckpoints } from '../../src/events/sources/files/checkpoints.js';
import type { Batch, FileCheckpoint } from '../../src/model/batch.js';
import { temporaryFolder } from '../support/folder.js';
import { nothingKnown } from '../support/follow.js';
import { makeFifo, onPosix, withFifo } from '../support/named-pipe.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

function follow(batches: Batch[], names: readonly string[], more: Partial<FollowOptions> = {}): Followed {
  const followed = followFiles({
    sources: names.map((name) => ({ name, paths: [name], server: 'exch01' })),
    checkpoints: () => [],
    post: (batch) => {
      batches.push(batch);
      return Promise.resolve();
    },
    ...nothingKnown,
    ...more,
  });
  onTestFinished(() => followed.stop());
  return followed;
}

async function untilCounted(batches: readonly Batch[], count: number): Promise<void> {
  await vi.waitFor(
    () => {
      expect(batches.flatMap(({ evidence }) => evidence)).toHaveLength(count);
    },
    { timeout: 20_000 },
  );
}

withFifo('1.4: a FIFO in a watched folder is said, and the files beside it are read', async () => {
  const folder = await temporaryFolder();
  makeFifo(path.join(folder, 'a-pipe.ndjson'));
  await writeFile(path.join(folder, 'events.ndjson'), winlogbeatLine({ recordId: 1 }));
  const batches: Batch[] = [];
  const followed = follow(batches, [folder]);
  await untilCounted(batches, 1);
  await appendFile(path.join(folder, 'events.ndjson'), winlogbeatLine({ recordId: 2 }));
  await untilCounted(batches, 2);
  expect(followed.statuses()[0]).toMatchObject({
    up: true,
    detail: expect.stringContaining('a-pipe.ndjson: a pipe (a FIFO or a process substitution)') as string,
  });
});

onPosix('/dev/zero as a source is said, with the remedy', () => saidWithRemedy('/dev/zero'));

withFifo('a FIFO as a source is said, with the remedy', async () => {
  await saidWithRemedy(makeFifo(path.join(await temporaryFolder(), 'pipe')));
});

async function saidWithRemedy(file: string): Promise<void> {
  const followed = follow([], [file]);
  await vi.waitFor(() => {
    expect(followed.statuses()[0]).toMatchObject({
      up: false,
      detail: expect.stringMatching(/(?:a device|a pipe).*(?:name a regular file|to a file and name that)/) as string,
    });
  });
}

test.skipIf(process.platform !== 'linux')('a file name that is not UTF-8 is read, and shown escaped', async () => {
  const folder = await temporaryFolder();
  const name = Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.ndjson')]);
  await writeFile(name, winlogbeatLine({ recordId: 1 }));
  const wrong = Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe8]), Buffer.from('.txt')]);
  await writeFile(wrong, 'no event at all\n');
  for (const pattern of [folder, `${folder}/*.*`, `${folder}/caf\uFFFD.ndjson`]) {
    const batches: Batch[] = [];
    const followed = follow(batches, [pattern]);
    await untilCounted(batches, 1);
    if (!pattern.endsWith('ndjson')) expect(followed.statuses()[0]?.detail).toContain('caf\\xE8.txt: no known format');
    await followed.stop();
  }
});

/** Operations on paths with this name do not come back before the test has ended. */
function hangingOn(name: string, operation: 'stat' | 'open' | 'readdir'): SystemCalls {
  const ends: (() => void)[] = [];
  onTestFinished(() => {
    for (const end of ends) end();
  });
  const hang = <Args extends readonly unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
    return (...args: Args): Promise<Result> =>
      String(args[0]).endsWith(name)
        ? new Promise<Result>((_resolve, reject) => {
            ends.push(() => {
              reject(new Error('the mount is gone'));
            });
          })
        : call(...args);
  };
  return { ...systemCalls, [operation]: hang(systemCalls[operation] as (...args: unknown[]) => Promise<unknown>) };
}

test.each(['stat', 'open', 'readdir'] as const)(
  'where %s hangs, the other files are read and a stop ends',
  async (operation) => {
    const folder = await temporaryFolder();
    const mount = path.join(folder, 'mount');
    await mkdir(mount);
    await writeFile(path.join(mount, 'events.ndjson'), winlogbeatLine({ recordId: 9 }));
    const file = path.join(folder, 'healthy.ndjson');
    await writeFile(file, winlogbeatLine({ recordId: 1 }));
    const batches: Batch[] = [];
    const calls = hangingOn(operation === 'readdir' ? 'mount' : 'mount/events.ndjson', operation);
    const followed = follow(batches, [mount, file], { calls });
    await untilCounted(batches, 1);
    for (let id = 2; id <= 5; id++) {
      await appendFile(file, winlogbeatLine({ recordId: id }));
      await untilCounted(batches, id);
    }
    await vi.waitFor(
      () => {
        expect(followed.statuses()[0]).toMatchObject({
          up: false,
          detail: expect.stringContaining('the file system does not answer') as string,
        });
      },
      { timeout: 20_000 },
    );
    expect(followed.readingHistory()).toBe(false);
    await followed.stop();
  },
);

test('checkpoints of 50,000 files are found by inode and by content without comparing each with all', () => {
  const checkpoint = (n: number): FileCheckpoint => ({
    source: 'logs',
    path: `/logs/${n}`,
    inode: `1:${n}`,
    head: { length: 1024, hash: `head ${n}` },
    tail: { length: 256, hash: `tail ${n}` },
    history: false,
    offset: 2000 + n,
  });
  const book = createCheckpoints(Array.from({ length: 50_000 }, (_, n) => checkpoint(n)));
  let hashed = 0;
  const found = book.withHead((length) => {
    hashed++;
    return length === 1024 ? 'head 49999' : undefined;
  });
  expect(found).toEqual([checkpoint(49_999)]);
  expect(hashed).toBe(1);
  expect(book.ofInode('1:7')).toEqual(checkpoint(7));
  book.keep({ ...checkpoint(7), offset: 9_999 });
  expect(book.ofPath('/logs/7')).toEqual([{ ...checkpoint(7), offset: 9_999 }]);
  book.forget(checkpoint(7));
  expect([book.ofInode('1:7'), [...book.all()].length]).toEqual([undefined, 49_999]);
});

test('more files than may be open are all read, and most are closed', async () => {
  const folder = await temporaryFolder();
  const count = 60;
  for (let n = 0; n < count; n++)
    await writeFile(
      path.join(folder, `${n}.ndjson`),
      winlogbeatLine({ recordId: n + 1, destination: `192.0.2.${n}:25` }),
    );
  let [open, most] = [0, 0];
  const calls: SystemCalls = {
    ...systemCalls,
    open: async (...args) => {
      const file = await systemCalls.open(...args);
      most = Math.max(most, ++open);
      return {
        stat: (options) => file.stat(options),
        read: (...where) => file.read(...where),
        close: async () => {
          await file.close();
          open--;
        },
      };
    },
  };
  const batches: Batch[] = [];
  follow(batches, [folder], { calls, descriptorLimit: 32 });
  await untilCounted(batches, count);
  for (let n = 0; n < count; n += 7)
    await appendFile(path.join(folder, `${n}.ndjson`), winlogbeatLine({ recordId: 100 + n }));
  await untilCounted(batches, count + 9);
  // Three eighths, and what is being closed.
  expect(most).toBeLessThanOrEqual(16);
});

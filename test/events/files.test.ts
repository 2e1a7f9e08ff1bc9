import { appendFile, chmod, copyFile, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { followFiles, type FollowOptions } from '../../src/events/sources/files/files.js';
import type { Followed } from '../../src/events/sources/source.js';
import type { Batch, FileCheckpoint } from '../../src/model/batch.js';
import { createRecordGaps } from '../../src/ledger/record-gaps.js';
import { addEvent, createLog, flush } from '../support/evtx-writer.js';
import { temporaryFolder } from '../support/folder.js';
import { nothingKnown } from '../support/follow.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

type Book = { readonly batches: Batch[]; readonly checkpoints: Map<string, FileCheckpoint> };

function emptyBook(): Book {
  return { batches: [], checkpoints: new Map() };
}

/** Follows paths, entering batches into a book that outlives the follower, as the ledger does. */
function follow(book: Book, ...given: (Partial<Pick<FollowOptions, 'now' | 'steady'>> | string)[]): Followed {
  const paths = given.filter((each) => typeof each === 'string');
  const clock = given.find((each) => typeof each === 'object');
  const followed = followFiles({
    sources: [{ name: paths.join(), paths, server: 'fallback' }],
    checkpoints: () => [...book.checkpoints.values()],
    post: (batch) => {
      book.batches.push(batch);
      if (batch.checkpoint && 'inode' in batch.checkpoint)
        book.checkpoints.set(batch.checkpoint.inode, batch.checkpoint);
      return Promise.resolve();
    },
    ...nothingKnown,
    ...clock,
  });
  onTestFinished(() => followed.stop());
  return followed;
}

function counted(book: Book): number[] {
  return book.batches.flatMap((batch) =>
    batch.evidence.map((each) => (each.kind === 'connection_error' ? each.key.recordId : undefined) ?? -1),
  );
}

function lines(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => winlogbeatLine({ recordId: from + index })).join('');
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

async function until(book: Book, expected: readonly number[]): Promise<void> {
  await vi.waitFor(
    () => {
      expect(counted(book)).toEqual(expected);
    },
    { timeout: 10_000, interval: 20 },
  );
}

test('follows what is appended, half lines and all', async () => {
  const file = path.join(await temporaryFolder(), 'events.ndjson');
  const book = emptyBook();
  await writeFile(file, lines(1, 3));
  follow(book, file);
  await until(book, numbers(1, 3));
  const next = lines(4, 5);
  await appendFile(file, next.slice(0, 700));
  await appendFile(file, next.slice(700));
  await until(book, numbers(1, 5));
});

test('goes on after a restart where it stood', async () => {
  const file = path.join(await temporaryFolder(), 'events.ndjson');
  const book = emptyBook();
  await writeFile(file, lines(1, 3));
  const first = follow(book, file);
  await until(book, numbers(1, 3));
  await first.stop();
  await appendFile(file, lines(4, 6));
  follow(book, file);
  await until(book, numbers(1, 6));
});

test('objects one behind the other without line ends are read, also where the first one came alone', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'a.json');
  const glued = (from: number, to: number): string => lines(from, to).replaceAll('\n', '');
  await writeFile(file, `\ufeff${glued(1, 1)}`);
  const book = emptyBook();
  follow(book, file);
  await until(book, []);
  await appendFile(file, glued(2, 4));
  await until(book, numbers(1, 4));
  await appendFile(file, `${glued(5, 5)}\n${lines(6, 7)}${glued(8, 9)}\r${lines(10, 12).replaceAll('\n', '\r')}`);
  await until(book, numbers(1, 12));
});

test('a file that appears later is read', async () => {
  const folder = path.join(await temporaryFolder(), 'later');
  const book = emptyBook();
  const followed = follow(book, folder);
  await vi.waitFor(() => {
    expect(followed.statuses()[0]).toMatchObject({
      up: false,
      detail: expect.stringContaining('no such file or folder') as string,
    });
  });
  await mkdir(folder);
  await writeFile(path.join(folder, 'events.ndjson'), lines(1, 2));
  await until(book, numbers(1, 2));
  expect(followed.statuses()[0]).toMatchObject({ up: true });
});

test('rename rotation: late lines to the old file and first lines of the new one are read', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'events.ndjson');
  const book = emptyBook();
  await writeFile(file, lines(1, 2));
  follow(book, file);
  await until(book, numbers(1, 2));
  await rename(file, `${file}.1`);
  await appendFile(`${file}.1`, lines(3, 4));
  await until(book, numbers(1, 4));
  await writeFile(file, lines(5, 6));
  await until(book, numbers(1, 6));
  await appendFile(`${file}.1`, lines(7, 7));
  await until(book, numbers(1, 7));
});

test.each(['smaller', 'longer'])('a file truncated and written anew is read from its beginning (%s)', async (size) => {
  const file = path.join(await temporaryFolder(), 'events.ndjson');
  const book = emptyBook();
  await writeFile(file, lines(1, 4));
  follow(book, file);
  await until(book, numbers(1, 4));
  await truncate(file, 0);
  await appendFile(file, size === 'smaller' ? lines(11, 12) : lines(11, 18));
  await until(book, [...numbers(1, 4), ...(size === 'smaller' ? numbers(11, 12) : numbers(11, 18))]);
});

test('a copy and a rename of what was read are not read again', async () => {
  const folder = await temporaryFolder();
  const book = emptyBook();
  await writeFile(path.join(folder, 'a.ndjson'), lines(1, 3));
  const first = follow(book, folder);
  await until(book, numbers(1, 3));
  await first.stop();
  await rename(path.join(folder, 'a.ndjson'), path.join(folder, 'b.ndjson'));
  await copyFile(path.join(folder, 'b.ndjson'), path.join(folder, 'c.ndjson'));
  await writeFile(path.join(folder, 'd.ndjson'), lines(4, 5));
  follow(book, folder);
  await until(book, numbers(1, 5));
});

test('two names of one file are one file', async () => {
  const folder = await temporaryFolder();
  const book = emptyBook();
  await writeFile(path.join(folder, 'a.ndjson'), lines(1, 3));
  await symlink(path.join(folder, 'a.ndjson'), path.join(folder, 'b.ndjson'));
  follow(book, folder);
  await until(book, numbers(1, 3));
  await appendFile(path.join(folder, 'a.ndjson'), lines(4, 4));
  await until(book, numbers(1, 4));
});

test('what stood there on the first read is history, what comes later is news', async () => {
  const file = path.join(await temporaryFolder(), 'events.ndjson');
  const book = emptyBook();
  await writeFile(file, lines(1, 2));
  const first = follow(book, file);
  await until(book, numbers(1, 2));
  await appendFile(file, lines(3, 3));
  await until(book, numbers(1, 3));
  await first.stop();
  await rm(file);
  await writeFile(file, lines(4, 4));
  follow(book, file);
  await until(book, numbers(1, 4));
  expect(book.batches.map((batch) => [counted({ ...book, batches: [batch] }), batch.history])).toEqual([
    // The place of the file, noted before it is read.
    [[], true],
    [[1, 2], true],
    [[3], false],
    [[4], false],
  ]);
});

test.each([
  ['missing', () => Promise.resolve(), 'no such file or folder'],
  ['an empty folder', (file: string) => mkdir(file), 'no files in this folder yet'],
  [
    'binary',
    (file: string) => writeFile(file, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0])),
    'binary content',
  ],
  [
    'of no known format',
    (file: string) => writeFile(file, 'Dear diary,\ntoday nothing happened.\n'),
    'no known format',
  ],
])('a source that is %s says so and is down', async (_name, prepare, detail) => {
  const file = path.join(await temporaryFolder(), 'thing');
  await prepare(file);
  const followed = follow(emptyBook(), file);
  await vi.waitFor(() => {
    expect(followed.statuses()).toEqual([
      expect.objectContaining({ up: false, detail: expect.stringContaining(detail) as string }),
    ]);
  });
});

test('a binary log is followed while it grows, and goes on after a restart', async () => {
  const file = path.join(await temporaryFolder(), 'Application.evtx');
  const book = emptyBook();
  const log = createLog({ preallocate: true });
  const fd = openSync(file, 'w');
  onTestFinished(() => {
    closeSync(fd);
  });
  /** Adds events up to this record ID and writes them in place, as the service does. */
  const writeUntil = (id: number): void => {
    while (log.nextId <= id) addEvent(log, { eventId: 2002, strings: ['Outbound', `203.0.113.${log.nextId % 9}:25`] });
    flush(log, fd);
  };
  writeUntil(40);
  const first = follow(book, file);
  await until(book, numbers(1, 40));
  writeUntil(300);
  await until(book, numbers(1, 300));
  await first.stop();
  writeUntil(350);
  const second = follow(book, file);
  await until(book, numbers(1, 350));
  expect(second.statuses()[0]).toMatchObject({ up: true, lagBytes: 0 });
});

test('an empty file is read, waiting for records', async () => {
  const file = path.join(await temporaryFolder(), 'events.ndjson');
  await writeFile(file, '');
  const book = emptyBook();
  const followed = follow(book, file);
  await vi.waitFor(() => {
    expect(followed.caughtUp()).toBe(true);
  });
  expect(followed.statuses()).toEqual([expect.objectContaining({ up: true })]);
  await appendFile(file, lines(1, 1));
  await until(book, [1]);
});

test.skipIf(process.platform === 'win32')('a file without permission says so, and is read when it may be', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'events.ndjson');
  await chmod(folder, 0o755);
  await writeFile(file, lines(1, 1));
  await chmod(file, 0);
  beNobody();
  const book = emptyBook();
  const followed = follow(book, file);
  await vi.waitFor(() => {
    expect(followed.statuses()[0]).toMatchObject({
      up: false,
      detail: expect.stringContaining('permission denied') as string,
    });
  });
  process.seteuid?.(process.getuid?.() ?? 0);
  await chmod(file, 0o644);
  await until(book, [1]);
});

/** Root may read everything, so the test goes on as an account that may not. */
function beNobody(): void {
  if (process.getuid?.() !== 0) return;
  process.seteuid?.(65_534);
  onTestFinished(() => process.seteuid?.(0));
}

test('what a circular binary log has overwritten before it was read counts as missed', async () => {
  const file = path.join(await temporaryFolder(), 'Application.evtx');
  const log = createLog({ maxChunks: 4 });
  const add = (count: number): void => {
    for (let added = 0; added < count; added++)
      addEvent(log, { eventId: 1000, channel: 'Application', computer: 'EXCH01', time: Date.now() + added });
  };
  const book = emptyBook();
  add(300);
  const fd = openSync(file, 'w');
  onTestFinished(() => {
    closeSync(fd);
  });
  flush(log, fd);
  const before = follow(book, file);
  await vi.waitFor(() => {
    expect(before.caughtUp()).toBe(true);
  });
  await before.stop();
  const readBefore = book.batches.length;
  add(5_000);
  flush(log, fd);
  const after = follow(book, file);
  await vi.waitFor(() => {
    expect(after.caughtUp()).toBe(true);
  });
  const clock = { now: Date.now() };
  const gaps = createRecordGaps([], { now: () => clock.now });
  const oldest = Math.min(
    ...book.batches
      .slice(readBefore)
      .flatMap(({ runs }) => runs ?? [])
      .map(({ first }) => first),
  );
  for (const { source, runs, unfiltered, behind = false } of book.batches)
    gaps.note({ source, runs, unfiltered, behind });
  clock.now += 61_000;
  gaps.settle();
  expect(oldest).toBeGreaterThan(301);
  expect(gaps.missed().get(file)).toBe(oldest - 301);
});

test('gaps of short passes add up: a source of which few record IDs follow one another tells nothing of them', async () => {
  const file = path.join(await temporaryFolder(), 'events.ndjson');
  const sparse = numbers(1, 80).map((n) => n * 3);
  const linesOf = (ids: readonly number[]): string => ids.map((recordId) => winlogbeatLine({ recordId })).join('');
  await writeFile(file, linesOf(sparse.slice(0, 40)));
  const book = emptyBook();
  follow(book, file);
  await until(book, sparse.slice(0, 40));
  expect(book.batches.at(-1)?.runs).toHaveLength(40);
  await appendFile(file, linesOf(sparse.slice(40)));
  await until(book, sparse);
  expect(book.batches.at(-1)?.runs).toBeUndefined();
});

test('a source whose reading fails again and again at one place is not healthy, until it moves on', async () => {
  const file = path.join(await temporaryFolder(), 'events.ndjson');
  await writeFile(file, lines(1, 3));
  const clock = { ms: Date.now() };
  const book = { broken: true, entered: 0 };
  const followed = followFiles({
    sources: [{ name: file, paths: [file], server: 'fallback' }],
    checkpoints: () => [],
    post: (batch) => {
      if (book.broken) return Promise.reject(new Error('the book is broken'));
      book.entered += batch.evidence.length;
      return Promise.resolve();
    },
    ...nothingKnown,
    steady: () => clock.ms,
  });
  onTestFinished(() => followed.stop());
  await vi.waitFor(
    () => {
      clock.ms += 10_000;
      expect(followed.statuses()[0]).toMatchObject({
        up: false,
        detail: expect.stringContaining('no progress') as string,
      });
    },
    { timeout: 10_000 },
  );
  expect(followed.statuses()[0]?.detail).toContain('the book is broken');
  expect(followed.statuses()[0]?.stalledSeconds).toBeGreaterThanOrEqual(60);
  book.broken = false;
  await vi.waitFor(
    () => {
      expect(followed.statuses()[0]).toMatchObject({ up: true, stalledSeconds: 0 });
      expect(book.entered).toBe(3);
    },
    { timeout: 10_000 },
  );
});

test('half a record at the end of a file is no standstill', async () => {
  const file = path.join(await temporaryFolder(), 'events.ndjson');
  const clock = { ms: Date.now() };
  const book = emptyBook();
  await writeFile(file, lines(1, 3) + '{"half":');
  const followed = follow(book, { steady: () => clock.ms }, file);
  await until(book, numbers(1, 3));
  clock.ms += 3_600_000;
  expect(followed.statuses()[0]).toMatchObject({ up: true, stalledSeconds: 0 });
  expect(followed.statuses()[0]?.lagBytes).toBeGreaterThan(0);
});

test('a known format that gives no event for a hundred records in a row is not healthy and says so', async () => {
  const file = path.join(await temporaryFolder(), 'events.ndjson');
  const book = emptyBook();
  // Ninety-nine are not enough.
  await writeFile(file, lines(1, 1) + '{"winlog":{"event_id":"2002"}}\n'.repeat(99));
  const followed = follow(book, file);
  await until(book, [1]);
  await vi.waitFor(() => {
    expect(book.batches.reduce((sum, batch) => sum + (batch.unreadable.wrong_shape ?? 0), 0)).toBe(99);
  });
  expect(followed.statuses()[0]?.up).toBe(true);
  await appendFile(file, '{"winlog":{"event_id":"2002"}}\n');
  await vi.waitFor(() => {
    expect(followed.statuses()[0]).toMatchObject({
      up: false,
      detail: expect.stringMatching(
        /events\.ndjson: read as winlogbeat, but the last 100 records or more gave no event/,
      ) as string,
    });
  });
  await appendFile(file, lines(2, 2));
  await until(book, [1, 2]);
  await vi.waitFor(() => {
    expect(followed.statuses()[0]?.up).toBe(true);
  });
});

test('hundreds of events of no interest and of lines of other shippers are healthy', async () => {
  const file = path.join(await temporaryFolder(), 'events.ndjson');
  const book = emptyBook();
  const ignored = winlogbeatLine({ eventId: 7, provider: 'disk' }).repeat(300);
  const strangers = '{"log":{"level":"info"},"message":"connected"}\n'.repeat(300);
  await writeFile(file, lines(1, 1) + ignored + strangers);
  const followed = follow(book, file);
  await vi.waitFor(() => {
    expect(book.batches.reduce((sum, batch) => sum + batch.ignored, 0)).toBe(600);
  });
  expect(followed.statuses()[0]).toMatchObject({ up: true, detail: 'reading 1 file' });
});

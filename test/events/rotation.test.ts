/** A source that is one name, or a glob of names: whatever rotation makes of its files, each record counts once. */
import { appendFile, copyFile, mkdir, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemCalls, type SystemCalls } from '../../src/events/sources/files/file-system.js';
import { followFiles, type FollowOptions } from '../../src/events/sources/files/files.js';
import type { Followed } from '../../src/events/sources/source.js';
import { keyOfCheckpoint } from '../../src/model/checkpoint-key.js';
import type { FileCheckpoint } from '../../src/model/batch.js';
import { temporaryFolder } from '../support/folder.js';
import { silentLog } from '../support/log-double.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

/** What the ledger keeps, without its telling records apart by their IDs: what is read twice counts twice. */
type Book = {
  readonly destinations: string[];
  readonly checkpoints: Map<string, FileCheckpoint>;
  readonly told: string[];
};

function emptyBook(): Book {
  return { destinations: [], checkpoints: new Map(), told: [] };
}

function follow(book: Book, name: string, more: Partial<FollowOptions> = {}): Followed {
  const followed = followFiles({
    sources: [{ name, paths: [name], server: 'exch01' }],
    checkpoints: () => [...book.checkpoints.values()],
    post: ({ evidence, checkpoint, former }) => {
      for (const each of evidence) if (each.kind === 'connection_error') book.destinations.push(each.destination);
      for (const each of [former, checkpoint])
        if (each && 'inode' in each) book.checkpoints.set(keyOfCheckpoint(each), each);
      return Promise.resolve();
    },
    knownConnectors: () => [],
    sessions: () => [],
    connectorOfGuid: () => undefined,
    log: { ...silentLog, warn: (message) => book.told.push(message) },
    now: Date.now,
    ...more,
  });
  onTestFinished(() => followed.stop());
  return followed;
}

/** Lines without record IDs, each with a destination of its own. */
function lines(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const n = from + index;
    return winlogbeatLine({ destination: destinationOf(n), at: new Date(1_769_000_000_000 + n * 1000) });
  })
    .join('')
    .replaceAll(/"record_id":\d+,/g, '');
}

function destinationOf(n: number): string {
  return `192.0.2.${n % 256}:${1000 + Math.floor(n / 256)}`;
}

async function untilRead(book: Book, upTo: number): Promise<void> {
  const expected = Array.from({ length: upTo }, (_, n) => destinationOf(n + 1)).sort();
  await vi.waitFor(
    () => {
      expect([...book.destinations].sort()).toEqual(expected);
    },
    { timeout: 15_000, interval: 20 },
  );
}

/** Long enough for whatever would be read twice to be read. */
async function untilQuiet(followed: Followed): Promise<void> {
  for (let scans = 0; scans < 2; scans++) await new Promise((resolve) => setTimeout(resolve, 1_100));
  await vi.waitFor(() => {
    expect(followed.caughtUp()).toBe(true);
  });
}

/** `name` to `name.1`, `name.1` to `name.2`, and so on, as logrotate and most loggers do. */
async function rotate(file: string, kept = 9): Promise<void> {
  for (let age = kept; age > 0; age--)
    await rename(age === 1 ? file : `${file}.${age - 1}`, `${file}.${age}`).catch(() => undefined);
}

type World = { readonly file: string; readonly folder: string; readonly book: Book; readonly glob: string };

async function world(): Promise<World> {
  const folder = await temporaryFolder();
  return { folder, file: path.join(folder, 'events.ndjson'), glob: path.join(folder, '*.ndjson'), book: emptyBook() };
}

const ways = ['file', 'glob'] as const;

test.each(ways)('three quick renames lose nothing (%s)', async (way) => {
  const at = await world();
  await writeFile(at.file, lines(1, 40));
  const followed = follow(at.book, at[way]);
  await untilRead(at.book, 40);
  for (let turn = 0; turn < 3; turn++) {
    await appendFile(at.file, lines(41 + turn * 30, 70 + turn * 30));
    await rotate(at.file);
    await writeFile(at.file, '');
  }
  await appendFile(at.file, lines(131, 160));
  await untilRead(at.book, 160);
  await untilQuiet(followed);
  await untilRead(at.book, 160);
});

test.each(ways)('renames while the exporter is down lose nothing (%s)', async (way) => {
  const at = await world();
  await writeFile(at.file, lines(1, 40));
  const first = follow(at.book, at[way]);
  await untilRead(at.book, 40);
  await first.stop();
  await appendFile(at.file, lines(41, 60));
  await rotate(at.file);
  await writeFile(at.file, lines(61, 70));
  await rotate(at.file);
  await writeFile(at.file, lines(71, 80));
  const second = follow(at.book, at[way]);
  await untilRead(at.book, 80);
  await second.stop();
  // And once more, with nothing in the place of the file.
  await appendFile(at.file, lines(81, 90));
  await rotate(at.file);
  const third = follow(at.book, at[way]);
  await untilRead(at.book, 90);
  await writeFile(at.file, lines(91, 95));
  await untilRead(at.book, 95);
  await untilQuiet(third);
  await untilRead(at.book, 95);
});

test.each([
  ['events.ndjson-20260115', 'events.ndjson-20260116'],
  ['events-20260115.ndjson', 'events-20260116-1.ndjson'],
  ['events.ndjson.2026-01-15', 'events.ndjson.2026-01-16'],
])('a dated name is found: %s', async (older, newer) => {
  const at = await world();
  await writeFile(at.file, lines(1, 20));
  const first = follow(at.book, at.file);
  await untilRead(at.book, 20);
  await first.stop();
  await appendFile(at.file, lines(21, 30));
  await rename(at.file, path.join(at.folder, older));
  await writeFile(at.file, lines(31, 40));
  await rename(at.file, path.join(at.folder, newer));
  await writeFile(at.file, lines(41, 50));
  follow(at.book, at.file);
  await untilRead(at.book, 50);
});

test('what stood beside the file before it was first read is not touched', async () => {
  const at = await world();
  await writeFile(`${at.file}.2`, lines(900, 920));
  await utimes(`${at.file}.2`, 1_769_000_000, 1_769_000_000);
  await writeFile(`${at.file}.1`, lines(921, 940));
  await utimes(`${at.file}.1`, 1_769_000_100, 1_769_000_100);
  await writeFile(at.file, lines(1, 20));
  const first = follow(at.book, at.file);
  await untilRead(at.book, 20);
  await appendFile(at.file, lines(21, 25));
  await rotate(at.file);
  await writeFile(at.file, lines(26, 30));
  await untilRead(at.book, 30);
  await first.stop();
  await rotate(at.file);
  await writeFile(at.file, lines(31, 35));
  const second = follow(at.book, at.file);
  await untilRead(at.book, 35);
  await untilQuiet(second);
  await untilRead(at.book, 35);
});

test.each(ways)('copytruncate while running and while down counts nothing twice (%s)', async (way) => {
  const at = await world();
  const copyTruncate = async (): Promise<void> => {
    await rename(`${at.file}.1`, `${at.file}.2`).catch(() => undefined);
    await copyFile(at.file, `${at.file}.1`);
    await truncate(at.file, 0);
  };
  await writeFile(at.file, lines(1, 40));
  const first = follow(at.book, at[way]);
  await untilRead(at.book, 40);
  await appendFile(at.file, lines(41, 50));
  await copyTruncate();
  await appendFile(at.file, lines(51, 60));
  await untilRead(at.book, 60);
  await first.stop();
  await appendFile(at.file, lines(61, 70));
  await copyTruncate();
  await appendFile(at.file, lines(71, 100));
  const second = follow(at.book, at[way]);
  await untilRead(at.book, 100);
  await second.stop();
  const third = follow(at.book, at[way]);
  await untilQuiet(third);
  await untilRead(at.book, 100);
});

test.each(['name', 'folder'])(
  'a copy that is made slowly, broken off and made again counts nothing twice; a file that only begins alike counts (%s)',
  async (what) => {
    const at = await world();
    const written = lines(1, 40);
    await writeFile(at.file, written);
    const followed = follow(at.book, what === 'name' ? at.file : at.folder);
    await untilRead(at.book, 40);
    const copy = `${at.file}.1`;
    for (const part of [0.3, 0.6]) {
      await writeFile(copy, written.slice(0, written.length * part));
      await untilQuiet(followed);
    }
    await writeFile(copy, '');
    await untilQuiet(followed);
    await writeFile(copy, written + lines(41, 41));
    await appendFile(at.file, lines(41, 41));
    await untilQuiet(followed);
    await truncate(at.file, 0);
    await appendFile(at.file, lines(42, 43));
    await untilRead(at.book, 43);
    // It begins like the copy, and goes on differently.
    if (what === 'folder') await writeFile(path.join(at.folder, 'b.ndjson'), lines(1, 20) + lines(44, 50));
    await untilQuiet(followed);
    expect(new Set(at.book.destinations).size).toBe(what === 'folder' ? 50 : 43);
    expect(at.book.destinations).toHaveLength(what === 'folder' ? 70 : 43);
  },
);

test('what rotation made while nothing ran of a file that a glob had read last under its rotated name is read', async () => {
  const at = await world();
  await writeFile(at.file, lines(1, 20));
  const first = follow(at.book, at.glob);
  await untilRead(at.book, 20);
  await appendFile(at.file, lines(21, 25));
  await rename(at.file, `${at.file}.10`);
  await appendFile(`${at.file}.10`, lines(26, 30));
  await untilRead(at.book, 30);
  await vi.waitFor(() => {
    expect([...at.book.checkpoints.values()].map(({ path: last }) => last)).toEqual([`${at.file}.10`]);
  });
  await first.stop();
  for (const n of [11, 12]) {
    await writeFile(at.file, lines(20 * n - 189, 20 * n - 170));
    await rename(at.file, `${at.file}.${n}`);
  }
  await writeFile(at.file, lines(71, 80));
  follow(at.book, at.glob);
  await untilRead(at.book, 80);
});

test('a file that is emptied and written back as it was, with more behind it, goes on where it stood', async () => {
  const at = await world();
  await writeFile(at.file, lines(1, 20));
  const followed = follow(at.book, at.file);
  await untilRead(at.book, 20);
  await truncate(at.file, 0);
  await untilQuiet(followed);
  await writeFile(at.file, lines(1, 23));
  await untilRead(at.book, 23);
});

test('issue 14, 3: a copy that is found while it is still empty is known as a copy once it has content', async () => {
  const at = await world();
  await writeFile(at.file, lines(1, 40));
  const found = new Set<string>();
  const calls: SystemCalls = {
    ...systemCalls,
    open: (name, flags) => {
      found.add(String(name));
      return systemCalls.open(name, flags);
    },
  };
  const followed = follow(at.book, at.file, { calls });
  await untilRead(at.book, 40);
  await appendFile(at.file, lines(41, 50));
  await untilRead(at.book, 50);
  await writeFile(`${at.file}.1`, '');
  await vi.waitFor(
    () => {
      expect(found).toContain(`${at.file}.1`);
    },
    { timeout: 5_000 },
  );
  await copyFile(at.file, `${at.file}.1`);
  await truncate(at.file, 0);
  await appendFile(at.file, lines(51, 60));
  await untilQuiet(followed);
  await untilRead(at.book, 60);
});

test.each(ways)('issue 14, 3: a file that was found, but not read, is read after it was renamed (%s)', async (way) => {
  const at = await world();
  await writeFile(`${at.file}.1`, lines(900, 940));
  const minuteAgo = new Date(Date.now() - 60_000);
  await utimes(`${at.file}.1`, minuteAgo, minuteAgo);
  await writeFile(at.file, lines(1, 40));
  const whenEnded = emptyBook();
  const first = follow(whenEnded, at[way], {
    post: ({ evidence, checkpoint }) => {
      // The first save of a file, before anything of it has been counted; nothing after it reached the disk.
      if (evidence.length === 0 && checkpoint && 'inode' in checkpoint)
        at.book.checkpoints.set(keyOfCheckpoint(checkpoint), checkpoint);
      return Promise.resolve();
    },
  });
  await vi.waitFor(() => {
    expect(at.book.checkpoints.size).toBe(1);
  });
  await first.stop();
  await rotate(at.file);
  await writeFile(at.file, lines(41, 50));
  await rotate(at.file);
  await writeFile(at.file, lines(51, 60));
  const second = follow(at.book, at[way]);
  await untilRead(at.book, 60);
  await untilQuiet(second);
  await untilRead(at.book, 60);
});

test('issue 14, 3: a file that came between two that are known is read, though the last one was found before it', async () => {
  const at = await world();
  await writeFile(at.file, lines(1, 10));
  const first = follow(at.book, at.file);
  await untilRead(at.book, 10);
  await first.stop();
  await rotate(at.file);
  await writeFile(at.file, lines(11, 20));
  await rotate(at.file);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await writeFile(at.file, '');
  // As when it is ended between the finding of the last and the next look at the folder.
  const { dev, ino, mtimeMs } = await stat(at.file);
  const nothing = { length: 0, hash: '' };
  const place = {
    source: at.file,
    path: at.file,
    inode: `${dev}:${ino}`,
    head: nothing,
    tail: nothing,
    history: false,
  };
  at.book.checkpoints.set(place.inode, { ...place, offset: 0, modifiedMs: mtimeMs });
  follow(at.book, at.file);
  await untilRead(at.book, 20);
});

test('issue 14, 3: what was written into a file that was empty, and renamed while nothing ran, is read', async () => {
  const at = await world();
  await writeFile(at.file, '');
  const first = follow(at.book, at.file);
  await vi.waitFor(() => {
    expect(at.book.checkpoints.size).toBe(1);
  });
  await first.stop();
  await appendFile(at.file, lines(1, 30));
  await rotate(at.file);
  await writeFile(at.file, lines(31, 40));
  follow(at.book, at.file);
  await untilRead(at.book, 40);
});

test('a copy that is seen before the file is cut goes on where the file was read to, and no further', async () => {
  const at = await world();
  await writeFile(at.file, lines(1, 40));
  const followed = follow(at.book, at.file);
  await untilRead(at.book, 40);
  await copyFile(at.file, `${at.file}.1`);
  await untilQuiet(followed);
  await appendFile(at.file, lines(41, 50));
  await untilRead(at.book, 50);
  await truncate(at.file, 0);
  await appendFile(at.file, lines(51, 55));
  await untilRead(at.book, 55);
  await followed.stop();
  const again = follow(at.book, at.file);
  await untilQuiet(again);
  await untilRead(at.book, 55);
});

test('a file that was renamed to a name that is not its own is found by what it is', async () => {
  const at = await world();
  await writeFile(at.file, lines(1, 40));
  const first = follow(at.book, at.file);
  await untilRead(at.book, 40);
  await first.stop();
  await appendFile(at.file, lines(41, 50));
  await rename(at.file, path.join(at.folder, 'archive of January.ndjson'));
  await writeFile(at.file, lines(51, 60));
  const second = follow(at.book, at.file);
  await untilRead(at.book, 60);
  await second.stop();
  await appendFile(at.file, lines(61, 70));
  // Across file systems a rename is a copy.
  await copyFile(at.file, path.join(at.folder, 'archive of February.ndjson'));
  await rm(at.file);
  await writeFile(at.file, lines(71, 80));
  follow(at.book, at.file);
  await untilRead(at.book, 80);
});

test('late lines to a rotated file are read, after a restart too', async () => {
  const at = await world();
  await writeFile(at.file, lines(1, 10));
  const first = follow(at.book, at.file);
  await untilRead(at.book, 10);
  await rotate(at.file);
  await writeFile(at.file, lines(11, 20));
  await appendFile(`${at.file}.1`, lines(21, 30));
  await untilRead(at.book, 30);
  await first.stop();
  await appendFile(`${at.file}.1`, lines(31, 40));
  follow(at.book, at.file);
  await untilRead(at.book, 40);
});

test('a compressed rotated file is said, and what else carries the name is no trouble', async () => {
  const at = await world();
  await writeFile(at.file, lines(1, 10));
  const followed = follow(at.book, at.file);
  await untilRead(at.book, 10);
  await writeFile(`${at.file}.1.gz`, Buffer.from([0x1f, 0x8b, 8, 0]));
  await writeFile(`${at.file}.offsets`, '{"pos": 12345}\nnot a log\n');
  await mkdir(`${at.file}.d`);
  await vi.waitFor(() => {
    expect(at.book.told).toEqual([expect.stringContaining('compressed before it was read')]);
  });
  await untilQuiet(followed);
  expect(followed.statuses()).toEqual([expect.objectContaining({ up: true, detail: 'reading 1 file' })]);
});

test('the inode of a deleted rotated file, given to a new one, hides nothing', async () => {
  const at = await world();
  await writeFile(at.file, lines(1, 10));
  follow(at.book, at.file);
  await untilRead(at.book, 10);
  for (let turn = 0; turn < 12; turn++) {
    await rotate(at.file, 2);
    await writeFile(at.file, lines(11 + turn * 5, 15 + turn * 5));
    await untilRead(at.book, 15 + turn * 5);
  }
  expect((await stat(at.file)).size).toBeGreaterThan(0);
});

test('a file that is cut and grows beyond the old place at once is read from its beginning, though its lines end alike', async () => {
  const at = await world();
  const alike = (from: number, to: number): string =>
    lines(from, to).replaceAll(/192\.0\.2\.\d+:\d+/g, destinationOf(1));
  await writeFile(at.file, alike(1, 40));
  const followed = follow(at.book, at.file);
  const untilCounted = (count: number): Promise<void> =>
    vi.waitFor(() => {
      expect(at.book.destinations).toHaveLength(count);
    }, 15_000);
  await untilCounted(40);
  await copyFile(at.file, `${at.file}.1`);
  await writeFile(at.file, alike(101, 175));
  await untilCounted(115);
  await untilQuiet(followed);
  await untilCounted(115);
});

test('a rotated file that renames keep from being met at first is read at the next look', async () => {
  const at = await world();
  await writeFile(at.file, lines(1, 40));
  const first = follow(at.book, at.file);
  await untilRead(at.book, 40);
  await first.stop();
  await rotate(at.file);
  await writeFile(at.file, lines(41, 90));
  await rotate(at.file);
  await writeFile(at.file, lines(91, 100));
  // In the first look the file that was read has another name than its folder said, and the next one is gone when it is opened.
  const missing = Object.assign(new Error('renamed'), { code: 'ENOENT' });
  const left = new Map([
    [`stat ${at.file}.2`, 2],
    [`open ${at.file}.1`, 1],
  ]);
  const isAway = (call: string): boolean => {
    const times = left.get(call) ?? 0;
    left.set(call, times - 1);
    return times > 0;
  };
  const calls: SystemCalls = {
    ...systemCalls,
    stat: (...args) => (isAway(`stat ${String(args[0])}`) ? Promise.reject(missing) : systemCalls.stat(...args)),
    open: (...args) => (isAway(`open ${String(args[0])}`) ? Promise.reject(missing) : systemCalls.open(...args)),
  };
  const second = follow(at.book, at.file, { calls });
  await untilRead(at.book, 100);
  await second.stop();
});

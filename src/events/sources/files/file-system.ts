/** The file operations of the sources: none waits for a pipe, and no more of them hang than there are threads to spare. */
import type { BigIntStats, Dirent } from 'node:fs';
import * as fs from 'node:fs/promises';
import { fileGate, type FileGate } from '../../../runtime/file-gate.js';
import { kindProblem, readingFlags } from '../../../runtime/plain-file.js';
import { nameOfBytes, systemPath } from './file-names.js';
import type { ReadableFile } from '../../formats/format.js';

/** The calls of the system that are used; tests make them slow. */
export type SystemCalls = {
  readonly stat: (path: string | Buffer, options: { bigint: true }) => Promise<BigIntStats>;
  readonly open: (path: string | Buffer, flags: number) => Promise<SystemFile>;
  readonly readdir: (path: string | Buffer) => Promise<Dirent<Buffer>[]>;
  readonly realpath: (path: string | Buffer) => Promise<Buffer>;
};

type SystemFile = {
  readonly stat: (options: { bigint: true }) => Promise<BigIntStats>;
  readonly read: ReadableFile['read'];
  readonly close: () => Promise<void>;
};

export const systemCalls: SystemCalls = {
  stat: fs.stat,
  open: (path, flags) => fs.open(path, flags),
  readdir: (path) => fs.readdir(path, { withFileTypes: true, encoding: 'buffer' }),
  realpath: (path) => fs.realpath(path, { encoding: 'buffer' }),
};

/** What the system says of a file. */
export type FileFacts = {
  /** Device and inode (volume and file index on Windows): one file, whatever its name. */
  readonly inode: string;
  readonly device: string;
  readonly size: number;
  /** When it was last written, milliseconds since 1970 UTC with their fraction. */
  readonly changedMs: number;
  /** When it was made; the same inode may be another file later. */
  readonly bornMs: number;
  /** Why it is not read as a file, with the remedy; undefined for a regular file. */
  readonly problem: string | undefined;
  readonly isFolder: boolean;
};

/** A file that is open for reading. */
export type OpenFile = {
  /** What it was when it was opened. */
  readonly opened: FileFacts;
  readonly facts: () => Promise<FileFacts>;
  readonly stat: () => Promise<{ readonly size: number }>;
  readonly read: SystemFile['read'];
  readonly close: () => Promise<void>;
};

/** Who waits for the system, and since when, by the clock that only goes forward. */
export type Waiting = { since: number | undefined; movedAt: number };

export function notWaiting(): Waiting {
  return { since: undefined, movedAt: performance.now() };
}

type Entry = { readonly name: string; readonly isFolder: boolean };

export type FileSystem = {
  /** @param place where operations hang together; the device once it is known */
  readonly facts: (path: string, place: string, waiting: Waiting) => Promise<FileFacts>;
  /** @throws an Error that says what it is when it is no regular file */
  readonly open: (path: string, place: string, waiting: Waiting) => Promise<OpenFile>;
  readonly list: (folder: string, place: string, waiting: Waiting) => Promise<Entry[]>;
  /** The same as the system gives it, for the library that walks globs. */
  readonly entries: (folder: string, place: string, waiting: Waiting) => Promise<Dirent<Buffer>[]>;
  readonly realPath: (path: string, place: string, waiting: Waiting) => Promise<string>;
};

export function createFileSystem(calls: SystemCalls = systemCalls, gate: FileGate = fileGate): FileSystem {
  const ask = async <Result>(place: string, waiting: Waiting, call: () => Promise<Result>): Promise<Result> => {
    waiting.since = performance.now();
    try {
      return await gate.pass(place, call);
    } finally {
      waiting.since = undefined;
      waiting.movedAt = performance.now();
    }
  };
  const entries: FileSystem['entries'] = (folder, place, waiting) =>
    ask(place, waiting, () => calls.readdir(systemPath(folder)));
  return {
    facts: async (path, place, waiting) =>
      factsOf(await ask(place, waiting, () => calls.stat(systemPath(path), { bigint: true }))),
    open: async (path, place, waiting) => {
      const file = await ask(place, waiting, () => calls.open(systemPath(path), readingFlags));
      const facts = async (): Promise<FileFacts> =>
        factsOf(await ask(place, waiting, () => file.stat({ bigint: true })));
      const opened = await facts();
      if (opened.problem !== undefined) {
        await file.close();
        throw new Error(opened.problem);
      }
      return {
        opened,
        facts,
        stat: facts,
        read: (...where) => ask(place, waiting, () => file.read(...where)),
        close: () => gate.pass(`close ${place}`, () => file.close()),
      };
    },
    list: async (folder, place, waiting) =>
      (await entries(folder, place, waiting)).map((entry) => ({
        name: nameOfBytes(entry.name),
        isFolder: entry.isDirectory(),
      })),
    entries,
    realPath: async (path, place, waiting) =>
      nameOfBytes(await ask(place, waiting, () => calls.realpath(systemPath(path)))),
  };
}

function factsOf(stats: BigIntStats): FileFacts {
  return {
    inode: `${stats.dev}:${stats.ino}`,
    device: String(stats.dev),
    size: Number(stats.size),
    changedMs: Number(stats.mtimeNs) / 1e6,
    bornMs: Number(stats.birthtimeNs) / 1e6,
    problem: kindProblem(stats),
    isFolder: stats.isDirectory(),
  };
}

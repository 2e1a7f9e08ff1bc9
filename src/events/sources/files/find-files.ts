/** Finds the files that a path, a folder or a glob stands for. */
import type { Dirent } from 'node:fs';
import path from 'node:path';
import picomatch from 'picomatch';
import { glob, isDynamicPattern } from 'tinyglobby';
import { FileHangs } from '../../../runtime/file-gate.js';
import { nameOfBytes, shownPath } from './file-names.js';
import type { FileFacts, FileSystem, Waiting } from './file-system.js';
import { problemOf } from './problems.js';

/** What a pattern stands for now; `problem` says in a sentence why there is nothing to read. */
export type Found = {
  readonly paths: readonly string[];
  readonly problem: string | undefined;
  /** True when the problem is only that nothing is there yet: the folder can be read. */
  readonly isEmpty?: boolean;
  /** `name`: a file by its name, `glob`: files by theirs, whatever rotation makes of them; `folder`: whatever is in it. */
  readonly by: 'name' | 'folder' | 'glob';
};

export type Finder = {
  readonly system: FileSystem;
  readonly waiting: Waiting;
  /** Where the operations of this pattern hang together. */
  readonly place: string;
};

/** A folder stands for the files right in it; hidden files and temporary files of editors and shippers are left out. */
export async function findFiles(pattern: string, finder: Finder): Promise<Found> {
  const facts = await finder.system
    .facts(pattern, finder.place, finder.waiting)
    .catch((error: unknown) => error as Error);
  if (!(facts instanceof Error)) return facts.isFolder ? filesIn(pattern, finder) : aFile(pattern, facts);
  if (facts instanceof FileHangs) throw facts;
  if (isGlob(pattern)) return filesLike(pattern, finder);
  const meant = await namesMeant(pattern, finder);
  return { paths: meant, problem: meant.length > 0 ? undefined : problemOf(facts, pattern), by: 'name' };
}

function aFile(pattern: string, { problem }: FileFacts): Found {
  if (problem === undefined) return { paths: [path.resolve(pattern)], problem: undefined, by: 'name' };
  return { paths: [], problem: `${shownPath(pattern)}: ${problem}`, by: 'name' };
}

/** The folder to watch for a pattern, and how deep; undefined depth means all below it. */
export function watchedFolder(
  pattern: string,
  by: Found['by'],
): { readonly folder: string; readonly depth: number | undefined } {
  const whole = path.resolve(pattern);
  if (by === 'folder') return { folder: whole, depth: 0 };
  if (by === 'name') return { folder: path.dirname(whole), depth: 0 };
  const parts = posix(whole).split('/');
  const fixed = parts.findIndex((part) => isDynamicPattern(part));
  const rest = parts.slice(fixed);
  return { folder: parts.slice(0, fixed).join('/') || '/', depth: rest.includes('**') ? undefined : rest.length - 1 };
}

function isGlob(pattern: string): boolean {
  return isDynamicPattern(posix(pattern));
}

/** Files that are being written by another name, or by an editor. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.') || /~$|\.(?:tmp|swp|part|filepart)$/i.test(name);
}

async function filesIn(folder: string, { system, place, waiting }: Finder): Promise<Found> {
  const entries = await system.list(folder, place, waiting);
  const kept = entries.filter(({ name, isFolder }) => !isFolder && !isTemporary(name)).map(({ name }) => name);
  return {
    paths: kept.sort().map((name) => path.resolve(folder, name)),
    problem: kept.length ? undefined : `${folder}: no files in this folder yet; they are read as they appear`,
    isEmpty: kept.length === 0,
    by: 'folder',
  };
}

async function filesLike(pattern: string, finder: Finder): Promise<Found> {
  const paths = await glob(posix(path.resolve(pattern)), { absolute: true, onlyFiles: true, fs: callsOf(finder) });
  return {
    paths: paths.sort(),
    problem: paths.length ? undefined : `${pattern}: no file matches yet; they are read as they appear`,
    by: 'glob',
  };
}

/** A command line loses the bytes of a name that are no text: whatever looks like it in its folder is meant. */
async function namesMeant(pattern: string, { system, place, waiting }: Finder): Promise<string[]> {
  if (!pattern.includes('\uFFFD')) return [];
  const folder = path.dirname(path.resolve(pattern));
  const entries = await system.list(folder, place, waiting).catch(() => []);
  const lossy = (name: string): string => name.replace(/[\udc80-\udcff]+/gu, '\uFFFD');
  const wanted = path.basename(pattern).replace(/\uFFFD+/g, '\uFFFD');
  return entries.filter(({ name }) => lossy(name) === wanted).map(({ name }) => path.join(folder, name));
}

/** Whether a glob stands for a path, as `findFiles` has it. */
export function matcherOf(pattern: string): (at: string) => boolean {
  const matches = picomatch(posix(path.resolve(pattern)));
  return (at) => matches(posix(at));
}

type Done<Result> = (error: Error | null, result?: Result) => void;

/** The file operations of the library that walks globs, done as all others are. */
function callsOf({ system, place, waiting }: Finder): object {
  const answer = <Result>(work: Promise<Result>, done: Done<Result>): void => {
    work.then(
      (result) => {
        done(null, result);
      },
      (error: unknown) => {
        done(error as Error);
      },
    );
  };
  return {
    readdir: (folder: string, _options: unknown, done: Done<Named[]>) => {
      answer(
        system.entries(folder, place, waiting).then((entries) => entries.map(named)),
        done,
      );
    },
    stat: (at: string, done: Done<FileFacts & { isDirectory: () => boolean }>) => {
      answer(
        system.facts(at, place, waiting).then((facts) => ({ ...facts, isDirectory: () => facts.isFolder })),
        done,
      );
    },
    realpath: (at: string, done: Done<string>) => {
      answer(system.realPath(at, place, waiting), done);
    },
  };
}

type Named = {
  readonly name: string;
  readonly isDirectory: () => boolean;
  readonly isFile: () => boolean;
  readonly isSymbolicLink: () => boolean;
};

function named(entry: Dirent<Buffer>): Named {
  return {
    name: nameOfBytes(entry.name),
    isDirectory: () => entry.isDirectory(),
    isFile: () => entry.isFile(),
    isSymbolicLink: () => entry.isSymbolicLink(),
  };
}

/** Globs are written with slashes on every system. */
function posix(pattern: string): string {
  return path.sep === '\\' ? pattern.replaceAll('\\', '/') : pattern;
}

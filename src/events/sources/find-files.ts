/** Finds the files that a path, a folder or a glob stands for. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';

/** What a pattern stands for now; `problem` says in a sentence why there is nothing to read. */
export type Found = {
  readonly paths: readonly string[];
  readonly problem: string | undefined;
  /** True when the problem is only that nothing is there yet: the folder can be read. */
  readonly isEmpty?: boolean;
};

/** A folder stands for the files right in it; hidden files and temporary files of editors and shippers are left out. */
export async function findFiles(pattern: string): Promise<Found> {
  try {
    const stats = await stat(pattern);
    return stats.isDirectory() ? await filesIn(pattern) : { paths: [path.resolve(pattern)], problem: undefined };
  } catch (error) {
    if (isGlob(pattern)) return filesLike(pattern);
    return { paths: [], problem: problemOf(error, pattern) };
  }
}

/** The folder to watch for a pattern, and how deep; undefined depth means all below it. */
export function watchedFolder(pattern: string): { readonly folder: string; readonly depth: number | undefined } {
  if (!isGlob(pattern)) return { folder: path.resolve(pattern), depth: 0 };
  const parts = posix(path.resolve(pattern)).split('/');
  const fixed = parts.findIndex((part) => isDynamicPattern(part));
  const rest = parts.slice(fixed);
  return { folder: parts.slice(0, fixed).join('/') || '/', depth: rest.includes('**') ? undefined : rest.length - 1 };
}

/** A sentence for a person: what is wrong with a path, and what to do. */
export function problemOf(error: unknown, at: string): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return `${at}: no such file or folder yet; it is read as soon as it appears`;
  if (code === 'EACCES' || code === 'EPERM') return `${at}: permission denied; give this account the right to read it`;
  if (code === 'EBUSY') return `${at}: another program holds it without sharing; it is tried again`;
  return `${at}: ${error instanceof Error ? error.message : String(error)}`;
}

function isGlob(pattern: string): boolean {
  return isDynamicPattern(posix(pattern));
}

async function filesIn(folder: string): Promise<Found> {
  const paths = await glob('*', { cwd: folder, absolute: true, onlyFiles: true });
  const kept = paths.filter((each) => !/~$|\.(?:tmp|swp|part|filepart)$/i.test(each)).sort();
  return {
    paths: kept,
    problem: kept.length ? undefined : `${folder}: no files in this folder yet; they are read as they appear`,
    isEmpty: kept.length === 0,
  };
}

async function filesLike(pattern: string): Promise<Found> {
  const paths = await glob(posix(path.resolve(pattern)), { absolute: true, onlyFiles: true });
  return {
    paths: paths.sort(),
    problem: paths.length ? undefined : `${pattern}: no file matches yet; they are read as they appear`,
  };
}

/** Globs are written with slashes on every system. */
function posix(pattern: string): string {
  return path.sep === '\\' ? pattern.replaceAll('\\', '/') : pattern;
}

/** Why a file is not read, a sentence each, for the log and the pages. */
import { shownPath } from './file-names.js';
import type { FollowedFile } from './followed.js';
import { bareReturns } from './foreign-content.js';

/** Why a file is not read, or not to its end, as a sentence for a person; undefined when all is well. */
export function problemOfFile({ path, problem, rest }: FollowedFile): string | undefined {
  if (problem !== undefined || rest === undefined) return problem;
  return `${shownPath(path)}: ${rests[rest]}`;
}

const rests: Readonly<Record<NonNullable<FollowedFile['rest']>, string>> = {
  nul: 'ends in NUL bytes, as after a crash or with preallocated space; what is written after or over them is read',
  returns: bareReturns,
  long: 'ends in a record of more than 1 MiB, which is skipped; is it text with line ends (LF or CRLF)?',
};

/** A sentence for a path that the system gives no answer about. */
export function hangingProblem(at: string): string {
  return `${shownPath(at)}: the file system does not answer (a network mount that hangs?); reading continues as soon as it does`;
}

/** A sentence for a person: what is wrong with a path, and what to do. */
export function problemOf(error: unknown, at: string): string {
  const code = (error as NodeJS.ErrnoException).code;
  const place = shownPath(at);
  if (code === 'ENOENT') return `${place}: no such file or folder yet; it is read as soon as it appears`;
  if (code === 'EACCES' || code === 'EPERM')
    return `${place}: permission denied; give this account the right to read it`;
  if (code === 'EBUSY') return `${place}: another program has it open without sharing; trying again`;
  return `${place}: ${error instanceof Error ? error.message : String(error)}`;
}

/** Programs of the system that a test needs: without one it is skipped loudly, on CI it fails. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export function hasProgram(...names: readonly string[]): boolean {
  return findProgram(...names) !== undefined;
}

/** @param names of one program, which systems name differently @returns the name that is there */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const found = names.find((name) => folders.some((folder) => existsSync(join(folder, name))));
  const text = names.join(' or ');
  if (found === undefined && process.env.CI === 'true') throw new Error(`${text} is not installed (see .ci/run)`);
  if (found === undefined) console.warn(`SKIPPED: ${text} is not installed`);
  return found;
}

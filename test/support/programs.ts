/** Programs of the system that a test needs: without one it is skipped loudly, on CI it fails. */
import { delimiter, join } from 'node:path';
import { isExecutable } from '../../src/commands/demo/on-path.js';
import { programFolders } from '../../src/probes/network/run-program.js';

/** Whether one of these names is on PATH, where a test can start it by its name. */
export function hasProgram(...names: readonly string[]): boolean {
  return findProgram(...names) !== undefined;
}

/** @param names of one program, which systems name differently @returns the name that is on PATH */
export function findProgram(...names: readonly string[]): string | undefined {
  return firstOf(names, (process.env.PATH ?? '').split(delimiter));
}

/** The same, as the whole path of the program. */
export function pathOfProgram(...names: readonly string[]): string | undefined {
  const name = findProgram(...names);
  return name === undefined ? undefined : pathOn(name, (process.env.PATH ?? '').split(delimiter));
}

/** Whether the exporter itself finds one of these programs, which it also looks for outside of PATH. */
export function exporterFinds(...names: readonly string[]): boolean {
  return firstOf(names, programFolders()) !== undefined;
}

function firstOf(names: readonly string[], folders: readonly string[]): string | undefined {
  const found = names.find((name) => pathOn(name, folders) !== undefined);
  const text = names.join(' or ');
  if (found === undefined && process.env.CI === 'true') throw new Error(`${text} is not installed (see .ci/run)`);
  if (found === undefined) console.warn(`SKIPPED: ${text} is not installed`);
  return found;
}

function pathOn(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find((file) => isExecutable(file));
}

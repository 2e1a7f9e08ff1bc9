/** Programs of the system that a test needs: without one it is skipped loudly, on CI it fails. */
import { existsSync } from 'node:fs';

export function hasProgram(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  const isThere = folders.some((folder) => existsSync(`${folder}/${name}`));
  if (!isThere && process.env.CI === 'true') throw new Error(`${name} is not installed (see .ci/run)`);
  if (!isThere) console.warn(`SKIPPED: ${name} is not installed`);
  return isThere;
}

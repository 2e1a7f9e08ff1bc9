/** FIFOs for tests: only the program `mkfifo` makes one, so without it such a test is skipped loudly. */
import { execFileSync } from 'node:child_process';
import { test } from 'vitest';
import { hasProgram } from './programs.js';

export const onPosix = test.skipIf(process.platform === 'win32');
/** A test that calls makeFifo. */
export const withFifo = test.skipIf(process.platform === 'win32' || !hasProgram('mkfifo'));

export function makeFifo(file: string): string {
  execFileSync('mkfifo', [file]);
  return file;
}

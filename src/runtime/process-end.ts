/** Ends the exporter in time, whatever hangs. */
import { fileGate, FileHangs, inTime } from './file-gate.js';

/**
 * Node waits at its end for the threads of all file operations, and one on a dead mount never comes back: then only a
 * signal that cannot be caught ends the process, which no manager of services takes for a clean end.
 */
export function endProcess(code: number): void {
  if (fileGate.hanging() > 0) endByForce();
  else process.exit(code);
}

export function endByForce(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** One thing to be done at the end, and how long it is waited for. Milliseconds. */
export type LastStep = { readonly what: string; readonly ms: number; readonly run: () => Promise<unknown> };

/**
 * Does one after the other; what hangs or fails keeps nothing after it from being done.
 * @returns what did not end, a sentence each
 */
export async function endInSteps(steps: readonly LastStep[]): Promise<string[]> {
  const left: string[] = [];
  for (const { what, ms, run } of steps) {
    try {
      await inTime(run(), ms);
    } catch (error) {
      const isLate = error instanceof FileHangs;
      left.push(
        `${what}: ${isLate ? `not done within ${ms} ms` : error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return left;
}

/** Runs a program of Prometheus: without it the test is skipped loudly, on CI it fails. */
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';

export function runTool(
  context: TestContext,
  program: string,
  args: readonly string[],
  input = '',
): { readonly code: number | null; readonly output: string } {
  const { error, status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8' });
  if (error) {
    if (process.env.CI === 'true') throw error;
    console.warn(`SKIPPED: ${program} is not installed`);
    context.skip();
  }
  return { code: status, output: stdout + stderr };
}

/** Kills the exporter a hundred times during 30,000 appended events: the test of the suite, in its full length. */
import { spawnSync } from 'node:child_process';

export function run(kills = 100, events = 30_000) {
  const env = { ...process.env, KILLS: String(kills), EVENTS: String(events) };
  const args = ['node_modules/vitest/vitest.mjs', 'run', 'test/e2e/kill9.test.ts'];
  const { status } = spawnSync(process.execPath, args, { env, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

/**
 * Kills the exporter a hundred times while four servers write Winlogbeat logs, binary logs and both transport logs: the test of
 * the suite, in its full length. More events would fill the room of all
 * rows, of which attempts may take only half.
 *
 * `npm run bench -- kills [kills] [events]`
 */
import { spawnSync } from 'node:child_process';

export function run(kills = 100, events = 30_000) {
  const env = { ...process.env, KILLS: String(kills), EVENTS: String(events) };
  const args = ['node_modules/vitest/vitest.mjs', 'run', 'test/e2e/four-servers.test.ts'];
  const { status } = spawnSync(process.execPath, args, { env, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

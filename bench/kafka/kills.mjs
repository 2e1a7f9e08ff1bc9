/**
 * Kills the exporter a hundred times while a real Kafka gets 60,000 records with 600 events in 16 partitions: the test of the
 * suite, in its full length.
 */
import { spawnSync } from 'node:child_process';

export function run(kills = 100, hits = 6, records = 100) {
  const counts = { KILLS: String(kills), HITS: String(hits), RECORDS: String(records), PARTITIONS: '16' };
  const args = ['node_modules/vitest/vitest.mjs', 'run', 'test/e2e/kafka.test.ts', '-t', 'kill -9'];
  const { status } = spawnSync(process.execPath, args, { env: { ...process.env, ...counts }, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

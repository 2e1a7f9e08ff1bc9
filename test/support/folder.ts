/** A temporary folder that is gone after the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'send-connector-exporter-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

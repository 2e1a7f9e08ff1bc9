/** What many files cost when the exporter starts again: work is counted, not time. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { followFiles } from '../../src/events/sources/files/files.js';
import { systemCalls, type SystemCalls } from '../../src/events/sources/files/file-system.js';
import type { FileCheckpoint } from '../../src/model/batch.js';
import { temporaryFolder } from '../support/folder.js';
import { nothingKnown } from '../support/follow.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

type Work = { stats: number; opens: number; events: number };

/** Reads a folder to its end. @returns what was asked of the system for it */
async function readToEnd(folder: string, book: Map<string, FileCheckpoint>): Promise<Work> {
  const work: Work = { stats: 0, opens: 0, events: 0 };
  const calls: SystemCalls = {
    ...systemCalls,
    stat: (...args) => {
      work.stats++;
      return systemCalls.stat(...args);
    },
    open: (...args) => {
      work.opens++;
      return systemCalls.open(...args);
    },
  };
  const followed = followFiles({
    sources: [{ name: folder, paths: [folder], server: 'fallback' }],
    checkpoints: () => [...book.values()],
    post: ({ evidence, checkpoint }) => {
      work.events += evidence.length;
      if (checkpoint && 'inode' in checkpoint) book.set(checkpoint.inode, checkpoint);
      return Promise.resolve();
    },
    ...nothingKnown,
    calls,
  });
  onTestFinished(() => followed.stop());
  await vi.waitFor(
    () => {
      expect(followed.caughtUp()).toBe(true);
    },
    { timeout: 60_000, interval: 5 },
  );
  const done = { ...work };
  await followed.stop();
  return done;
}

test('issue 14, 1.6: the work for each file at a restart does not grow with the number of files', async () => {
  for (const count of [50, 400]) {
    const folder = await temporaryFolder();
    for (let n = 0; n < count; n++)
      await writeFile(path.join(folder, `${n}.ndjson`), winlogbeatLine({ recordId: n + 1 }));
    const book = new Map<string, FileCheckpoint>();
    expect((await readToEnd(folder, book)).events).toBe(count);
    const again = await readToEnd(folder, book);
    // A look at each, perhaps in two scans, and at the folder.
    expect(again).toMatchObject({ opens: 0, events: 0 });
    expect(again.stats).toBeGreaterThanOrEqual(count);
    expect(again.stats).toBeLessThanOrEqual(2 * count + 10);
  }
});

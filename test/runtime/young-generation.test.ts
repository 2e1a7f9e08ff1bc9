import { setImmediate as turn } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { keepYoungGenerationSmall } from '../../src/runtime/young-generation.js';

const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;

test('whatever is made and kept for a while, the part of the heap for what is new stays small', async () => {
  keepYoungGenerationSmall();
  const before = youngBytes();
  let most = 0;
  let kept: object[] = [];
  for (let made = 0; made < 800_000; made++) {
    if (kept.length > 60_000) kept = [];
    kept.push({ made, list: [made], text: `x${made}` });
    if (made % 8_000 > 0) continue;
    most = Math.max(most, youngBytes());
    await turn();
  }
  // It would be 32 MiB.
  expect(most).toBeLessThanOrEqual(Math.max(before, 16 * 1024 * 1024));
});

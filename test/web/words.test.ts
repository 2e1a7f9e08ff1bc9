/** What the transport logs tell of a pair, in words. */
import { expect, test } from 'vitest';
import { failuresTextOf } from '../../src/web/parts/words.js';

test.each([
  [0, {}, undefined],
  [40, {}, 'none of 40 attempts failed'],
  [40, { refused: 12 }, '12 of 40 attempts failed (30 %): connection refused'],
  [4000, { refused: 1 }, '1 of 4,000 attempts failed (1 %): connection refused'],
  [40, { refused: 3, timeout: 9 }, /^12 of 40 attempts failed \(30 %\): mostly .*(time|answer)/],
  [0, { tls_handshake: 2 }, /^2 failed: /],
] as const)('%i attempts, failures %j', (attempts, failures, text) => {
  const told = failuresTextOf({ attempts, failures });
  if (text instanceof RegExp) expect(told).toMatch(text);
  else expect(told).toBe(text);
});

/** Set-up of every test file: fails the test in which anything but loopback was approached. */
import { afterEach } from 'vitest';
import { attempts } from './loopback-guard.mjs';

afterEach(() => {
  const found = attempts.splice(0);
  if (found.length > 0) throw new Error(found.join('\n'));
});

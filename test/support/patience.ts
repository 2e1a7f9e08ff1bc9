/** Waits of tests end when what they wait for is there; only then do they take their time, so that a busy machine fails none. */
import { vi } from 'vitest';

const patient = 25_000;
const original = vi.waitFor;

vi.waitFor = (callback, options) => original(callback, options ?? { timeout: patient });

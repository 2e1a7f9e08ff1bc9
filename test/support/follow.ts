/** Following files where nothing is known besides what is read: no inventory, no sessions, a silent log. */
import type { FollowOptions } from '../../src/events/sources/files/files.js';
import { silentLog } from './log-double.js';

export const nothingKnown = {
  knownConnectors: () => [],
  sessions: () => [],
  connectorOfGuid: () => undefined,
  log: silentLog,
  now: Date.now,
} satisfies Partial<FollowOptions>;

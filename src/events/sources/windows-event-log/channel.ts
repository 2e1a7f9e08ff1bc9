/** A channel that is followed, and with what: its reader, and the place behind what was entered. */
import type { Reading } from '../source.js';
import type { Place } from './log-api.js';
import type { RunningReader, startReader } from './reader-process.js';
import type { Standing } from './standing.js';

export type WindowsLogOptions = Pick<
  Reading,
  'checkpoints' | 'post' | 'knownConnectors' | 'nameOf' | 'log' | 'now' | 'steady'
> & {
  /** Each is a source of its own, labelled with its name. */
  readonly channels: readonly string[];
  readonly start?: typeof startReader;
  readonly timing?: Partial<typeof defaultTiming>;
};

export const defaultTiming = {
  /** Pause before a reader that ended is started again; doubled each time that it tells nothing. */
  leastPauseMs: 1_000,
  mostPauseMs: 60_000,
  /** A reader that says nothing for so long hangs. */
  silentMs: 180_000,
  /** A reader that was asked to end is given this time. */
  endMs: 2_000,
};

export type Channel = WindowsLogOptions & {
  readonly channel: string;
  readonly times: typeof defaultTiming;
  readonly standing: Standing;
  /** Behind what was entered last. */
  place: Place | undefined;
  pauseMs: number;
  stopped: boolean;
  reader: RunningReader | undefined;
  wake: (() => void) | undefined;
};

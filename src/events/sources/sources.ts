/** All that is read, of whatever kind, followed as one. */
import { followFiles, type Followed, type FollowOptions } from './files/files.js';
import { followWindowsLogs } from './windows-event-log/windows-event-log.js';

export type SourcesOptions = FollowOptions & {
  /** Channels of the live event log of this machine. */
  readonly channels: readonly string[];
};

/** Follows everything until stopped. */
export function followSources(options: SourcesOptions): Followed {
  const files = options.sources.length > 0 ? followFiles(options) : undefined;
  const logs = options.channels.length > 0 ? followWindowsLogs({ ...options, nameOf: files?.nameOf }) : undefined;
  const kinds: readonly Followed[] = [files, logs].filter((kind) => kind !== undefined);
  return {
    statuses: () => kinds.flatMap((kind) => kind.statuses()),
    caughtUp: () => kinds.every((kind) => kind.caughtUp()),
    readingHistory: () => kinds.some((kind) => kind.readingHistory()),
    stop: async () => {
      await Promise.all(kinds.map((kind) => kind.stop()));
    },
  };
}

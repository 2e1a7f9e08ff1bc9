/** Logs of servers, found without a key being built for each record, in the order in which they were used. */
import { createLinkedLine, type Place } from './linked-line.js';

type Named = { readonly server: string; readonly channel: string };

export type LogsByUse<Log> = {
  readonly get: (server: string, channel: string) => Log | undefined;
  /** Puts a log behind all others, known before or not. */
  readonly use: (log: Log) => void;
  readonly drop: (log: Log) => void;
  /** The one that was not used for longest. */
  readonly oldest: () => Log | undefined;
  readonly size: () => number;
  /** The one that was not used for longest first. */
  readonly all: () => Log[];
};

export function createLogsByUse<Log extends Named & { readonly place: Place<Log> }>(): LogsByUse<Log> {
  const servers = new Map<string, Map<string, Log>>();
  const line = createLinkedLine<Log>(({ place }) => place);
  const get = (server: string, channel: string): Log | undefined => servers.get(server)?.get(channel);
  return {
    get,
    use: (log) => {
      const { server, channel } = log;
      const known = get(server, channel);
      if (known) line.take(known);
      if (known !== log) {
        const channels = servers.get(server) ?? new Map<string, Log>();
        servers.set(server, channels.set(channel, log));
      }
      line.add(log);
    },
    drop: (log) => {
      const channels = servers.get(log.server);
      if (channels?.get(log.channel) !== log) return;
      line.take(log);
      channels.delete(log.channel);
      if (channels.size === 0) servers.delete(log.server);
    },
    oldest: line.oldest,
    size: line.size,
    all: line.all,
  };
}

/** Says once a minute, with a number, what would otherwise be said again and again: a fault must not fill the disk. */
import type { Log, LogFields, LogLevel } from './log.js';

const windowMs = 60_000;
/** Messages remembered; should there be more, the one first said is summed up at once. */
const most = 500;

type Repeated = { count: number; readonly sumUp: () => void; readonly timer: NodeJS.Timeout };

/**
 * The same log, in which a warning or error that was said within the last minute, word for word and with the same
 * facts, is only counted; at the end of the minute it is said once more with `repeated`.
 */
export function withoutRepeats(log: Log): Log {
  const said = new Map<string, Repeated>();
  const say =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      const key = JSON.stringify([level, message, fields], wordsOfErrors);
      const known = said.get(key);
      if (known) {
        known.count++;
        return;
      }
      log[level](message, fields);
      const entry: Repeated = {
        count: 0,
        sumUp: () => {
          said.delete(key);
          clearTimeout(entry.timer);
          if (entry.count > 0) log[level](message, { ...fields, repeated: entry.count });
        },
        timer: setTimeout(() => {
          entry.sumUp();
        }, windowMs).unref(),
      };
      said.set(key, entry);
      if (said.size > most) said.values().next().value?.sumUp();
    };
  return { debug: log.debug, info: log.info, warn: say('warn'), error: say('error') };
}

function wordsOfErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}

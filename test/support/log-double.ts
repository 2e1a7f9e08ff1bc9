/** A log that keeps its lines, and one that says nothing. */
import type { Log, LogFields } from '../../src/runtime/log.js';

export type LogLine = { readonly level: string; readonly message: string; readonly fields: LogFields };

export function keepingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const say =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields });
    };
  return { lines, debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

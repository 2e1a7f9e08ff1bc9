/** The log: one line per message on standard error, as logfmt or JSON. The only file that knows pino. */
import { pino } from 'pino';
import { visibleText } from './visible-text.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'logfmt' | 'json';

/** Facts that belong to a message. An Error is written as its message; undefined leaves no field. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What every part of the exporter may say. The message is a constant sentence, what varies is in the fields. */
export type Log = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

export type LogOptions = {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes one finished line with its line break; default: standard error. */
  readonly write?: (line: string) => void;
};

/** Opens the log. Lines are written before the call returns, so that the last words before an exit are not lost. */
export function createLog({ level, format, write = writerToStandardError() }: LogOptions): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write:
        format === 'json'
          ? (line: string) => {
              write(visibleText(line));
            }
          : (line: string) => {
              write(visibleText(logfmt(line)));
            },
    },
  );
  const say =
    (at: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      logger[at](plain(fields), message);
    };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

function writerToStandardError(): (line: string) => void {
  const stream = pino.destination({ dest: 2, sync: true });
  // Whoever read our log has gone away (EPIPE): the exporter goes on without.
  stream.on('error', () => undefined);
  return (line) => stream.write(line);
}

function plain(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? value.message : value]),
  );
}

/** pino's JSON line as `ts=... level=info msg="..." key=value`. */
function logfmt(line: string): string {
  const { ts, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries({ ts, level, msg, ...fields });
  return `${pairs.map(([key, value]) => `${key.replace(/[\s="]/g, '_')}=${logfmtValue(value)}`).join(' ')}\n`;
}

/** Quoted as in JSON when it would not stay one word, so that nothing logged can begin a line of its own. */
function logfmtValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"=\\\p{C}]+$/u.test(text) ? text : JSON.stringify(text).replace(/[\u0080-\u009f\u2028\u2029]/g, ' ');
}

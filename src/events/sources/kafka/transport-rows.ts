/** Rows of the Exchange transport logs in a topic: they are not counted, and the log says so. */
import { connectivityLog } from '../../formats/connectivity-log.js';
import type { TextFormat } from '../../formats/format.js';
import { sendLog } from '../../formats/send-log.js';
import type { ValueTally } from './tally.js';

const words =
  'rows of Exchange transport logs, which are not counted from Kafka; read their files, or send them to a source of type http (/ingest?server=)';

export const isTransportLog = (format: TextFormat): boolean => format === sendLog || format === connectivityLog;

/** Says what the rows are; they are dropped as ignored. */
export function tellTransportRows(into: ValueTally): void {
  into.trouble ??= `wrong_shape: ${words}`;
}

/** Whether a record of JSON is a line as Filebeat ships it: the line in `message`, its file in `log.file.path`. */
export function isShippedRow(record: unknown): boolean {
  const message = memberOf(record, 'message');
  const path = memberOf(memberOf(memberOf(record, 'log'), 'file'), 'path');
  return (
    typeof path === 'string' &&
    typeof message === 'string' &&
    (sendLog.recognises(message) || connectivityLog.recognises(message))
  );
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

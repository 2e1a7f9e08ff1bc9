/**
 * Takes in the lines of transport logs that a shipper sends one by one, each with its file and place: as reading the file
 * itself does, and each line once.
 */
import type { ShippedLine, TransportRow } from '../../model/records.js';
import { serverLabelOf } from '../../model/label.js';
import type { ShippedLog } from '../../model/sessions.js';
import { UnreadableRecord } from '../decode/unreadable.js';
import { connectivityLog } from '../formats/connectivity-log.js';
import { sendLog } from '../formats/send-log.js';
import { rowTimeOf } from './cells.js';
import type { ShippedFiles } from './shipped-files.js';

/** What a line is: a row that may matter, one that does not, or one that was taken before. */
export type LineRead = TransportRow | 'ignored' | 'repeated';

/** Told of the time of a row of a connectivity log before the row is handed on. */
type LogFound = (server: string, at: number | undefined) => void;

const formats = { send: sendLog, connectivity: connectivityLog } as const;
const logTypes: Readonly<Record<string, ShippedLog>> = {
  'SMTP Send Protocol Log': 'send',
  'Transport Connectivity Log': 'connectivity',
};
/** As Exchange names the files of the two logs. */
const namePattern = /(?:^|[\\/])(?:SEND|CONNECTLOG)\d{8}[^\\/]*$/i;

/**
 * The server of a line, by its label.
 * @param fallback of lines that do not name theirs; empty when nobody has said it
 * @throws UnreadableRecord when nobody names it
 */
export function serverOfLine({ server }: ShippedLine, fallback: string): string {
  if (server !== '') return serverLabelOf(server);
  if (fallback !== '') return serverLabelOf(fallback);
  throw new UnreadableRecord(
    'wrong_shape',
    'a line of a transport log that names no server (host.name, agent.hostname)',
  );
}

/** @throws UnreadableRecord */
export function readLine(files: ShippedFiles, server: string, line: ShippedLine, logFound: LogFound): LineRead {
  const text = line.text.startsWith('\uFEFF') ? line.text.slice(1) : line.text;
  const bytes = Buffer.from(text);
  if (text.startsWith('#')) {
    readHeader(files, server, line, text);
    if (files.logOf(server, line) === undefined) return 'ignored';
    return files.take(server, line, { offset: line.offset, length: bytes.length, at: headerTimeOf(text) })
      ? 'ignored'
      : 'repeated';
  }
  const log = files.logOf(server, line) ?? logOfRow(text);
  if (log === 'other' || (log === undefined && !namePattern.test(line.path))) return 'ignored';
  const at = rowTimeOf(bytes, 0);
  if (!files.take(server, line, { offset: line.offset, length: bytes.length, at })) return 'repeated';
  if (log === undefined || log === 'unknown_columns') throw unknownColumns(line.path);
  files.noteLog(server, line, log);
  if (log === 'connectivity') logFound(server, at);
  const [row] = formats[log].decodeBytes?.(bytes, 0, bytes.length) ?? [];
  return row?.kind === 'send_row' || row?.kind === 'connectivity_row' ? row : 'ignored';
}

function readHeader(files: ShippedFiles, server: string, line: ShippedLine, text: string): void {
  const [, type] = /^#Log-type: (.{1,200})$/.exec(text) ?? [];
  if (type !== undefined) files.noteLog(server, line, logTypes[type.trimEnd()] ?? 'other');
  const log = files.logOf(server, line);
  if (!text.startsWith('#Fields: ') || log === 'other') return;
  const isKnown = sendLog.recognises(text) || connectivityLog.recognises(text);
  // Other logs of Exchange have headers of the same form, and the Receive protocol log has the same columns.
  if (log === undefined && (isKnown || !namePattern.test(line.path))) return;
  if (!isKnown) files.noteLog(server, line, 'unknown_columns');
  else if (log === 'unknown_columns') files.noteLog(server, line, sendLog.recognises(text) ? 'send' : 'connectivity');
}

function headerTimeOf(text: string): number | undefined {
  return text.startsWith('#Date: ') ? rowTimeOf(Buffer.from(text), '#Date: '.length) : undefined;
}

/** Where no header came through: by the columns of the row. */
function logOfRow(text: string): ShippedLog | undefined {
  if (sendLog.recognises(text)) return 'send';
  return connectivityLog.recognises(text) ? 'connectivity' : undefined;
}

function unknownColumns(path: string): UnreadableRecord {
  return new UnreadableRecord(
    'wrong_shape',
    `${path}: a row whose columns are not those of a Send protocol log or a connectivity log; is its #Fields line another?`,
  );
}

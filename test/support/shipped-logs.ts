/** Transport logs line by line, as Filebeat ships them. */
import { readFileSync } from 'node:fs';

export type Line = {
  readonly path: string;
  readonly offset: number;
  readonly text: string;
  /** What Filebeat says of the file besides. */
  readonly file?: Readonly<Record<string, unknown>>;
  /** @default EXCH01 */
  readonly server?: string;
};

/** The record of Filebeat, without a line end. */
export function shipped({ path, offset, text, file, server = 'EXCH01' }: Line): string {
  return JSON.stringify({
    '@timestamp': '2026-01-15T08:20:00.000Z',
    '@metadata': { beat: 'filebeat', type: '_doc', version: '8.17.0' },
    log: { offset, file: { path, ...file } },
    message: text,
    input: { type: 'filestream' },
    ...(server !== '' && { host: { name: server } }),
  });
}

const columns = {
  SEND: 'date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context',
  CONNECTLOG: 'date-time,session,source,Destination,direction,description',
};
const types = { SEND: 'SMTP Send Protocol Log', CONNECTLOG: 'Transport Connectivity Log' };

export function header(prefix: 'SEND' | 'CONNECTLOG'): string[] {
  return [
    '#Software: Microsoft Exchange Server',
    '#Version: 15.0.0.0',
    `#Log-type: ${types[prefix]}`,
    '#Date: 2026-01-15T00:00:00.000Z',
    `#Fields: ${columns[prefix]}`,
  ];
}

/** The lines of a file, each with the place where it begins. */
export function linesOf(file: string): Line[] {
  const bytes = readFileSync(file);
  const lines: Line[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const end = bytes.indexOf(0x0a, offset) + 1 || bytes.length;
    lines.push({ path: file, offset, text: bytes.toString('utf8', offset, end).replace(/\r?\n$/, '') });
    offset = end;
  }
  return lines;
}

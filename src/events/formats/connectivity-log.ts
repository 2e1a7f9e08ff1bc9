/** The connectivity log of Exchange: which next hop was connected to, and why that failed. */
import type { ConnectivityRow } from '../../model/records.js';
import { standsAt } from '../decode/bytes.js';
import type { TextFormat } from './format.js';
import { cellsOf, isHeader, nextCell, rowTimeOf, rowTimePattern } from '../transport/cells.js';

const fields = 'date-time,session,source,destination,direction,description' as const;
const cellCount = fields.split(',').length;

const rowPattern = new RegExp(String.raw`^${rowTimePattern},[0-9A-FX]{14,16},\w+,[^,]*,[-+*>],`, 'im');

export const connectivityLog: TextFormat = {
  name: 'connectivity-log',
  kind: 'text',
  framing: 'lines',
  mayGiveNothing: true,
  recognises: (head) => {
    if (/^#Log-type: /m.test(head))
      return /^#Log-type: Transport Connectivity Log\r?$/m.test(head) && hasKnownFields(head);
    return /^#Fields: /m.test(head) ? hasKnownFields(head) : rowPattern.test(head.slice(0, 4096));
  },
  decode: (record) => {
    const bytes = Buffer.from(record);
    return decodeRow(bytes, 0, bytes.length);
  },
  decodeBytes: decodeRow,
};

/** When a log began, by its first row; undefined when there is none yet. */
export function firstRowTimeOf(head: Buffer): number | undefined {
  for (let at = 0; at >= 0 && at < head.length; at = head.indexOf(0x0a, at) + 1 || -1) {
    const time = rowTimeOf(head, at);
    if (time !== undefined) return time;
  }
  return undefined;
}

function hasKnownFields(head: string): boolean {
  const [, given] = /^#Fields: (.*?)\r?$/m.exec(head) ?? [];
  return given === undefined || given.toLowerCase().startsWith(fields);
}

const nothing: readonly ConnectivityRow[] = [];
const smtp = Buffer.from('SMTP,');
const star = 0x2a;

/** Other sources (MapiDelivery, DeliveryAgent...) connect to no destination of a Send connector. */
function decodeRow(bytes: Buffer, start: number, end: number): readonly ConnectivityRow[] {
  if (isHeader(bytes, start)) return nothing;
  const session = nextCell(bytes, start, end);
  const source = nextCell(bytes, session, end);
  const hop = nextCell(bytes, source, end);
  if (!standsAt(bytes, source, smtp)) return nothing;
  const at = nextCell(bytes, hop, end);
  const direction = bytes[at] ?? 0;
  if (direction === star) return nothing;
  const [, id = '', , nextHop = '', , text = ''] = cellsOf(bytes, start, end, cellCount);
  const kind = String.fromCharCode(direction) as ConnectivityRow['direction'];
  return [{ kind: 'connectivity_row', session: id, at: rowTimeOf(bytes, start), nextHop, direction: kind, text }];
}

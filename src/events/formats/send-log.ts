/** The SMTP Send protocol log of Exchange: what a Send connector and a remote server said to each other. */
import type { SendRow } from '../../model/records.js';
import type { TextFormat } from './format.js';
import { noteKey, noteKeys } from '../transport/notes.js';
import { cellsOf, isHeader, nextCell, rowTimeOf, rowTimePattern } from '../transport/cells.js';

const fields =
  'date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context' as const;
const cellCount = fields.split(',').length;

/** After a restart of the service the day's file goes on without a header, and a copy may begin anywhere. */
const rowPattern = new RegExp(
  String.raw`^${rowTimePattern},(?:[^",]*|"(?:[^"]|"")*"),[0-9A-FX]{14,16},\d+,[^,]*,[^,]*,[-+*<>],`,
  'im',
);
/** In the Receive protocol log the answers are sent and the commands received. */
const receivePattern = /,>,"?\d{3}[ -]|,<,"?(?:EHLO|HELO) /;

export const sendLog: TextFormat = {
  name: 'send-log',
  kind: 'text',
  framing: 'lines',
  mayGiveNothing: true,
  recognises: (head) => {
    if (/^#Log-type: /m.test(head)) return /^#Log-type: SMTP Send Protocol Log\r?$/m.test(head) && hasKnownFields(head);
    if (/^#Fields: /m.test(head)) return hasKnownFields(head) && !receivePattern.test(head);
    return rowPattern.test(head.slice(0, 4096)) && !receivePattern.test(head);
  },
  decode: (record) => {
    const bytes = Buffer.from(record);
    return decodeRow(bytes, 0, bytes.length);
  },
  decodeBytes: decodeRow,
};

function hasKnownFields(head: string): boolean {
  const [, given] = /^#Fields: (.*?)\r?$/m.exec(head) ?? [];
  return given === undefined || given.startsWith(fields);
}

const nothing: readonly SendRow[] = [];

/** Steps to the event and its first letters; most rows end there. */
function decodeRow(bytes: Buffer, start: number, end: number): readonly SendRow[] {
  if (isHeader(bytes, start)) return nothing;
  let at = start;
  for (let cell = 0; cell < 6; cell++) at = nextCell(bytes, at, end);
  const event = bytes[at] ?? 0;
  const data = nextCell(bytes, at, end);
  if (isDull(bytes, event, data, end)) return nothing;
  const [, connector = '', session = '', , , remote = '', , said = '', context = ''] = cellsOf(
    bytes,
    start,
    end,
    cellCount,
  );
  const kind = String.fromCharCode(event) as SendRow['event'];
  const text = kind === '<' || kind === '>' ? said : context;
  const row = { kind: 'send_row', connector, session, at: rowTimeOf(bytes, start), remote, event: kind, text } as const;
  return [kind === '*' && said !== '' ? { ...row, data: said } : row];
}

const [star, sent, received, ended, quote] = [0x2a, 0x3e, 0x3c, 0x2d, 0x22];

/** RCPT, DATA and BDAT come in numbers, and with the mail: nothing is learned from them. What continues AUTH is no letter. */
const mailCommands = new Set(['rc', 'da', 'bd'].map((letters) => letterPair(Buffer.from(letters), 0)));

function letterPair(bytes: Buffer, at: number): number {
  return (((bytes[at] ?? 0) | 0x20) << 8) | ((bytes[at + 1] ?? 0) | 0x20);
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}

/** @param data place of the cell `data`; for `*` the context, which tells what it is about, stands after it */
function isDull(bytes: Buffer, event: number, data: number, end: number): boolean {
  if (event === ended) return false;
  const cell = event === star ? nextCell(bytes, data, end) : data;
  const at = bytes[cell] === quote ? cell + 1 : cell;
  const first = bytes[at] ?? 0;
  // Answers that say yes are of no interest; what is no answer of SMTP at all is.
  if (event === received) return first >= 0x30 && first <= 0x39 && first !== 0x34 && first !== 0x35;
  if (event === sent) return !isLetter(first) || mailCommands.has(letterPair(bytes, at));
  if (event !== star) return true;
  // "TLS protocol ... negotiation succeeded" is the most frequent of all.
  return !noteKeys.has(noteKey(bytes, at)) || ((first | 0x20) === 0x74 && ((bytes[at + 4] ?? 0) | 0x20) === 0x70);
}

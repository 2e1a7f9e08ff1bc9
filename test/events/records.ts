/** Cuts fixture files into records in the plainest way there is, for tests of `recognises` and `decode` alone. */
import { readFileSync } from 'node:fs';
import { formats } from '../../src/events/formats/formats.js';
import type { TextFormat } from '../../src/events/formats/format.js';
import type { WindowsEvent } from '../../src/model/records.js';

/** The text of a file under test/fixtures/events, whatever its encoding. */
export function fixtureText(name: string): string {
  const bytes = readFileSync(new URL(`../fixtures/events/${name}`, import.meta.url));
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return bytes.toString(utf16 ? 'utf16le' : 'utf8').replace(/^\uFEFF/, '');
}

/** The text formats that recognise a head, in the order of the list. */
export function recognisedBy(head: string): TextFormat[] {
  return formats.filter((format): format is TextFormat => format.kind === 'text' && format.recognises(head));
}

export function recordsOf(text: string, framing: TextFormat['framing']): string[] {
  if (framing === 'lines') return text.split(/\r?\n/).filter((line) => line !== '');
  if (framing === 'xml') return text.split(/(?<=<\/Event>)/).filter((record) => record.includes('<Event'));
  const whole = JSON.parse(text) as unknown;
  return (Array.isArray(whole) ? whole : [whole]).map((element) => JSON.stringify(element, null, 2));
}

export function decodeAll(text: string): readonly WindowsEvent[] {
  const format = recognisedBy(text.slice(0, 65_536))[0];
  if (!format) throw new Error(`no format recognises ${text.slice(0, 80)}`);
  return recordsOf(text, format.framing).flatMap((record) =>
    format.decode(record).filter((each) => each.kind === 'event'),
  );
}

/** Fixtures of one event a line, of carriers whose lines are also shipped one by one. */
export const lineFixtures = [
  'alloy-loki-line.ndjson',
  'fluentbit-winevtlog.ndjson',
  'fluentd-windows-eventlog2.ndjson',
  'nxlog-v5.ndjson',
  'vector-windows-event-log.ndjson',
  'winlogbeat-6.ndjson',
  'winlogbeat-8.ndjson',
];

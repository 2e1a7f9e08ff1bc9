import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { namesFromMessage } from '../../src/events/message.js';
import type { WindowsEvent } from '../../src/model/records.js';
import { decodeAll, fixtureText, recognisedBy, recordsOf } from './records.js';

type Row = readonly [provider: string, server: string, connector: string, destination: string, ...(number | string)[]];

const far = 'MSExchangeTransport';
const front = 'MSExchangeFrontEndTransport';
const names = [
  [far, 'EXCH01.contoso.local', 'Outbound to Internet', '203.0.113.25:25'],
  [far, 'EXCH01.contoso.local', 'Büro → Außen', '[2001:db8:25::1]:25'],
  [far, 'EXCH02.contoso.local', 'Relay, "Legacy" <DMZ> & Co', '10.20.30.40:587'],
  [front, 'EXCH02.contoso.local', 'Outbound Proxy External Send Connector', '192.0.2.77:25'],
  [far, 'EDGE01.contoso.example', 'EdgeSync - Berlin to Internet', '198.51.100.9:25'],
] as const;
const recordIds = [184467, 184468, 90211, 90215, 5023];
const times = ['08:14:02.137', '08:14:02.137', '08:15:40.002', '08:16:11.555', '08:16:58.912'];

/** The first `count` of the five events, in milliseconds, in whole seconds, or without what the carrier lacks. */
function rows(count: number, time: 'ms' | 's' | 'none' = 'ms', ids: 'ids' | 'no ids' = 'ids'): Row[] {
  return names
    .slice(0, count)
    .map((name, i) => [
      ...name,
      ...(ids === 'ids' ? [recordIds[i]!] : []),
      ...(time === 'none' ? [] : [`2026-01-15T${times[i]!.replace(/\d{3}$/, (ms) => (time === 's' ? '000' : ms))}Z`]),
    ]);
}

const expected: Readonly<Record<string, readonly [format: string, rows: readonly Row[]]>> = {
  'alloy-loki-line-excluded-event-data.ndjson': ['alloy', rows(2)],
  'alloy-loki-line.ndjson': ['alloy', rows(5)],
  'eventviewer-copy.xml': ['event-xml', rows(3, 's').slice(2)],
  'fluentbit-file-output.log': ['fluent-bit-winevtlog', rows(3, 's')],
  'fluentbit-winevtlog-array.json': ['fluent-bit-winevtlog-document', rows(2, 's')],
  'fluentbit-winevtlog-as-xml.ndjson': ['fluent-bit-xml', rows(3)],
  'fluentbit-winevtlog.ndjson': ['fluent-bit-winevtlog', rows(5, 's')],
  'fluentbit-winlog-old.ndjson': ['fluent-bit-winlog', rows(3, 's')],
  'fluentd-windows-eventlog2.ndjson': ['fluentd', rows(3)],
  'get-winevent-convertto-json.json': ['get-winevent-json-document', rows(3)],
  'get-winevent-toxml-2012r2.xml': ['event-xml', rows(5, 's')],
  'get-winevent-toxml-millis.xml': ['event-xml', rows(2, 's')],
  'nxlog-ce.ndjson': ['nxlog', rows(5, 'none')],
  'nxlog-syslog-prefixed.log': ['nxlog', rows(3, 'none')],
  'nxlog-v5.ndjson': ['nxlog', rows(5)],
  'openwec-nxlog-style.ndjson': ['nxlog', rows(3)],
  'otel-0.89-to-2026-01.jsonl': ['otel', rows(5)],
  'otel-batched.jsonl': ['otel', rows(2)],
  'otel-before-0.89.jsonl': ['otel', rows(3)],
  'otel-raw.jsonl': ['otel', rows(3)],
  'otel-since-2026-02.jsonl': ['otel', rows(5)],
  'renderedxml-localized.xml': ['event-xml', rows(3)],
  'snare-syslog.log': ['snare', rows(5, 'none', 'no ids')],
  'splunk-xmlwineventlog.txt': ['event-xml', rows(5)],
  'vector-windows-event-log.ndjson': ['vector', rows(5)],
  'wazuh.ndjson': ['wazuh', rows(3)],
  'wevtutil-renderedxml.xml': ['event-xml', rows(5)],
  'wevtutil-xml-concatenated.xml': ['event-xml', rows(5)],
  'wevtutil-xml-root.xml': ['event-xml', rows(5)],
  'wevtutil-xml-utf16le.xml': ['event-xml', rows(5)],
  'wevtutil-xml.xml': ['event-xml', rows(5)],
  'winlogbeat-6.ndjson': ['winlogbeat', rows(3)],
  'winlogbeat-7.2.ndjson': ['winlogbeat', rows(5)],
  'winlogbeat-8-after-ingest-pipeline.ndjson': ['winlogbeat', rows(2)],
  'winlogbeat-8.ndjson': ['winlogbeat', rows(5)],
};

function rowOf(event: WindowsEvent): Row {
  const named = event.message === undefined ? undefined : namesFromMessage(event.message, []);
  return [
    event.provider,
    event.computer,
    event.values[0] ?? named?.connector ?? 'unknown',
    event.values[1] ?? named?.destination ?? '',
    ...(event.recordId === undefined ? [] : [event.recordId]),
    ...(event.time === undefined ? [] : [new Date(event.time).toISOString()]),
  ];
}

describe.each(Object.entries(expected))('%s', (file, [format, wanted]) => {
  test(`is read as ${format}, event by event`, () => {
    const text = fixtureText(file);
    expect(recognisedBy(text)[0]?.name).toBe(format);
    const events = decodeAll(text);
    expect(events.map(rowOf)).toEqual(wanted);
    for (const event of events) expect([event.eventId, event.channel]).toEqual([2002, 'Application']);
  });

  test('is recognised by the first record alone, and by one format only', () => {
    const [first] = recordsOf(fixtureText(file), recognisedBy(fixtureText(file))[0]!.framing);
    expect(recognisedBy(first!).map((found) => found.name)).toEqual([format]);
  });
});

test('every fixture is in the table', () => {
  const files = readdirSync(new URL('../fixtures/events', import.meta.url));
  expect(files.filter((file) => file !== 'related-events.xml').sort()).toEqual(Object.keys(expected).sort());
});

test('related-events.xml gives eighteen events, whose one ID 2002 is of another provider', () => {
  const events = decodeAll(fixtureText('related-events.xml'));
  expect(events).toHaveLength(18);
  expect(events.filter((event) => event.eventId === 2002).map((event) => event.provider)).toEqual(['PerfProc']);
});

import { describe, expect, test } from 'vitest';
import { decodeAll, fixtureText, recognisedBy } from './records.js';

type Row = readonly [
  provider: string,
  server: string,
  connector: string,
  destination: string,
  recordId: number,
  time: string,
];

const five: readonly Row[] = [
  [
    'MSExchangeTransport',
    'EXCH01.contoso.local',
    'Outbound to Internet',
    '203.0.113.25:25',
    184467,
    '2026-01-15T08:14:02.137Z',
  ],
  [
    'MSExchangeTransport',
    'EXCH01.contoso.local',
    'Büro → Außen',
    '[2001:db8:25::1]:25',
    184468,
    '2026-01-15T08:14:02.137Z',
  ],
  [
    'MSExchangeTransport',
    'EXCH02.contoso.local',
    'Relay, "Legacy" <DMZ> & Co',
    '10.20.30.40:587',
    90211,
    '2026-01-15T08:15:40.002Z',
  ],
  [
    'MSExchangeFrontEndTransport',
    'EXCH02.contoso.local',
    'Outbound Proxy External Send Connector',
    '192.0.2.77:25',
    90215,
    '2026-01-15T08:16:11.555Z',
  ],
  [
    'MSExchangeTransport',
    'EDGE01.contoso.example',
    'EdgeSync - Berlin to Internet',
    '198.51.100.9:25',
    5023,
    '2026-01-15T08:16:58.912Z',
  ],
];
const wholeSeconds = five.map((row): Row => [...row.slice(0, 5), row[5].replace(/\.\d+/, '.000')] as unknown as Row);

const expected: Readonly<Record<string, { format: string; rows: readonly Row[] }>> = {
  'winlogbeat-8.ndjson': { format: 'winlogbeat', rows: five },
  'winlogbeat-7.2.ndjson': { format: 'winlogbeat', rows: five },
  'winlogbeat-6.ndjson': { format: 'winlogbeat', rows: five.slice(0, 3) },
  'winlogbeat-8-after-ingest-pipeline.ndjson': { format: 'winlogbeat', rows: five.slice(0, 2) },
  'wevtutil-xml.xml': { format: 'event-xml', rows: five },
  'wevtutil-xml-concatenated.xml': { format: 'event-xml', rows: five },
  'wevtutil-xml-root.xml': { format: 'event-xml', rows: five },
  'wevtutil-xml-utf16le.xml': { format: 'event-xml', rows: five },
  'wevtutil-renderedxml.xml': { format: 'event-xml', rows: five },
  'get-winevent-toxml-2012r2.xml': { format: 'event-xml', rows: wholeSeconds },
  'get-winevent-toxml-millis.xml': { format: 'event-xml', rows: wholeSeconds.slice(0, 2) },
  'splunk-xmlwineventlog.txt': { format: 'event-xml', rows: five },
  'eventviewer-copy.xml': { format: 'event-xml', rows: wholeSeconds.slice(2, 3) },
  'renderedxml-localized.xml': { format: 'event-xml', rows: five.slice(0, 3) },
};

describe.each(Object.entries(expected))('%s', (file, { format, rows }) => {
  test(`is read as ${format}, event by event`, () => {
    const text = fixtureText(file);
    expect(recognisedBy(text)[0]?.name).toBe(format);
    const events = decodeAll(text);
    expect(
      events.map((event) => [
        event.provider,
        event.computer,
        ...event.values,
        event.recordId,
        event.time === undefined ? undefined : new Date(event.time).toISOString(),
      ]),
    ).toEqual(rows);
    for (const event of events) expect([event.eventId, event.channel]).toEqual([2002, 'Application']);
  });
});

test('related-events.xml gives eighteen events, whose one ID 2002 is of another provider', () => {
  const events = decodeAll(fixtureText('related-events.xml'));
  expect(events).toHaveLength(18);
  expect(events.filter((event) => event.eventId === 2002).map((event) => event.provider)).toEqual(['PerfProc']);
});

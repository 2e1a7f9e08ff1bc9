import fc from 'fast-check';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UnreadableRecord } from '../../src/events/decode/unreadable.js';
import { formats } from '../../src/events/formats/formats.js';
import type { TextFormat } from '../../src/events/formats/format.js';
import { namesFromMessage } from '../../src/events/message.js';
import { decodeAll, fixtureText, recognisedBy, recordsOf } from './records.js';

const textFormats = formats.filter((format): format is TextFormat => format.kind === 'text');
const rowFormats = ['snare', 'send-log', 'connectivity-log'];
const files = readdirSync(new URL('../fixtures/events', import.meta.url)).filter(
  (file) => file !== 'related-events.xml',
);
const jsonFiles = files.filter((file) => /json|file-output|prefixed/.test(file));

/** The same JSON with the keys of every object in another order. */
function shuffled(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, random));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [random(), key, shuffled(inner, random)] as const);
  return Object.fromEntries(entries.sort((a, b) => a[0] - b[0]).map(([, key, inner]) => [key, inner]));
}

describe.each(jsonFiles)('%s', (file) => {
  const text = fixtureText(file);
  const format = recognisedBy(text)[0]!;
  const records = recordsOf(text, format.framing);

  test('keys in any order give the same events', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (numbers) => {
        let next = 0;
        for (const record of records) {
          const [, before, json, after] = /^([^{]*)(\{[^]*\})([^}]*)$/.exec(record)!;
          const other = JSON.stringify(shuffled(JSON.parse(json!), () => numbers[next++ % numbers.length]!));
          expect(format.decode(before! + other + after!)).toEqual(format.decode(record));
        }
      }),
      { numRuns: 20 },
    );
  });

  test('pretty-printed, as an array and as a single object it is read by the twin', () => {
    const objects = records.map((record) => JSON.parse(/\{[^]*\}/.exec(record)![0]) as unknown);
    const name = format.name.replace(/-document$/, '');
    const events = decodeAll(text);
    for (const indent of [undefined, 2, '\t']) {
      const array = JSON.stringify(objects, null, indent);
      expect(recognisedBy(array).map((found) => found.name)).toEqual([`${name}-document`]);
      expect(decodeAll(array)).toEqual(events);
    }
    const single = JSON.stringify(objects[0], null, 4);
    expect(recognisedBy(single).map((found) => found.name)).toEqual([`${name}-document`]);
    expect(recognisedBy(objects.map((object) => JSON.stringify(object)).join('\n'))[0]?.name).toBe(name);
  });

  test('the mark of the ID stands before the ID and nowhere else', () => {
    if (!format.idMark || !('after' in format.idMark)) return;
    for (const record of records) {
      const places = record.split(format.idMark.after);
      expect(places).toHaveLength(2);
      expect(places[1]).toMatch(/^ ?"?2002\b/);
    }
  });
});

describe('the same field written otherwise', () => {
  const winlogbeat = (change: (text: string) => string) =>
    decodeAll(change(fixtureText('winlogbeat-8.ndjson').split('\n')[0]!))[0];
  test.each([
    ['ID as a number', (text: string) => text.replace('"event_id":"2002"', '"event_id":2002')],
    [
      'ID as an object',
      (text: string) => text.replace('"event_id":"2002"', '"event_id":{"id":2002,"qualifiers":32772}'),
    ],
    ['ID of 32 bits', (text: string) => text.replace('"event_id":"2002"', '"event_id":2147747794')],
    ['record ID as a string', (text: string) => text.replace('184467', '"184467"')],
    ['blanks', (text: string) => JSON.stringify(JSON.parse(text), null, 1).replaceAll('\n', ' ')],
    [
      'escaped keys',
      (text: string) =>
        text.replace('"winlog":{', '"\\u0077inlog":{"x":"winlog\\":{","y":{},"winlog":{},').replace('"winlog":{},', ''),
    ],
  ])('%s', (_, change) => {
    const first = fixtureText('winlogbeat-8.ndjson').split('\n')[0]!;
    const format = textFormats.find(({ name }) => name === 'winlogbeat')!;
    expect(format.decode(change(first))).toEqual([winlogbeat((text) => text)]);
  });

  test.each(['"Qualifiers":"",', '', '"Qualifiers":"32772",', '"Qualifiers":null,'])(
    '%j in Fluent Bit',
    (qualifiers) => {
      const text = fixtureText('fluentbit-winevtlog.ndjson').replaceAll('"Qualifiers":32772,', qualifiers);
      expect(decodeAll(text)).toEqual(decodeAll(fixtureText('fluentbit-winevtlog.ndjson')));
    },
  );

  test('a first string that the shipper dropped leaves its place empty, and the message is kept', () => {
    const event = winlogbeat((text) => text.replace('"param1":"Outbound to Internet",', ''))!;
    expect(event.values).toEqual([undefined, '203.0.113.25:25']);
    expect(namesFromMessage(event.message!, [])?.connector).toBe('Outbound to Internet');
  });

  test('more than nine strings keep their order', () => {
    const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`param${12 - i}`, `s${12 - i}`]));
    const event = winlogbeat((text) => text.replace(/"event_data":\{[^}]*\}/, `"event_data":${JSON.stringify(many)}`))!;
    expect(event.values).toEqual(Array.from({ length: 12 }, (_, i) => `s${i + 1}`));
  });

  test('numbers among the insertion strings become strings', () => {
    const text = fixtureText('fluentbit-winevtlog.ndjson').replace('["Outbound to Internet",', '[25,');
    expect(decodeAll(text)[0]?.values).toEqual(['25', '203.0.113.25:25']);
  });
});

describe('carriers without a fixture', () => {
  const event = {
    provider: 'MSExchangeTransport',
    eventId: 2002,
    channel: 'Application',
    computer: 'EXCH01',
    recordId: 7,
  };
  const time = Date.UTC(2026, 0, 15, 8, 14, 2);
  const values = ['A, "b"', '203.0.113.25:25'];
  test.each([
    [
      'MaxPatrol',
      {
        Event: {
          System: {
            Provider: { Name: event.provider },
            EventID: { text: '2002', Qualifiers: '32772' },
            TimeCreated: { SystemTime: '2026-01-15T08:14:02Z' },
            EventRecordID: '7',
            Channel: 'Application',
            Computer: 'EXCH01',
          },
          EventData: { Data: values },
        },
      },
    ],
    [
      'evtx_dump',
      {
        Event: {
          '#attributes': { xmlns: 'x' },
          System: {
            Provider: { '#attributes': { Name: event.provider } },
            EventID: { '#attributes': { Qualifiers: 32772 }, '#text': 2002 },
            TimeCreated: { '#attributes': { SystemTime: '2026-01-15T08:14:02.000000Z' } },
            EventRecordID: 7,
            Channel: 'Application',
            Computer: 'EXCH01',
          },
          EventData: { Data: { '#text': values } },
        },
      },
    ],
    [
      'xml2js',
      {
        Event: {
          $: { xmlns: 'x' },
          System: [
            {
              Provider: [{ $: { Name: event.provider } }],
              EventID: [{ _: '2002', $: { Qualifiers: '32772' } }],
              TimeCreated: [{ $: { SystemTime: '2026-01-15T08:14:02Z' } }],
              EventRecordID: ['7'],
              Channel: ['Application'],
              Computer: ['EXCH01'],
            },
          ],
          EventData: [{ Data: values }],
        },
      },
    ],
  ])('XML as JSON by %s', (_, object) => {
    for (const indent of [undefined, 2]) {
      const text = JSON.stringify(object, null, indent);
      expect(recognisedBy(text).map((format) => format.name.replace('-document', ''))).toEqual(['xml-as-json']);
      expect(decodeAll(text)).toEqual([{ kind: 'event', ...event, time, values, message: undefined }]);
    }
  });

  test('Fluent Bit as text', () => {
    const log =
      'ProviderName=MSExchangeTransport\nEventID=2002\nTimeCreated=2026-01-15 09:14:02 +0100\nEventRecordID=7\nChannel=Application\nComputer=EXCH01\nMessage=Send connector A: an error occurred while connecting to 203.0.113.25:25.\n';
    const [read] = decodeAll(JSON.stringify({ date: 1768464842.1, log }));
    expect(read).toMatchObject({ ...event, time, values: [] });
    expect(namesFromMessage(read!.message!, [])).toEqual({ connector: 'A', destination: '203.0.113.25:25' });
  });

  test('Wazuh alerts hold the event below data', () => {
    const alert = fixtureText('wazuh.ndjson')
      .split('\n')
      .filter(Boolean)
      .map((line) =>
        JSON.stringify({
          timestamp: 'x',
          rule: { level: 3 },
          agent: { name: 'COLLECTOR' },
          data: JSON.parse(line) as unknown,
        }),
      );
    expect(decodeAll(alert.join('\n'))).toEqual(decodeAll(fixtureText('wazuh.ndjson')));
  });

  test('Alloy lines and raw XML as bodies of OTLP records, among others that are no events', () => {
    const bodies = [
      ...fixtureText('alloy-loki-line.ndjson').split('\n').filter(Boolean),
      ...recordsOf(fixtureText('wevtutil-xml.xml'), 'xml'),
      'hello',
      '{"level":"info"}',
      '<Event>torn',
    ];
    const logRecords = bodies.map((body) => ({ body: { stringValue: body } }));
    expect(decodeAll(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }))).toEqual([
      ...decodeAll(fixtureText('alloy-loki-line.ndjson')),
      ...decodeAll(fixtureText('wevtutil-xml.xml')),
    ]);
  });

  test('Snare behind rsyslog, which escapes tabs', () => {
    const text = fixtureText('snare-syslog.log')
      .split('\n')
      .map((line) => line && `<12>Jan 15 08:14:02 ${line.replaceAll('\t', '#011')}`);
    expect(decodeAll(text.join('\n'))).toEqual(decodeAll(fixtureText('snare-syslog.log')));
  });

  test('PowerShell 7 writes ISO times', () => {
    const text = fixtureText('get-winevent-convertto-json.json').replaceAll(
      /"\\\/Date\(1768464842137\)\\\/"/g,
      '"2026-01-15T09:14:02.137115+01:00"',
    );
    expect(decodeAll(text)).toEqual(decodeAll(fixtureText('get-winevent-convertto-json.json')));
  });
});

describe('decoys', () => {
  test.each([
    '{"foo":1}',
    '{"SourceName":"nxlog-ce","EventTime":"2026-01-15 08:14:02","Message":"EventID 2002"}',
    '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"<EventData>"}},{"body":{}},{}]}]}]}',
    '{"resourceLogs":[]}',
    '{"log":"hello"}',
    '{"win":{}}',
    '{"winlog":{"channel":"Application"}}',
  ])('%s is no event, and no trouble', (line) => {
    const lines = textFormats.filter((format) => format.framing === 'lines' && !rowFormats.includes(format.name));
    for (const format of lines) expect(format.decode(line), format.name).toEqual([]);
  });

  test('a message that quotes another event leaves the event what it is', () => {
    const quoted =
      '\\"event_id\\":2002,\\"winlog\\":{\\"event_id\\":\\"2002\\"} Send connector A: an error occurred while connecting to 203.0.113.25:25.';
    const line = `{"message":"${quoted}","winlog":{"event_id":"1000","provider_name":"Application Error","channel":"Application","event_data":{"param1":"${quoted}"}}}`;
    expect(decodeAll(line)).toMatchObject([{ provider: 'Application Error', eventId: 1000 }]);
  });

  test.each([
    '',
    'hello world\n',
    '2026-01-15 some log line\n',
    'date-time,connector-id\n',
    '[]',
    '{}',
    '{"a":1}\n{"a":2}\n',
    '<html><body/></html>',
    '<Eventful/>',
  ])('no format recognises %j', (head) => {
    expect(recognisedBy(head)).toEqual([]);
  });
});

describe.each(textFormats)('$name', (format) => {
  const attempt = (record: string): void => {
    try {
      for (const event of format.decode(record)) {
        if (event.kind === 'shipped_line') continue;
        if (event.kind !== 'event') {
          expect(typeof event.session).toBe('string');
          continue;
        }
        expect(typeof event.provider).toBe('string');
        expect(event.eventId).toBeGreaterThanOrEqual(0);
        expect(event.eventId).toBeLessThan(65536);
        if (event.time !== undefined) expect(event.time).toSatisfy(Number.isFinite);
        expect([...event.values].filter((value) => value !== undefined && typeof value !== 'string')).toEqual([]);
      }
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error;
    }
    format.recognises(record);
  };
  const samples = files.flatMap((file) => {
    const text = fixtureText(file);
    return recordsOf(text, recognisedBy(text)[0]!.framing).slice(0, 2);
  });

  test('any string, and any damaged record of any carrier, gives events or UnreadableRecord', () => {
    const damaged = fc
      .tuple(fc.constantFrom(...samples), fc.nat(), fc.nat({ max: 40 }), fc.string({ unit: 'binary', maxLength: 4 }))
      .map(
        ([record, at, length, noise]) =>
          record.slice(0, at % record.length) + noise + record.slice((at % record.length) + length),
      );
    fc.assert(
      fc.property(fc.oneof({ weight: 3, arbitrary: damaged }, fc.string({ unit: 'binary' }), fc.json()), attempt),
      { numRuns: 400 },
    );
  });

  test('reads the bytes as it reads the string', () => {
    for (const record of samples) {
      if (!format.decodeBytes) return;
      const bytes = Buffer.from(`}<Event>{"${record}"}</Event>`);
      const outcome = (read: () => unknown): unknown => {
        try {
          return read();
        } catch (error) {
          return (error as UnreadableRecord).reason;
        }
      };
      const { decodeBytes } = format;
      expect(outcome(() => decodeBytes(bytes, 10, bytes.length - 10))).toEqual(outcome(() => format.decode(record)));
    }
  });
});

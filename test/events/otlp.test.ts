import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UnreadableRecord } from '../../src/events/decode/unreadable.js';
import { mostRecords, type OtlpBatch, readOtlp } from '../../src/events/otlp/otlp.js';
import { finish } from '../../src/runtime/breath.js';
import { type OtlpRequest, protobufOf, requestOf } from '../support/otlp-request.js';
import { decodeAll, fixtureText, lineFixtures } from './records.js';

const json = (request: unknown): OtlpBatch => finish(readOtlp(Buffer.from(JSON.stringify(request)), 'json'));
const protobuf = (request: OtlpRequest): OtlpBatch => finish(readOtlp(protobufOf(request), 'protobuf'));
const both = { json, protobuf };

const otelFiles = [
  'otel-0.89-to-2026-01.jsonl',
  'otel-batched.jsonl',
  'otel-before-0.89.jsonl',
  'otel-raw.jsonl',
  'otel-since-2026-02.jsonl',
];
const linesOf = (name: string): string[] =>
  fixtureText(name)
    .split(/\r?\n/)
    .filter((line) => line !== '');

const row = '2026-01-15T08:14:02.137Z,Outbound,08DE5401234567AB,3,192.0.2.1:2525,203.0.113.25:25,<,554 no,';

describe.each(['json', 'protobuf'] as const)('OTLP logs as %s', (encoding) => {
  const read = both[encoding];

  test.each(otelFiles)('%s gives the events that the file gives', (name) => {
    const requests = linesOf(name).map((line) => JSON.parse(line) as OtlpRequest);
    expect(requests.flatMap((request) => read(request).decoded)).toEqual(decodeAll(fixtureText(name)));
  });

  test.each(lineFixtures)('a line of %s as a body gives its event', (name) => {
    const { decoded, unreadable } = read(requestOf(linesOf(name)));
    expect(decoded).toEqual(decodeAll(fixtureText(name)));
    expect(unreadable).toEqual({});
  });

  test('a line as bytes gives its event, whatever its alphabet of base64', () => {
    const name = 'winlogbeat-8.ndjson';
    const logRecords = linesOf(name).flatMap((line) => {
      const bytes = Buffer.from(line);
      return [
        { body: { bytesValue: bytes.toString('base64') } },
        { body: { bytesValue: bytes.toString('base64url') } },
      ];
    });
    const { decoded, unreadable } = read({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
    const events = decodeAll(fixtureText(name));
    expect([decoded.length, unreadable]).toEqual([2 * events.length, {}]);
    expect(decoded.filter((_, place) => place % 2 === 0)).toEqual(events);
  });

  test('the fields of Fluent Bit as a map give the event', () => {
    const name = 'fluentbit-winevtlog.ndjson';
    const { decoded } = read(requestOf(linesOf(name).map((line) => JSON.parse(line) as unknown)));
    expect(decoded).toEqual(decodeAll(fixtureText(name)));
  });

  test('an event that stands in the attributes alone is found', () => {
    const [line = ''] = linesOf('winlogbeat-8.ndjson');
    const [record] = requestOf([JSON.parse(line)]).resourceLogs[0]!.scopeLogs[0]!.logRecords;
    const attributes = (record!.body as { kvlistValue: { values: unknown[] } }).kvlistValue.values;
    const { decoded } = read({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes }] }] }] });
    expect(decoded).toEqual(decodeAll(line));
  });

  test('records of others are ignored, an empty body too, and nothing is unreadable', () => {
    const request = requestOf(['a line of a web server', { http: 200 }, '', null, 7]);
    expect(read(request)).toEqual({ decoded: [], ignored: 5, unreadable: {}, trouble: undefined });
  });

  test('a record that cannot be read costs no other', () => {
    const good = linesOf('winlogbeat-8.ndjson');
    const { decoded, unreadable, trouble } = read(
      requestOf([{ event_id: {}, provider: 'MSExchangeTransport' }, ...good]),
    );
    expect(decoded).toEqual(decodeAll(good.join('\n')));
    expect(unreadable).toEqual({ wrong_shape: 1 });
    expect(trouble).toContain('expected an event ID and a provider name');
  });

  test.each([
    ['bytes of UTF-16', { bytesValue: Buffer.from('{"winlog":{}}', 'utf16le').toString('base64') }, 'got UTF-16LE'],
    ['bytes of no UTF-8', { bytesValue: '////' }, 'expected bytes of UTF-8'],
    ['half a text of JSON', { stringValue: '{"winlog":' }, 'expected JSON'],
    ['half a list of JSON', { stringValue: ' [{"a":1},\n' }, 'expected JSON'],
    ['a row of a transport log', { stringValue: row }, '/ingest?server='],
    ['a row in bytes', { bytesValue: Buffer.from(row).toString('base64') }, '/ingest?server='],
    ['a row that is shipped without its place', { stringValue: JSON.stringify({ message: row }) }, 'log.offset'],
  ])('%s cannot be read, and is told', (_what, body, word) => {
    const others = [{ body: { stringValue: '{"a":"}"}' } }, { body: { stringValue: 'Zeit, {' } }];
    const batch = read({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body }, ...others] }] }] });
    expect({ ...batch, unreadable: Object.values(batch.unreadable) }).toMatchObject({ ignored: 2, unreadable: [1] });
    expect(batch.trouble).toContain(word);
  });

  test('a line that Filebeat ships is read, as a string, a map or bytes', () => {
    const shipped = { message: row, log: { file: { path: 'C:\\SEND.LOG' }, offset: 7 }, host: { name: 'EXCH01' } };
    const bytesValue = Buffer.from(JSON.stringify(shipped)).toString('base64');
    const records = [JSON.stringify(shipped), shipped].flatMap(
      (body) => requestOf([body]).resourceLogs[0]!.scopeLogs[0]!.logRecords,
    );
    const logRecords = [...records, { body: { bytesValue } }];
    const { decoded, unreadable } = read({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
    const line = { kind: 'shipped_line', server: 'EXCH01', path: 'C:\\SEND.LOG', file: '', offset: 7, text: row };
    expect([decoded, unreadable]).toEqual([[line, line, line], {}]);
  });

  test('a value nested without end is no event and no crash', () => {
    let body: unknown = 'MSExchangeTransport';
    for (let depth = 0; depth < 400; depth++) body = { a: body };
    expect(read(requestOf([body]))).toMatchObject({ decoded: [], ignored: 1 });
  });

  test('an empty request is a sound one', () => {
    expect(read({ resourceLogs: [] })).toMatchObject({ decoded: [], ignored: 0, unreadable: {} });
  });

  test('of a hostile request nothing is thrown but that it cannot be read', () => {
    const request = requestOf([
      ...linesOf('winlogbeat-8.ndjson'),
      { event_id: 2002, provider: { name: 'MSExchange' } },
    ]);
    const bytes = encoding === 'json' ? Buffer.from(JSON.stringify(request)) : protobufOf(request);
    const edit = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 6 }), fc.nat(bytes.length), (edits, length) => {
        const hostile = Buffer.from(bytes);
        for (const [at, byte] of edits) hostile[at] = byte;
        expectSound(() => finish(readOtlp(hostile.subarray(0, length), encoding)));
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        expectSound(() => finish(readOtlp(Buffer.from(garbage), encoding)));
      }),
    );
  });
});

describe('the JSON of OTLP, as its specification has it', () => {
  const [line = ''] = linesOf('winlogbeat-8.ndjson');
  const ofRecords = (...logRecords: object[]): OtlpBatch => json({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });

  test('identifiers in hexadecimal, enumerations as numbers, 64 bits as text or number, null, and unknown fields', () => {
    const kvlistValue = (values: object[]): object => ({ kvlistValue: { values } });
    const event = (id: unknown): object => ({
      timeUnixNano: '1768464842137000000',
      observedTimeUnixNano: 1768464842137000000,
      severityNumber: 17,
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      flags: 1,
      droppedAttributesCount: null,
      attributes: null,
      ofTomorrow: { any: [{}, null, 'x'] },
      body: kvlistValue([
        { key: 'event_id', value: id },
        { key: 'provider', value: { stringValue: 'MSExchangeTransport', ofTomorrow: 1 } },
        { key: 'nothing', value: null },
        { key: 'empty', value: {} },
        { key: 'none', value: { arrayValue: {} } },
      ]),
    });
    const { decoded, unreadable } = ofRecords(event({ intValue: '2002' }), event({ intValue: 2002 }));
    expect([unreadable, decoded]).toMatchObject([{}, [{ eventId: 2002 }, { eventId: 2002 }]]);
  });

  test.each([
    ['bytes that are no base64', { bytesValue: 'MSExchange?' }, 'base64 in bytesValue'],
    ['bytes as a list', { bytesValue: [1, 2] }, 'base64 in bytesValue'],
    ['a body that is no object', `MSExchangeTransport ${line.length}`, 'expected an object as the body'],
  ])('%s are counted and told, and the next record is read', (_what, body, trouble) => {
    const batch = ofRecords({ body }, { body: { stringValue: line } });
    expect(batch).toMatchObject({ unreadable: { wrong_shape: 1 }, decoded: decodeAll(line) });
    expect(batch.trouble).toContain(trouble);
  });

  test('bytes of others are ignored', () => {
    const { ignored, unreadable } = ofRecords({ body: { bytesValue: 'YWJj' } }, { body: { bytesValue: null } });
    expect([ignored, unreadable]).toEqual([2, {}]);
  });
});

function expectSound(read: () => OtlpBatch): void {
  try {
    expect(read().unreadable.decoder_failed).toBeUndefined();
  } catch (error) {
    expect(error).toBeInstanceOf(UnreadableRecord);
    expect((error as UnreadableRecord).reason).toMatch(/^(not_json|wrong_shape|damaged)$/);
  }
}

describe('hostile OTLP', () => {
  const thrown = (bytes: Buffer, encoding: 'json' | 'protobuf'): string => {
    try {
      finish(readOtlp(bytes, encoding));
      return 'read';
    } catch (error) {
      return `${(error as UnreadableRecord).reason}: ${(error as UnreadableRecord).message}`;
    }
  };

  test('a length of 4 GiB, a varint without end and a group are refused at once', () => {
    expect(thrown(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]), 'protobuf')).toMatch(/^damaged: .* at byte 0$/);
    expect(thrown(Buffer.alloc(30, 0xff), 'protobuf')).toMatch(/^damaged/);
    expect(thrown(Buffer.from([0x0b, 0x0c]), 'protobuf')).toMatch(/^damaged/);
  });

  test('JSON that ends too early, or is none, says where', () => {
    expect(thrown(Buffer.from('{"resourceLogs":[{"scopeLogs":['), 'json')).toMatch(
      /^not_json: .* at byte 31, got nothing/,
    );
    expect(thrown(Buffer.from('{"resourceLogs":{}}'), 'json')).toMatch(/^wrong_shape: expected an array/);
    expect(thrown(Buffer.from('hello'), 'json')).toMatch(/^not_json: expected an object/);
    expect(thrown(Buffer.from('{"resourceLogs":[]} x'), 'json')).toMatch(/^not_json: expected the end/);
    expect(thrown(Buffer.from('{"resourceLogs":null}'), 'json')).toBe('read');
  });

  test('more records than anybody sends are refused, however small they are', () => {
    const scope = Buffer.alloc(2 * (mostRecords + 1));
    for (let at = 0; at < scope.length; at += 2) scope[at] = 0x12;
    const wrapped = (number: number, inner: Buffer): Buffer => {
      const length: number[] = [];
      for (let left = inner.length; left > 0; left >>>= 7) length.push((left & 127) | (left > 127 ? 128 : 0));
      return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), inner]);
    };
    expect(thrown(wrapped(1, wrapped(2, scope)), 'protobuf')).toMatch(/^too_large: more than 200000/);
  });

  test('a member called __proto__ changes no other object', () => {
    const request = requestOf([{ provider: 'MSExchangeTransport' }]);
    const record = request.resourceLogs[0]!.scopeLogs[0]!.logRecords[0]!;
    (record.body as { kvlistValue: { values: unknown[] } }).kvlistValue.values.push({
      key: '__proto__',
      value: { kvlistValue: { values: [{ key: 'event_id', value: { intValue: '2002' } }] } },
    });
    for (const read of Object.values(both)) expect(read(request).decoded).toEqual([]);
    expect(({} as { event_id?: unknown }).event_id).toBeUndefined();
  });
});

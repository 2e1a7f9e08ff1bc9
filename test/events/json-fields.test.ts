import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldReader, fieldsByParsing } from '../../src/events/decode/json-fields.js';
import { UnreadableRecord } from '../../src/events/decode/unreadable.js';

const paths = [
  ['@timestamp'],
  ['message'],
  ['winlog', 'event_id'],
  ['winlog', 'provider_name'],
  ['winlog', 'event_data', 'param#'],
  ['winlog', 'event_data'],
  ['event_id'],
  ['a', 'b', 'c'],
] as const;
const read = fieldReader(paths);

function fastly(record: string): unknown[] {
  // Bytes of other records stand before and behind.
  const before = Buffer.from('{"winlog":{"event_id":1},"x":"');
  const bytes = Buffer.concat([before, Buffer.from(record), Buffer.from('"}\n{"event_id":2}')]);
  const fields = read(bytes, before.length, before.length + Buffer.byteLength(record));
  return paths.map((_, i) => fields(i));
}

const keys = fc.constantFrom(
  ...[
    '@timestamp',
    'message',
    'winlog',
    'event_id',
    'provider_name',
    'event_data',
    'param1',
    'param2',
    'param10',
    'param01',
  ],
  ...['a', 'b', 'c', 'd', '', 'param', 'params', 'event.id', '__proto__', 'constructor', 'wïnlog', 'a"b', 'x\\'],
);
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '"event_data":{"param1":"x"',
    '","winlog":{"event_id":7}',
    '\\","event_id":9,"',
    '}}}',
    '{"a":{"b":{"c":1}}}',
    '\\',
    'Büro → Außen 😀',
    '\u0001\u0000\u2028',
    '2002',
  ),
);
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    texts,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.integer(),
    fc.constantFrom(null, true, false, 36028797018963968, 0),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.array(fc.tuple(keys, tie('value')), { maxLength: 7 }).map((entries) => ({ entries })),
}));

/** JSON of a generated value, with keys twice where they are generated twice, escapes and blanks as it pleases. */
function written(value: unknown, style: { escape: boolean; blank: string }): string {
  const text = (string: string) =>
    style.escape
      ? JSON.stringify(string).replace(
          /[\u007f-\uffff/]/g,
          (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
        )
      : JSON.stringify(string);
  const { blank } = style;
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return `[${blank}${value.map((item) => written(item, style)).join(`,${blank}`)}${blank}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const { entries } = value as { entries: [string, unknown][] };
  return `{${blank}${entries.map(([key, inner]) => `${text(key)}${blank}:${blank}${written(inner, style)}`).join(`${blank},`)}${blank}}`;
}

test('reads what JSON.parse reads, whatever the keys, their order and what the strings hold', () => {
  fc.assert(
    fc.property(values.object, fc.boolean(), fc.constantFrom('', ' ', '\r\n\t'), (object, escape, blank) => {
      const record = written(object, { escape, blank });
      expect(fastly(record)).toEqual(fieldsByParsing(record, paths));
    }),
    { numRuns: 3000 },
  );
});

test.each([
  '{"winlog":{"event_data":{"param1":"a","param2":{}}},"winlog":null}',
  '{"winlog":{"event_data":{"param1":"a"}},"winlog":{"event_data":{"param2":"b"}}}',
  '{"winlog":{"event_data":{"param1":"a"},"event_data":7}}',
  '{"winlog":{"event_data":{"param1":"a"}},"event":null,"message":{"param2":"b"}}',
])('the last of equal keys counts, and it counts alone: %s', (record) => {
  expect(fastly(record)).toEqual(fieldsByParsing(record, paths));
});

test('gives a value or says that the record is no JSON, whatever the bytes', () => {
  const mutated = fc
    .tuple(values.object, fc.nat(), fc.string({ unit: 'binary', maxLength: 3 }))
    .map(([object, at, noise]) => {
      const record = written(object, { escape: false, blank: '' });
      const cut = at % (record.length + 1);
      return record.slice(0, cut) + noise + record.slice(cut + 1);
    });
  fc.assert(
    fc.property(fc.oneof(mutated, texts), (record) => {
      try {
        fastly(record);
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableRecord);
      }
    }),
    { numRuns: 3000 },
  );
});

test('a record torn and glued to the next is unreadable', () => {
  const whole = '{"winlog":{"event_id":2002,"provider_name":"A"},"message":"m"}';
  for (let cut = 1; cut < whole.length; cut++) {
    expect(() => fastly(whole.slice(0, cut) + whole), `cut at ${cut}`).toThrow(UnreadableRecord);
    expect(() => fastly(whole.slice(0, cut)), `cut at ${cut}`).toThrow(UnreadableRecord);
  }
});

test('a number beyond the exact ones comes as JSON.parse gives it', () => {
  expect(fastly('{"event_id":18446744073709551615,"message":-0.5e3}')[6]).toBe(18446744073709552000);
});

/** What the values of Kafka's records give that are no events. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyTally } from '../../src/events/sources/kafka/tally.js';
import { createValueReader } from '../../src/events/sources/kafka/values.js';
import { SpreadCollector } from '../../src/events/read/spread-ids.js';
import type { Decoded } from '../../src/model/records.js';
import { fixtureText, lineFixtures } from './records.js';

const send =
  '2026-01-15T08:16:00.098Z,To Internet,08DE53F0A1B2C305,2,192.0.2.1:2525,203.0.113.7:25,<,451 4.7.0 try again,';
const connectivity =
  '2026-01-15T08:16:00.098Z,08DE53F0A1B2C305,SMTP,contoso.example,-,Messages: 0 Bytes: 0 (Retry : Failed)';
const path = 'C:\\Logs\\SEND2026011508-1.LOG';

function read(value: string) {
  const into = emptyTally();
  const bytes = Buffer.from(value);
  createValueReader().read(bytes, 0, bytes.length, into, 0);
  return into;
}

test.each([
  ['the Send log', send],
  ['the connectivity log', connectivity],
  ['the header of either', '#Log-type: SMTP Send Protocol Log'],
])('a line of %s as Filebeat ships it is handed on with its place', (_name, message) => {
  const { decoded, trouble, unreadable } = read(
    JSON.stringify({ message, log: { file: { path }, offset: 7 }, host: { name: 'EXCH01' } }),
  );
  expect(decoded).toEqual([{ kind: 'shipped_line', server: 'EXCH01', path, file: '', offset: 7, text: message }]);
  expect({ trouble, unreadable }).toEqual({ trouble: undefined, unreadable: {} });
});

test('a line of another log that Filebeat ships is dropped without a word', () => {
  const value = { message: 'started', log: { file: { path: '/var/log/x' } } };
  const { trouble, ignored, unreadable } = read(JSON.stringify(value));
  expect({ trouble, ignored, unreadable }).toEqual({ trouble: undefined, ignored: 1, unreadable: {} });
});

test.each([{ message: send }, { message: send, log: 'x' }])('a row without its place is told: %j', (value) => {
  const { trouble, unreadable } = read(JSON.stringify(value));
  expect(trouble).toContain('without its file and place');
  expect(unreadable).toEqual({ wrong_shape: 1 });
});

const values = lineFixtures.flatMap((name) => fixtureText(name).split(/\r?\n/)).filter((line) => line !== '');
const [first = ''] = values.slice(-1);
/** What is easily mistaken for a value of a format that was brought before. */
const odd = [
  `${first}${first}`,
  `${first},${first}`,
  `${first}\n${first}`,
  `${first}\0`,
  `${first.slice(0, -1)}\0}`,
  first.slice(0, -2),
  first.slice(0, first.lastIndexOf('}')),
  `${first.slice(0, -1)},"a":}`,
  first.replace('"winlog"', '"windows"'),
  `[${first}]`,
  ` ${first} `,
  `{"message":${JSON.stringify(first)}}`,
  '{"event_id":2002}',
];

test('values of formats that a topic has brought give what each gives by itself, in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...values, ...odd), { minLength: 1, maxLength: 30 }), (chosen) => {
      const together = { ...emptyTally(new SpreadCollector()), decoded: [] as Decoded[] };
      const reader = createValueReader();
      const bytes = Buffer.from(chosen.join('#'));
      let at = 0;
      for (const value of chosen) {
        const length = Buffer.byteLength(value);
        reader.read(bytes, at, at + length, together, 7);
        at += length + 1;
      }
      const alone = { ...emptyTally(new SpreadCollector()), decoded: [] as Decoded[] };
      for (const value of chosen) {
        const own = Buffer.from(value);
        createValueReader().read(own, 0, own.length, alone, 7);
      }
      const { ids, ...told } = together;
      const { ids: idsAlone, ...toldAlone } = alone;
      expect([told, ids?.found()]).toEqual([toldAlone, idsAlone?.found()]);
    }),
    { numRuns: 60 },
  );
});

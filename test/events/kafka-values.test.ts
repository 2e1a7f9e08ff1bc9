/** What the values of Kafka's records give that are no events. */
import { expect, test } from 'vitest';
import { emptyTally } from '../../src/events/sources/kafka/tally.js';
import { createValueReader } from '../../src/events/sources/kafka/values.js';

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

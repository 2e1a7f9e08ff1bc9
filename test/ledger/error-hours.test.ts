/** Errors by reason and hour: what is plotted of a Send connector, and that it is carried over. */
import { expect, test } from 'vitest';
import { createErrorHours, type SavedErrorHours } from '../../src/ledger/error-hours.js';
import { openLedger } from '../../src/ledger/ledger.js';
import type { Evidence } from '../../src/model/evidence.js';
import { temporaryFolder } from '../support/folder.js';

const start = Date.UTC(2026, 10, 23, 8, 30, 0);
const hour = 3_600_000;

test('16.4.2: errors are counted by the hour, for a week, each reason by itself', () => {
  const book = createErrorHours([], () => start);
  book.note('Outbound', undefined, start);
  book.note('Outbound', undefined, start - hour);
  book.note('Outbound', 'refused', start - 167 * hour);
  book.note('Outbound', 'refused', start - 168 * hour);
  book.note('Other', 'timeout', start);
  const [events, refused] = book.of('Outbound');
  expect(events?.counts.slice(-3)).toEqual([0, 1, 1]);
  expect(refused).toMatchObject({ reason: 'refused' });
  expect(refused?.counts[0]).toBe(1);
  expect(refused?.counts.slice(1).every((count) => count === 0)).toBe(true);
  expect(book.of('Nobody')).toEqual([]);
});

test('16.4.2: what is read late of long ago takes no place of what is newer', () => {
  const book = createErrorHours([], () => start);
  book.note('Outbound', 'refused', start);
  for (let weeks = 1; weeks < 5; weeks++) book.note('Outbound', 'refused', start - weeks * 168 * hour);
  expect(book.of('Outbound')[0]?.counts.at(-1)).toBe(1);
});

test('16.4.2: names are bounded: the one without an error for longest goes', () => {
  const book = createErrorHours([], () => start, 2);
  for (const name of ['a', 'b', 'a', 'c']) book.note(name, undefined, start);
  expect(['a', 'b', 'c'].map((name) => book.of(name).length)).toEqual([1, 0, 1]);
});

test('16.4.2: it reads back from its saved form as it was', () => {
  const book = createErrorHours([], () => start);
  for (let age = 0; age < 200; age += 7) book.note('Outbound', 'tls_handshake', start - age * hour);
  const saved = book.texts().map((text) => JSON.parse(text) as SavedErrorHours);
  expect(createErrorHours(saved, () => start).of('Outbound')).toEqual(book.of('Outbound'));
});

test('16.4.2: the ledger counts each error once, and keeps the hours over a restart', async () => {
  const directory = await temporaryFolder();
  const open = () => openLedger({ directory, now: () => start });
  const pair = { server: 'exch01', connector: 'Outbound', destination: '203.0.113.25:25' };
  const key = { server: 'exch01', channel: 'Application', recordId: 7, time: start };
  const event: Evidence = { kind: 'connection_error', key, ...pair, at: start };
  const failure: Evidence = { kind: 'connection_failure', ...pair, reason: 'refused', at: start - hour };
  const attempt: Evidence = { kind: 'connection_attempt', ...pair, at: start };
  const first = await open();
  await first.post({
    source: 'log',
    evidence: [event, event, failure, attempt],
    ignored: 0,
    unreadable: {},
    checkpoint: undefined,
    history: false,
  });
  await first.close();
  const second = await open();
  expect(second.errorHours('Outbound').map(({ reason, counts }) => [reason, ...counts.slice(-2)])).toEqual([
    [undefined, 0, 1],
    ['refused', 1, 0],
  ]);
  await second.close();
});

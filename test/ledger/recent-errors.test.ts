import { expect, test } from 'vitest';
import type { ConnectionError } from '../../src/model/evidence.js';
import { createRecentErrors } from '../../src/ledger/recent-errors.js';

const start = Date.parse('2026-11-28T08:00:00Z');

function error(at: number, destination = '203.0.113.25:25'): ConnectionError {
  const key = { server: 'exch01', channel: 'application', recordId: 1, time: at };
  return { kind: 'connection_error', key, server: 'exch01', connector: 'Outbound', destination, at };
}

test('errors of a pair within a minute are one entry with its first and last time, also in the saved text', () => {
  const recent = createRecentErrors();
  for (const ms of [20_000, 5_000, 59_000, 61_000]) recent.note(error(start + ms), start + 61_000);
  const before = recent.all();
  const of = { server: 'exch01', connector: 'Outbound', destination: '203.0.113.25:25' };
  expect(before).toEqual([
    { ...of, at: start + 5_000, until: start + 59_000, count: 3 },
    { ...of, at: start + 61_000, until: start + 61_000, count: 1 },
  ]);
  expect(recent.texts()).toEqual(before.map((each) => JSON.stringify(each)));
  recent.note(error(start + 30_000), start + 61_000);
  // What a reader holds does not change under it.
  expect(before[0]?.count).toBe(3);
  expect(recent.all()[0]?.count).toBe(4);
  expect(recent.texts()[0]).toBe(JSON.stringify(recent.all()[0]));
});

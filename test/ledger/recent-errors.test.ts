import fc from 'fast-check';
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

type Line = { server: string; destination: string; reason: 'timeout' | undefined; minute: number; count: number };

/** What is to be kept, looked for in a list. */
function keepIn(lines: Line[], line: Line, most: { readonly inAll: number; readonly perServer: number }): void {
  const { server, destination, reason, minute } = line;
  const known = lines.find(
    (each) =>
      each.server === server && each.destination === destination && each.reason === reason && each.minute === minute,
  );
  if (known) {
    known.count++;
    return;
  }
  lines.push(line);
  const ofServer = lines.filter((each) => each.server === server);
  if (ofServer.length > most.perServer) lines.splice(lines.indexOf(ofServer[0]!), 1);
  if (lines.length > most.inAll) lines.shift();
}

test('in any order, with what is let go of written over by what comes, it keeps what a list would', () => {
  const note = fc.record({
    server: fc.constantFrom('exch01', 'exch02', 'exch03'),
    destination: fc.constantFrom('a:25', 'b:25', 'c:25'),
    reason: fc.constantFrom('timeout' as const, undefined),
    minute: fc.nat(5),
  });
  fc.assert(
    fc.property(fc.array(note, { maxLength: 200 }), (notes) => {
      const most = { inAll: 12, perServer: 7 };
      const recent = createRecentErrors([], most);
      const lines: Line[] = [];
      for (const { server, destination, reason, minute } of notes) {
        const at = start + minute * 60_000;
        const named = { server, connector: 'Outbound', destination, at };
        const evidence = reason
          ? ({ kind: 'connection_failure', reason, ...named } as const)
          : { ...error(at, destination), ...named };
        recent.note(evidence, at);
        keepIn(lines, { server, destination, reason, minute, count: 1 }, most);
      }
      const kept = recent.all().map(({ server, destination, reason, at, count }) => {
        return { server, destination, reason, minute: (at - start) / 60_000, count };
      });
      expect(kept).toEqual(lines);
    }),
  );
});

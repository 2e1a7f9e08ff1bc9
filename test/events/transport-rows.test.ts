import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connectivityLog } from '../../src/events/formats/connectivity-log.js';
import { sendLog } from '../../src/events/formats/send-log.js';
import type { TextFormat } from '../../src/events/formats/format.js';
import { createSessions, type Sessions } from '../../src/events/transport/sessions.js';
import { UnreadableRecord } from '../../src/events/decode/unreadable.js';
import type { Evidence } from '../../src/model/evidence.js';
import type { JoinState } from '../../src/model/sessions.js';
import type { TransportRow } from '../../src/model/records.js';
import { randomOf, rowsFor, silentConnector } from '../support/exchange-logs.js';

/** One line: Exchange writes CR and LF as two characters each. */
const text = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .map((each) => each.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ').trim());
const session = fc.stringMatching(/^[0-9A-F]{16}$/);
const port = fc.integer({ min: 1, max: 65535 });

function cell(value: string): string {
  return /[",]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

test('a row of the Send log is read as it was written, whatever the connector and the remote server are called', () => {
  fc.assert(
    fc.property(
      text.filter((name) => name !== ''),
      session,
      port,
      text,
      (connector, id, number, words) => {
        const remote = `203.0.113.25:${number}`;
        const said = `554 ${words}`.trim();
        const row = [
          '2026-01-15T08:16:00.098Z',
          cell(connector),
          id,
          '2',
          '192.0.2.1:44301',
          remote,
          '<',
          cell(said),
          '',
        ];
        const at = Date.parse('2026-01-15T08:16:00.098Z');
        expect(sendLog.decode(row.join(','))).toEqual([
          { kind: 'send_row', connector, session: id, at, remote, event: '<', text: said },
        ]);
      },
    ),
  );
});

test('a row of the connectivity log is read as it was written', () => {
  fc.assert(
    fc.property(text, session, fc.constantFrom('+', '>', '-'), text, (nextHop, id, direction, words) => {
      const row = ['2026-01-15T08:16:00.098Z', id, 'SMTP', cell(nextHop), direction, cell(words)].join(',');
      const at = Date.parse('2026-01-15T08:16:00.098Z');
      expect(connectivityLog.decode(row)).toEqual([
        { kind: 'connectivity_row', session: id, at, nextHop, direction, text: words },
      ]);
    }),
  );
});

test.each([sendLog, connectivityLog])('$name: no line crashes it, and a torn row is unreadable or a row', (format) => {
  const torn = fc
    .tuple(fc.constantFrom(...rowsFor(20, randomOf(1)).map(({ text }) => text)), fc.nat(300))
    .map(([row, length]) => row.slice(0, length));
  fc.assert(
    fc.property(fc.oneof(fc.string(), torn), (line) => {
      try {
        expect(format.decode(line).length).toBeLessThan(2);
      } catch (error) {
        if (!(error instanceof UnreadableRecord)) throw error;
      }
      expect(typeof format.recognises(line)).toBe('boolean');
    }),
  );
});

test('a Receive protocol log is not taken for a Send log, nor one log for the other', () => {
  const rows = (log: string): string =>
    rowsFor(5, randomOf(2))
      .filter((row) => row.log === log)
      .map((row) => row.text)
      .join('\r\n');
  const received =
    '2026-01-15T08:16:00.098Z,EXCH01\\Default,08DE53F0A1B2C305,2,192.0.2.1:25,203.0.113.7:5,>,220 exch01 ready,\r\n';
  const headed = (type: string): string =>
    `#Software: Microsoft Exchange Server\r\n#Log-type: ${type}\r\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n`;
  expect([sendLog.recognises(rows('send')), connectivityLog.recognises(rows('send'))]).toEqual([true, false]);
  expect([sendLog.recognises(rows('connectivity')), connectivityLog.recognises(rows('connectivity'))]).toEqual([
    false,
    true,
  ]);
  expect(sendLog.recognises(received)).toBe(false);
  expect(sendLog.recognises(headed('SMTP Send Protocol Log'))).toBe(true);
  expect(sendLog.recognises(headed('SMTP Receive Protocol Log'))).toBe(false);
});

// ------------------------------------------------------------------------------------------------------- the join

type Book = {
  counts: Record<string, number>;
  sessions: Map<string, string>;
  read: { send: number; connectivity: number };
};

/** A joiner whose state and findings go into a book together, as the ledger does it; a crash goes back to the last save. */
function joinerOf(book: Book): Sessions {
  return createSessions({
    saved: [...book.sessions.values()].map((json) => JSON.parse(json) as JoinState),
    connectorOfGuid: (guid) => (guid === silentConnector.guid ? silentConnector.name : undefined),
    unknownCode: () => undefined,
    // After all rows: times from the future are not believed.
    now: () => Date.UTC(2100, 0),
  });
}

function enter(book: Book, joiner: Sessions, found: readonly Evidence[]): void {
  for (const each of found) {
    if (each.kind === 'connection_error' || each.kind === 'related_event') continue;
    const key = `${each.connector} | ${each.destination} | ${each.kind === 'connection_attempt' ? 'attempts' : each.reason}`;
    book.counts[key] = (book.counts[key] ?? 0) + 1;
  }
  for (const { key, json } of joiner.changes()) {
    if (json === undefined) book.sessions.delete(key);
    else book.sessions.set(key, json);
  }
}

const formats: Record<'send' | 'connectivity', TextFormat> = { send: sendLog, connectivity: connectivityLog };

test('however the two logs come and wherever it crashes, each attempt and each failure counts once', () => {
  const step = fc.record({
    log: fc.constantFrom('send' as const, 'connectivity' as const),
    rows: fc.integer({ min: 1, max: 120 }),
    then: fc.constantFrom('save', 'go on', 'crash'),
  });
  fc.assert(
    fc.property(fc.integer(), fc.array(step, { maxLength: 40 }), (seed, steps) => {
      const all = rowsFor(60, randomOf(seed));
      const truth: Record<string, number> = {};
      for (const fact of all.flatMap((row) => row.facts)) truth[fact] = (truth[fact] ?? 0) + 1;
      const rows = {
        send: all.filter(({ log }) => log === 'send').map(({ text }) => text),
        connectivity: all.filter(({ log }) => log === 'connectivity').map(({ text }) => text),
      };
      const fresh: Book = { counts: {}, sessions: new Map(), read: { send: 0, connectivity: 0 } };
      let [book, saved] = [structuredClone(fresh), structuredClone(fresh)];
      let joiner = joinerOf(book);
      const rest = (['connectivity', 'send'] as const).map((log) => ({ log, rows: 100_000, then: 'save' }));
      for (const { log, rows: count, then } of [...steps, ...rest]) {
        const found: Evidence[] = [];
        for (const row of rows[log].slice(book.read[log], book.read[log] + count)) {
          for (const decoded of formats[log].decode(row))
            joiner.read(decoded as TransportRow, { server: 'exch01', history: false }, found);
        }
        book.read[log] = Math.min(rows[log].length, book.read[log] + count);
        enter(book, joiner, found);
        if (then === 'save') saved = structuredClone(book);
        if (then !== 'crash') continue;
        book = structuredClone(saved);
        joiner = joinerOf(book);
      }
      expect(book.counts).toEqual(truth);
    }),
    { numRuns: 60 },
  );
});

test('memory is bounded: sessions beyond the limit are counted as they are', () => {
  const joiner = createSessions({
    saved: [],
    connectorOfGuid: () => undefined,
    unknownCode: () => undefined,
    now: () => 0,
    limit: 100,
  });
  const book: Book = { counts: {}, sessions: new Map(), read: { send: 0, connectivity: 0 } };
  const found: Evidence[] = [];
  const count = 5_000;
  for (let n = 0; n < count; n++) {
    const id = n.toString(16).toUpperCase().padStart(16, '0');
    const row = (direction: string, words: string): string =>
      `2026-01-15T08:16:00.098Z,${id},SMTP,a.example,${direction},${words}`;
    const lines = [row('+', 'DnsConnectorDelivery 2f6f0e8e;Q'), row('>', 'Established connection to 203.0.113.1')];
    for (const line of lines.flatMap((each) => connectivityLog.decode(each)))
      joiner.read(line as TransportRow, { server: 'exch01', history: false }, found);
    enter(book, joiner, found.splice(0));
    expect(book.sessions.size).toBeLessThanOrEqual(102);
  }
  expect(book.counts['2f6f0e8e | 203.0.113.1:25']).toBeUndefined();
  expect(book.counts['2f6f0e8e | 203.0.113.1:25 | attempts']).toBeGreaterThanOrEqual(count - 100);
});

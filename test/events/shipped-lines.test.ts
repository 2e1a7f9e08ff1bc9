/** Lines of the transport logs that Filebeat ships: read as the file itself, and each line once. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filebeat } from '../../src/events/formats/filebeat.js';
import { createSessions, type Sessions } from '../../src/events/transport/sessions.js';
import { createShippedFiles } from '../../src/events/transport/shipped-files.js';
import { take, type Place } from '../../src/events/transport/taken-lines.js';
import type { Evidence } from '../../src/model/evidence.js';
import type { ShippedLine } from '../../src/model/records.js';
import type { JoinState, TakenLines } from '../../src/model/sessions.js';
import { randomOf, rowsFor, silentConnector } from '../support/exchange-logs.js';
import { header, shipped, type Line } from '../support/shipped-logs.js';

const server = 'exch01';
const ignore = (): void => undefined;

function lineOf(line: Line): ShippedLine {
  const [decoded] = filebeat.decode(shipped(line));
  if (decoded?.kind !== 'shipped_line') throw new Error(`expected a line of a transport log: ${line.text}`);
  return decoded;
}

// ------------------------------------------------------------------------------------------- what is saved, as a book

type Book = { counts: Record<string, number>; saved: Map<string, string> };

const emptyBook = (): Book => ({ counts: {}, saved: new Map() });

function joinerOf({ saved }: Book): Sessions {
  return createSessions({
    saved: [...saved.values()].map((json) => JSON.parse(json) as JoinState),
    connectorOfGuid: (guid) => (guid === silentConnector.guid ? silentConnector.name : undefined),
    unknownCode: () => undefined,
    now: () => Date.UTC(2100, 0),
  });
}

function readInto(book: Book, joiner: Sessions, lines: readonly ShippedLine[]): void {
  const found: Evidence[] = [];
  for (const line of lines) joiner.readShipped(line, { server: '', history: false }, found);
  for (const each of found) {
    if (each.kind === 'connection_error' || each.kind === 'related_event') continue;
    const key = `${each.connector} | ${each.destination} | ${each.kind === 'connection_attempt' ? 'attempts' : each.reason}`;
    book.counts[key] = (book.counts[key] ?? 0) + 1;
  }
  for (const { key, json } of joiner.changes()) {
    if (json === undefined) book.saved.delete(key);
    else book.saved.set(key, json);
  }
}

/** Files of so many rows, each with a header, and where their lines stand. */
function filesOf(rows: readonly string[], prefix: 'SEND' | 'CONNECTLOG', rowsOfFile: number): ShippedLine[] {
  const lines: ShippedLine[] = [];
  for (let from = 0; from < rows.length; from += rowsOfFile) {
    const path = `C:\\Logs\\${prefix}20260115-${from / rowsOfFile + 1}.LOG`;
    let offset = 0;
    for (const text of [...header(prefix), ...rows.slice(from, from + rowsOfFile)]) {
      lines.push(lineOf({ path, offset, text }));
      offset += Buffer.byteLength(text) + 2;
    }
  }
  return lines;
}

test('however often lines are sent again and wherever it crashes, each attempt and each failure counts once', () => {
  const step = fc.record({
    log: fc.constantFrom('send' as const, 'connectivity' as const),
    lines: fc.integer({ min: 1, max: 60 }),
    again: fc.integer({ min: 0, max: 90 }),
    then: fc.constantFrom('save', 'go on', 'crash'),
  });
  fc.assert(
    fc.property(fc.integer(), fc.array(step, { maxLength: 20 }), (seed, steps) => {
      const all = rowsFor(20, randomOf(seed));
      const truth: Record<string, number> = {};
      for (const fact of all.flatMap((row) => row.facts)) truth[fact] = (truth[fact] ?? 0) + 1;
      const textsOf = (log: string): string[] => all.filter((row) => row.log === log).map(({ text }) => text);
      const logs = {
        send: filesOf(textsOf('send'), 'SEND', 60),
        connectivity: filesOf(textsOf('connectivity'), 'CONNECTLOG', 40),
      };
      const fresh = { ...emptyBook(), at: { send: 0, connectivity: 0 } };
      let [book, saved] = [structuredClone(fresh), structuredClone(fresh)];
      let joiner = joinerOf(book);
      const rest = (['connectivity', 'send'] as const).map((log) => ({ log, lines: 9_999, again: 99, then: 'save' }));
      for (const { log, lines, again, then } of [...steps, ...rest]) {
        const at = book.at[log];
        // A sender that was not answered goes back further than what was not taken.
        readInto(book, joiner, logs[log].slice(Math.max(0, at - again), at + lines));
        book.at[log] = Math.min(logs[log].length, at + lines);
        if (then === 'save') saved = structuredClone(book);
        if (then !== 'crash') continue;
        book = structuredClone(saved);
        joiner = joinerOf(book);
      }
      expect(book.counts).toEqual(truth);
    }),
    { numRuns: 20 },
  );
});

// ---------------------------------------------------------------------------------------------------- which lines were taken

/** Lines of a file, one after the other. */
const lengths = fc.array(fc.integer({ min: 20, max: 400 }), { minLength: 1, maxLength: 100 });

function placesOf(all: readonly number[]): { offset: number; length: number; at: number }[] {
  let offset = 0;
  return all.map((length, n) => {
    const place = { offset, length, at: 1_000 + n };
    offset += length + 2;
    return place;
  });
}

test('lines that come in any order, many of them twice, are taken once each, and what is kept of them is one run', () => {
  fc.assert(
    fc.property(lengths, fc.infiniteStream(fc.nat()), (all, choices) => {
      const places = placesOf(all);
      const queue = [...places, ...places.filter((_, n) => n % 3 === 0)];
      const taken = new Map<number, number>();
      let kept: readonly TakenLines[] = [];
      while (queue.length > 0) {
        const [place] = queue.splice(choices.next().value % Math.min(queue.length, 60), 1);
        const next = take(kept, place!);
        if (next) taken.set(place!.offset, (taken.get(place!.offset) ?? 0) + 1);
        kept = next ?? kept;
        expect(kept[0]!.runs.length).toBeLessThanOrEqual(64 * 3);
      }
      expect([...taken.values()]).toEqual(places.map(() => 1));
      expect(kept.map(({ runs }) => runs.length)).toEqual([3]);
    }),
  );
});

test('of a file that is filtered on the way only so much is kept, and no line is taken twice', () => {
  const places = placesOf(Array.from({ length: 600 }, () => 150)).filter((_, n) => n % 2 === 0);
  let kept: readonly TakenLines[] = [];
  for (const place of places) kept = take(kept, place) ?? expect.unreachable();
  expect(kept[0]!.runs).toHaveLength(64 * 3);
  for (const place of places) expect(take(kept, place)).toBeUndefined();
});

test('a path that is used again is another file, and lines of the one before it are still known', () => {
  const [before, after] = [
    placesOf([90, 90, 90, 90]),
    placesOf([70, 80, 120, 90]).map((each) => ({ ...each, at: each.at + 10_000 })),
  ];
  let kept: readonly TakenLines[] = [];
  for (const place of [...before, ...after]) kept = take(kept, place) ?? expect.unreachable();
  for (const place of [...after, ...before]) expect(take(kept, place)).toBeUndefined();
  expect(kept).toHaveLength(2);
});

test('lines that come again while the shipper says otherwise which file it is are known; another file of that path is not', () => {
  const files = createShippedFiles(() => undefined);
  const line = (offset: number, second: number, file: string): boolean =>
    files.take(
      'exch01',
      { kind: 'shipped_line', server: '', path: 'SEND.LOG', file, offset, text: '' },
      { offset, length: 98, at: second * 1000 },
    );
  expect([0, 100, 200].map((offset, n) => line(offset, n, 'inode'))).toEqual([true, true, true]);
  // After an update it sends a fingerprint; the last row may be the first of another file.
  expect([0, 100, 300].map((offset) => line(offset, offset / 100, 'fingerprint'))).toEqual([false, false, true]);
  expect([0, 100].map((offset, n) => line(offset, 10 + n, 'another'))).toEqual([true, true]);
});

test('bytes that were no UTF-8 make a line longer on the way: the next one counts all the same', () => {
  const first = { offset: 0, length: 100 + 2 * 5, at: 1 };
  const kept = take(take([], first)!, { offset: 102, length: 80, at: 2 });
  expect(kept?.[0]?.runs).toEqual([0, 102, 184]);
});

test('the files used least recently are forgotten beyond the bound, in what is saved too', () => {
  const files = createShippedFiles(ignore, 2);
  const line = (path: string): ShippedLine => lineOf({ path, offset: 0, text: '#Log-type: SMTP Send Protocol Log' });
  const placeAt = (offset: number): Place => ({ offset, length: 30, at: undefined });
  for (const [n, path] of ['a', 'b', 'a', 'c'].entries()) files.take(server, line(path), placeAt(n * 32));
  const kept = files.changes().map(({ key, json }) => [key.split('\n')[2], json !== undefined]);
  expect(kept).toEqual([
    ['a', true],
    ['b', false],
    ['c', true],
  ]);
  expect(files.take(server, line('c'), placeAt(96))).toBe(false);
});

test('a line that comes after a later one of its file is told; one that comes twice, and another file, are not', () => {
  const late: string[] = [];
  const files = createShippedFiles((path) => late.push(path));
  const line = lineOf({ path: 'a', offset: 0, text: '#Log-type: SMTP Send Protocol Log' });
  const [first, second, third] = placesOf([50, 50, 50]);
  for (const place of [first!, third!, second!, first!, { ...first!, at: 9_000 }]) files.take(server, line, place);
  expect(late).toEqual(['a']);
});

test('files go on under the fuller name of their server', () => {
  const files = createShippedFiles(ignore);
  const line = lineOf({ path: 'a', offset: 0, text: '#Log-type: SMTP Send Protocol Log' });
  const places = placesOf([50, 50, 50]);
  for (const place of places.slice(0, 2)) files.take('exch01', line, place);
  files.take('exch01.contoso.local', line, places[2]!);
  files.rename('exch01', 'exch01.contoso.local');
  for (const place of places) expect(files.take('exch01.contoso.local', line, place)).toBe(false);
  expect(files.changes().map(({ json }) => json === undefined)).toEqual([true, false]);
});

// ------------------------------------------------------------------------------------------------------- what a line is

describe('a line', () => {
  const row = '2026-01-15T08:16:00.098Z,To Internet,08DE53F0A1B2C305,2,,203.0.113.7:25,*,,attempting to connect';
  const send = 'C:\\Logs\\SEND20260115-1.LOG';
  const outcomes = (...lines: readonly Partial<Line>[]): (string | undefined)[] => {
    const joiner = joinerOf(emptyBook());
    let offset = 0;
    return lines.map((line) => {
      const whole = { path: send, offset, text: row, ...line };
      offset += 200;
      try {
        return joiner.readShipped(lineOf(whole), { server: '', history: false }, []);
      } catch (error) {
        return (error as Error).message;
      }
    });
  };

  test('counts without the header of its file', () => {
    expect(outcomes({}, {}, { offset: 0 })).toEqual(['counted', 'counted', 'repeated']);
  });

  test('of a file whose header names other columns cannot be read, and that is said', () => {
    const fields = '#Fields: date-time,connector-id,session-id,remote-endpoint';
    const read = outcomes({ text: '#Log-type: SMTP Send Protocol Log' }, { text: fields }, {}, {});
    expect(read[2]).toContain(`${send}: a row whose columns are not those of a Send protocol log`);
    expect(read[3]).toBe(read[2]);
  });

  test('that has other columns, in a file named as these logs are, cannot be read, and that is said', () => {
    expect(outcomes({ text: '2026-01-15T08:16:00.098Z,a,b' })[0]).toContain('a row whose columns are not those of');
  });

  test.each([
    ['another log of Exchange', [{ text: '#Log-type: SMTP Receive Protocol Log' }, {}]],
    ['a log that has no header', [{ path: 'C:\\Logs\\MSGTRK.LOG', text: '2026-01-15T08:16:00.098Z,a,b' }]],
    [
      'IIS',
      [
        { path: 'u_ex.log', text: '#Version: 1.0' },
        { path: 'u_ex.log', text: '#Date: 2026-01-15 08:00:00' },
      ],
    ],
  ])('of %s is ignored', (_what, lines) => {
    expect(outcomes(...lines).at(-1)).toBe('ignored');
  });

  test('begins with a byte order mark, or says its file by what the shipper knows', () => {
    const mark = '\uFEFF#Software: Microsoft Exchange Server';
    expect(outcomes({ text: mark }, {}, { offset: 200, file: { fingerprint: 'another' } })).toEqual([
      'ignored',
      'counted',
      'counted',
    ]);
    const windows = { idxhi: '1', idxlo: '2', vol: '3' };
    expect(
      outcomes({ file: windows }, { offset: 0, file: windows }, { offset: 0, file: { ...windows, idxlo: '4' } }),
    ).toEqual(['counted', 'repeated', 'counted']);
  });

  test('that names no server cannot be read, and that is said', () => {
    expect(outcomes({ server: '' })[0]).toContain('names no server');
  });

  const shippedAs = (record: object): unknown => filebeat.decode(JSON.stringify({ ...record, host: { name: server } }));

  test.each([
    { message: row },
    { message: row, log: { file: { path: send } } },
    { message: row, log: { offset: 0 } },
    { message: row, log: { offset: 0, file: { path: 'x'.repeat(2_000) } } },
    { message: row, log: { offset: -1, file: { path: send } } },
    { message: row, log: 'offset' },
  ])('without its place cannot be read, and that is said: %#', (record) => {
    expect(() => shippedAs(record)).toThrow('without its file and place (log.file.path, log.offset)');
  });

  test('of another log is none', () => {
    for (const message of ['started', '2026-01-15T08:16:00.098Z,started']) {
      expect(shippedAs({ message })).toEqual([]);
      expect(shippedAs({ message: 'started', log: { offset: 7, file: { path: send } } })).toEqual([]);
    }
  });
});

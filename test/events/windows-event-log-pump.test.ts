import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventOfXml } from '../../src/events/decode/event-xml.js';
import { transportProviders } from '../../src/events/classify.js';
import type { Place, ReaderLine } from '../../src/events/sources/windows-event-log/log-api.js';
import { pump } from '../../src/events/sources/windows-event-log/pump.js';
import { providers, queryFor } from '../../src/events/sources/windows-event-log/query.js';
import { flags } from '../../src/events/sources/windows-event-log/wevtapi.js';
import { errorNumbers as numbers } from '../../src/events/sources/windows-event-log/windows-error.js';
import { eventLogDouble, type EventLogDouble } from './event-log-double.js';

type Book = { readonly counted: Map<string, number>; readonly lines: ReaderLine[]; place: Place | undefined };

function emptyBook(): Book {
  return { counted: new Map(), lines: [], place: undefined };
}

/** One act between two looks at the log; the reader is stopped after the last has had its effect. */
type Act = (log: EventLogDouble) => unknown;

/** Reads the log while the acts happen, entering what is told as the ledger does: each record once, by number and time. */
async function readDuring(log: EventLogDouble, book: Book, acts: readonly Act[]): Promise<void> {
  const left = [...acts];
  let [now, idle] = [0, 0];
  const stopped = (): boolean => idle > 12;
  await pump({
    channel: 'Application',
    after: book.place,
    api: {
      newest: log.newest,
      subscribe: (...given) => {
        const subscription = log.subscribe(...given);
        return {
          ...subscription,
          wait: () => {
            now += 1_000;
            left.shift()?.(log);
            if (left.length === 0) idle++;
            return Promise.resolve();
          },
        };
      },
    },
    tell: (line) => {
      book.lines.push(line);
      if (line.kind === 'records') enter(book, line);
      return Promise.resolve();
    },
    stopped,
    sleep: (ms) => {
      now += ms;
      left.shift()?.(log);
      if (left.length === 0) idle++;
      return Promise.resolve();
    },
    clock: () => now,
    timing: { watchMs: 2_000 },
  });
}

function enter(book: Book, line: Extract<ReaderLine, { kind: 'records' }>): void {
  for (const xml of line.events) {
    const { recordId, time } = eventOfXml(xml);
    const key = `${recordId} ${time}`;
    book.counted.set(key, (book.counted.get(key) ?? 0) + 1);
  }
  const { bookmark, recordId, time } = line;
  book.place = { bookmark, recordId, time };
}

function kinds(book: Book): string[] {
  return book.lines.map(({ kind }) => kind).filter((kind) => kind !== 'records' && kind !== 'drained');
}

test('reads the whole log at first and what is written later, each record once', async () => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  log.write(300);
  await readDuring(log, book, [(l) => l.write(), (l) => l.write(5)]);
  expect([...book.counted.values()]).toEqual(Array.from({ length: 306 }, () => 1));
  expect(kinds(book)).toEqual([]);
  expect(log.opened()).toBe(1);
});

test('goes on behind its bookmark after a restart', async () => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  log.write(3);
  await readDuring(log, book, []);
  log.write(4);
  await readDuring(log, book, []);
  expect([...book.counted.values()]).toEqual([1, 1, 1, 1, 1, 1, 1]);
});

test('what is written during a drain is read, though its signal came before', async () => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  log.write(2);
  log.duringNext(() => {
    log.write(3);
  });
  await readDuring(log, book, []);
  expect(book.counted.size).toBe(5);
});

test('the signal of a record that comes during a drain is not taken back', async () => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  const seen: boolean[] = [];
  await readDuring(log, book, [
    (l) => {
      l.duringNext(() => {
        l.write();
      });
    },
    (l) => seen.push(l.signalled()),
    (l) => seen.push(l.signalled()),
  ]);
  expect(seen).toEqual([true, false]);
});

test('4317 is the end of what there is, not a failure', async () => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  log.write(2);
  log.fail('EvtNext', numbers.ERROR_INVALID_OPERATION);
  await readDuring(log, book, []);
  expect(book.counted.size).toBe(2);
  expect(log.opened()).toBe(1);
});

test('1734 halves what is asked for and reads the same records again', async () => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  log.write(200);
  log.fail('EvtNext', 1734, 1734, 1734);
  await readDuring(log, book, []);
  expect([...book.counted.values()]).toEqual(Array.from({ length: 200 }, () => 1));
  expect(log.opened()).toBe(4);
  expect(kinds(book)).toEqual(['reopened', 'reopened', 'reopened']);
  expect(log.largestAsked()).toBe(128);
});

test.each([
  numbers.ERROR_INVALID_HANDLE,
  numbers.ERROR_INVALID_PARAMETER,
  numbers.RPC_S_SERVER_UNAVAILABLE,
  numbers.RPC_S_CALL_CANCELLED,
  numbers.ERROR_EVT_QUERY_RESULT_STALE,
])('EvtNext moves on when it fails with %i: the subscription is built anew and nothing is lost', async (code) => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  log.write(3);
  await readDuring(log, book, [(l) => l.fail('EvtNext', code).write(4), (l) => l.write()]);
  expect([...book.counted.values()]).toEqual(Array.from({ length: 8 }, () => 1));
  expect(log.opened()).toBe(2);
  expect(kinds(book)).toEqual(['reopened']);
});

test('a service that is down is asked again until it is back, and the reason is told', async () => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  log.write(3);
  log.fail('EvtSubscribe', 1722, 1722, 1722);
  await readDuring(log, book, [() => undefined, () => undefined, (l) => l.write()]);
  expect(book.counted.size).toBe(4);
  expect(kinds(book)).toEqual(['down', 'down', 'down']);
  expect(book.lines[0]).toMatchObject({
    detail: expect.stringContaining('Event Log service does not answer') as string,
  });
});

test.each([
  ['cleared', (log: EventLogDouble) => log.clear(false)],
  ['cleared and numbered from 1', (log: EventLogDouble) => log.clear(true)],
  ['wrapped', (log: EventLogDouble) => log.keepNewest(0)],
])('a log that was %s while nobody read is read from its oldest record', async (_, act) => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  log.write(5);
  await readDuring(log, book, []);
  act(log);
  log.write(3);
  await readDuring(log, book, []);
  expect(book.counted.size).toBe(8);
  expect(kinds(book)).toEqual(['bookmark_lost']);
});

test('a cleared log that was numbered anew and has come past our number is told apart by the time of the record', async () => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  log.write(5);
  await readDuring(log, book, []);
  log.clear(true);
  log.write(9);
  await readDuring(log, book, []);
  expect(book.counted.size).toBe(14);
  expect(kinds(book)).toEqual(['bookmark_lost']);
});

test('a log that is cleared while it is read goes on with what comes after', async () => {
  for (const numbersAnew of [false, true]) {
    const [log, book] = [eventLogDouble(), emptyBook()];
    log.write(5);
    await readDuring(log, book, [(l) => l.clear(numbersAnew).write(2)]);
    expect(book.counted.size).toBe(7);
  }
});

test('a subscription that falls silent without an error is found out by the newest record', async () => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  log.write(5);
  await readDuring(log, book, [(l) => l.deafen().write(2), ...Array.from({ length: 8 }, () => () => undefined)]);
  expect(book.counted.size).toBe(7);
  expect(kinds(book)).toEqual(['reopened']);
});

test('a quiet log is no silence', async () => {
  const [log, book] = [eventLogDouble(), emptyBook()];
  log.write(5);
  await readDuring(
    log,
    book,
    Array.from({ length: 40 }, () => () => undefined),
  );
  expect(kinds(book)).toEqual([]);
  expect(log.opened()).toBe(1);
});

test('whatever happens to the log and to the reader, every record is told, and a record again only after a lost bookmark', async () => {
  const act = fc.oneof(
    fc.integer({ min: 1, max: 200 }).map(
      (count): Act =>
        (log) =>
          log.write(count),
    ),
    fc.constantFrom(...Object.values(numbers)).map(
      (code): Act =>
        (log) =>
          log.fail('EvtNext', code),
    ),
    fc.constantFrom(1722, 15011, 1168).map(
      (code): Act =>
        (log) =>
          log.fail('EvtSubscribe', code),
    ),
    fc.constantFrom(1722, 6).map(
      (code): Act =>
        (log) =>
          log.fail('EvtQuery', code),
    ),
    fc.constant<Act>((log) => log.deafen()),
    fc.constant<Act>((log) => log.duringNext(() => log.write(2))),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(act, { maxLength: 8 }), { minLength: 1, maxLength: 4 }), async (lives) => {
      const [log, book] = [eventLogDouble(), emptyBook()];
      log.write(1);
      for (const acts of lives) await readDuring(log, book, acts);
      await readDuring(log, book, []);
      expect(book.counted.size).toBe(log.written());
      if (!kinds(book).includes('bookmark_lost'))
        expect([...book.counted.values()].every((count) => count === 1)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('asks for every provider that counts, but never filters forwarded events', () => {
  const asked = queryFor('Application').toLowerCase();
  for (const provider of transportProviders) expect(asked).toContain(`@name='${provider}'`);
  expect(providers.length).toBeLessThanOrEqual(20);
  expect(queryFor('ForwardedEvents')).toBe('*');
});

const headers = '/usr/share/mingw-w64/include';

test.skipIf(!existsSync(headers) && process.env.CI !== 'true')('numbers are those of the headers of Windows', () => {
  const errors = readFileSync(`${headers}/winerror.h`, 'utf8');
  for (const [name, value] of Object.entries(numbers)) {
    expect(errors, name).toMatch(new RegExp(`#define ${name} __MSABI_LONG\\(${value}\\)`));
  }
  const events = readFileSync(`${headers}/winevt.h`, 'utf8');
  for (const [name, value] of Object.entries(flags)) {
    expect(events, name).toMatch(
      new RegExp(`\\b${name}\\s*= 0x0*${value.toString(16)}\\b|\\b${name}\\s*= ${value}\\b`),
    );
  }
});

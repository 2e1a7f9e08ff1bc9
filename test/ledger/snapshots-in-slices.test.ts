/** A save of the whole ledger does not hold other work up, and says of every book what it held at one moment. */
import { expect, test } from 'vitest';
import { createAvailability } from '../../src/ledger/availability.js';
import { createCheckpointBook } from '../../src/ledger/checkpoint-book.js';
import { createErrorHours } from '../../src/ledger/error-hours.js';
import { ledgerPieces, type LedgerParts } from '../../src/ledger/file.js';
import { createRecentErrors } from '../../src/ledger/recent-errors.js';
import { createRelatedRing } from '../../src/ledger/related-ring.js';
import { createSeenRecords } from '../../src/ledger/seen-records.js';
import type { Checkpoint } from '../../src/model/batch.js';

const now = Date.UTC(2026, 4, 1, 12);
const hour = 3_600_000;

type Sliced = {
  /** Enters something of this number: of what is known, and of what is new. */
  readonly enter: (number: number) => void;
  readonly begin: () => Iterable<string | Buffer>;
  /** Changes what is there in another way. */
  readonly change?: () => void;
};

const entries = 300;

const books: Readonly<Record<string, () => Sliced>> = {
  availability: () => {
    const book = createAvailability([], () => now, entries + 50);
    const enter = (number: number): void => {
      book.note({
        destination: `mx${number}.example.org`,
        at: now - (number % 50) * hour,
        success: number % 3 > 0,
        reason: undefined,
      });
    };
    return { enter, begin: book.snapshot };
  },
  'errors by the hour': () => {
    const book = createErrorHours([], () => now, entries + 50);
    return {
      enter: (number) => {
        book.note(`Outbound ${number}`, undefined, now - (number % 50) * hour);
      },
      begin: book.snapshot,
    };
  },
  'record IDs': () => {
    const book = createSeenRecords([], { now: () => now, inAll: 4 * entries, perLog: 8, logs: entries + 50 });
    let recordId = 0;
    const enter = (number: number): void => {
      recordId++;
      book.note({ server: `exch${number}`, channel: 'application', recordId, time: now + recordId });
    };
    const change = (): void => {
      book.rename('exch7', 'exch7.example.org');
    };
    return { enter, begin: book.snapshot, change };
  },
  'recent errors': () => {
    const book = createRecentErrors([], { inAll: entries + 50, perServer: entries });
    const enter = (number: number): void => {
      const [server, destination] = [`exch${number % 4}`, `mx${number}.example.org`];
      const key = { server, channel: 'application', recordId: number, time: now };
      book.note({ kind: 'connection_error', key, server, connector: 'Outbound', destination, at: now }, now);
    };
    const change = (): void => {
      book.rename('exch1', 'exch1.example.org');
    };
    return { enter, begin: book.snapshot, change };
  },
  'related events': () => {
    const book = createRelatedRing({ inAll: entries + 50 });
    const enter = (number: number): void => {
      const server = `exch${number % 40}`;
      const key = { server, channel: 'application', recordId: number, time: now };
      book.note({
        kind: 'related_event',
        key,
        server,
        provider: 'MSExchangeTransport',
        eventId: 1,
        at: now,
        text: 'a',
      });
    };
    const change = (): void => {
      book.rename('exch1', 'exch1.example.org');
    };
    return { enter, begin: book.snapshot, change };
  },
  checkpoints: () => {
    const book = createCheckpointBook();
    let offset = 0;
    const checkpoint = (number: number): Checkpoint => {
      const head = { length: 0, hash: '' };
      const file = { source: 'log', path: `/log/${number}`, inode: `1:${number}`, history: false };
      return { ...file, head, tail: head, offset: offset++ };
    };
    return {
      enter: (number) => {
        for (let part = 0; part < 10; part++) book.keep(checkpoint(number * 10 + part));
      },
      begin: book.texts,
      change: () => {
        for (let number = 100; number < 900; number++) book.forget(checkpoint(number));
      },
    };
  },
};

test.each(Object.entries(books))(
  'the snapshot of %s that is read over many turns says what they were when it was begun, whatever is entered meanwhile',
  (_, bookOf) => {
    const [quiet, busy] = [bookOf(), bookOf()];
    for (let number = 0; number < entries; number++) for (const each of [quiet, busy]) each.enter(number);
    const expected = [...quiet.begin()].map(String);

    const found: string[] = [];
    let number = entries / 2;
    for (const text of busy.begin()) {
      found.push(String(text));
      for (let entered = 0; entered < 7; entered++) busy.enter(number++ % (2 * entries));
      if (found.length === 3) busy.change?.();
    }

    expect(found).toEqual(expected);
    expect([...busy.begin()].map(String)).not.toEqual(expected);
  },
);

test('a snapshot that another one has taken the place of ends with an error and never as if it were whole', () => {
  const book = createErrorHours([], () => now);
  for (let number = 0; number < 5; number++) book.note(`Outbound ${number}`, undefined, now);
  const first = book.snapshot()[Symbol.iterator]();
  first.next();
  expect([...book.snapshot()]).toHaveLength(5);
  expect(() => first.next()).toThrow('not whole');
});

test('a save of the whole ledger makes a few dozen texts in a turn of the event loop, however many there are', async () => {
  const made = 3_000;
  let inTurn = 0;
  let most = 0;
  function* texts(text: string): Generator<string> {
    for (let number = 0; number < made; number++) {
      most = Math.max(most, ++inTurn);
      yield JSON.stringify(`${text}${number}`);
    }
  }
  let over = false;
  const nextTurn = (): void => {
    inTurn = 0;
    if (!over) setImmediate(nextTurn);
  };
  nextTurn();

  const lists = ['checkpoints', 'seen', 'scrapers', 'logs', 'missed', 'sessions', 'related', 'relatedCounts'] as const;
  const others = ['recent', 'availability', 'errorHours', 'servers'] as const;
  const parts = Object.fromEntries([...lists, ...others].map((name) => [name, texts(name)]));
  const rows = { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }) };
  const pieces: Buffer[] = [];
  for await (const piece of ledgerPieces(now, 'a', { ...parts, rows } as unknown as LedgerParts)) pieces.push(piece);
  over = true;

  const written = JSON.parse(Buffer.concat(pieces).toString()) as Record<string, string[]>;
  for (const name of [...lists, ...others])
    expect(written[name]).toEqual(Array.from({ length: made }, (_, number) => `${name}${number}`));
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(200);
});

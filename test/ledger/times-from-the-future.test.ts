/** Records dated in the future and clocks that are wrong for a while move nothing for good (issue 14, section 1.7). */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createBoard } from '../../src/board/board.js';
import { createSessions } from '../../src/events/transport/sessions.js';
import { openLedger, type Ledger } from '../../src/ledger/ledger.js';
import { loadLedgerFile } from '../../src/ledger/open-saved.js';
import type { ConnectionError, Evidence } from '../../src/model/evidence.js';
import type { ProbeResult } from '../../src/model/probes.js';
import type { RecordKey, SendRow } from '../../src/model/records.js';
import type { SessionChange } from '../../src/model/sessions.js';
import { timeKeeper } from '../../src/runtime/noted-time.js';
import { createRecordGaps } from '../../src/ledger/record-gaps.js';
import type { SavedLog } from '../../src/ledger/log-numbering.js';
import { createSeenRecords, type SavedRecords } from '../../src/ledger/seen-records.js';
import { temporaryFolder } from '../support/folder.js';

const start = Date.parse('2026-01-15T09:00:00Z');
const [second, minute, day, year] = [1_000, 60_000, 86_400_000, 365 * 86_400_000];
const year9999 = Date.parse('9999-12-31T23:59:59Z');

// ------------------------------------------------------------------------------------------- records dated wrongly

function key(recordId: number, time: number | undefined): RecordKey {
  return { server: 'exch01', channel: 'application', recordId, time };
}

test.for([
  ['the year 9999', year9999],
  ['tomorrow', start + day],
  ['no time at all', undefined],
] as const)('records dated %s, pushed out of memory, make no true event a duplicate', ([, time]) => {
  const options = { perLog: 1_000, now: () => start };
  const seen = createSeenRecords([], options);
  for (let id = 1; id <= 3_000; id++) seen.note(key(1_000_000_000 + id, time));
  const saved = seen.texts().map((text) => JSON.parse(text) as SavedRecords);
  for (const book of [seen, createSeenRecords(saved, options)])
    for (let id = 1; id <= 500; id++) expect(book.note(key(id, start + id * second)), String(id)).toBe(true);
});

test('a floor in the year 9999 that an older exporter has saved is let go of, and delivered records are known again', () => {
  const saved: SavedRecords = {
    server: 'exch01',
    channel: 'application',
    floor: [2 ** 40, year9999 / 1000],
    blocks: [],
  };
  const seen = createSeenRecords([saved], { perLog: 1_000, now: () => start + day });
  for (let id = 1; id <= 3_000; id++) expect(seen.note(key(id, start + id * second))).toBe(true);
  for (let id = 1; id <= 3_000; id++) expect(seen.note(key(id, start + id * second))).toBe(false);
});

test('a clock that is a year behind for a while lets go of no floor', () => {
  const clock = { now: start };
  const seen = createSeenRecords([], { perLog: 1_000, now: () => clock.now });
  for (let id = 1; id <= 3_000; id++) seen.note(key(id, start - day + id * second));
  clock.now = start - year;
  for (let id = 3_001; id <= 5_000; id++) expect(seen.note(key(id, start - day + id * second))).toBe(true);
  clock.now = start;
  expect(seen.note(key(7, start - day + 7 * second))).toBe(false);
});

test('a record ID that no Windows log has does not make the saved ledger unreadable', async () => {
  const directory = await temporaryFolder();
  const ledger = await ledgerIn(directory, { wall: start, steady: 0 });
  await ledger.post(batch([error(start, { recordId: 2 ** 60 }), error(Number.NaN), error(-Infinity), error(1e300)]));
  await ledger.close();
  const again = await ledgerIn(directory, { wall: start, steady: 0 });
  expect(again.saving().movedAside).toBeUndefined();
  expect(again.rows()).toMatchObject([{ errors: 4, lastErrorAt: start }]);
});

test('gaps are counted after records of the year 9999, also after a restart and from a ledger that holds such times', () => {
  const clock = { now: start };
  const poisoned: SavedLog = {
    server: 'exch01',
    channel: 'application',
    known: [],
    latestAt: year9999,
    startedAt: year9999,
    bringers: [],
    open: [],
  };
  for (const saved of [[], [poisoned]]) {
    const gaps = createRecordGaps(saved, { now: () => clock.now });
    const come = (first: number, last: number, at: number): void => {
      const run = { server: 'exch01', channel: 'application', first, last, firstAt: at, lastAt: at };
      gaps.note({ source: 'log', runs: [run], unfiltered: true, behind: false });
    };
    come(1, 50, start);
    // A low number and a late time look like a log that was cleared: all true records would be of before that.
    come(10, 10, year9999);
    come(51, 60, start + second);
    come(63, 70, start + 2 * second);
    clock.now += 2 * minute;
    gaps.settle();
    expect([...gaps.missed()]).toEqual([['log', 2]]);
  }
});

test('a gap falls due after its minute although the clock was ahead by a century when it opened', () => {
  const clock = { wall: start + 100 * year, steady: 0 };
  const gaps = createRecordGaps([], { now: () => clock.wall + clock.steady, steady: () => clock.steady });
  const run = (first: number, last: number) => ({ server: 'exch01', channel: 'application', first, last });
  const runs = [run(1, 5), run(8, 9)].map((each) => ({ ...each, firstAt: start, lastAt: start }));
  gaps.note({ source: 'log', runs, unfiltered: true, behind: false });
  clock.wall = start;
  clock.steady = 30 * second;
  expect(gaps.dueAt()).toBe(60 * second);
  clock.steady = 60 * second;
  expect(gaps.settle()).toBe(true);
});

test('a connectivity log with a row of 9999, and one of 1601, does not speak for the Send log for good', () => {
  const clock = { now: start };
  const restored = (saved: readonly SessionChange[]) =>
    createSessions({
      saved: saved.flatMap(({ json }) => (json === undefined ? [] : [JSON.parse(json) as never])),
      connectorOfGuid: () => undefined,
      unknownCode: () => undefined,
      now: () => clock.now,
    });
  const first = restored([]);
  for (const at of [start - day, year9999, Date.parse('1601-01-01T00:00:00Z')]) first.logFound('exch01', at);
  const sessions = restored(first.changes());
  clock.now = start + 2 * 3_600_000;
  const found: Evidence[] = [];
  const row = {
    kind: 'send_row',
    session: 'S1',
    connector: 'Outbound',
    remote: '203.0.113.25:25',
    event: '*',
  } as const;
  for (const at of [clock.now, start - 10 * year])
    sessions.read(
      { ...row, session: `S${at}`, text: 'attempting to connect', at },
      { server: 'exch01', history: false },
      found,
    );
  expect(found).toHaveLength(2);
});

// ------------------------------------------------------------------------------------------------ a clock that is wrong

const refusal = [
  ['*', 'attempting to connect'],
  ['+', ''],
  ['<', '220 mail ready'],
  ['>', 'EHLO mail.contoso.example'],
  ['<', '550 5.7.1 go away'],
] as const;

/** A Send log alone: a server that refuses, and what is made of it once nothing more comes for a quarter of an hour. */
function refusedTalk(clock: Clock, saved: readonly SessionChange[] = []) {
  const found: Evidence[] = [];
  const sessions = createSessions({
    saved: saved.flatMap(({ json }) => (json === undefined ? [] : [JSON.parse(json) as never])),
    connectorOfGuid: () => undefined,
    unknownCode: () => undefined,
    now: () => clock.wall + clock.steady,
    steady: () => clock.steady,
  });
  const say = (event: SendRow['event'], text: string): void => {
    const row = { kind: 'send_row', session: 'S1', connector: 'Outbound', remote: '203.0.113.25:25' } as const;
    sessions.read({ ...row, event, text, at: start }, { server: 'exch01', history: false }, found);
  };
  /** What is found once the logs have been read to their end so long after the start. */
  const failuresAfter = (ms: number): number => {
    clock.steady = ms;
    sessions.expire(found);
    return found.filter(({ kind }) => kind === 'connection_failure').length;
  };
  return { sessions, say, failuresAfter };
}

test.for([100 * year, -100 * year])(
  'a clock that jumps by %i ms neither ends an open session of a transport log nor keeps it',
  (jump) => {
    const clock = { wall: start, steady: 0 };
    const { say, failuresAfter } = refusedTalk(clock);
    for (const [event, text] of refusal) say(event, text);
    clock.wall += jump;
    expect(failuresAfter(14 * minute)).toBe(0);
    expect(failuresAfter(16 * minute)).toBe(1);
  },
);

test.for([100 * year, -100 * year])(
  'a session that was saved before the clock jumped by %i ms is open for its quarter of an hour after the restart',
  (jump) => {
    const before = refusedTalk({ wall: start, steady: 0 });
    for (const [event, text] of refusal) before.say(event, text);
    const { failuresAfter } = refusedTalk({ wall: start + jump, steady: 0 }, before.sessions.changes());
    expect(failuresAfter(14 * minute)).toBe(0);
    expect(failuresAfter(16 * minute)).toBe(1);
  },
);

test.for([100 * year, -100 * year])(
  'a fact that waits for its connector waits for no more and no less when the clock jumps by %i ms',
  (jump) => {
    const clock = { wall: start, steady: 0 };
    const { sessions } = refusedTalk(clock);
    const found: Evidence[] = [];
    const row = { kind: 'connectivity_row', session: 'S2', at: start, nextHop: 'relay.contoso.example' } as const;
    const origin = { server: 'exch01', history: false };
    sessions.read({ ...row, direction: '+', text: 'SmtpRelayWithinAdSite' }, origin, found);
    const text = 'Established connection to 203.0.113.25';
    sessions.read({ ...row, direction: '>', text }, origin, found);
    clock.wall += jump;
    const waited = (ms: number): number => {
      clock.steady = ms;
      sessions.expire(found);
      return found.length;
    };
    expect(waited(44 * second)).toBe(0);
    expect(waited(46 * second)).toBe(1);
  },
);

type Clock = { wall: number; steady: number };

async function ledgerIn(directory: string, clock: Clock, forgetAfterMs = 30 * day): Promise<Ledger> {
  const ledger = await openLedger({
    directory,
    forgetAfterMs,
    now: () => clock.wall + clock.steady,
    steady: () => clock.steady,
  });
  onTestFinished(() => ledger.close());
  return ledger;
}

function error(at: number | undefined, more: { recordId?: number; destination?: string } = {}): ConnectionError {
  const { recordId, destination = '203.0.113.25:25' } = more;
  const [server, connector] = ['exch01', 'Outbound'];
  return { kind: 'connection_error', key: key(recordId!, at), server, connector, destination, at };
}

function batch(evidence: readonly Evidence[]) {
  return { source: 'log', evidence, ignored: 0, unreadable: {}, checkpoint: undefined, history: false };
}

async function posted(ledger: Ledger, evidence: readonly Evidence[]): Promise<void> {
  const { saved } = ledger.saving();
  await ledger.post(batch(evidence));
  await vi.waitFor(() => {
    expect(ledger.saving().saved).toBeGreaterThan(saved);
  });
}

/** Times of the only row once it says so, in the file too. */
async function showsTimes(ledger: Ledger, lastErrorAt: number, lastObservedAt: number): Promise<void> {
  await vi.waitFor(() => {
    expect(ledger.rows()).toMatchObject([{ lastErrorAt, lastObservedAt }]);
  });
}

test('1.7: a record of the year 9999 counts, as an error of now; that clocks differ is said for an hour', async () => {
  const clock = { wall: start, steady: 0 };
  const ledger = await ledgerIn(await temporaryFolder(), clock);
  await posted(ledger, [error(year9999)]);
  await showsTimes(ledger, start, start);
  expect(ledger.recent()).toMatchObject([{ at: start, until: start }]);
  expect(ledger.aheadAt()).toBe(year9999);
  clock.steady = 61 * minute;
  expect(ledger.aheadAt()).toBeUndefined();
  // A server that is two minutes ahead is believed.
  await posted(ledger, [error(start + 63 * minute)]);
  await showsTimes(ledger, start + 63 * minute, start + 61 * minute);
});

test('1.7: errors observed while the clock was a century ahead are observed when they were, once it is back', async () => {
  const directory = await temporaryFolder();
  const clock = { wall: start + 100 * year, steady: 0 };
  const ledger = await ledgerIn(directory, clock);
  await posted(ledger, [error(undefined)]);
  await showsTimes(ledger, start + 100 * year, start + 100 * year);
  clock.steady = 10 * second;
  clock.wall = start;
  await showsTimes(ledger, start, start);
  expect(ledger.saving().lastSavedAt).toBeLessThanOrEqual(start + 10 * second);
  await vi.waitFor(async () => {
    expect(JSON.stringify(await loadLedgerFile(path.join(directory, 'ledger.json')))).toContain(
      `"lastObservedAt":${start}`,
    );
  });
  expect(ledger.recent().every(({ at }) => at <= start + minute)).toBe(true);
});

test('times of before stand while the clock is a year behind, and are the same when it is right again', async () => {
  const clock = { wall: start, steady: 0 };
  const ledger = await ledgerIn(await temporaryFolder(), clock);
  await posted(ledger, [error(start - second)]);
  clock.steady = 20 * second;
  clock.wall = start - year;
  await showsTimes(ledger, start - year, start - year);
  clock.wall = start;
  await showsTimes(ledger, start - second, start);
});

test('a ledger saved with times of 2126 shows them as of the start, and is saved so when the clock is settled', async () => {
  const directory = await temporaryFolder();
  const wrong = await ledgerIn(directory, { wall: start + 100 * year, steady: 0 });
  await posted(wrong, [error(undefined)]);
  await wrong.close();
  const clock = { wall: start, steady: 0 };
  const ledger = await ledgerIn(directory, clock);
  await showsTimes(ledger, start, start);
  expect(await readFile(path.join(directory, 'ledger.json'), 'utf8')).toContain(
    `"lastObservedAt":${start + 100 * year}`,
  );
  clock.steady = 11 * minute;
  await showsTimes(ledger, start, start);
  await vi.waitFor(async () => {
    expect(JSON.stringify(await loadLedgerFile(path.join(directory, 'ledger.json')))).toContain(
      `"lastObservedAt":${start}`,
    );
  });
});

test('a clock that is a century ahead for seconds makes no destination dormant; one that was at the start wakes', async () => {
  const directory = await temporaryFolder();
  const clock = { wall: start, steady: 0 };
  const ledger = await ledgerIn(directory, clock);
  await posted(ledger, [error(start)]);
  await ledger.scrape().readBy('prometheus');
  await ledger.scrape().readBy('prometheus');
  clock.steady = 2 * minute;
  clock.wall = start + 100 * year;
  expect(ledger.rows()).toHaveLength(1);
  clock.steady = 4 * minute;
  expect(ledger.rows()).toHaveLength(1);
  clock.wall = start;
  expect(ledger.rows()).toHaveLength(1);
  await ledger.close();
  const atBoot = { wall: start + 100 * year, steady: 0 };
  const again = await ledgerIn(directory, atBoot);
  expect(again.rows()).toEqual([]);
  atBoot.steady = 10 * second;
  atBoot.wall = start;
  expect(again.rows()).toMatchObject([{ errors: 1, lastErrorAt: start }]);
  // And what has been silent for long goes dormant all the same.
  for (let scrape = 0; scrape < 2; scrape++) await again.scrape().readBy('prometheus');
  atBoot.steady = 31 * day;
  expect(again.rows()).toEqual([]);
});

test('the board forgets nothing when the clock jumps, and its times go back with the clock', () => {
  const clock = { wall: start, steady: 0 };
  const board = createBoard({ clock: () => clock.steady });
  const visit = (success: boolean): ProbeResult => ({
    id: `a:25@${clock.wall + clock.steady}`,
    destination: 'a:25',
    host: 'a',
    origin: 'observed',
    at: clock.wall + clock.steady,
    seconds: 1,
    success,
    failedStep: success ? undefined : 'tcp',
    reason: success ? undefined : 'refused',
    steps: [],
    facts: {},
    transcript: [],
  });
  board.post(visit(true));
  clock.wall = start + 100 * year;
  clock.steady += 2 * minute;
  expect(board.entries()).toHaveLength(1);
  board.post(visit(true));
  board.post({ ...visit(false), id: 'a:25@failed' });
  clock.wall = start;
  clock.steady += minute;
  board.post(visit(false));
  const { lastSuccessAt = 0, failingSince = 0, probes } = board.entry('a:25')!;
  expect(probes).toBe(4);
  for (const at of [lastSuccessAt, failingSince]) {
    expect(at).toBeGreaterThanOrEqual(start + 2 * minute);
    expect(at).toBeLessThanOrEqual(start + 3 * minute);
  }
});

test('times that others noted, as of sources and reloads, go back with the clock', () => {
  const clock = { wall: start + 100 * year, steady: 0 };
  const shown = timeKeeper({ now: () => clock.wall + clock.steady, steady: () => clock.steady });
  expect(shown('log', clock.wall)).toBe(clock.wall);
  clock.steady = minute;
  clock.wall = start;
  expect(shown('log', start + 100 * year)).toBe(start);
  expect(shown('log', start + minute)).toBe(start + minute);
  expect(shown('other', undefined)).toBeUndefined();
});

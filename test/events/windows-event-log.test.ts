import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Followed } from '../../src/events/sources/source.js';
import type { Place, ReaderLine, ReaderRequest } from '../../src/events/sources/windows-event-log/log-api.js';
import { followWindowsLogs } from '../../src/events/sources/windows-event-log/windows-event-log.js';
import type { WindowsLogOptions } from '../../src/events/sources/windows-event-log/channel.js';
import { openLedger, type Ledger } from '../../src/ledger/ledger.js';
import { temporaryFolder } from '../support/folder.js';
import { silentLog } from '../support/log-double.js';
import { xmlOf } from './event-log-double.js';

const start = Date.UTC(2026, 0, 15, 9);

/** What a reader tells before it ends; `hang` keeps it silent until it is stopped or killed. */
type Life = readonly (ReaderLine | 'hang' | 'nonsense')[];

type Clocks = Pick<WindowsLogOptions, 'now' | 'steady'>;

type World = { readonly followed: Followed; readonly requests: ReaderRequest[]; readonly ledger: Ledger };

/** Follows the Application log through readers that live as told, one after the other; the last life goes on. */
async function follow(lives: readonly Life[], directory: string, clocks: Partial<Clocks> = {}): Promise<World> {
  const ledger = await openLedger({ directory, now: () => start + 5_000_000 });
  const requests: ReaderRequest[] = [];
  const followed = followWindowsLogs({
    channels: ['Application'],
    checkpoints: ledger.checkpoints,
    post: ledger.post,
    knownConnectors: () => [],
    log: silentLog,
    now: () => start + 5_000_000,
    ...clocks,
    timing: { leastPauseMs: 5, mostPauseMs: 20, silentMs: 300, endMs: 100 },
    start: (request) => {
      const life = lives[Math.min(requests.length, lives.length - 1)] ?? [];
      requests.push(request);
      return readerOf(life);
    },
  });
  onTestFinished(async () => {
    await followed.stop();
    await ledger.close();
  });
  return { followed, requests, ledger };
}

function readerOf(life: Life) {
  let end = (): void => undefined;
  const stopped = new Promise<void>((resolve) => (end = resolve));
  let tellEnd: (how: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => (tellEnd = resolve));
  async function* lines(): AsyncGenerator<string> {
    for (const line of life) {
      if (line === 'hang') await stopped;
      else yield line === 'nonsense' ? 'Assertion failed' : JSON.stringify(line);
    }
    tellEnd('ended with code 3221225477');
  }
  const kill = (): void => {
    end();
    tellEnd('ended with SIGKILL');
  };
  return { lines: lines(), ended, stop: end, kill };
}

function placeOf(recordId: number): Place {
  const bookmark = `<BookmarkList><Bookmark Channel='Application' RecordId='${recordId}' IsCurrent='true'/></BookmarkList>`;
  return { bookmark, recordId, time: start + recordId };
}

function records(...ids: number[]): ReaderLine {
  const events = ids.map((id) => xmlOf('Application', id, start + id));
  return { kind: 'records', events, dropped: 0, damaged: 0, ...placeOf(ids.at(-1) ?? 0) };
}

function errors(ledger: Ledger): number {
  return ledger.rows().reduce((sum, row) => sum + row.errors, 0);
}

test('a reader that crashes is started again behind the last records entered; nothing is lost or counted twice', async () => {
  const lives: Life[] = [
    [records(1, 2)],
    [records(2, 3), { kind: 'drained' }],
    [records(4), { kind: 'drained' }, 'hang'],
  ];
  const { followed, requests, ledger } = await follow(lives, await temporaryFolder());
  await vi.waitFor(() => {
    expect(errors(ledger)).toBe(4);
  }, 30_000);
  // The last one may have been silent for too long by now.
  expect(requests.slice(0, 3).map(({ after }) => after)).toEqual([undefined, placeOf(2), placeOf(3)]);
  await vi.waitFor(() => {
    const [status] = followed.statuses();
    expect(status?.up).toBe(true);
    expect(status?.subscription?.restarts).toBeGreaterThanOrEqual(2);
  }, 30_000);
});

test('goes on behind the saved bookmark after a restart of the exporter', async () => {
  const directory = await temporaryFolder();
  const first = await follow([[records(1, 2), { kind: 'drained' }, 'hang']], directory);
  await vi.waitFor(() => {
    expect(first.followed.caughtUp()).toBe(true);
  }, 30_000);
  await first.followed.stop();
  await first.ledger.close();
  const second = await follow([[records(3), { kind: 'drained' }, 'hang']], directory);
  await vi.waitFor(() => {
    expect(errors(second.ledger)).toBe(3);
  }, 30_000);
  expect(second.requests[0]?.after).toEqual(placeOf(2));
});

test('what was in a log that is read for the first time is history, what comes later is news', async () => {
  const lives: Life[] = [[records(1), { kind: 'drained' }, records(2), { kind: 'drained' }, 'hang']];
  const { ledger } = await follow(lives, await temporaryFolder());
  await vi.waitFor(() => {
    expect(errors(ledger)).toBe(2);
  }, 30_000);
  // Read 83 minutes after it was logged: the second is observed now.
  expect(ledger.rows()[0]?.lastObservedAt).toBe(start + 5_000_000);
});

test('a lost bookmark is counted, and what is read again is not counted twice', async () => {
  const lost: ReaderLine = { kind: 'bookmark_lost', detail: 'record 2 is not in the log any more' };
  const lives: Life[] = [[records(1, 2), { kind: 'drained' }, lost, records(1, 2, 3), { kind: 'drained' }, 'hang']];
  const { followed, ledger } = await follow(lives, await temporaryFolder());
  await vi.waitFor(() => {
    expect(errors(ledger)).toBe(3);
  }, 30_000);
  expect(followed.statuses()[0]?.subscription).toEqual({ restarts: 0, reopened: 1, bookmarksLost: 1 });
  expect(ledger.tallies().get('Application')?.outcomes).toMatchObject({ counted: 3, duplicate: 2 });
});

test.each<[string, Life, string]>([
  ['that ends at once', [], 'Application: the reader ended with code 3221225477'],
  ['that hangs', ['hang'], 'Application: the reader said nothing for 0.3 seconds'],
  ['that tells nonsense', ['nonsense'], 'Application: the reader reported something that cannot be used'],
  ['that cannot read', [{ kind: 'down', detail: 'EvtSubscribe failed with error 5' }, 'hang'], 'error 5'],
])('a reader %s makes the source down with the reason', async (_, life, detail) => {
  const { followed } = await follow([life], await temporaryFolder());
  await vi.waitFor(() => {
    const [status] = followed.statuses();
    expect(status?.up).toBe(false);
    expect(status?.detail).toContain(detail);
  }, 30_000);
  expect(followed.caughtUp()).toBe(false);
});

test('a record that cannot be read is counted and stepped over', async () => {
  const broken: ReaderLine = { kind: 'records', events: ['<Event>torn'], dropped: 3, damaged: 1, ...placeOf(7) };
  const { ledger } = await follow([[broken, records(8), { kind: 'drained' }, 'hang']], await temporaryFolder());
  await vi.waitFor(() => {
    expect(errors(ledger)).toBe(1);
  }, 30_000);
  const tally = ledger.tallies().get('Application');
  expect(tally?.outcomes).toMatchObject({ counted: 1, ignored: 3, unreadable: 2 });
});

test('stops a reader that does not end when asked', async () => {
  const { followed } = await follow([['hang']], await temporaryFolder());
  await pause(10);
  await followed.stop();
  expect(followed.statuses()).toHaveLength(1);
});

test('issue 14: how long a Windows log is behind does not change when the clock on the wall is set', async () => {
  const clocks = { wall: start + 5_000_000, steady: 0 };
  const { followed, ledger } = await follow([[records(1), 'hang']], await temporaryFolder(), {
    now: () => clocks.wall,
    steady: () => clocks.steady,
  });
  await vi.waitFor(() => {
    expect(errors(ledger)).toBe(1);
  }, 30_000);
  clocks.steady += 7_000;
  for (const wall of [start - 86_400_000, start + 3_600_000 * 24 * 365]) {
    clocks.wall = wall;
    expect(followed.statuses()[0]).toMatchObject({ lagSeconds: 7 });
  }
});

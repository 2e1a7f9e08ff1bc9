/** The journal beside the saved ledger: whatever a kill, a bad disk or a copy makes of it, nothing is lost in silence. */
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readEntries } from '../../src/ledger/journal-file.js';
import { loadLedgerFile } from '../../src/ledger/open-saved.js';
import { openLedger, type Ledger, type LedgerOptions } from '../../src/ledger/ledger.js';
import type { SavedLedger } from '../../src/ledger/saved.js';
import type { Batch, Checkpoint } from '../../src/model/batch.js';
import type { Evidence } from '../../src/model/evidence.js';
import { reasons } from '../../src/model/words.js';
import { temporaryFolder } from '../support/folder.js';
import { savedIn } from '../support/saved-state.js';

const now = Date.parse('2026-01-15T09:00:00Z');

async function opened(directory: string, options: Partial<LedgerOptions> = {}): Promise<Ledger> {
  const ledger = await openLedger({ directory, now: () => now, ...options });
  onTestFinished(() => ledger.close());
  return ledger;
}

function checkpoint(offset: number, file = 'log'): Checkpoint {
  const head = { length: 4, hash: 'abcd' };
  return { source: 'log', path: `/${file}`, inode: file, head, tail: head, history: false, offset };
}

function batch(evidence: readonly Evidence[], more: Partial<Batch> = {}): Batch {
  return { source: 'log', evidence, ignored: 0, unreadable: {}, checkpoint: undefined, history: false, ...more };
}

function errorOf(recordId: number, destination = '203.0.113.25:25', server = 'exch01.a.example'): Evidence {
  const at = now - 60_000 + recordId;
  const key = { server, channel: 'application', recordId, time: at };
  return { kind: 'connection_error', key, server, connector: 'Outbound', destination, at };
}

async function enter(ledger: Ledger, ...batches: readonly Batch[]): Promise<void> {
  for (const each of batches) {
    await ledger.post(each);
    await ledger.saved();
  }
}

/** A copy of what a kill would leave at this moment: what was synced, and the lock of nobody. */
async function copyOf(directory: string): Promise<string> {
  const copy = await temporaryFolder();
  for (const name of await fs.readdir(directory))
    if (!name.endsWith('.sock')) await fs.copyFile(path.join(directory, name), path.join(copy, name));
  return copy;
}

async function journalOf(directory: string): Promise<string> {
  const [name] = (await fs.readdir(directory)).filter((each) => each.endsWith('.journal'));
  return path.join(directory, name!);
}

/** What the folder says, whatever the order of rows. */
async function stateOf(directory: string): Promise<SavedLedger | undefined> {
  const saved = await savedIn(directory, now);
  return saved && { ...saved, rows: [...saved.rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}

/** A folder with three saves: one of the whole file, and two entries of the journal. */
async function threeSaves(): Promise<{ directory: string; states: (SavedLedger | undefined)[] }> {
  const directory = await temporaryFolder();
  const ledger = await opened(directory);
  const states: (SavedLedger | undefined)[] = [];
  for (const id of [1, 2, 3]) {
    await enter(
      ledger,
      batch([errorOf(id), errorOf(100 + id, `203.0.113.${id}:25`)], { checkpoint: checkpoint(id * 100) }),
    );
    states.push(await stateOf(await copyOf(directory)));
  }
  return { directory: await copyOf(directory), states };
}

test('a save after the first adds to the journal what has changed and leaves the file alone', async () => {
  const directory = await temporaryFolder();
  const ledger = await opened(directory);
  await enter(ledger, batch(Array.from({ length: 500 }, (_, id) => errorOf(id, `203.0.113.25:${id + 1}`))));
  const file = await fs.readFile(path.join(directory, 'ledger.json'), 'utf8');
  const before = (await fs.stat(await journalOf(directory))).size;
  await enter(ledger, batch([errorOf(1000)], { checkpoint: checkpoint(1) }));
  expect(await fs.readFile(path.join(directory, 'ledger.json'), 'utf8')).toBe(file);
  expect((await fs.stat(await journalOf(directory))).size - before).toBeLessThan(2_000);
});

test('a journal torn at any byte of its last two entries gives the saves before it, whole, and is no damage', async () => {
  const { directory, states } = await threeSaves();
  const content = await fs.readFile(await journalOf(directory));
  const ends = [...content.keys()].filter((at) => content[at] === 0x0a).map((at) => at + 1);
  const [head, first, second] = ends as [number, number, number];
  expect(ends).toHaveLength(3);
  const isCut = (length: number): boolean => length !== head && length !== first && length !== second;
  for (let length = head; length <= second; length++) {
    const read = readEntries(content.subarray(0, length));
    const wholes = length < first ? 1 : length < second ? 2 : 3;
    expect([read.entries.length, read.end]).toEqual([wholes, isCut(length) ? 'unfinished' : 'whole']);
    // The start itself is slow beside that.
    if (isCut(length) && (length - head) % 97 !== 0) continue;
    await fs.writeFile(await journalOf(directory), content.subarray(0, length));
    const state = await stateOf(directory);
    expect([state?.checkpoints, state?.rows]).toEqual([states[wholes - 1]?.checkpoints, states[wholes - 1]?.rows]);
  }
  expect((await fs.readdir(directory)).filter((name) => name.includes('damaged'))).toEqual([]);
  await fs.writeFile(await journalOf(directory), content.subarray(0, second - 7));
  const ledger = await opened(directory);
  expect(ledger.saving().movedAside).toBeUndefined();
  await enter(ledger, batch([errorOf(9)], { checkpoint: checkpoint(900) }));
  expect((await stateOf(await copyOf(directory)))?.checkpoints).toEqual([checkpoint(900)]);
});

test('a journal without one of its entries is damaged there; one whose checksums know no place is read as before', async () => {
  const { directory, states } = await threeSaves();
  const name = await journalOf(directory);
  const lines = (await fs.readFile(name, 'utf8')).split(/(?<=\n)/);
  await fs.writeFile(name, lines.filter((_, n) => n !== 1).join(''));
  await expect(loadLedgerFile(path.join(directory, 'ledger.json'))).rejects.toThrow(
    `damaged at byte ${lines[0]!.length}`,
  );
  const withoutPlace = lines.map((line) => {
    const rest = line.slice(17, -1);
    return `${createHash('sha256').update(rest).digest('hex').slice(0, 16)} ${rest}\n`;
  });
  await fs.writeFile(name, withoutPlace.join(''));
  expect((await stateOf(directory))?.rows).toEqual(states[2]?.rows);
});

test('the name of a journal is no path: a file that leads out of the folder is damaged', async () => {
  const { directory } = await threeSaves();
  const file = path.join(directory, 'ledger.json');
  const content = JSON.parse(await fs.readFile(file, 'utf8')) as object;
  await fs.writeFile(file, JSON.stringify({ ...content, journal: '../../etc/1-00000000' }));
  await expect(loadLedgerFile(file)).rejects.toThrow('journal: expected the number and mark of a journal');
});

test('a journal with one bit wrong anywhere is moved aside and told; what was whole before it stands', async () => {
  const { directory, states } = await threeSaves();
  const content = await fs.readFile(await journalOf(directory));
  const name = path.basename(await journalOf(directory));
  const ends = [...content.keys()].filter((at) => content[at] === 0x0a).map((at) => at + 1);
  const file = await fs.readFile(path.join(directory, 'ledger.json'));
  for (let bit = 0; bit < content.length * 8; bit += 97) {
    const folder = await temporaryFolder();
    const wrong = Buffer.from(content);
    wrong[bit >> 3]! ^= 1 << (bit & 7);
    await fs.writeFile(path.join(folder, 'ledger.json'), file);
    await fs.writeFile(path.join(folder, name), wrong);
    await expect(loadLedgerFile(path.join(folder, 'ledger.json'))).rejects.toThrow(/damaged at byte/);
    const whole = Math.max(0, ends.filter((end) => end <= bit >> 3).length - 1);
    const state = await stateOf(folder);
    expect([state?.rows, state?.checkpoints]).toEqual([states[whole]?.rows, states[whole]?.checkpoints]);
    expect((await fs.readdir(folder)).filter((each) => each.startsWith(`${name}.damaged-`))).toHaveLength(1);
  }
}, 30_000);

test('a journal that is damaged is said at the start, with what becomes of the counts; saving goes on', async () => {
  const { directory } = await threeSaves();
  const journal = await journalOf(directory);
  const content = await fs.readFile(journal);
  content[content.length - 9]! ^= 1;
  await fs.writeFile(journal, content);
  const ledger = await opened(directory);
  expect(ledger.saving().movedAside).toMatch(
    /\.journal: damaged at byte \d+; counting continues from the last complete save/,
  );
  await enter(ledger, batch([errorOf(9)], { checkpoint: checkpoint(900) }));
  await ledger.close();
  expect((await opened(directory)).saving().movedAside).toBeUndefined();
});

test('a file and a journal that do not belong together are found out, whichever of them is the older', async () => {
  const directory = await temporaryFolder();
  const first = await opened(directory);
  await enter(first, batch([errorOf(1)]), batch([errorOf(2)]));
  const old = await copyOf(directory);
  await first.close();
  const second = await opened(directory);
  await enter(second, batch([errorOf(3)]), batch([errorOf(4)]));
  const recent = await copyOf(directory);
  const mixed = async (file: string, journal: string): Promise<string> => {
    const folder = await temporaryFolder();
    await fs.copyFile(path.join(file, 'ledger.json'), path.join(folder, 'ledger.json'));
    await fs.copyFile(await journalOf(journal), path.join(folder, path.basename(await journalOf(journal))));
    return folder;
  };
  for (const [file, journal, errors] of [
    [old, recent, 1],
    [recent, old, 2],
  ] as const) {
    const ledger = await opened(await mixed(file, journal));
    expect(ledger.saving().movedAside).toMatch(
      /is missing, which .*one was copied, put back or deleted without the other; counting continues/,
    );
    expect(ledger.rows().map((row) => row.errors)).toEqual([errors]);
  }
  const without = await copyOf(recent);
  await fs.rm(path.join(without, 'ledger.json'));
  const started = await opened(without);
  expect(started.saving().movedAside).toMatch(/is there without .*ledger\.json: .*counting starts over; moved to/);
  expect((await opened(await copyOf(recent))).rows().map((row) => row.errors)).toEqual([4]);
});

test('a journal under the name of another is damaged', async () => {
  const { directory } = await threeSaves();
  const { directory: other } = await threeSaves();
  await fs.copyFile(await journalOf(other), await journalOf(directory));
  await expect(loadLedgerFile(path.join(directory, 'ledger.json'))).rejects.toThrow('damaged at byte 0');
});

test('a ledger of version 1 is carried over, and a version 1 exporter would refuse what is saved then', async () => {
  const directory = await temporaryFolder();
  const row = { server: 'exch01', connector: 'Outbound', destination: '203.0.113.25:25', errors: 7 };
  const rows = [{ ...row, attempts: 0, failures: {}, lastErrorAt: now, lastObservedAt: now }];
  const saved = {
    version: 1,
    savedAt: '2026-01-15T08:00:00.000Z',
    rows,
    checkpoints: [checkpoint(70)],
    seen: [],
    scrapers: [],
  };
  await fs.writeFile(path.join(directory, 'ledger.json'), JSON.stringify(saved));
  const ledger = await opened(directory);
  await enter(ledger, batch([errorOf(1, '203.0.113.25:25', 'exch01')], { checkpoint: checkpoint(80) }));
  expect(ledger.rows().map(({ errors }) => errors)).toEqual([8]);
  expect(JSON.parse(await fs.readFile(path.join(directory, 'ledger.json'), 'utf8'))).toMatchObject({ version: 2 });
  const state = await stateOf(await copyOf(directory));
  expect([state?.rows[0]?.errors, state?.checkpoints]).toEqual([8, [checkpoint(80)]]);
});

test('a clean stop leaves the file alone to say everything', async () => {
  const { directory } = await threeSaves();
  const ledger = await opened(directory);
  await enter(ledger, batch([errorOf(9)], { checkpoint: checkpoint(900) }));
  await ledger.close();
  const { rows, checkpoints } = JSON.parse(
    await fs.readFile(path.join(directory, 'ledger.json'), 'utf8'),
  ) as SavedLedger;
  expect([rows.length, checkpoints]).toEqual([4, [checkpoint(900)]]);
  expect((await fs.readFile(await journalOf(directory), 'utf8')).split('\n')).toHaveLength(2);
});

test('a journal that has outgrown the file begins anew, and no more than one is left', async () => {
  const directory = await temporaryFolder();
  const ledger = await opened(directory);
  const name = 'x'.repeat(200);
  await enter(ledger, batch([errorOf(0)]));
  const first = await journalOf(directory);
  for (let n = 1; n <= 4; n++)
    await enter(
      ledger,
      batch(Array.from({ length: 1000 }, (_, id) => errorOf(n * 1000 + id, `${name}${id}.example:25`))),
    );
  await vi.waitFor(async () => {
    expect(await journalOf(directory)).not.toBe(first);
    expect((await fs.readdir(directory)).filter((each) => each.endsWith('.journal'))).toHaveLength(1);
  });
  expect((await stateOf(await copyOf(directory)))?.rows.length).toBe(1001);
});

type Fault = { readonly at: number; readonly code: string };

/** Fails the n-th write or sync of a journal entry, and all later ones until it is mended. */
function failing(fault: { now: Fault | undefined }) {
  let operation = 0;
  const fail = (): void => {
    const { now: due } = fault;
    if (due && ++operation >= due.at) throw Object.assign(new Error(`${due.code}: injected`), { code: due.code });
  };
  const open = async (...args: Parameters<typeof fs.open>): Promise<fs.FileHandle> => {
    fail();
    const handle = await fs.open(...args);
    const [write, sync] = [handle.writeFile.bind(handle), handle.sync.bind(handle)];
    return Object.assign(handle, {
      writeFile: async (content: Buffer) => {
        try {
          fail();
        } catch (error) {
          // A full disk takes a part.
          await write(content.subarray(0, content.length >> 1));
          throw error;
        }
        await write(content);
      },
      sync: async () => {
        fail();
        await sync();
      },
    });
  };
  return { open, rename: fs.rename };
}

test.each(['ENOSPC', 'EIO'])(
  'with %s in any operation of the journal nothing is shown, and all of it is saved once it passes',
  async (code) => {
    for (const at of [1, 2, 3]) {
      const directory = await temporaryFolder();
      const fault: { now: Fault | undefined } = { now: undefined };
      const ledger = await opened(directory, { operations: failing(fault) });
      await enter(ledger, batch([errorOf(1)]), batch([errorOf(2)], { checkpoint: checkpoint(20) }));
      fault.now = { at, code };
      void ledger.post(batch([errorOf(3)], { checkpoint: checkpoint(30) }));
      await vi.waitFor(() => {
        expect(ledger.saving().failing).toContain(code);
      });
      expect(ledger.rows().map(({ errors }) => errors)).toEqual([2]);
      // Killed now, it goes on from a save that is whole, and nothing is said to be damaged.
      const killed = await copyOf(directory);
      const left = await loadLedgerFile(path.join(killed, 'ledger.json'));
      expect([2, 3]).toContain(left?.rows[0]?.errors);
      expect(left?.checkpoints).toEqual([checkpoint(10 * left!.rows[0]!.errors)]);
      fault.now = undefined;
      await ledger.saved();
      expect(ledger.rows().map(({ errors }) => errors)).toEqual([3]);
      expect((await stateOf(await copyOf(directory)))?.rows[0]?.errors).toBe(3);
    }
  },
);

test('a journal that a full disk let nobody begin is no damage, unless the file goes on in it', async () => {
  const head = '0123456789abcdef 28 {"journal":"9-0123';
  for (const begun of ['', '0123456', head, '\0'.repeat(60)]) {
    const directory = await temporaryFolder();
    const ledger = await opened(directory);
    await enter(ledger, batch([errorOf(1)]), batch([errorOf(2)]));
    const copy = await copyOf(directory);
    await fs.writeFile(path.join(copy, 'ledger-9-01234567.journal'), begun);
    const again = await opened(copy);
    expect(again.saving().movedAside).toBeUndefined();
    expect(again.rows()).toMatchObject([{ errors: 2 }]);
    const own = await copyOf(directory);
    await fs.writeFile(await journalOf(own), begun);
    const cut = await opened(own);
    expect(cut.saving().movedAside).toContain('damaged at byte 0');
  }
});

test('a journal deleted or written under the running exporter is made again with all that was counted', async () => {
  const directory = await temporaryFolder();
  const ledger = await opened(directory);
  await enter(ledger, batch([errorOf(1)]), batch([errorOf(2)]));
  await fs.rm(await journalOf(directory));
  await enter(ledger, batch([errorOf(3)]));
  await fs.appendFile(await journalOf(directory), 'what another program wrote\n');
  await enter(ledger, batch([errorOf(4)]));
  expect((await stateOf(await copyOf(directory)))?.rows.map(({ errors }) => errors)).toEqual([4]);
  expect(ledger.saving().failed).toBe(0);
});

const servers = ['exch01', 'exch01.a.example', 'exch02.a.example'];

type Step = {
  readonly evidence: readonly Evidence[];
  readonly sessions: number;
  readonly visit: boolean;
  readonly crash: boolean;
};

const evidence: fc.Arbitrary<Evidence> = fc
  .record({
    kind: fc.constantFrom('error', 'related', 'attempt', 'failure'),
    server: fc.constantFrom(...servers),
    connector: fc.constantFrom('Outbound', 'Partner'),
    destination: fc.constantFrom('a.example:25', 'b.example:25', 'c.example:25'),
    reason: fc.constantFrom(...reasons),
    recordId: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ kind, recordId, ...named }): Evidence => {
    const at = now - 60_000 + recordId * 1000;
    const { server, connector, destination, reason } = named;
    const key = { server, channel: 'application', recordId, time: at };
    if (kind === 'error') return { kind: 'connection_error', key, server, connector, destination, at };
    if (kind === 'related')
      return {
        kind: 'related_event',
        key,
        server,
        provider: 'MSExchangeTransport',
        eventId: 12014,
        at,
        text: 'no certificate',
      };
    if (kind === 'attempt') return { kind: 'connection_attempt', server, connector, destination, at };
    return { kind: 'connection_failure', server, connector, destination, reason, at };
  });

const step: fc.Arbitrary<Step> = fc.record({
  evidence: fc.array(evidence, { maxLength: 6 }),
  sessions: fc.integer({ min: 0, max: 4 }),
  visit: fc.boolean(),
  crash: fc.boolean(),
});

async function take(ledger: Ledger, { evidence: told, sessions, visit }: Step, offset: number): Promise<void> {
  const key = `exch02.a.example\n${sessions}`;
  const json = JSON.stringify({ server: 'exch02.a.example', session: String(sessions), touchedAt: offset });
  if (visit)
    ledger.visited({ destination: 'a.example:25', at: now + offset, success: offset % 2 === 0, reason: undefined });
  const change = { key, json: sessions === 4 ? undefined : json };
  const run = {
    server: 'exch02.a.example',
    channel: 'application',
    first: offset,
    last: offset,
    firstAt: now,
    lastAt: now,
  };
  const more = { checkpoint: checkpoint(offset, `log${offset % 3}`), sessions: [change], runs: [run] };
  await enter(ledger, batch(told, more));
}

test('whenever it crashes between saves, the ledger that is opened again equals one that never crashed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const steadyFolder = await temporaryFolder();
      const steady = await openLedger({ directory: steadyFolder, now: () => now });
      let folder = await temporaryFolder();
      let crashing = await openLedger({ directory: folder, now: () => now });
      for (const [index, each] of steps.entries()) {
        await take(steady, each, index + 1);
        await take(crashing, each, index + 1);
        if (!each.crash) continue;
        const copy = await copyOf(folder);
        await crashing.close();
        folder = copy;
        crashing = await openLedger({ directory: folder, now: () => now });
      }
      const left = await stateOf(await copyOf(folder));
      await Promise.all([steady.close(), crashing.close()]);
      const [whole, reopened] = [await stateOf(steadyFolder), await stateOf(folder)];
      expect(sorted(reopened)).toEqual(sorted(whole));
      expect(sorted(left)).toEqual(sorted(whole));
    }),
    { numRuns: 15 },
  );
}, 60_000);

/** A start begins the minute of each gap anew, and makes the order of checkpoints, logs and sessions that of their last change. */
function sorted(state: SavedLedger | undefined): unknown {
  return Object.fromEntries(
    Object.entries(state ?? {})
      .filter(([name]) => name !== 'savedAt')
      .map(([name, list]) => [name, Array.isArray(list) ? list.map((each) => JSON.stringify(each)).sort() : list]),
  );
}

test('history is not saved batch by batch while it is read, and at once when its last batch has come', async () => {
  const directory = await temporaryFolder();
  const begun = performance.now();
  const ledger = await opened(directory);
  const history = (n: number): Promise<void> =>
    ledger.post(batch([errorOf(n)], { history: true, checkpoint: { ...checkpoint(n), history: true } }));
  // The file is known from its first batch on, whatever happens: a rotation must not make it one that nobody read.
  await history(1);
  await vi.waitFor(() => {
    expect(ledger.saving().saved).toBe(1);
  });
  expect((await stateOf(await copyOf(directory)))?.checkpoints).toMatchObject([{ offset: 1, history: true }]);
  for (let n = 2; n <= 200; n++) {
    await history(n);
    await new Promise(setImmediate);
  }
  // After 100, 200, 400 ms and so on, not one for each batch.
  const [saves, ms] = [ledger.saving().saved - 1, performance.now() - begun];
  expect(saves).toBeLessThanOrEqual(1 + Math.log2(Math.max(1, ms / 100)));
  await ledger.post(batch([errorOf(201)], { history: true, checkpoint: checkpoint(201) }));
  await vi.waitFor(() => {
    expect(ledger.rows()).toMatchObject([{ errors: 201 }]);
  });
});

test('of many rows in one entry each is as it was when the save began, though more is entered while they are written', async () => {
  const directory = await temporaryFolder();
  const ledger = await opened(directory);
  const names = Array.from({ length: 1_100 }, (_, n) => `127.0.${n >> 8}.${n & 255}:25`);
  let entered = 0;
  const post = (all: readonly string[]): Promise<void> => {
    const errors = all.map((name) => errorOf(++entered, name));
    return ledger.post(batch(errors, { checkpoint: checkpoint(entered) }));
  };
  await post(names);
  await ledger.saved();
  const journal = await journalOf(directory);
  void post(names);
  const save = { isDone: false };
  const saved = ledger.saved().then(() => (save.isDone = true));
  // The last of them are written last.
  for (let n = 0; !save.isDone; n++) {
    void post([names[1_099 - (n % 100)]!]);
    await new Promise(setImmediate);
  }
  await saved;
  const copy = await copyOf(directory);
  expect(await journalOf(copy)).toBe(journal.replace(directory, copy));
  const state = await stateOf(copy);
  const errors = state!.rows.reduce((sum, row) => sum + row.errors, 0);
  expect(errors).toBeGreaterThanOrEqual(2_200);
  expect(state!.checkpoints).toMatchObject([{ offset: errors }]);
});

test('a save that changes most of the rows writes the file as a whole, and the journal begins anew', async () => {
  const directory = await temporaryFolder();
  const ledger = await opened(directory);
  await enter(ledger, batch([errorOf(1)], { checkpoint: checkpoint(1) }));
  const journal = await journalOf(directory);
  const many = Array.from({ length: 1_900 }, (_, n) => errorOf(n + 2, `127.0.${n >> 8}.${n & 255}:25`));
  await enter(ledger, batch(many, { checkpoint: checkpoint(2) }));
  const anew = await journalOf(directory);
  expect(anew).not.toBe(journal);
  expect(readEntries(await fs.readFile(anew)).entries).toHaveLength(1);
  const read = await stateOf(await copyOf(directory));
  expect(read?.rows).toHaveLength(1_901);
  expect(read?.checkpoints).toMatchObject([{ offset: 2 }]);
});

test.each(['file', 'file/below'])(
  'a state folder at %s, where a file stands, is refused with what stands there',
  async (name) => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'file');
    await fs.writeFile(file, '');
    const directory = path.join(folder, name);
    const remedy = 'name another one with --state.directory';
    await expect(opened(directory)).rejects.toThrow(
      `${directory}: the state folder cannot be made: ${file} is not a folder; ${remedy}`,
    );
  },
);

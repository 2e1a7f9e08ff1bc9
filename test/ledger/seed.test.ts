/** A replica that begins with the state of the other: all of it or nothing, and every refusal names the place and the remedy. */
import * as fs from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { seedCommand } from '../../src/commands/seed.js';
import { openLedger, type Ledger } from '../../src/ledger/ledger.js';
import { foreignTopics, readState, seedFolder } from '../../src/ledger/seed.js';
import type { Evidence } from '../../src/model/evidence.js';
import { temporaryFolder } from '../support/folder.js';
import { savedIn } from '../support/saved-state.js';

const now = Date.parse('2026-01-15T09:00:00Z');
const put = { isReplaced: false, now };

async function opened(directory: string): Promise<Ledger> {
  const ledger = await openLedger({ directory, now: () => now });
  onTestFinished(() => ledger.close());
  return ledger;
}

async function enter(ledger: Ledger, ...recordIds: readonly number[]): Promise<void> {
  for (const recordId of recordIds) {
    const at = now - 60_000 + recordId;
    const key = { server: 'exch01.a.example', channel: 'application', recordId, time: at };
    const of = { server: key.server, connector: 'Outbound', destination: '203.0.113.25:25' };
    const evidence: Evidence[] = [{ kind: 'connection_error', key, ...of, at }];
    const partitions = [{ partition: 0, nextOffset: recordId + 1 }];
    const checkpoint = { source: 'k', cluster: 'c', topic: 'events', topicId: 't', history: false, partitions };
    await ledger.post({ source: 'k', evidence, ignored: 0, unreadable: {}, checkpoint, history: false });
    await ledger.saved();
  }
}

/** The folder of an exporter that runs: a file written whole, and a journal that goes on. */
async function running(...recordIds: readonly number[]): Promise<{ folder: string; ledger: Ledger }> {
  const folder = await temporaryFolder();
  const first = await openLedger({ directory: folder, now: () => now });
  await enter(first, 1, 2);
  await first.close();
  const ledger = await opened(folder);
  await enter(ledger, ...recordIds);
  return { folder, ledger };
}

async function journalIn(folder: string): Promise<string> {
  const names = (await fs.readdir(folder)).filter((name) => name.endsWith('.journal'));
  return path.join(folder, names.at(-1)!);
}

async function seeded(from: string, to?: string, how = put): Promise<string> {
  const directory = to ?? path.join(await temporaryFolder(), 'state');
  await seedFolder(await readState(from), directory, how);
  return directory;
}

test('19.3 a replica seeded from one that runs has its counts, and counts none of its records again', async () => {
  const { folder, ledger } = await running(3, 4, 5);
  const directory = await seeded(folder);
  expect(await savedIn(directory, now)).toEqual(await savedIn(folder, now));
  await enter(ledger, 6);
  const replica = await opened(directory);
  await enter(replica, 4, 5, 6, 7);
  expect([...replica.rows()].map(({ errors }) => errors)).toEqual([7]);
});

test('19.3 a journal that is torn at its end gives the last whole save, and a damaged one nothing', async () => {
  const copy = await temporaryFolder();
  const { folder: living } = await running(3, 4);
  for (const name of await fs.readdir(living))
    if (!name.endsWith('.sock')) await fs.copyFile(path.join(living, name), path.join(copy, name));
  const journal = await journalIn(copy);
  const whole = await fs.readFile(journal);
  await fs.truncate(journal, whole.length - 10);
  const state = await readState(copy);
  expect(state.unfinished).toBeGreaterThan(0);
  expect(state.saved.rows[0]?.errors).toBe(3);
  const directory = await seeded(copy);
  expect((await savedIn(directory, now))?.rows[0]?.errors).toBe(3);

  whole[whole.length - 200] = whole[whole.length - 200]! ^ 1;
  await fs.writeFile(journal, whole);
  await expect(readState(copy)).rejects.toThrow(
    /\.journal: damaged at byte \d+: copy ledger\.json and then the journal/,
  );
  await fs.rm(journal);
  await expect(readState(copy)).rejects.toThrow(/is missing, which .*ledger\.json goes on in: copy/);
});

test.each([
  [
    'an HTML page',
    '<!doctype html><p>Not found</p>',
    /ledger\.json: damaged: .*; name the ledger\.json of an exporter/,
  ],
  ['other JSON', '{"hello":1}', /not a ledger of this exporter: .*; name the ledger\.json/],
  ['nothing', '', /damaged: .*; name the ledger\.json/],
  ['a newer version', '{"version":3}', /newer exporter \(version 3, .*; install at least the version of that exporter/],
])('19.3 %s is refused with the remedy', async (_what, text, refusal) => {
  const from = await temporaryFolder();
  await fs.writeFile(path.join(from, 'ledger.json'), text);
  await expect(readState(from)).rejects.toThrow(refusal);
});

test('19.3 two gibibytes are refused unread, and what is not there is named', async () => {
  const file = path.join(await temporaryFolder(), 'ledger.json');
  await expect(readState(file)).rejects.toThrow(`${file}: expected the state of an exporter: it is not there; name`);
  await fs.writeFile(file, '');
  await fs.truncate(file, 2 * 2 ** 30);
  await expect(readState(file)).rejects.toThrow('2147483648 bytes, where at most 511 MiB are expected');
});

test('19.3 a state with counts is kept unless told, and moved aside when told', async () => {
  const { folder } = await running(3);
  const other = await temporaryFolder();
  const ledger = await openLedger({ directory: other, now: () => now });
  await enter(ledger, 9);
  await expect(seeded(folder, other)).rejects.toThrow(/another exporter \(process \d+\) uses/);
  await ledger.close();
  const before = await savedIn(other, now);
  await expect(seeded(folder, other)).rejects.toThrow(
    /ledger\.json: has counts of its own \(1 errors of 1 pairs, .*\); --replace moves it aside/,
  );
  expect(await savedIn(other, now)).toEqual(before);
  const moved = await seedFolder(await readState(folder), other, { isReplaced: true, now });
  expect(moved).toContain(path.join(other, 'ledger.json.before-seed-2026-01-15T090000000Z'));
  expect(await savedIn(other, now)).toEqual(await savedIn(folder, now));
});

test('19.3 where the new state cannot be written, the old one is put back', async () => {
  const { folder } = await running(3);
  const other = await temporaryFolder();
  const ledger = await openLedger({ directory: other, now: () => now });
  await enter(ledger, 9);
  await ledger.close();
  const before = await savedIn(other, now);
  // What is to be renamed over the file finds a folder in its way.
  await fs.mkdir(path.join(other, 'ledger.json.new'));
  await expect(seedFolder(await readState(folder), other, { isReplaced: true, now })).rejects.toThrow(
    `${other}: the state cannot be written, and is as it was`,
  );
  await fs.rmdir(path.join(other, 'ledger.json.new'));
  expect(await savedIn(other, now)).toEqual(before);
  expect((await fs.readdir(other)).filter((name) => name.includes('before-seed'))).toEqual([]);
});

test('19.3 the folder that is read is not written, and a folder is needed', async () => {
  const { folder } = await running(3);
  await expect(seeded(folder, folder)).rejects.toThrow('is the folder that is read');
  const file = path.join(await temporaryFolder(), 'file');
  await fs.writeFile(file, '');
  await expect(seeded(folder, file)).rejects.toThrow(/file/);
});

test('19.3 the state of another shard is told by its partitions', async () => {
  const { folder } = await running(3);
  const { saved } = await readState(folder);
  expect(foreignTopics(saved.checkpoints, (_topic, partition) => partition % 2 === 0)).toEqual([]);
  expect(foreignTopics(saved.checkpoints, (_topic, partition) => partition % 2 === 1)).toEqual(['events']);
});

test('19.3 the command takes a folder once, and no URL', async () => {
  const { folder } = await running(3);
  const directory = path.join(await temporaryFolder(), 'state');
  const told: string[] = [];
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => told.push(String(text)) > 0);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const flags = { 'state.directory': directory };
  expect(await seedCommand({ from: folder, ...flags })).toBe(0);
  expect(await seedCommand({ from: folder, ...flags })).toBe(1);
  expect(await seedCommand({ from: 'https://exporter.example/', ...flags })).toBe(1);
  expect(told).toEqual([
    `${directory}: seeded from ${path.join(folder, 'ledger.json')} (3 errors of 1 pairs, 1 places in logs and topics)\n`,
    expect.stringContaining('ledger.json: has counts of its own (3 errors'),
    expect.stringContaining('--from: a URL is not fetched; copy the state folder'),
  ]);
});

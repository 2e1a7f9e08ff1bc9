import { existsSync } from 'node:fs';
import { appendFile, copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { winsock } from '../../src/events/transport/connect-reasons.js';
import { followFiles, type FollowOptions } from '../../src/events/sources/files/files.js';
import { openLedger, type Ledger } from '../../src/ledger/ledger.js';
import { temporaryFolder } from '../support/folder.js';
import { keepingLog, silentLog } from '../support/log-double.js';

const samples = path.resolve(import.meta.dirname, '../fixtures/transport-logs');
const shared = path.resolve(import.meta.dirname, '../../../../shared/domain/samples');

/** Far enough ahead that nothing is waited for. */
type Clock = { ms: number };

async function ledgerIn(directory: string): Promise<Ledger> {
  const ledger = await openLedger({ directory, now: Date.now });
  onTestFinished(() => ledger.close());
  return ledger;
}

function follow(ledger: Ledger, folder: string, options: Partial<FollowOptions> = {}): ReturnType<typeof followFiles> {
  const followed = followFiles({
    sources: [{ name: folder, paths: [folder], server: 'EXCH01' }],
    checkpoints: ledger.checkpoints,
    post: ledger.post,
    knownConnectors: () => [],
    sessions: ledger.sessions,
    connectorOfGuid: () => undefined,
    log: silentLog,
    now: Date.now,
    ...options,
  });
  onTestFinished(() => followed.stop());
  return followed;
}

/** Both clocks go on together. */
function clocksBy(clock: Clock): Pick<FollowOptions, 'now' | 'steady'> {
  return { now: () => Date.now() + clock.ms, steady: () => performance.now() + clock.ms };
}

/** Reads a folder to its end and then lets so much time pass that nothing waits any more. */
async function readAll(folder: string, options: Partial<FollowOptions> = {}): Promise<Ledger> {
  const ledger = await ledgerIn(path.join(await temporaryFolder(), 'state'));
  const clock: Clock = { ms: 0 };
  const followed = follow(ledger, folder, { ...clocksBy(clock), ...options });
  await vi.waitFor(
    () => {
      expect(followed.caughtUp()).toBe(true);
    },
    { timeout: 30_000 },
  );
  clock.ms = 3_600_000;
  await vi.waitFor(
    () => {
      expect(ledger.sessions().filter((each) => 'session' in each)).toEqual([]);
    },
    { timeout: 30_000 },
  );
  await followed.stop();
  await ledger.close();
  return ledger;
}

/** The rows of a ledger, as `connector | destination`: attempts and failures. */
function told(ledger: Ledger): Record<string, unknown> {
  const rows = ledger
    .rows()
    .map(({ connector, destination, attempts, failures, host }): [string, unknown] => [
      `${connector} | ${destination}`,
      { ...(attempts > 0 && { attempts }), ...failures, ...(host !== undefined && { host }) },
    ]);
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function folderOf(...names: string[]): Promise<string> {
  const folder = path.join(await temporaryFolder(), 'logs');
  await mkdir(folder);
  for (const name of names) await copyFile(path.join(samples, name), path.join(folder, name));
  return folder;
}

const office = 'Büro → Außen';
const relay = 'Relay, "Legacy" <DMZ> & Co';

/** What the Send log alone knows: what fails after the connect. */
const afterConnect = {
  'Outbound to Internet | 192.0.2.77:25': { banner_5xx: 1 },
};

test('the Send log alone tells all of it', async () => {
  const ledger = await readAll(await folderOf('SEND20260115-1.LOG'));
  expect(told(ledger)).toEqual({
    [`${office} | [2001:db8:25::1]:25`]: { attempts: 1, network_unreachable: 1 },
    'Outbound to Internet | 192.0.2.77:25': { attempts: 1, banner_5xx: 1 },
    'Outbound to Internet | 198.51.100.9:25': { attempts: 1, certificate_expired: 1 },
    'Outbound to Internet | 203.0.113.25:25': { attempts: 1, timeout: 1 },
    [`${relay} | 10.20.30.40:587`]: { attempts: 1, refused: 1 },
  });
  const [tally] = [...ledger.tallies().values()];
  expect(tally).toEqual({
    outcomes: { counted: 10, related: 0, ignored: 22, duplicate: 0, unreadable: 0 },
    unreadable: {},
  });
});

test('the connectivity log alone tells of attempts and failed connects, by GUID where nothing names the connector', async () => {
  const ledger = await readAll(await folderOf('CONNECTLOG20260115-1.LOG'));
  expect(told(ledger)).toEqual({
    '2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10 | 198.51.100.9:25': { attempts: 1, host: 'mx3.fabrikam.example' },
    '2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10 | 203.0.113.25:25': { attempts: 1, timeout: 1, host: 'mx1.fabrikam.example' },
    '2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10 | 203.0.113.26:25': { attempts: 1, timeout: 1, host: 'mx2.fabrikam.example' },
    '2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10 | nosuch.example': { name_not_found: 1 },
    '7b0d2c55-9a53-4b7e-8b1f-5a8d2f6d1a02 | [2001:db8:25::1]:25': {
      attempts: 1,
      network_unreachable: 1,
      host: 'relay6.aussen.example',
    },
    'c1c7a3f0-1d7e-4a0c-8f32-3f2f7f0a9e03 | 10.20.30.40:587': { attempts: 1, refused: 1 },
  });
});

test('with the inventory the connectors have their names at once', async () => {
  const names: Record<string, string> = {
    '2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10': 'Outbound to Internet',
    '7b0d2c55-9a53-4b7e-8b1f-5a8d2f6d1a02': office,
    'c1c7a3f0-1d7e-4a0c-8f32-3f2f7f0a9e03': relay,
  };
  const ledger = await readAll(await folderOf('CONNECTLOG20260115-1.LOG'), { connectorOfGuid: (guid) => names[guid] });
  expect(new Set(ledger.rows().map((row) => row.connector))).toEqual(new Set(Object.values(names)));
});

const both = {
  [`${office} | [2001:db8:25::1]:25`]: { attempts: 1, network_unreachable: 1, host: 'relay6.aussen.example' },
  ...afterConnect,
  'Outbound to Internet | 198.51.100.9:25': { attempts: 1, certificate_expired: 1, host: 'mx3.fabrikam.example' },
  'Outbound to Internet | 203.0.113.25:25': { attempts: 1, timeout: 1, host: 'mx1.fabrikam.example' },
  'Outbound to Internet | 203.0.113.26:25': { attempts: 1, timeout: 1, host: 'mx2.fabrikam.example' },
  'Outbound to Internet | nosuch.example': { name_not_found: 1 },
  [`${relay} | 10.20.30.40:587`]: { attempts: 1, refused: 1 },
};

test('with both logs nothing is counted twice, and each adds what only it knows', async () => {
  const ledger = await readAll(await folderOf('SEND20260115-1.LOG', 'CONNECTLOG20260115-1.LOG'));
  expect(told(ledger)).toEqual(both);
});

test('the other log may come much later: the facts are the same', async () => {
  for (const [first, second] of [
    ['SEND20260115-1.LOG', 'CONNECTLOG20260115-1.LOG'],
    ['CONNECTLOG20260115-1.LOG', 'SEND20260115-1.LOG'],
  ] as const) {
    const ledger = await ledgerIn(path.join(await temporaryFolder(), 'state'));
    const folder = await folderOf(first);
    const clock: Clock = { ms: 0 };
    const followed = follow(ledger, folder, clocksBy(clock));
    await vi.waitFor(
      () => {
        expect(ledger.checkpoints()).toHaveLength(1);
        expect(followed.caughtUp()).toBe(true);
      },
      { timeout: 30_000 },
    );
    await copyFile(path.join(samples, second), path.join(folder, second));
    await vi.waitFor(
      () => {
        expect(ledger.checkpoints()).toHaveLength(2);
        expect(followed.caughtUp()).toBe(true);
      },
      { timeout: 30_000 },
    );
    clock.ms = 3_600_000;
    await vi.waitFor(
      () => {
        expect(ledger.sessions().filter((each) => 'session' in each)).toEqual([]);
      },
      { timeout: 30_000 },
    );
    await followed.stop();
    await ledger.close();
    const attemptsOf = (rows: Record<string, unknown>): unknown =>
      Object.entries(rows).map(([key, row]) => [key, { ...(row as object), host: undefined }]);
    const wanted: Record<string, unknown> = { ...both };
    // Before there is a connectivity log the Send log tells of attempts, also of the one that the other log lacks.
    if (first.startsWith('SEND')) wanted['Outbound to Internet | 192.0.2.77:25'] = { attempts: 1, banner_5xx: 1 };
    if (first.startsWith('SEND')) delete wanted['Outbound to Internet | 203.0.113.26:25'];
    expect(attemptsOf(told(ledger)), first).toEqual(attemptsOf(wanted));
  }
});

test('a newer build writes other names and versions and is read alike; half a last line waits for its rest', async () => {
  const ledger = await readAll(await folderOf('SEND2026011508-1.LOG'));
  expect(told(ledger)).toEqual({
    [`${office} | [2001:db8:25::1]:25`]: { attempts: 1, network_unreachable: 1 },
    'Outbound to Internet | 203.0.113.25:25': { attempts: 1, timeout: 1 },
  });
  const folder = await folderOf('SEND20260115-2-partial-last-line.LOG');
  const file = path.join(folder, 'SEND20260115-2-partial-last-line.LOG');
  const half = await ledgerIn(path.join(folder, '../state'));
  const followed = follow(half, folder);
  await vi.waitFor(
    () => {
      expect(told(half)).toEqual({ 'Outbound to Internet | 203.0.113.25:25': { attempts: 1 } });
    },
    { timeout: 30_000 },
  );
  await appendFile(file, '01:db8:25::1]:25,*,,attempting to connect\r\n');
  await vi.waitFor(
    () => {
      expect(told(half)).toEqual({
        'Outbound to Internet | 203.0.113.25:25': { attempts: 1 },
        [`${office} | [2001:db8:25::1]:25`]: { attempts: 1 },
      });
    },
    { timeout: 30_000 },
  );
  await followed.stop();
});

test('files are read without a header, with bytes that are no UTF-8 and with an unknown code, which is said once', async () => {
  const folder = path.join(await temporaryFolder(), 'logs');
  await mkdir(folder);
  const row = (session: string, code: number): string =>
    `2026-01-15T08:14:01.530Z,Outbound,${session},2,,203.0.113.25:25,*,,"Failed to connect. Winsock error code: ${code}, Win32 error code: ${code}, Error Message: \\r\\n\u00fc 203.0.113.25:25"\r\n`;
  const text = row('08DE53F0A1B2C301', 10060) + row('08DE53F0A1B2C302', 12345) + row('08DE53F0A1B2C303', 12345);
  await writeFile(path.join(folder, 'SEND20260115-1.LOG'), Buffer.from(text, 'latin1'));
  const log = keepingLog();
  const ledger = await readAll(folder, { log });
  expect(told(ledger)).toEqual({ 'Outbound | 203.0.113.25:25': { timeout: 1, other: 2 } });
  expect(log.lines.filter(({ fields }) => fields.code !== undefined)).toHaveLength(1);
});

test('the samples that came with the notes are the ones tested here', async (context) => {
  if (!existsSync(path.join(shared, 'transport-logs'))) {
    console.warn(`SKIPPED: ${shared} is not there; the copies in test/fixtures are tested all the same`);
    context.skip();
    return;
  }
  for (const name of ['SEND20260115-1.LOG', 'CONNECTLOG20260115-1.LOG', 'SEND2026011508-1.LOG']) {
    const original = await readFile(path.join(shared, 'transport-logs', name), 'latin1');
    // The notes had invented the form of a DNS failure; Exchange writes a sentence.
    const mended = original.replace(',>,InfoDomainNonexistent reported by', ',>,Non-existent domain reported by');
    expect(mended === (await readFile(path.join(samples, name), 'latin1')), name).toBe(true);
  }
});

test('captured excerpts are read without an unreadable row', async (context) => {
  const captured = path.join(shared, 'captured');
  if (!existsSync(captured)) {
    console.warn(`SKIPPED: ${captured} is not there; no captured excerpt is read`);
    context.skip();
    return;
  }
  const folder = path.join(await temporaryFolder(), 'logs');
  await cp(captured, folder, { recursive: true, filter: (from) => !/\.(xml|json)$/.test(from) });
  const ledger = await readAll(folder);
  const [tally] = [...ledger.tallies().values()];
  expect(tally?.outcomes.unreadable).toBe(0);
  expect(told(ledger)).toEqual({
    '9dcexxxx-ec8x-4d3x-aefx-109adc8xxxxx | 45.79.xxx.xx:25': { attempts: 1, timeout: 1, host: 'feh.krhfe.tk' },
    'Outbound to Office 365 | x.x.x.x:25': { attempts: 1 },
  });
});

test('the codes of Winsock are those of the reference', async (context) => {
  const reference = path.join(shared, 'reference/winsock-codes.csv');
  if (!existsSync(reference)) {
    console.warn(`SKIPPED: ${reference} is not there`);
    context.skip();
    return;
  }
  const lines = (await readFile(reference, 'utf8')).trim().split(/\r?\n/).slice(1);
  const codes = lines.map((line) => line.split(',')).map(([code, , name]) => [Number(code), name]);
  expect(winsock.map(([code, name]) => [code, name])).toEqual(codes);
});

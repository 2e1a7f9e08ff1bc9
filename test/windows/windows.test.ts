/** What the exporter does on Windows, as far as Wine can show it: the live log, files that others hold, the single file. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, copyFile, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import bcrypt from 'bcryptjs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildExe, koffiNode, nodeExe } from '../../packaging/exe.mjs';
import { winlogbeatLine } from '../support/winlogbeat-line.js';
import { bundleWith, type Change } from './changed-sources.js';
import { describeService } from './service.js';
import { nativeLog, openFakeLog, openWine, startInWine, withoutWine, type Wine, type WineExporter } from './wine.js';

if (withoutWine !== undefined) console.warn(`SKIPPED: the tests of Windows under Wine: ${withoutWine}`);
const isSkipped = withoutWine !== undefined && process.env.CI !== 'true';

/** Two minutes between two looks at the newest record are too long for a test. */
const watchful: Change = { file: 'pump.ts', from: 'watchMs: 120_000', to: 'watchMs: 1_000' };
const unchecked: Change = { file: 'standing.ts', from: 'up: isHeard &&', to: 'up:' };

let wine: Wine;
let exe: string;

beforeAll(async () => {
  if (isSkipped) return;
  wine = await openWine();
  exe = await buildExe(path.join(wine.folder, 'exe'));
  execFileSync('x86_64-w64-mingw32-gcc', [
    ...['-O1', '-Wall', '-Werror', '-o', path.join(wine.folder, 'hold.exe')],
    path.join(import.meta.dirname, 'hold.c'),
  ]);
}, 240_000);

afterAll(async () => {
  if (!isSkipped) await wine.close();
}, 60_000);

/** The program as one script with the native part of koffi beside it; run by a node.exe. */
async function scriptIn(name: string, changes: readonly Change[]): Promise<string> {
  const folder = path.join(wine.folder, name);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'program.cjs'), await bundleWith(changes));
  await copyFile(await koffiNode(), path.join(folder, 'koffi.node'));
  return wine.seen(path.join(folder, 'program.cjs'));
}

async function configFor(name: string): Promise<string[]> {
  const folder = path.join(wine.folder, name);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'config.yml'), 'sources:\n  - type: windows-event-log\n');
  return [`--config.file=${wine.seen(path.join(folder, 'config.yml'))}`, `--state.directory=${wine.seen(folder)}`];
}

function valueOf(page: string, start: string): number | undefined {
  const line = page.split('\n').find((each) => each.startsWith(start));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
}

/** Asks twice, for a new series is seen at zero first. */
async function untilCounted(exporter: WineExporter, count: number): Promise<void> {
  await vi.waitFor(
    async () => {
      expect(valueOf(await exporter.scrape(), 'exchange_send_connector_connection_errors_total{')).toBe(count);
    },
    { timeout: 60_000, interval: 200 },
  );
}

async function untilValue(exporter: WineExporter, series: string, value: number): Promise<void> {
  await vi.waitFor(
    async () => {
      expect(valueOf(await exporter.scrape(), series), series).toBe(value);
    },
    { timeout: 60_000, interval: 200 },
  );
}

const up = 'exchange_exporter_source_up{source="Application"}';

describe.skipIf(isSkipped).each(['20.20.2', '22.23.3'])('the live log, read by node.exe %s', (version) => {
  test('as many are counted as were written, through faults, clears, wraps, restarts and crashes', async () => {
    const name = `live-${version}`;
    const node = wine.seen(await nodeExe(version));
    const script = await scriptIn(`${name}-script`, [watchful]);
    const args = await configFor(name);
    const folder = path.join(wine.folder, `${name}-log`);
    const log = await openFakeLog(folder);
    const env = nativeLog(wine, folder);
    let written = 0;
    const write = async (count: number, ...before: string[]): Promise<void> => {
      await log.tell(...before, `write 0 ${count}`);
      written += count;
    };
    await write(300);
    let exporter = await startInWine(wine, [node, script], { args, env });
    await untilCounted(exporter, written);
    for (const before of [
      ['fail EvtNext 1734 3'],
      ['fail EvtNext 15011 1'],
      ['fail EvtNext 1722 1'],
      ['fail EvtNext 6 1'],
      ['fail EvtNext 4317 1'],
      ['fail EvtNext 87 1', 'fail EvtSubscribe 1168 1'],
      ['large'],
      ['clear'],
      ['clear_anew'],
      ['keep 3'],
      ['restart'],
      ['crash'],
    ]) {
      await write(7, ...before);
      await untilCounted(exporter, written);
    }
    await log.tell('during 5');
    written += 5;
    await write(1);
    await untilCounted(exporter, written);
    await log.tell('down');
    await untilValue(exporter, up, 0);
    await write(4);
    await log.tell('up');
    await untilCounted(exporter, written);
    await untilValue(exporter, up, 1);
    await untilValue(exporter, 'exchange_exporter_source_restarts_total{', 1);
    expect(await exporter.stop()).toBe(0);

    await write(20);
    exporter = await startInWine(wine, [node, script], { args, env });
    await untilCounted(exporter, written);
    exporter.kill('SIGKILL');
    await exporter.ended;

    // Numbered from 1 again, and past the number at which reading ended.
    await write(900, 'clear_anew');
    exporter = await startInWine(wine, [node, script], { args, env });
    await untilCounted(exporter, written);
    expect(await exporter.stop()).toBe(0);
  }, 240_000);
});

describe.skipIf(isSkipped)('a Windows without an event log (the stubs of Wine)', () => {
  /** The source is down with a reason when its reader has met the first stub. */
  async function expectDown(name: string, changes: readonly Change[]): Promise<void> {
    const node = wine.seen(await nodeExe('20.20.2'));
    const script = await scriptIn(`${name}-script`, changes);
    const env = { WINEDLLOVERRIDES: 'wevtapi=b;winedbg.exe=d;mscoree=d;mshtml=d' };
    const exporter = await startInWine(wine, [node, script], { args: await configFor(name), env });
    try {
      await vi.waitFor(
        () => {
          expect(exporter.output()).toContain('unimplemented function wevtapi.dll');
        },
        { timeout: 60_000 },
      );
      expect(valueOf(await exporter.scrape(), up)).toBe(0);
      const answer = await fetch(`${exporter.url}/-/ready`);
      const text = await answer.text();
      expect([answer.status, text]).toEqual([503, expect.stringMatching(/Application: (its|the) reader/)]);
    } finally {
      exporter.kill('SIGKILL');
      await exporter.ended;
    }
  }

  test('makes the source down with the reason, never silent', async () => {
    await expectDown('stubs', []);
  }, 120_000);

  test('would be taken for a quiet log without the check: this test sees the difference', async () => {
    await expect(expectDown('stubs-unchecked', [unchecked])).rejects.toThrow('expected 1 to be +0');
  }, 120_000);
});

describe.skipIf(isSkipped)('the single-file program', () => {
  let folder: string;
  let logs: string;
  let written = 0;

  /** Lines of events 2002, written from outside as a shipper does. */
  function lines(count: number): string {
    return Array.from({ length: count }, () => winlogbeatLine({ recordId: ++written })).join('');
  }

  async function start(...flags: string[]): Promise<WineExporter> {
    const args = [`--state.directory=${wine.seen(path.join(folder, 'state'))}`, ...flags, '--', wine.seen(logs)];
    return startInWine(wine, [exe], { args });
  }

  /** Has another program hold a file. @returns a function that has it let go */
  async function hold(file: string, share: string): Promise<() => Promise<void>> {
    const holder = wine.start(path.join(wine.folder, 'hold.exe'), [wine.seen(file), share]);
    await vi.waitFor(
      () => {
        expect(holder.output()).toContain('held');
      },
      { timeout: 30_000 },
    );
    return async () => {
      await writeFile(`${file}.let-go`, '');
      expect(await holder.ended).toBe(0);
    };
  }

  beforeAll(async () => {
    folder = path.join(wine.folder, 'single');
    logs = path.join(folder, 'logs');
    await mkdir(logs, { recursive: true });
  });

  test('shows under Details what it is, in its own version and not in that of Node', async () => {
    const details = path.join(wine.folder, 'details.exe');
    execFileSync('x86_64-w64-mingw32-gcc', [
      ...['-O1', '-Wall', '-Werror', '-o', details, path.join(import.meta.dirname, 'details.c')],
      ...['-lversion', '-municode'],
    ]);
    const shown = wine.start(details, [wine.seen(exe)]);
    expect(await shown.ended).toBe(0);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    const name = 'Send connector exporter';
    const lines = shown.output().replaceAll('\r', '').trim().split('\n');
    expect(lines).toEqual([
      `file ${version}.0`,
      'CompanyName: send-connector-exporter',
      `FileDescription: ${name}`,
      `FileVersion: ${version}`,
      'InternalName: send-connector-exporter',
      expect.stringContaining('LegalCopyright: Apache License 2.0') as string,
      'OriginalFilename: send-connector-exporter.exe',
      `ProductName: ${name}`,
      `ProductVersion: ${version}`,
    ]);
  }, 60_000);

  test('serves, follows a file written from outside, stops cleanly and resumes exactly', async () => {
    const file = path.join(logs, 'a.ndjson');
    await writeFile(file, lines(50));
    const first = await start();
    await untilCounted(first, 50);
    await appendFile(file, lines(7));
    await untilCounted(first, 57);
    expect(await first.stop()).toBe(0);
    expect(first.output()).toContain('msg=stopped');
    await appendFile(file, lines(5));
    const second = await start();
    await untilCounted(second, 62);
    expect(await second.stop()).toBe(0);
  }, 120_000);

  test('checks passwords: its threads find bcrypt inside it', async () => {
    const config = path.join(folder, 'web.yml');
    await writeFile(config, `basic_auth_users: { prometheus: "${bcrypt.hashSync('open sesame', 5)}" }\n`);
    const exporter = await start(`--web.config.file=${wine.seen(config)}`);
    const status = async (text: string): Promise<number> => {
      const headers = { authorization: `Basic ${Buffer.from(text).toString('base64')}` };
      return (await fetch(new URL('/metrics', exporter.url), { headers })).status;
    };
    expect(await status('prometheus:guess')).toBe(401);
    expect(await status('nobody:open sesame')).toBe(401);
    expect(await status('prometheus:open sesame')).toBe(200);
    expect(await exporter.stop()).toBe(0);
  }, 120_000);

  test('reads a file that its writer holds and renames, and waits for one that nobody may read', async () => {
    const exporter = await start();
    await untilCounted(exporter, 62);
    const [file, rotated] = [path.join(logs, 'b.ndjson'), path.join(logs, 'b.1.ndjson')];
    await writeFile(file, lines(3));
    const letGo = await hold(file, 'rwd');
    await untilCounted(exporter, 65);
    await appendFile(file, lines(2));
    await rename(file, rotated);
    await writeFile(file, lines(4));
    await appendFile(rotated, lines(1));
    await untilCounted(exporter, 72);
    await letGo();

    const aside = path.join(folder, 'c.ndjson');
    await writeFile(aside, lines(6));
    const letGoOfOwn = await hold(aside, '-');
    await rename(aside, path.join(logs, 'c.ndjson'));
    await vi.waitFor(
      () => {
        expect(exporter.output()).toContain('another program has it open without sharing');
      },
      { timeout: 30_000 },
    );
    await letGoOfOwn();
    await untilCounted(exporter, 78);
    expect(await exporter.stop()).toBe(0);
  }, 120_000);

  test('cannot save while somebody holds the ledger: says so, reads no further, and goes on without a loss', async () => {
    const exporter = await start();
    await untilCounted(exporter, 78);
    const ledger = path.join(folder, 'state', 'ledger.json');
    expect(existsSync(ledger)).toBe(true);
    const [journal = ''] = (await readdir(path.dirname(ledger))).filter((name) => name.endsWith('.journal'));
    const letGo = await hold(ledger, 'r');
    const letGoOfJournal = await hold(path.join(path.dirname(ledger), journal), 'r');
    await appendFile(path.join(logs, 'a.ndjson'), lines(9));
    await vi.waitFor(
      async () => {
        const failed = valueOf(await exporter.scrape(), 'exchange_exporter_state_saves_total{outcome="failed"}');
        expect(failed).toBeGreaterThan(0);
      },
      { timeout: 60_000 },
    );
    // Invariant 1: what is not saved is not shown.
    expect(valueOf(await exporter.scrape(), 'exchange_send_connector_connection_errors_total{')).toBe(78);
    await letGo();
    await letGoOfJournal();
    await untilCounted(exporter, 87);
    expect(await exporter.stop()).toBe(0);
    const again = await start();
    await untilCounted(again, 87);
    expect(await again.stop()).toBe(0);
  }, 120_000);
});

describeService(isSkipped, () => ({ wine, exe, hold: path.join(wine.folder, 'hold.exe') }));

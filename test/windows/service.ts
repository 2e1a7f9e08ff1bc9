/** What the single-file program does as a service of Windows, with the service manager of Wine. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { definition } from '../../src/commands/service/definition.js';
import { failureActions } from '../../src/commands/service/failure-actions.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';
import type { Wine } from './wine.js';

export type Machine = { readonly wine: Wine; readonly exe: string; readonly hold: string };

/** @param given called when the tests run: the machine is made before them */
export function describeService(isSkipped: boolean, given: () => Machine): void {
  describe.skipIf(isSkipped)('the Windows service', () => {
    let data: string;
    let program: string;
    let port: number;
    let letGo: string;
    let native: NodeJS.ProcessEnv = {};

    const service = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
      const { wine } = given();
      const run = wine.start(program, ['service', ...args], native);
      const code = await run.ended;
      return { code, text: run.output().replaceAll('\r\n', '\n') };
    };
    const configure = (text: string): Promise<void> => writeFile(path.join(data, 'config.yml'), text);
    const right = (): string =>
      [
        `web: { listenAddresses: ['127.0.0.1:${port}'] }`,
        'probe: { enabled: false }',
        "state: { directory: 'C:\\ProgramData\\send-connector-exporter\\state' }",
        "sources: [{ type: file, paths: ['C:\\exported'] }]",
      ].join('\n');
    const counted = async (): Promise<number> => {
      const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return Number(/^exchange_send_connector_connection_errors_total\{.*\} (\d+)$/m.exec(page)?.[1] ?? NaN);
    };

    beforeAll(async () => {
      const { wine, exe, hold } = given();
      const drive = path.join(wine.folder, 'prefix/drive_c');
      const folder = path.join(drive, 'Program Files/send-connector-exporter');
      data = path.join(drive, 'ProgramData/send-connector-exporter');
      await mkdir(folder, { recursive: true });
      await mkdir(path.join(drive, 'exported'));
      await cp(exe, path.join(folder, path.basename(exe)));
      program = `C:\\Program Files\\send-connector-exporter\\${path.basename(exe)}`;
      port = await freePort();
      const lines = Array.from({ length: 12 }, (_, index) => winlogbeatLine({ recordId: index + 1 }));
      await writeFile(path.join(drive, 'exported/a.ndjson'), lines.join(''));
      // The services of Wine end when no program of a person is left.
      const session = path.join(wine.folder, 'session');
      await writeFile(session, '');
      wine.start(hold, [wine.seen(session), 'rwd']);
      letGo = `${session}.let-go`;
    });
    afterAll(async () => {
      if (!isSkipped) await writeFile(letGo, '');
    });

    test('is made with all that Windows takes, writes the configuration once, and says what was not done', async () => {
      expect(await service('status')).toMatchObject({
        code: 3,
        text: expect.stringContaining('service install') as string,
      });
      const flags = ['--listen-port=9999', '--remote-addresses=10.1.2.3', '--no-start'];
      const installed = await service('install', ...flags);
      expect(installed).toMatchObject({ code: 0 });
      expect(installed.text).toMatch(
        /^ok +service +SendConnectorExporter made, as NT SERVICE\\SendConnectorExporter$/m,
      );
      // Wine has neither: nothing of it may pass for done.
      for (const check of ['port reservation', 'firewall', 'rights', 'event log readers'])
        expect(installed.text).toMatch(new RegExp(`^(warning|-) +${check}`, 'm'));
      const written = readFileSync(path.join(data, 'config.yml'), 'utf8');
      expect(written).toContain("listenAddresses: [':9999']\r\nstate:\r\n  directory: 'C:\\ProgramData\\");
      await configure(`${right()}\n# mine\n`);
      const again = await service('install', '--listen-port=9998', '--no-start');
      expect(again.text).toMatch(/config\.yml: kept as it is, for port \d+\n.*brought up to date/);
      expect(readFileSync(path.join(data, 'config.yml'), 'utf8')).toContain('# mine');
    }, 60_000);

    test('is started again 10 s, one minute and five minutes after a failure, as Windows reads it', async () => {
      // The service manager of Wine takes it and keeps nothing, so a program with the headers of Windows reads the bytes.
      const { wine } = given();
      const reader = path.join(wine.folder, 'failure-actions.exe');
      const bytes = path.join(wine.folder, 'failure-actions.bin');
      compile(reader, 'failure-actions.c', '-municode');
      await writeFile(
        bytes,
        failureActions(definition, () => 0x2000_0000n),
      );
      const run = wine.start(wine.seen(reader), [wine.seen(bytes)]);
      expect(await run.ended).toBe(0);
      expect(run.output().replaceAll('\r', '').trim().split('\n')).toEqual([
        'forgotten after 86400 s',
        'message none, command none',
        ...['restart after 10000 ms', 'restart after 60000 ms', 'restart after 300000 ms'],
      ]);
    }, 60_000);

    test('answers, and saves when it is stopped, with exit code 0', async () => {
      const started = await service('start');
      expect(started).toMatchObject({
        code: 0,
        text: expect.stringMatching(/^state +running\nprocess +\d+\n/) as string,
      });
      await vi.waitFor(
        async () => {
          expect(await counted()).toBe(12);
        },
        { timeout: 30_000, interval: 200 },
      );
      expect(await service('stop')).toMatchObject({
        code: 0,
        text: expect.stringContaining('exit code 0: a clean stop') as string,
      });
      const log = readFileSync(path.join(data, 'logs/send-connector-exporter.log'), 'utf8');
      expect(log).toMatch(/msg=stopping signal=stop\n.*msg=stopped\n.*exitCode=0\n$/);
      expect(JSON.parse(readFileSync(path.join(data, 'state/ledger.json'), 'utf8'))).toMatchObject({
        version: expect.any(Number) as number,
      });
    }, 60_000);

    test('says in its log and its status why it does not start', async () => {
      const taken = createServer();
      await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
      onTestFinished(() => void taken.close());
      const refused = await service('start');
      expect(refused.code).toBe(1);
      expect(refused.text).toMatch(
        /^state +stopped\nexit code +1: .*\nlast error .*another program listens there already/,
      );
      await configure('web: { listenAdresses: [] }\n');
      const wrong = await service('start');
      expect(wrong.code).toBe(1);
      expect(wrong.text).toMatch(
        /^state +stopped\nexit code +2: its configuration is wrong\nlast error .*did you mean listenAddresses/,
      );
      await configure(right());
    }, 60_000);

    test('stays disabled when it is brought up to date, and says how it would start', async () => {
      const { wine } = given();
      const tool = compile(path.join(wine.folder, 'start-type.exe'), 'start-type.c', '-ladvapi32');
      const set = async (type: string): Promise<void> => {
        expect(await wine.start(wine.seen(tool), ['SendConnectorExporter', type]).ended).toBe(0);
      };
      await service('stop');
      await set('4');
      const again = await service('install');
      expect(again.text).toMatch(/^warning +start +left as it was set: disabled$/m);
      expect(again).toMatchObject({
        code: 1,
        text: expect.stringContaining('1058: it is disabled; to have it') as string,
      });
      expect((await service('status')).text).toMatch(/^start +disabled/m);
      await set('2');
    }, 60_000);

    test('reserves the ports of its configuration, and gives back what it no longer needs and nothing else', async () => {
      const { wine } = given();
      const drive = path.join(wine.folder, 'prefix/drive_c');
      const netsh = path.join(drive, 'windows/system32/netsh.exe');
      await rm(netsh);
      compile(netsh, 'fake-netsh.c');
      // Not that of Wine.
      native = { WINEDLLOVERRIDES: 'netsh.exe=n;winedbg.exe=d;mscoree=d;mshtml=d' };
      const reserved = async (): Promise<string[]> => (await readdir(path.join(drive, 'netsh'))).sort();
      await mkdir(path.join(drive, 'netsh'));
      // An administrator's own.
      await writeFile(path.join(drive, 'netsh/port-9101'), '');
      const of = (...ports: number[]): Promise<void> =>
        configure(`web: { listenAddresses: [${ports.map((each) => `'127.0.0.1:${each}'`).join(', ')}] }\n`);
      await of(9101, 9102, 9103);
      const first = await service('install', '--no-start', '--remote-addresses=10.1.2.3');
      expect(first.text).toMatch(/^ok +firewall .*reach port 9101, 9102, 9103$/m);
      expect(await reserved()).toEqual(['port-9101', 'port-9102', 'port-9103', 'rule']);
      await of(9102);
      const second = await service('install', '--no-start');
      expect(second.text).toMatch(/^ok +port reservation +port 9103 is no longer reserved$/m);
      await configure('web: [\n');
      // What the configuration cannot say now is not given back.
      await service('install', '--no-start');
      expect(await reserved()).toEqual(['port-10202', 'port-9101', 'port-9102', 'rule']);
      await service('uninstall');
      expect(await reserved()).toEqual(['port-9101']);
      await configure(right());
      expect((await service('install', '--no-start')).code).toBe(0);
    }, 120_000);

    test.each([
      ['that is a drive', ['--state.directory=C:\\'], 'expected a folder of its own'],
      ['beside the configuration', ['--state.directory=C:\\apart'], 'expected a folder of its own'],
      ['whose configuration cannot be written', [`--config.file=C:\\apart\\${'x'.repeat(300)}`], 'cannot be written'],
    ])(
      'refuses a place %s, and says so in install.log',
      async (_what, flags, why) => {
        const { code, text } = await service('install', '--no-start', '--config.file=C:\\apart\\c.yml', ...flags);
        expect(code, text).toBe(1);
        expect(text).toContain(why);
        expect(readFileSync(path.join(data, 'logs/install.log'), 'utf8')).toMatch(new RegExp(`FAILED .*${why}`));
      },
      60_000,
    );

    test('goes without its data', async () => {
      expect((await service('start')).code).toBe(0);
      // An installer stops it before, and does not always wait: whoever comes second must not be refused.
      const [stopped, gone] = await Promise.all([service('stop'), service('uninstall')]);
      expect([0, 3], stopped.text).toContain(stopped.code);
      expect(gone, gone.text).toMatchObject({ code: 0 });
      expect(gone.text).toMatch(
        /SendConnectorExporter removed\n(?:.*\n)?.*are kept in C:\\ProgramData\\send-connector-exporter/,
      );
      expect((await service('status')).code).toBe(3);
      expect((await readdir(data)).sort()).toEqual(['config.yml', 'logs', 'state']);
      expect(existsSync(path.join(data, 'state/ledger.json'))).toBe(true);
    }, 60_000);
  });
}

function compile(output: string, source: string, ...more: string[]): string {
  const from = path.join(import.meta.dirname, source);
  execFileSync('x86_64-w64-mingw32-gcc', ['-O1', '-Wall', '-Werror', '-o', output, from, ...more]);
  return output;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

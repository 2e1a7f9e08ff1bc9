import { describe, expect, test } from 'vitest';
import type { PathHop } from '../../../src/model/probes.js';
import { findPath } from '../../../src/probes/network/path.js';
import {
  pathPrograms,
  readMtr,
  readPathping,
  readTracepath,
  readTraceroute,
} from '../../../src/probes/network/path-programs.js';
import { runProgram, type ProgramRun } from '../../../src/probes/network/run-program.js';
import { exporterFinds } from '../../support/programs.js';

const signal = new AbortController().signal;

/** `2 10.0.0.1 33% 12ms`, `3 ? 100%` */
function short(hops: readonly PathHop[]): readonly string[] {
  return hops.map(({ hop, address, lossRatio, rttSeconds }) =>
    [
      hop,
      address ?? '?',
      lossRatio === undefined ? '-' : `${Math.round(lossRatio * 100)}%`,
      ...(rttSeconds === undefined ? [] : [`${Math.round(rttSeconds * 1000)}ms`]),
    ].join(' '),
  );
}

describe('what the programs print', () => {
  const table: readonly [string, (output: string) => readonly PathHop[], string, readonly string[]][] = [
    [
      'mtr',
      readMtr,
      [
        'Mtr_Version,Start_Time,Status,Host,Hop,Ip,Loss%,Snt, ,Last,Avg,Best,Wrst,StDev,',
        'MTR.0.95,1795611243,OK,10.0.2.9,1,10.0.0.1,0.00,5,0,0.05,2.06,0.05,0.08,0.02',
        'MTR.0.95,1795611243,OK,10.0.2.9,2,???,100.00,5,0,0.00,0.00,0.00,0.00,0.00',
        'MTR.0.95,1795611243,OK,10.0.2.9,3,10.0.2.9,20.00,5,0,12.05,12.06,12.05,12.08,0.02',
      ].join('\n'),
      ['1 10.0.0.1 0% 2ms', '2 ? 100%', '3 10.0.2.9 20% 12ms'],
    ],
    ['mtr of another version', readMtr, 'Host,Hop,Ip,Snt,Loss%,Avg\nx,1,10.0.0.1,5,0.0,2.0\n', ['1 10.0.0.1 0% 2ms']],
    ['mtr that may not', readMtr, '', []],
    [
      'tracepath',
      readTracepath,
      [
        ' 1?: [LOCALHOST]                      pmtu 1500',
        ' 1:  no reply',
        ' 1:  10.0.0.1                                              2.077ms ',
        ' 2:  no reply',
        ' 3:  10.0.2.9                                             12.036ms reached',
        '     Resume: pmtu 1500 hops 3 back 3 ',
      ].join('\n'),
      ['1 10.0.0.1 0% 2ms', '2 ? 100%', '3 10.0.2.9 0% 12ms'],
    ],
    [
      'traceroute',
      readTraceroute,
      [
        'traceroute to 10.0.2.9 (10.0.2.9), 20 hops max, 60 byte packets',
        ' 1  10.0.0.1  2.1 ms  1.9 ms  2.0 ms',
        ' 2  * * *',
        ' 3  10.0.2.1  11.0 ms !H *  13.0 ms !H',
        ' 4  2001:db8::9  1.0 ms 10.0.2.9  3.0 ms  2.0 ms',
      ].join('\n'),
      ['1 10.0.0.1 0% 2ms', '2 ? 100%', '3 10.0.2.1 33% 12ms', '4 2001:db8::9 0% 2ms'],
    ],
    [
      'tracert in German',
      readTraceroute,
      [
        '',
        'Routenverfolgung zu 10.0.2.9 über maximal 20 Hops',
        '',
        '  1    <1 ms    <1 ms    <1 ms  10.0.0.1 ',
        '  2     *        *        *     Zeitüberschreitung der Anforderung.',
        '  3    12 ms     *       12 ms  10.0.2.9 ',
        '',
        'Ablaufverfolgung beendet.',
      ].join('\r\n'),
      ['1 10.0.0.1 0% 1ms', '2 ? 100%', '3 10.0.2.9 33% 12ms'],
    ],
    [
      'tracert in Russian, in bytes',
      readTraceroute,
      Buffer.from(
        '  1     3 мс     3 мс     3 мс  10.0.0.1 \r\n  2  10.0.0.1  сообщает: Заданный узел недоступен.\r\n',
      ).toString('latin1'),
      ['1 10.0.0.1 0% 3ms', '2 10.0.0.1 -'],
    ],
    [
      'pathping in English',
      readPathping,
      [
        'Tracing route to 10.0.2.9 over a maximum of 20 hops',
        '',
        '  0  10.0.0.5 ',
        '  1  10.0.0.1 ',
        '  2  10.0.2.9 ',
        '',
        'Computing statistics for 2 seconds...',
        '            Source to Here   This Node/Link',
        'Hop  RTT    Lost/Sent = Pct  Lost/Sent = Pct  Address',
        '  0                                           10.0.0.5 ',
        '                                0/  10 =  0%   |',
        '  1    2ms     0/  10 =  0%     0/  10 =  0%  10.0.0.1 ',
        '                                1/  10 = 10%   |',
        '  2  ---      10/  10 =100%     9/  10 = 90%  10.0.2.9 ',
      ].join('\r\n'),
      ['1 10.0.0.1 0% 2ms', '2 10.0.2.9 100%'],
    ],
    [
      'pathping in Russian, in bytes',
      readPathping,
      Buffer.from('  1    2мс     3/  10 = 30%     0/  10 =  0%  10.0.0.1 \r\n').toString('latin1'),
      ['1 10.0.0.1 30% 2ms'],
    ],
    ['pathping, ended early', readPathping, '  0  10.0.0.5 \r\n  1  10.0.0.1 \r\n', ['1 10.0.0.1 -']],
  ];
  test.each(table)('%s', (_name, read, output, expected) => {
    expect(short(read(output))).toEqual(expected);
  });
});

describe('a path', () => {
  const all = (name: string): Promise<string> => Promise.resolve(`/bin/${name}`);
  const failing: ProgramRun = { code: 1, output: '', errors: 'mtr: Failure to open IPv4 sockets: Permission denied' };

  test('is asked of the next program when one may not', async () => {
    const ran: string[] = [];
    const run = (file: string): Promise<ProgramRun> => {
      ran.push(file);
      const isMtr = file.endsWith('mtr');
      return Promise.resolve(isMtr ? failing : { code: 0, output: ' 1:  10.0.2.9  0.1ms reached\n', errors: '' });
    };
    const report = await findPath('10.0.2.9', { signal, platform: 'linux', find: all, run });
    expect(report).toMatchObject({ program: 'tracepath', state: 'done', reached: true });
    expect(ran).toEqual(['/bin/mtr', '/bin/tracepath']);
  });

  test('says what is missing', async () => {
    const nobody = () => Promise.resolve(undefined);
    expect(await findPath('10.0.2.9', { signal, platform: 'linux', find: nobody })).toMatchObject({
      state: 'no_program',
      detail: 'none of mtr, tracepath, traceroute on this machine',
    });
    expect(await findPath('10.0.2.9', { signal, platform: 'win32', find: nobody })).toMatchObject({
      detail: 'none of pathping, tracert on this machine',
    });
    const run = () => Promise.resolve(failing);
    expect(await findPath('10.0.2.9', { signal, platform: 'linux', find: all, run })).toMatchObject({
      state: 'not_permitted',
      program: 'traceroute',
    });
    expect(await findPath('$(reboot)', { signal, find: all, run })).toMatchObject({ state: 'failed', program: '' });
  });

  test('is not reached when the last answer came from somebody else', async () => {
    const run = () => Promise.resolve({ code: undefined, output: ' 1:  10.0.0.1  0.1ms\n 2:  no reply\n', errors: '' });
    const report = await findPath('10.0.2.9', { signal, platform: 'linux', find: all, run });
    expect(report).toMatchObject({ state: 'done', reached: false, hops: [{ hop: 1 }, { hop: 2, lossRatio: 1 }] });
  });

  const present = pathPrograms.filter(({ name, windows }) => !windows && exporterFinds(name)).map(({ name }) => name);
  test.each(present)('to loopback by the %s of this system', async (name) => {
    const find = async (wanted: string): Promise<string | undefined> => {
      const { findProgram } = await import('../../../src/probes/network/run-program.js');
      return wanted === name ? findProgram(name) : undefined;
    };
    const report = await findPath('127.0.0.1', { signal, platform: 'linux', find });
    expect(report).toMatchObject({ program: name, state: 'done', reached: true });
    expect(short(report.hops).map((line) => line.replace(/ \d+ms$/, ''))).toEqual(['1 127.0.0.1 0%']);
  });
});

describe('a program', () => {
  const node = process.execPath;

  test('is ended when its time is up, and keeps what it said', async () => {
    const run = await runProgram(node, ['-e', 'console.log("one"); setInterval(() => 0, 1000)'], {
      limitMs: 1500,
      signal,
    });
    expect(run).toEqual({ code: undefined, output: 'one\n', errors: '' });
  });

  test('is bounded in what is kept of it', async () => {
    const words = ['-e', 'for (let i = 0; i < 4000; i += 1) process.stdout.write("x".repeat(1000))'];
    const run = await runProgram(node, words, { limitMs: 60_000, signal });
    expect(run.output).toHaveLength(64 * 1024);
  });

  test('that cannot be started says why', async () => {
    const run = await runProgram('/nowhere/ping', [], { limitMs: 1000, signal });
    expect(run.code).toBe(-1);
    expect(run.errors).toContain('ENOENT');
  });
});

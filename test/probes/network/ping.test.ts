import { describe, expect, test } from 'vitest';
import { ping, readUnixPing, readWindowsPing } from '../../../src/probes/network/ping.js';
import type { ProgramRun } from '../../../src/probes/network/run-program.js';
import { hasIpv6 } from '../../support/dns-server.js';
import { exporterFinds } from '../../support/programs.js';

const signal = new AbortController().signal;
const ipv6 = await hasIpv6();

/** As Windows writes it: in the code page of the machine, read here byte by byte. */
function codePage(text: string): string {
  return Buffer.from(text.replaceAll('\n', '\r\n'), 'utf8').toString('latin1');
}

describe('ping of Linux and its kin', () => {
  const round = { min: 0.011, average: 0.012, max: 0.014 };
  const table: readonly [string, string, object | undefined][] = [
    [
      'iputils',
      '5 packets transmitted, 4 received, 20% packet loss, time 2004ms\nrtt min/avg/max/mdev = 11.0/12.0/14.0/0.5 ms\n',
      { sent: 5, received: 4, rttSeconds: round },
    ],
    [
      'iputils in German',
      '5 Pakete übertragen, 4 empfangen, 20% packet loss, time 2004ms\nrtt min/avg/max/mdev = 11,0/12,0/14,0/0,5 ms\n',
      { sent: 5, received: 4, rttSeconds: round },
    ],
    [
      'iputils in French',
      '5 paquets transmis, 4 reçus, 20% packet loss, time 2004ms\nrtt min/avg/max/mdev = 11,0/12,0/14,0/0,5 ms\n',
      { sent: 5, received: 4, rttSeconds: round },
    ],
    [
      'iputils in Japanese',
      '送信パケット数 5, 受信パケット数 4, 20% packet loss, time 2004ms\nrtt 最小/平均/最大/mdev = 11.0/12.0/14.0/0.5 ms\n',
      { sent: 5, received: 4, rttSeconds: round },
    ],
    [
      'iputils in Turkish',
      '5 paket gönderildi, 4 alındı, %20 paket kaybı, zaman 2004ms\nrtt min/avg/max/mdev = 11,0/12,0/14,0/0,5 ms\n',
      { sent: 5, received: 4, rttSeconds: round },
    ],
    [
      'BusyBox',
      '5 packets transmitted, 4 packets received, 20% packet loss\nround-trip min/avg/max = 11.0/12.0/14.0 ms\n',
      { sent: 5, received: 4, rttSeconds: round },
    ],
    [
      'BSD and macOS',
      '5 packets transmitted, 4 packets received, 20.0% packet loss\nround-trip min/avg/max/stddev = 11.0/12.0/14.0/0.5 ms\n',
      { sent: 5, received: 4, rttSeconds: round },
    ],
    [
      'nothing came back',
      '5 packets transmitted, 0 received, 100% packet loss, time 4090ms\n',
      { sent: 5, received: 0 },
    ],
    [
      'a router has no way',
      [
        'PING 10.77.9.9 (10.77.9.9) 56(84) bytes of data.',
        'From 10.77.0.1 icmp_seq=1 Destination Host Unreachable',
        '5 packets transmitted, 0 received, +1 errors, 100% packet loss, time 2040ms',
        'pipe 3',
      ].join('\n'),
      { sent: 5, received: 0, detail: '10.77.0.1 answered in place of the destination: it has no way there' },
    ],
    ['a part of the output', 'PING 10.77.9.9 (10.77.9.9) 56(84) bytes of data.\n', undefined],
    ['nothing', '', undefined],
    ['something else', '100% of 3 wishes in 2 days, 7 times\n', undefined],
  ];
  test.each(table)('%s', (_name, output, expected) => {
    expect(readUnixPing(output, '10.77.9.9')).toEqual(expected);
  });
});

describe('ping of Windows', () => {
  const statistics = (lost: number, words: readonly [string, string, string, string]): string =>
    `    ${words[0]}: ${words[1]} = 5, ${words[2]} = ${5 - lost}, ${words[3]} = ${lost}\n    (${lost * 20}% loss),\n`;
  const german = ['Pakete', 'Gesendet', 'Empfangen', 'Verloren'] as const;
  const answers = (line: string, count: number): string => `${line}\n`.repeat(count);
  const table: readonly [string, string, string, object | undefined][] = [
    [
      'English',
      '10.0.0.9',
      `\nPinging 10.0.0.9 with 32 bytes of data:\n${answers('Reply from 10.0.0.9: bytes=32 time=12ms TTL=57', 4)}Request timed out.\n\nPing statistics for 10.0.0.9:\n${statistics(1, ['Packets', 'Sent', 'Received', 'Lost'])}Approximate round trip times in milli-seconds:\n    Minimum = 12ms, Maximum = 12ms, Average = 12ms\n`,
      { sent: 5, received: 4, rttSeconds: { min: 0.012, average: 0.012, max: 0.012 } },
    ],
    [
      'German',
      '10.0.0.9',
      `Ping wird ausgeführt für 10.0.0.9 mit 32 Bytes Daten:\n${answers('Antwort von 10.0.0.9: Bytes=32 Zeit<1ms TTL=128', 5)}Ping-Statistik für 10.0.0.9:\n${statistics(0, german)}Ca. Zeitangaben in Millisek.:\n    Minimum = 0ms, Maximum = 0ms, Mittelwert = 0ms\n`,
      { sent: 5, received: 5, rttSeconds: { min: 0.001, average: 0.001, max: 0.001 } },
    ],
    [
      'French',
      '10.0.0.9',
      `Envoi d’une requête 'Ping'  10.0.0.9 avec 32 octets de données :\n${answers('Réponse de 10.0.0.9 : octets=32 temps=20 ms TTL=57', 2)}${answers('Délai d’attente de la demande dépassé.', 3)}Statistiques Ping pour 10.0.0.9:\n${statistics(3, ['Paquets ', 'envoyés', 'reçus', 'perdus'])}    Minimum = 20ms, Maximum = 20ms, Moyenne = 20ms\n`,
      { sent: 5, received: 2, rttSeconds: { min: 0.02, average: 0.02, max: 0.02 } },
    ],
    [
      'Japanese',
      '10.0.0.9',
      `10.0.0.9 に ping を送信しています 32 バイトのデータ:\n${answers('10.0.0.9 からの応答: バイト数 =32 時間 =7ms TTL=64', 5)}10.0.0.9 の ping 統計:\n    パケット数: 送信 = 5、受信 = 5、損失 = 0 (0% の損失)、\n    最小 = 7ms、最大 = 7ms、平均 = 7ms\n`,
      { sent: 5, received: 5, rttSeconds: { min: 0.007, average: 0.007, max: 0.007 } },
    ],
    [
      'Russian',
      '10.0.0.9',
      `Обмен пакетами с 10.0.0.9 по с 32 байтами данных:\n${answers('Ответ от 10.0.0.9: число байт=32 время=3мс TTL=64', 5)}Статистика Ping для 10.0.0.9:\n    Пакетов: отправлено = 5, получено = 5, потеряно = 0\n    (0% потерь)\n`,
      { sent: 5, received: 5, rttSeconds: { min: 0.003, average: 0.003, max: 0.003 } },
    ],
    [
      'a router says unreachable, which Windows counts as received',
      '10.0.0.9',
      `Ping wird ausgeführt für 10.0.0.9 mit 32 Bytes Daten:\n${answers('Antwort von 10.0.0.254: Zielhost nicht erreichbar.', 5)}Ping-Statistik für 10.0.0.9:\n${statistics(0, german)}`,
      { sent: 5, received: 0, detail: '10.0.0.254 answered in place of the destination: it has no way there' },
    ],
    [
      'IPv6',
      '2001:db8::9',
      `Pinging 2001:db8::9 with 32 bytes of data:\n${answers('Reply from 2001:db8::9: time=4ms', 5)}Ping statistics for 2001:db8::9:\n${statistics(0, german)}`,
      { sent: 5, received: 5, rttSeconds: { min: 0.004, average: 0.004, max: 0.004 } },
    ],
    ['no summary', '10.0.0.9', 'Reply from 10.0.0.9: bytes=32 time=12ms TTL=57\n', undefined],
  ];
  test.each(table)('%s', (_name, address, output, expected) => {
    expect(readWindowsPing(codePage(output), address, 0)).toEqual(expected);
  });
});

describe('a ping', () => {
  const found = { find: () => Promise.resolve('/usr/bin/ping') };
  const gives = (run: Partial<ProgramRun>) => () => Promise.resolve({ code: 2, output: '', errors: '', ...run });

  test('hands over the address as one word, and nothing that is not an address', async () => {
    const words: (readonly string[])[] = [];
    const run = (_file: string, given: readonly string[]): Promise<ProgramRun> => {
      words.push(given);
      return Promise.resolve({ code: 0, output: '', errors: '' });
    };
    await ping('::ffff:127.0.0.1', { signal, run, platform: 'linux', ...found });
    await ping('10.0.0.9', { signal, run, platform: 'win32', ...found });
    expect(await ping('-f 127.0.0.1; reboot', { signal, run, ...found })).toMatchObject({ state: 'failed' });
    expect(words).toEqual([
      ['-n', '-c', '5', '-i', '0.5', '-W', '2', '127.0.0.1'],
      ['-n', '5', '-w', '2000', '10.0.0.9'],
    ]);
  });

  test('says what kept it from measuring', async () => {
    const states = await Promise.all([
      ping('127.0.0.1', { signal, find: () => Promise.resolve(undefined) }),
      ping('127.0.0.1', { signal, ...found, run: gives({ errors: 'ping: socket: Operation not permitted\n' }) }),
      ping('127.0.0.1', { signal, ...found, run: gives({ errors: 'ping: connect: Network is unreachable\n' }) }),
      ping('127.0.0.1', { signal, ...found, run: gives({ code: undefined }) }),
    ]);
    expect(states.map(({ state, detail }) => `${state}: ${detail ?? ''}`)).toEqual([
      'no_program: no program ping on this machine',
      'not_permitted: ping: socket: Operation not permitted',
      'failed: ping: connect: Network is unreachable',
      'failed: ended by us',
    ]);
  });

  test.skipIf(!exporterFinds('ping'))('measures loopback with the ping of this system', async () => {
    expect(await ping('127.0.0.1', { signal })).toMatchObject({ program: 'ping', state: 'done', sent: 5, received: 5 });
    if (!ipv6) return;
    const six = await ping('::1', { signal });
    expect(six).toMatchObject({ state: 'done', sent: 5, received: 5 });
    expect(six.rttSeconds?.average).toBeGreaterThan(0);
  });

  test.skipIf(!exporterFinds('ping'))('is ended when the exporter stops', async () => {
    const controller = new AbortController();
    const onText = (): void => {
      controller.abort();
    };
    const report = ping('127.0.0.1', { signal: controller.signal, onText });
    expect(await report).toMatchObject({ state: 'failed', sent: 0 });
  });
});

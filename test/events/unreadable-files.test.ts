/** Files that cannot be read, or not to their end, are said with what they are and what to do. */
import { appendFile, open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test, vi } from 'vitest';
import { followFiles } from '../../src/events/sources/files/files.js';
import type { Followed } from '../../src/events/sources/source.js';
import { recogniseHead } from '../../src/events/sources/files/recognise.js';
import { temporaryFolder } from '../support/folder.js';
import { fixtureText } from './records.js';
import { silentLog } from '../support/log-double.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

type Watched = { readonly followed: Followed; readonly counted: number[]; readonly said: string[] };

function follow(file: string): Watched {
  const counted: number[] = [];
  const said: string[] = [];
  const followed = followFiles({
    sources: [{ name: file, paths: [file], server: 'exch01' }],
    checkpoints: () => [],
    post: (batch) => {
      for (const each of batch.evidence) if (each.kind === 'connection_error') counted.push(each.key.recordId ?? -1);
      return Promise.resolve();
    },
    knownConnectors: () => [],
    sessions: () => [],
    connectorOfGuid: () => undefined,
    log: { ...silentLog, warn: (_, fields) => void said.push(JSON.stringify(fields?.problem ?? '')) },
    now: Date.now,
  });
  onTestFinished(() => followed.stop());
  return { followed, counted, said };
}

async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 15_000, interval: 20 });
}

function line(recordId: number): string {
  return winlogbeatLine({ recordId });
}

function utf32(text: string, little: boolean, mark: boolean): Buffer {
  const units = Array.from(mark ? `\uFEFF${text}` : text, (each) => each.codePointAt(0) ?? 0);
  const bytes = Buffer.alloc(units.length * 4);
  units.forEach((unit, at) => (little ? bytes.writeUInt32LE(unit, at * 4) : bytes.writeUInt32BE(unit, at * 4)));
  return bytes;
}

const zip = Buffer.concat([Buffer.from('PK\x03\x04\x14\0\0\0\x08\0', 'latin1'), deflateRawSync(line(1))]);
const ebcdicXml = Buffer.from('4c6fa7949340a58599a28996957e7ff14bf07f6f6e15', 'hex');

const foreign: readonly (readonly [name: string, content: Buffer, word: RegExp])[] = [
  ['UTF-32 with a mark', utf32(line(1), true, true), /UTF-32.*write it in UTF-8/],
  ['UTF-32 big-endian with a mark', utf32(line(1), false, true), /UTF-32.*write it in UTF-8/],
  ['UTF-32 without a mark', utf32(line(1), true, false), /UTF-32.*write it in UTF-8/],
  ['UTF-32 big-endian without a mark', utf32(line(1), false, false), /UTF-32.*write it in UTF-8/],
  ['UTF-7', Buffer.from(`+/v8-${line(1)}`), /UTF-7.*write it in UTF-8/],
  ['EBCDIC', ebcdicXml, /EBCDIC.*convert it/],
  ['gzip', gzipSync(line(1)), /gzip.*unpack it/],
  ['zip', zip, /zip.*unpack it/],
  ['zstd', Buffer.from('28b52ffd2400', 'hex'), /zstd.*unpack it/],
  ['xz', Buffer.from('fd377a585a000004', 'hex'), /xz.*unpack it/],
  ['bzip2', Buffer.from('BZh91AY&SY'), /bzip2.*unpack it/],
  ['7-Zip', Buffer.from('377abcaf271c0004', 'hex'), /7-Zip.*unpack it/],
  ['PGP', Buffer.from('-----BEGIN PGP MESSAGE-----'), /encrypted \(PGP\).*decrypt it/],
  ['OpenSSL', Buffer.from('Salted__12345678'), /encrypted \(OpenSSL\).*decrypt it/],
  ['an .evt of Windows XP', Buffer.from('300000004c664c6501000000', 'hex'), /before Vista.*export it as \.evtx/],
  ['NUL bytes alone', Buffer.alloc(3000), /NUL bytes.*crash/],
  [
    'lines with CR alone',
    Buffer.from(fixtureText('nxlog-syslog-prefixed.log').replaceAll('\n', '\r')),
    /carriage return alone.*LF/,
  ],
  ['unknown lines with CR alone', Buffer.from('one\rtwo\rthree\r'), /carriage return alone.*LF/],
];

test.each(foreign)('a file of %s is said with its remedy: status, health and log', async (_, content, word) => {
  const file = path.join(await temporaryFolder(), 'events.log');
  await writeFile(file, content);
  const { followed, said } = follow(file);
  await until(() => {
    expect(followed.statuses()[0]).toMatchObject({ up: false, detail: expect.stringMatching(word) as string });
    expect(said.filter((each) => word.test(each))).toHaveLength(1);
  });
});

test('what begins like text in UTF-16 or UTF-8 is not taken for anything else', () => {
  for (const content of [
    Buffer.from(`\uFEFF${line(1)}`, 'utf16le'),
    Buffer.from(line(1), 'utf16le'),
    Buffer.from(line(1)),
  ])
    expect(recogniseHead(content, 'x')).toMatchObject({ problem: undefined, format: { name: 'winlogbeat' } });
});

test('a file with CR alone is read as soon as its lines end with LF', async () => {
  const file = path.join(await temporaryFolder(), 'events.log');
  await writeFile(file, (line(1) + line(2)).replaceAll('\n', '\r'));
  const { followed, counted } = follow(file);
  await until(() => {
    expect(followed.statuses()[0]?.up).toBe(false);
  });
  await writeFile(file, line(1) + line(2));
  await until(() => {
    expect(counted).toEqual([1, 2]);
    expect(followed.statuses()[0]).toMatchObject({ up: true, detail: 'reading 1 file' });
  });
});

test.each([
  ['behind a whole line', ''],
  ['behind half a line', line(9).slice(0, 300)],
])('NUL bytes that a crash left %s are said, and cost nothing that is written behind them', async (_, half) => {
  for (const nuls of [4096, 3 * 1024 * 1024]) {
    const file = path.join(await temporaryFolder(), 'events.log');
    await writeFile(file, Buffer.concat([Buffer.from(line(1) + half), Buffer.alloc(nuls)]));
    const { followed, counted } = follow(file);
    await until(() => {
      expect(followed.statuses()[0]?.detail).toMatch(nuls > 4096 ? /more than 1 MiB/ : /NUL bytes/);
    });
    await appendFile(file, line(2) + line(3));
    await until(() => {
      expect(counted).toEqual([1, 2, 3]);
      expect(followed.statuses()[0]).toMatchObject({ up: true, detail: 'reading 1 file' });
    });
  }
});

test('a file with 4 MiB without a line end is said, and read on behind its end', async () => {
  const file = path.join(await temporaryFolder(), 'events.log');
  await writeFile(file, line(1));
  const handle = await open(file, 'a');
  for (let n = 0; n < 5; n++) await handle.write('x'.repeat(1024 * 1024));
  await handle.close();
  const { followed, counted } = follow(file);
  await until(() => {
    expect(followed.statuses()[0]).toMatchObject({
      up: false,
      detail: expect.stringMatching(/more than 1 MiB.*line ends/) as string,
    });
  });
  await appendFile(file, `\n${line(2)}`);
  await until(() => {
    expect(counted).toEqual([1, 2]);
    expect(followed.statuses()[0]).toMatchObject({ up: true, detail: 'reading 1 file' });
  });
});

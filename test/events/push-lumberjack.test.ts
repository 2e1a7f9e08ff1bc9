import * as fs from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import { deflateSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { configSchema } from '../../src/config/schema.js';
import { authorityOf, certificateOf, type Issuer } from '../support/certificate-maker.js';
import { temporaryFolder } from '../support/folder.js';
import { errorsOf, receive } from '../support/receiving.js';
import { header, linesOf, shipped } from '../support/shipped-logs.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';

const source = { type: 'lumberjack', listenAddress: '127.0.0.1:0' };

const u32 = (number: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
};
const window = (size: number): Buffer => Buffer.concat([Buffer.from('2W'), u32(size)]);
const record = (sequence: number, payload: string): Buffer =>
  Buffer.concat([Buffer.from('2J'), u32(sequence), u32(Buffer.byteLength(payload)), Buffer.from(payload)]);
const packed = (...frames: Buffer[]): Buffer => {
  const bytes = deflateSync(Buffer.concat(frames));
  return Buffer.concat([Buffer.from('2C'), u32(bytes.length), bytes]);
};
const hits = (count: number, from = 1, server?: string): Buffer[] =>
  Array.from({ length: count }, (_, n) =>
    record(n + 1, winlogbeatLine({ recordId: from + n, ...(server !== undefined && { server }) }).trim()),
  );

function raise(): never {
  throw new Error('expected a record');
}

type Talk = {
  readonly socket: Socket;
  /** Sequence numbers acknowledged so far, without keep-alives. */
  readonly acks: () => number[];
  readonly isOver: () => boolean;
};

function talk(socket: Socket): Talk {
  let got = Buffer.alloc(0);
  let over = false;
  socket.on('data', (chunk: Buffer) => (got = Buffer.concat([got, chunk])));
  socket.on('error', () => undefined).on('close', () => (over = true));
  onTestFinished(() => {
    socket.destroy();
  });
  const acks = (): number[] =>
    Array.from({ length: Math.floor(got.length / 6) }, (_, n) => got.readUInt32BE(n * 6 + 2)).filter((ack) => ack > 0);
  return { socket, acks, isOver: () => over };
}

const plainly = (port: number): Talk => talk(connect(port, '127.0.0.1'));

test('a window, compressed or not, is acknowledged with its last number once it is saved', async () => {
  const directory = await temporaryFolder();
  const { ledger, port } = await receive([source], { directory });
  const { socket, acks } = plainly(port());
  socket.write(Buffer.concat([window(3), ...hits(2), record(3, '{"message":"another"}')]));
  await vi.waitFor(() => {
    expect(acks()).toEqual([3]);
  });
  expect(await fs.readFile(join(directory, 'ledger.json'), 'utf8')).toContain('"errors":2');
  socket.write(Buffer.concat([window(4), packed(...hits(4)), window(2), packed(...hits(2, 5))]));
  await vi.waitFor(() => {
    expect(acks()).toEqual([3, 4, 2]);
  });
  expect(errorsOf(ledger)).toBe(6);
});

test('frames that come byte by byte are read', async () => {
  const { ledger, port } = await receive([source]);
  const { socket, acks } = plainly(port());
  socket.setNoDelay(true);
  for (const byte of Buffer.concat([window(1), packed(...hits(1))])) socket.write(Buffer.from([byte]));
  await vi.waitFor(() => {
    expect(acks()).toEqual([1]);
  });
  expect(errorsOf(ledger)).toBe(1);
});

test('while the ledger cannot be saved the sender is kept alive and not acknowledged', async () => {
  const failing = { now: true };
  const operations = {
    open: fs.open,
    rename: async (from: unknown, to: unknown) => {
      if (failing.now) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      await fs.rename(from as string, to as string);
    },
  };
  const { port } = await receive([source], { operations });
  const { socket, acks } = plainly(port());
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
  socket.write(Buffer.concat([window(1), ...hits(1)]));
  await vi.waitFor(
    () => {
      expect(bytes).toBeGreaterThanOrEqual(6);
    },
    { timeout: 10_000 },
  );
  expect(acks()).toEqual([]);
  failing.now = false;
  await vi.waitFor(
    () => {
      expect(acks()).toEqual([1]);
    },
    { timeout: 10_000 },
  );
}, 30_000);

test('a window of nothing is no end, sequence numbers may jump, and what is sent again counts once', async () => {
  const { ledger, port } = await receive([source]);
  const { socket, acks } = plainly(port());
  const [first, second] = hits(2).map((each) => each.subarray(6));
  const jumping = [
    Buffer.concat([Buffer.from('2J'), u32(7), first ?? raise()]),
    Buffer.concat([Buffer.from('2J'), u32(0xfffffff0), second ?? raise()]),
  ];
  socket.write(Buffer.concat([window(0), window(2), ...jumping]));
  await vi.waitFor(() => {
    expect(acks()).toEqual([0xfffffff0]);
  });
  // Its acknowledgement was lost: the sender comes again over another connection, with one record more.
  socket.destroy();
  const again = plainly(port());
  again.socket.write(Buffer.concat([window(3), packed(...hits(3))]));
  await vi.waitFor(() => {
    expect(again.acks()).toEqual([3]);
  });
  expect(errorsOf(ledger)).toBe(3);
});

test('a window that is long in coming holds nothing: what has come is entered, and not yet acknowledged', async () => {
  const { ledger, port } = await receive([source]);
  const { socket, acks } = plainly(port());
  socket.write(Buffer.concat([window(2_048), packed(...hits(1_500)), ...hits(3, 1_501)]));
  await vi.waitFor(
    () => {
      expect(errorsOf(ledger)).toBe(1_503);
    },
    { timeout: 10_000 },
  );
  expect(acks()).toEqual([]);
  socket.write(Buffer.concat([packed(...hits(545, 1_504))]));
  await vi.waitFor(() => {
    expect(acks()).toEqual([545]);
  });
  expect(errorsOf(ledger)).toBe(2_048);
});

test('frames cut in two at every byte are read', async () => {
  const { ledger, port } = await receive([source]);
  const bytes = Buffer.concat([window(2), record(1, '{"message":"another"}'), packed(...hits(1))]);
  const talks = Array.from({ length: bytes.length - 1 }, (_, at) => {
    const one = plainly(port());
    one.socket.setNoDelay(true).write(bytes.subarray(0, at + 1), () => {
      setImmediate(() => one.socket.write(bytes.subarray(at + 1)));
    });
    return one;
  });
  await vi.waitFor(
    () => {
      expect(talks.map(({ acks }) => acks())).toEqual(talks.map(() => [1]));
    },
    { timeout: 30_000 },
  );
  expect(errorsOf(ledger)).toBe(1);
}, 40_000);

describe('what is hostile is hung up on with a clear word, and others are served', () => {
  test.each([
    ['version 1', Buffer.from('1D\0\0\0\x01'), 'got version 1'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'output.logstash'],
    ['TLS where none is spoken', Buffer.from([0x16, 3, 1, 2, 0]), 'the sender speaks TLS'],
    ['an unknown frame', Buffer.from('2Z\0\0\0\0'), 'type W, J or C'],
    ['a record without a window', record(1, '{}'), 'a window before its records'],
    ['a window of too many', window(5_000), 'bulk_max_size'],
    ['a window of four billion', window(0xffffffff), 'bulk_max_size'],
    [
      'version 1 in the middle',
      Buffer.concat([window(2), ...hits(1, 500), Buffer.from('1D\0\0\0\x01')]),
      'got version 1',
    ],
    ['a record of 4 GiB', Buffer.concat([window(1), Buffer.from('2J'), u32(1), u32(0xffffffff)]), '4294967295'],
    ['a compressed frame of 4 GiB', Buffer.concat([window(1), Buffer.from('2C'), u32(0xffffffff)]), '4294967295'],
    ['a bomb', Buffer.concat([window(1), packed(Buffer.alloc(40 * 1024 * 1024))]), 'once it is unpacked'],
    ['garbage that is not compressed', Buffer.concat([window(1), Buffer.from('2C'), u32(4), u32(1)]), 'unpacked'],
    [
      'a frame within that lies',
      Buffer.concat([window(1), packed(Buffer.from('2J'), u32(1), u32(99))]),
      'whole records',
    ],
    ['a compressed frame within one', Buffer.concat([window(1), packed(packed(...hits(1)))]), 'whole records'],
    [
      '100,000 empty compressed frames',
      Buffer.concat([window(2_000), ...Array.from({ length: 100_000 }, () => packed())]),
      'more compressed frames than records',
    ],
  ])('%s', async (_what, bytes, word) => {
    const { ledger, port, logged } = await receive([source]);
    const bad = plainly(port());
    bad.socket.write(bytes);
    await vi.waitFor(
      () => {
        expect(bad.isOver()).toBe(true);
      },
      { timeout: 10_000 },
    );
    expect(logged()).toContain(word);
    const good = plainly(port());
    good.socket.write(Buffer.concat([window(1), ...hits(1)]));
    await vi.waitFor(() => {
      expect(good.acks()).toEqual([1]);
    });
    expect(errorsOf(ledger)).toBe(1);
  });
});

describe('over TLS', () => {
  async function secured(more: object = {}): Promise<{ settings: object; ca: string; ours: Issuer; theirs: Issuer }> {
    const folder = await temporaryFolder();
    const [ours, theirs] = [authorityOf('Ours'), authorityOf('Theirs')];
    const own = certificateOf({ subject: 'localhost', names: ['localhost'], issuer: ours, purpose: 'server' });
    const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), clientCa: join(folder, 'ca.pem') };
    await fs.writeFile(tls.cert, own.cert);
    await fs.writeFile(tls.key, own.key);
    await fs.writeFile(tls.clientCa, ours.pem);
    return { settings: { ...source, tls, ...more }, ca: ours.pem, ours, theirs };
  }
  const securely = (port: number, ca: string, issuer: Issuer, subject: string): Talk =>
    talk(
      connectSecurely({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        ca,
        ...certificateOf({ subject, issuer, purpose: 'client' }),
      }),
    );

  test('a certificate of our authority comes in, one of another does not', async () => {
    const { settings, ca, ours, theirs } = await secured();
    const { ledger, port } = await receive([settings]);
    const stranger = securely(port(), ca, theirs, 'exch01.contoso.local');
    stranger.socket.write(Buffer.concat([window(1), ...hits(1, 50)]));
    await vi.waitFor(() => {
      expect(stranger.isOver()).toBe(true);
    });
    const known = securely(port(), ca, ours, 'exch01.contoso.local');
    known.socket.write(Buffer.concat([window(1), ...hits(1)]));
    await vi.waitFor(() => {
      expect(known.acks()).toEqual([1]);
    });
    expect(errorsOf(ledger)).toBe(1);
  });

  test('a sender that has ended its side is still acknowledged', async () => {
    const { settings, ca, ours } = await secured();
    const { ledger, port } = await receive([settings]);
    const { socket, acks } = securely(port(), ca, ours, 'exch01.contoso.local');
    socket.end(Buffer.concat([window(2), ...hits(2)]));
    await vi.waitFor(() => {
      expect(acks()).toEqual([2]);
    });
    expect(errorsOf(ledger)).toBe(2);
  });

  test('a record that names another server than its certificate may is not believed, and that is said', async () => {
    const clients = [{ subject: 'exch01.contoso.local', server: 'EXCH01' }];
    const { settings, ca, ours } = await secured({ clients });
    const { ledger, port, logged, followed } = await receive([settings]);
    const { socket, acks } = securely(port(), ca, ours, 'exch01.contoso.local');
    socket.write(Buffer.concat([window(2), ...hits(1), ...hits(1, 9, 'EXCH02.contoso.local')]));
    await vi.waitFor(() => {
      expect(acks()).toEqual([1]);
    });
    expect(ledger.rows().map(({ server, errors }) => [server, errors])).toEqual([['exch01.contoso.local', 1]]);
    expect(logged()).toContain('may only send those of another server');
    expect(ledger.tallies().get(followed.statuses()[0]!.source)?.unreadable).toEqual({ wrong_shape: 1 });
  });

  test('a line of a transport log from a server that its certificate may not speak for is not believed either', async () => {
    const clients = [{ subject: 'exch01.contoso.local', server: 'EXCH01' }];
    const { settings, ca, ours } = await secured({ clients });
    const { port, logged, followed, ledger } = await receive([settings]);
    const { socket, acks } = securely(port(), ca, ours, 'exch01.contoso.local');
    const lines = ['EXCH02', 'EXCH01'].map((server) =>
      shipped({ path: 'SEND.LOG', offset: 0, text: header('SEND')[0]!, server }),
    );
    socket.write(Buffer.concat([window(2), ...lines.map((line, n) => record(n + 1, line))]));
    await vi.waitFor(() => {
      expect(acks()).toEqual([2]);
    });
    expect(logged()).toContain('may only send those of another server');
    expect(ledger.tallies().get(followed.statuses()[0]!.source)?.unreadable).toEqual({ wrong_shape: 1 });
  });

  test('an address that others reach is refused without the certificates of its senders', () => {
    const refusal = (more: object): string | undefined =>
      configSchema.safeParse({ sources: [{ type: 'lumberjack', ...more }] }).error?.issues[0]?.message;
    expect(refusal({ listenAddress: ':5044' })).toContain('clientCa');
    expect(refusal({ listenAddress: '192.0.2.1:5044', tls: { cert: 'a', key: 'b' } })).toContain('clientCa');
    expect(refusal({ listenAddress: ':5044', tls: { cert: 'a', key: 'b', clientCa: 'c' } })).toBeUndefined();
    expect(refusal({ clients: [{ subject: 'a', server: 'b' }] })).toContain('clientCa');
  });
});

describe('transport logs that Filebeat ships line by line', () => {
  const clock = { ms: 0 };
  const steady = (): number => performance.now() + clock.ms;
  const paths = ['CONNECTLOG20260115-1.LOG', 'SEND20260115-1.LOG'].map((name) =>
    join(import.meta.dirname, '../fixtures/transport-logs', name),
  );
  /** Both logs side by side, as they were written. */
  const lines = paths.flatMap(linesOf).sort((a, b) => (timeOf(a.text) < timeOf(b.text) ? -1 : 1));
  function timeOf(text: string): string {
    return /^\d/.test(text) ? text.slice(0, 24) : '';
  }

  async function send(port: number, some: typeof lines): Promise<void> {
    const { socket, acks } = plainly(port);
    const records = some.map((line, n) => record(n + 1, shipped(line)));
    socket.write(Buffer.concat([window(some.length), packed(...records)]));
    await vi.waitFor(() => {
      expect(acks()).toEqual([some.length]);
    });
    socket.destroy();
  }

  /** After so much time that nothing waits for the other log any more. */
  async function rowsOf({ ledger }: Awaited<ReturnType<typeof receive>>, count: number): Promise<unknown[]> {
    clock.ms += 60_000;
    await vi.waitFor(
      () => {
        expect(ledger.sessions().filter((each) => 'session' in each && each.waiting)).toEqual([]);
        expect(ledger.rows().reduce((sum, { attempts }) => sum + attempts, 0)).toBe(count);
      },
      { timeout: 5_000 },
    );
    const rows = ledger
      .rows()
      .map(({ server, connector, destination, attempts, failures, host }) => [
        `${server} ${connector} ${destination}`,
        { attempts, failures, host },
      ]);
    return rows.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1));
  }

  test('count as the files themselves, each line once over a kill, and end without a file source', async () => {
    const read = await receive([{ type: 'file', paths, server: 'EXCH01' }], { steady });
    await vi.waitFor(() => {
      expect(read.followed.caughtUp()).toBe(true);
    });
    const wanted = await rowsOf(read, 5);
    const directory = await temporaryFolder();
    const killed = await receive([source], { steady, directory });
    await send(killed.port(), lines.slice(0, 30));
    // What a kill leaves.
    const copy = await temporaryFolder();
    for (const name of await fs.readdir(directory))
      if (!name.endsWith('.sock')) await fs.copyFile(join(directory, name), join(copy, name));
    const receiving = await receive([source], { steady, directory: copy });
    await send(receiving.port(), lines);
    await send(receiving.port(), lines.slice(5, 40));
    expect(await rowsOf(receiving, 5)).toEqual(wanted);
    const [tally] = [...receiving.ledger.tallies().values()];
    // The first two lines of each header tell nothing, and are not known again.
    expect([tally?.outcomes.duplicate, tally?.outcomes.unreadable]).toEqual([30 + 35 - 4, 0]);
  });

  test('without their place, or as a bare line, are not counted, and that is said', async () => {
    const { ledger, port, logged } = await receive([source]);
    const { socket, acks } = plainly(port());
    const { text } = lines.at(-1) ?? raise();
    const others = [
      { message: text, host: { name: 'EXCH01' } },
      { message: '2026-01-15T08:20:00.000Z, of another log' },
    ];
    socket.write(Buffer.concat([window(2), ...others.map((each, n) => record(n + 1, JSON.stringify(each)))]));
    await vi.waitFor(() => {
      expect(acks()).toEqual([2]);
    });
    expect([...ledger.tallies().values()][0]).toMatchObject({
      unreadable: { wrong_shape: 1 },
      outcomes: { ignored: 1 },
    });
    expect(logged()).toContain('without its file and place');
  });

  test('without the name of their server are not counted', async () => {
    const { ledger, port } = await receive([source]);
    await send(port(), [{ ...(lines.at(-1) ?? raise()), server: '' }]);
    expect([...ledger.tallies().values()][0]?.unreadable).toEqual({ wrong_shape: 1 });
  });
});

test('a source that is stopped acknowledges what it has taken and hangs up', async () => {
  const { ledger, port, followed } = await receive([source]);
  const [idle, busy] = [plainly(port()), plainly(port())];
  busy.socket.write(Buffer.concat([window(50), packed(...hits(50))]));
  await vi.waitFor(() => {
    expect(ledger.checkpoints().length).toBeGreaterThan(0);
  });
  const begun = performance.now();
  await followed.stop();
  expect(performance.now() - begun).toBeLessThan(4_000);
  await vi.waitFor(() => {
    expect([idle.isOver(), busy.isOver()]).toEqual([true, true]);
  });
  expect(busy.acks()).toEqual([50]);
});

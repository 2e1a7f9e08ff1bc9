import * as fs from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { configSchema } from '../../src/config/schema.js';
import { temporaryFolder } from '../support/folder.js';
import { protobufOf, requestOf } from '../support/otlp-request.js';
import { errorsOf, receive } from '../support/receiving.js';
import { linesOf, shipped } from '../support/shipped-logs.js';
import { winlogbeatLine } from '../support/winlogbeat-line.js';
import { fixtureText } from './records.js';

const source = { type: 'http', listenAddress: '127.0.0.1:0' };
const events = (count: number, from = 1): unknown[] =>
  Array.from({ length: count }, (_, n) => JSON.parse(winlogbeatLine({ recordId: from + n })) as unknown);
const lines = (count: number): string =>
  Array.from({ length: count }, (_, n) => winlogbeatLine({ recordId: n + 1 })).join('');

async function post(
  port: number,
  path: string,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
): Promise<{ status: number; type: string | null; bytes: Buffer; retryAfter: string | null }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: body as string, headers });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    bytes: Buffer.from(await response.arrayBuffer()),
    retryAfter: response.headers.get('retry-after'),
  };
}

/** Sends the head of a request alone, and a body when it is asked for. @returns all that comes until the connection is closed */
async function ask(port: number, headers: readonly string[], body = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write(['POST /v1/logs HTTP/1.1', 'Host: a', ...headers, '', ''].join('\r\n'));
  let got = '';
  socket.on('data', (chunk) => {
    if (got === '' && String(chunk).startsWith('HTTP/1.1 100 ')) socket.write(body);
    got += String(chunk);
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return got;
}

const protobuf = { 'content-type': 'application/x-protobuf' };
const json = { 'content-type': 'application/json' };

describe('OTLP over HTTP', () => {
  test('protobuf is counted once, saved before the answer, and answered in protobuf', async () => {
    const directory = await temporaryFolder();
    const { ledger, port } = await receive([source], { directory });
    const answer = await post(port(), '/v1/logs', protobufOf(requestOf(events(3))), protobuf);
    expect(answer).toMatchObject({ status: 200, type: 'application/x-protobuf' });
    expect(answer.bytes).toHaveLength(0);
    const saved = JSON.parse(await fs.readFile(join(directory, 'ledger.json'), 'utf8')) as {
      rows: { errors: number }[];
    };
    expect(saved.rows.map(({ errors }) => errors)).toEqual([3]);
    await post(port(), '/v1/logs', protobufOf(requestOf(events(4))), protobuf);
    expect(errorsOf(ledger)).toBe(4);
  });

  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
  ] as const)('JSON with %s is read, and answered in JSON', async (encoding, pack) => {
    const { ledger, port } = await receive([source]);
    const body = pack(JSON.stringify(requestOf(events(2))));
    const answer = await post(port(), '/v1/logs', body, { ...json, 'content-encoding': encoding });
    expect([answer.status, answer.type, answer.bytes.toString()]).toEqual([200, 'application/json', '{}']);
    expect(errorsOf(ledger)).toBe(2);
  });

  test('a byte order mark ahead of JSON is no damage', async () => {
    const { ledger, port } = await receive([source]);
    expect((await post(port(), '/v1/logs', `\uFEFF${JSON.stringify(requestOf(events(2)))}`, json)).status).toBe(200);
    expect(errorsOf(ledger)).toBe(2);
  });

  test('the name of a provider counts in whatever case it is written', async () => {
    const { ledger, port } = await receive([source]);
    const lower = (JSON.parse(winlogbeatLine({ provider: 'msexchangetransport' })) as unknown) ?? {};
    expect((await post(port(), '/v1/logs', protobufOf(requestOf([lower])), protobuf)).status).toBe(200);
    expect(errorsOf(ledger)).toBe(1);
  });

  test('what stands before a damage counts, and the damage is said', async () => {
    const { ledger, port } = await receive([source]);
    const whole = protobufOf(requestOf(events(20)));
    // The length of all says that there is more than there is.
    const answer = await post(port(), '/v1/logs', Buffer.concat([whole, Buffer.from([0x0a, 5, 1])]), protobuf);
    expect(answer.status).toBe(400);
    await vi.waitFor(() => {
      expect(errorsOf(ledger)).toBe(20);
    });
  });

  test('a larger request is taken where the settings say so', async () => {
    const { ledger, port } = await receive([{ ...source, maxRequestMebibytes: 6 }]);
    const bodies = [...events(1), { message: 'x'.repeat(5 * 1024 * 1024) }];
    expect((await post(port(), '/v1/logs', protobufOf(requestOf(bodies)), protobuf)).status).toBe(200);
    expect(errorsOf(ledger)).toBe(1);
  });

  test('records that cannot be read are a partial success, the others count', async () => {
    const { ledger, port } = await receive([source]);
    const request = requestOf([{ event_id: {}, provider: 'MSExchangeTransport' }, ...events(1)]);
    const answer = await post(port(), '/v1/logs', JSON.stringify(request), json);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.bytes.toString())).toMatchObject({ partialSuccess: { rejectedLogRecords: '1' } });
    const binary = await post(port(), '/v1/logs', protobufOf(request), protobuf);
    // partial_success { rejected_log_records: 1, error_message: "expected ..." }
    expect([...binary.bytes.subarray(2, 4)]).toEqual([8, 1]);
    expect(binary.bytes.toString()).toContain('expected an event ID');
    expect(errorsOf(ledger)).toBe(1);
  });

  test.each([
    ['garbage as protobuf', Buffer.from('garbage'), protobuf, 400, 'expected protobuf'],
    ['garbage as JSON', 'garbage', json, 400, 'expected an object of OTLP'],
    ['half a request', protobufOf(requestOf(events(1))).subarray(0, 60), protobuf, 400, 'expected protobuf'],
    ['gzip that is none', 'garbage', { ...protobuf, 'content-encoding': 'gzip' }, 400, 'cannot be unpacked'],
    ['zstd', 'x', { ...protobuf, 'content-encoding': 'zstd' }, 415, 'gzip, deflate or none'],
    ['text', 'x', { 'content-type': 'text/plain' }, 415, 'application/x-protobuf or application/json'],
    ['a bomb', gzipSync(Buffer.alloc(40 * 1024 * 1024)), { ...protobuf, 'content-encoding': 'gzip' }, 413, 'unpacked'],
    ['too much', Buffer.alloc(5 * 1024 * 1024), protobuf, 413, 'send smaller batches'],
  ])('%s is refused with a clear word, and the next request is read', async (_what, body, headers, status, word) => {
    const { ledger, port } = await receive([source]);
    const answer = await post(port(), '/v1/logs', body, headers);
    expect(answer.status).toBe(status);
    expect(answer.bytes.toString()).toContain(word);
    expect((await post(port(), '/v1/logs', protobufOf(requestOf(events(1))), protobuf)).status).toBe(200);
    expect(errorsOf(ledger)).toBe(1);
  });

  const asJson = ['Content-Type: application/json', 'Connection: close'];

  test('whoever asks before it sends is told to go on, or refused before a byte of the body', async () => {
    const token = join(await temporaryFolder(), 'token');
    await fs.writeFile(token, 'first-token-0123456789');
    const { ledger, port, followed } = await receive([{ ...source, bearerTokenFile: token }]);
    const body = JSON.stringify(requestOf(events(2)));
    const head = [...asJson, 'Authorization: Bearer first-token-0123456789', 'Expect: 100-continue'];
    const asked = await ask(port(), [...head, `Content-Length: ${body.length}`], body);
    expect(asked).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*\{\}$/);
    const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    expect(await ask(port(), [...head, 'Transfer-Encoding: chunked'], chunked)).toMatch(/^HTTP\/1\.1 100 [^]* 200 OK/);
    expect(errorsOf(ledger)).toBe(2);
    const refused = async (...headers: string[]): Promise<string> =>
      (await ask(port(), ['Expect: 100-continue', ...headers])).slice(0, 13);
    expect(await refused('Content-Length: 9', ...asJson)).toBe('HTTP/1.1 401 ');
    const known = head.slice(2, 3);
    expect(await refused('Content-Length: 4194305', 'Content-Type: application/json', ...known)).toBe('HTTP/1.1 413 ');
    expect(await refused('Content-Length: 9', 'Content-Type: text/plain', ...known)).toBe('HTTP/1.1 415 ');
    expect(followed.statuses()[0]?.pushed).toEqual({
      accepted: 2,
      unauthorized: 1,
      too_large: 1,
      unreadable: 1,
      busy: 0,
    });
  });

  test.each(['200-ok', '100-continue;a=1', '100-continue=1', '100-continue, 200-ok', '"100-continue"'])(
    'another expectation, as %s, is none that could be met',
    async (expectation) => {
      const { port } = await receive([source]);
      const asked = await ask(port(), [...asJson, 'Content-Length: 9', `Expect: ${expectation}`]);
      expect(asked).toMatch(/^HTTP\/1\.1 417 [^]*Connection: close/);
      expect(asked).toContain(`\r\n\r\nExpected 100-continue in Expect, got ${expectation}.\n`);
    },
  );

  test('other addresses and methods are refused with what is expected', async () => {
    const { port } = await receive([source]);
    expect((await post(port(), '/v1/traces', '', json)).bytes.toString()).toContain('POST /v1/logs');
    const got = await fetch(`http://127.0.0.1:${port()}/v1/logs`);
    expect([got.status, got.headers.get('allow'), await got.text()]).toEqual([405, 'POST', 'expected POST, got GET\n']);
  });

  test('while the ledger cannot be saved senders are told to come again; then every event counts once', async () => {
    const failing = { now: true };
    const operations = {
      open: fs.open,
      rename: async (from: unknown, to: unknown) => {
        if (failing.now) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
        await fs.rename(from as string, to as string);
      },
    };
    const { ledger, port, followed } = await receive([source], { operations });
    const body = protobufOf(requestOf(events(2)));
    const first = await post(port(), '/v1/logs', body, protobuf);
    expect(first).toMatchObject({ status: 503, type: 'application/x-protobuf', retryAfter: '5' });
    const begun = performance.now();
    expect(await post(port(), '/v1/logs', body, protobuf)).toMatchObject({ status: 503, retryAfter: '5' });
    expect(performance.now() - begun).toBeLessThan(4_000);
    const asked = await ask(port(), ['Content-Type: application/json', 'Content-Length: 9', 'Expect: 100-continue']);
    expect(asked).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: 5\r\n/);
    expect(ledger.rows()).toEqual([]);
    failing.now = false;
    await vi.waitFor(
      async () => {
        expect((await post(port(), '/v1/logs', body, protobuf)).status).toBe(200);
      },
      { timeout: 15_000, interval: 200 },
    );
    expect(errorsOf(ledger)).toBe(2);
    expect(followed.statuses()[0]?.pushed).toMatchObject({ accepted: 1 });
  }, 40_000);
});

describe('POST /ingest', () => {
  test.each(['winlogbeat-8.ndjson', 'fluentbit-winevtlog-array.json', 'wevtutil-xml-utf16le.xml', 'nxlog-v5.ndjson'])(
    '%s gives its events',
    async (name) => {
      const { ledger, port } = await receive([source]);
      const body = await fs.readFile(new URL(`../fixtures/events/${name}`, import.meta.url));
      const answer = await post(port(), '/ingest', body);
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.bytes.toString())).toMatchObject({ unreadable: 0 });
      expect(errorsOf(ledger)).toBeGreaterThan(1);
    },
  );

  test('the last line needs no line end, an empty body is no mistake, and half a record is said', async () => {
    const { ledger, port } = await receive([source]);
    expect((await post(port(), '/ingest', lines(2).trimEnd())).bytes.toString()).toBe('{"records":2,"unreadable":0}\n');
    expect((await post(port(), '/ingest', '\n')).bytes.toString()).toBe('{"records":0,"unreadable":0}\n');
    const half = await post(port(), '/ingest', `${lines(3)}{"winlog":{"event_id":"2002"`);
    expect(JSON.parse(half.bytes.toString())).toMatchObject({ records: 4, unreadable: 1 });
    expect(errorsOf(ledger)).toBe(3);
  });

  test('a transport log needs the name of its server, and counts for it', async () => {
    const { ledger, port } = await receive([source]);
    const log = await fs.readFile(new URL('../fixtures/transport-logs/SEND20260115-1.LOG', import.meta.url));
    const unnamed = await post(port(), '/ingest', log);
    expect([unnamed.status, unnamed.bytes.toString()]).toEqual([400, expect.stringContaining('?server=EXCH01')]);
    expect((await post(port(), '/ingest?server=EXCH07', log)).status).toBe(200);
    expect([...new Set(ledger.rows().map(({ server }) => server))]).toEqual(['exch07']);
    expect(ledger.rows().some(({ failures }) => Object.keys(failures).length > 0)).toBe(true);
  });

  test('many blank lines ahead of the first record are no unknown format', async () => {
    const { ledger, port } = await receive([source]);
    const answer = await post(port(), '/ingest', `${'\n'.repeat(70_001)}${lines(2)}`);
    expect([answer.status, JSON.parse(answer.bytes.toString())]).toEqual([200, { records: 2, unreadable: 0 }]);
    expect(errorsOf(ledger)).toBe(2);
  });

  test('lines of a transport log that Filebeat ships are taken once, however often they are sent', async () => {
    const { ledger, port } = await receive([source]);
    const log = linesOf(join(import.meta.dirname, '../fixtures/transport-logs/CONNECTLOG20260115-1.LOG'));
    const body = log.map((line) => `${shipped(line)}\n`).join('');
    for (let times = 0; times < 2; times++) {
      const answer = await post(port(), '/ingest', body);
      expect([answer.status, JSON.parse(answer.bytes.toString())]).toEqual([
        200,
        { records: log.length, unreadable: 0 },
      ]);
    }
    // The first two lines of the header tell nothing, and are not known again.
    expect([...ledger.tallies().values()][0]?.outcomes.duplicate).toBe(log.length - 2);
  });

  test('each line is read by its own shape, also behind one that is cut off or somebody else’s', async () => {
    const { ledger, port } = await receive([source]);
    const log = linesOf(join(import.meta.dirname, '../fixtures/transport-logs/CONNECTLOG20260115-1.LOG'));
    const [nxlog] = fixtureText('nxlog-v5.ndjson').split('\n');
    const mixed = ['{"message":"of another program"}', ...lines(2).trim().split('\n'), nxlog, ...log.map(shipped)];
    const answer = await post(port(), '/ingest', mixed.join('\n'));
    expect(JSON.parse(answer.bytes.toString())).toEqual({ records: mixed.length, unreadable: 0 });
    expect(errorsOf(ledger)).toBe(3);
    const cut = await post(port(), '/ingest', `{"winlog":\n${lines(4)}`);
    expect([cut.status, JSON.parse(cut.bytes.toString())]).toMatchObject([200, { records: 5, unreadable: 1 }]);
    expect(errorsOf(ledger)).toBe(5);
    const others = await post(port(), '/ingest', '{"message":"of another program"}\n{"a":1}\n');
    expect([others.status, others.bytes.toString()]).toEqual([400, expect.stringContaining('no known format')]);
  });

  test('lines of a transport log without their server, or their place, are refused with what is missing', async () => {
    const { ledger, port } = await receive([source]);
    const [line] = linesOf(join(import.meta.dirname, '../fixtures/transport-logs/CONNECTLOG20260115-1.LOG')).slice(5);
    const body = JSON.parse(shipped(line!)) as { log: { offset: unknown }; host?: object };
    const asked = [
      { ...body, host: undefined },
      { ...body, log: { ...body.log, offset: '12' } },
      { message: line!.text },
    ];
    for (const each of asked) {
      const answer = await post(port(), '/ingest', `${JSON.stringify(each)}\n`);
      expect([answer.status, answer.bytes.toString()]).toEqual([
        400,
        expect.stringMatching(/names no server|without its file and place/),
      ]);
    }
    const some = await post(port(), '/ingest', `${JSON.stringify(asked[0])}\n${shipped(line!)}\n`);
    expect(JSON.parse(some.bytes.toString())).toMatchObject({ records: 2, unreadable: 1 });
    expect([...ledger.tallies().values()][0]?.unreadable).toEqual({ wrong_shape: 4 });
  });

  test('objects one behind the other without line ends are all read', async () => {
    const { ledger, port } = await receive([source]);
    const answer = await post(port(), '/ingest', lines(5).replaceAll('\n', ''));
    expect(JSON.parse(answer.bytes.toString())).toEqual({ records: 5, unreadable: 0 });
    expect(errorsOf(ledger)).toBe(5);
  });

  test.each([
    ['commas', ','],
    ['commas and blanks', ' , '],
    ['carriage returns', '\r'],
  ])('objects with %s between them are all read, whatever event comes first', async (_what, between) => {
    const { ledger, port } = await receive([source]);
    const other = winlogbeatLine({ recordId: 99 }).replaceAll('2002', '4625');
    const body = `${other}${lines(3)}`.trimEnd().replaceAll('\n', between);
    for (const each of [body, `${body}${between}`, `${body}\n`]) {
      const answer = await post(port(), '/ingest', each);
      expect([answer.status, JSON.parse(answer.bytes.toString())]).toEqual([200, { records: 4, unreadable: 0 }]);
    }
    expect(errorsOf(ledger)).toBe(3);
  });

  test('a transport log whose lines end in carriage returns alone is refused with the remedy', async () => {
    const { ledger, port, followed } = await receive([source]);
    const log = fixtureText('../transport-logs/SEND20260115-1.LOG').replaceAll(/\r?\n/g, '\r');
    for (const body of [log, Buffer.from(`\uFEFF${log}`, 'utf16le')]) {
      const answer = await post(port(), '/ingest?server=EXCH01', body);
      expect([answer.status, answer.bytes.toString()]).toEqual([
        400,
        expect.stringContaining('write it with line feeds'),
      ]);
    }
    expect(ledger.rows()).toEqual([]);
    expect(followed.statuses()[0]?.pushed).toMatchObject({ accepted: 0, unreadable: 2 });
  });

  test.each([
    ['a page of HTML', '<!DOCTYPE html>\n<html>\n<Event>x</Event></html>\n', 'none of its 2 records can be read'],
    [
      'two objects with a semicolon between them',
      `${lines(2).trimEnd().replace('\n', ';')}\n`,
      'expected a JSON object',
    ],
    ['half an object', lines(1).slice(0, 300), 'expected'],
  ])('%s, of which nothing can be read, is refused and counts as unreadable', async (_what, body, word) => {
    const { ledger, port, followed } = await receive([source]);
    const answer = await post(port(), '/ingest', body);
    expect([answer.status, answer.bytes.toString()]).toEqual([400, expect.stringContaining(word)]);
    expect(answer.bytes.toString()).toContain('table of formats in the README');
    expect(followed.statuses()[0]?.pushed).toMatchObject({ accepted: 0, unreadable: 1 });
    expect((await post(port(), '/ingest', lines(1))).status).toBe(200);
    expect(errorsOf(ledger)).toBe(1);
  });

  test('two servers in one address are refused with the remedy, and neither is believed', async () => {
    const { ledger, port } = await receive([source]);
    for (const query of ['server=EXCH01&server=EXCH02', 'server=EXCH01&server=EXCH01', 'server=&server=EXCH01']) {
      const answer = await post(port(), `/ingest?${query}`, lines(1));
      expect(answer.status).toBe(400);
      expect(answer.bytes.toString()).toContain('send the records of each server in a separate request');
    }
    expect(ledger.rows()).toEqual([]);
  });

  test('what no format knows is refused with a clear word', async () => {
    const { port } = await receive([source]);
    const answer = await post(port(), '/ingest', 'GET /index.html 200\n');
    expect([answer.status, answer.bytes.toString()]).toEqual([400, expect.stringContaining('no known format')]);
    expect((await post(port(), '/ingest?server=a:b', lines(1))).status).toBe(400);
  });
});

describe('who may push', () => {
  test('a token lets in, a wrong one does not, and a changed file is in force', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'token');
    await fs.writeFile(file, 'first-token-0123456789\n');
    const { ledger, port, followed } = await receive([{ ...source, bearerTokenFile: file }]);
    const body = lines(1);
    const push = (token: string): Promise<{ status: number }> =>
      post(port(), '/ingest', body, { authorization: `Bearer ${token}` });
    expect((await push('first-token-0123456789')).status).toBe(200);
    const wrong = await fetch(`http://127.0.0.1:${port()}/ingest`, { method: 'POST', body: lines(1) });
    expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect((await push('wrong')).status).toBe(401);
    expect((await post(port(), '/ingest', lines(1))).status).toBe(401);
    await fs.writeFile(file, 'second-token-0123456789');
    await vi.waitFor(
      async () => {
        expect((await push('second-token-0123456789')).status).toBe(200);
      },
      { timeout: 10_000, interval: 100 },
    );
    expect((await push('first-token-0123456789')).status).toBe(401);
    expect(errorsOf(ledger)).toBe(1);
    expect(followed.statuses()[0]?.pushed?.unauthorized).toBeGreaterThanOrEqual(3);
  });

  test('an address that others reach is refused without a login, and the remedy is named', async () => {
    for (const listenAddress of [':0', '0.0.0.0:4318', '192.0.2.1:4318', '[::]:4318']) {
      const checked = configSchema.safeParse({ sources: [{ type: 'http', listenAddress }] });
      expect(checked.error?.issues[0]?.message).toContain('bearerTokenFile');
    }
    for (const listenAddress of ['127.0.0.2:4318', '[::1]:4318', 'localhost:4318'])
      expect(configSchema.safeParse({ sources: [{ type: 'http', listenAddress }] }).success).toBe(true);
    const file = join(await temporaryFolder(), 'web.yml');
    await fs.writeFile(file, 'http_server_config: {}\n');
    const { followed } = await receive([{ type: 'http', listenAddress: ':0', webConfigFile: file }]);
    expect(followed.statuses()[0]).toMatchObject({
      up: false,
      detail: expect.stringContaining('bearerTokenFile') as string,
    });
  });

  test('an address that is taken is said, and taken as soon as it is free', async () => {
    const first = await receive([source]);
    const second = await receive([{ ...source, listenAddress: `127.0.0.1:${first.port()}` }]);
    expect(second.followed.statuses()[0]).toMatchObject({
      up: false,
      detail: expect.stringContaining('another program listens there already') as string,
    });
    await first.followed.stop();
    await vi.waitFor(
      () => {
        expect(second.followed.statuses()[0]?.up).toBe(true);
      },
      { timeout: 10_000, interval: 200 },
    );
  });
});

test('a source that is stopped answers what it has taken and takes no more', async () => {
  const { ledger, port, followed } = await receive([source]);
  const open = port();
  const answers = Array.from({ length: 8 }, (_, n) =>
    post(open, '/v1/logs', protobufOf(requestOf(events(50, n * 50 + 1))), protobuf).then(
      ({ status }) => status,
      () => 0,
    ),
  );
  await vi.waitFor(() => {
    expect(ledger.checkpoints().length).toBeGreaterThan(0);
  });
  const begun = performance.now();
  await followed.stop();
  expect(performance.now() - begun).toBeLessThan(5_000);
  const accepted = (await Promise.all(answers)).filter((status) => status === 200).length;
  await ledger.saved();
  expect(accepted).toBeGreaterThan(0);
  expect(errorsOf(ledger)).toBeGreaterThanOrEqual(accepted * 50);
  await expect(post(open, '/ingest', '')).rejects.toThrow();
});

test('a sender that waits for a full disk is told to come again when the exporter ends', async () => {
  const operations = {
    open: fs.open,
    rename: () => Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })),
  };
  const { port, followed, ledger } = await receive([source], { operations });
  const answer = post(port(), '/v1/logs', protobufOf(requestOf(events(2))), protobuf);
  await vi.waitFor(() => {
    expect(ledger.saving().failing).toContain('ENOSPC');
  });
  await followed.stop();
  expect(await answer).toMatchObject({ status: 503, retryAfter: '2' });
});

describe('many hostile requests at once', () => {
  test('as much as may be unpacked is unpacked in one piece of memory, whoever sends how much of it', async () => {
    const { ledger, port } = await receive([source]);
    const bomb = gzipSync(Buffer.alloc(31 * 1024 * 1024));
    const before = process.memoryUsage().arrayBuffers;
    const most = { bytes: 0 };
    const watch = setInterval(() => (most.bytes = Math.max(most.bytes, process.memoryUsage().arrayBuffers)), 5);
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => post(port(), '/v1/logs', bomb, { ...protobuf, 'content-encoding': 'gzip' })),
    );
    clearInterval(watch);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 400));
    // The room that is kept, and what the requests have sent.
    expect(most.bytes - before).toBeLessThan(48 * 1024 * 1024);
    expect((await post(port(), '/ingest', lines(1))).status).toBe(200);
    expect(errorsOf(ledger)).toBe(1);
  });

  test('a record of more values than any has is not built, as protobuf and as JSON', async () => {
    const { ledger, port } = await receive([source]);
    const hostile = `{"severityText":"MSExchangeTransport","body":{"arrayValue":{"values":[${'{},'.repeat(50_000)}{}]}}}`;
    const deep = `{"severityText":"MSExchangeTransport","body":${'['.repeat(400_000)}${']'.repeat(400_000)}}`;
    const good = JSON.stringify(requestOf(events(1)).resourceLogs[0]?.scopeLogs[0]?.logRecords[0]);
    const request = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${hostile},${deep},${good}]}]}]}`;
    const answer = await post(port(), '/v1/logs', request, json);
    expect(JSON.parse(answer.bytes.toString())).toMatchObject({ partialSuccess: { rejectedLogRecords: '2' } });
    expect(answer.bytes.toString()).toContain('more than 10000 values');
    expect(errorsOf(ledger)).toBe(1);
  });
});

test('a sender that goes away in the middle takes nothing with it', async () => {
  const { ledger, port } = await receive([source]);
  const socket = connect(port(), '127.0.0.1');
  socket.write('POST /ingest HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"winlog":');
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  expect((await post(port(), '/ingest', fixtureText('winlogbeat-8.ndjson'))).status).toBe(200);
  expect(errorsOf(ledger)).toBeGreaterThan(0);
});

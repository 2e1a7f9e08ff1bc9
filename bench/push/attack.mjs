/** A program of its own that attacks a source that records are pushed to: `attack.mjs NAME HTTP_PORT LUMBERJACK_PORT SECONDS`. */
import http from 'node:http';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { deflateSync, gzipSync } from 'node:zlib';
import { winlogbeatLine } from '../workload.mjs';

const [name, httpPort, lumberjackPort, seconds] = process.argv.slice(2);
const MiB = 2 ** 20;
let end = 0;
const answers = {};
const count = (what) => (answers[what] = (answers[what] ?? 0) + 1);

const varint = (number) => {
  const bytes = [];
  for (let left = number; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
};
const field = (number, ...parts) => {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
};
const stringValue = (text) => field(1, Buffer.from(text));
/** An ExportLogsServiceRequest of these log records. */
const request = (records) => field(1, field(2, Buffer.concat(records)));
const record = (...parts) => field(2, ...parts);
const hit = (n) =>
  winlogbeatLine(n, { server: 'EXCH01', connector: 'Outbound', destination: `203.0.113.${n % 200}:25` }).trim();
const many = (times, make) => Array.from({ length: times }, (_, n) => make(n));
const u32 = (number) => Buffer.from([number >>> 24, number >>> 16, number >>> 8, number].map((byte) => byte & 255));
const frame = (sequence, payload) =>
  Buffer.concat([Buffer.from('2J'), u32(sequence), u32(Buffer.byteLength(payload)), Buffer.from(payload)]);
const windowOf = (size) => Buffer.concat([Buffer.from('2W'), u32(size)]);
const packed = (bytes) => {
  const small = deflateSync(bytes);
  return Buffer.concat([Buffer.from('2C'), u32(small.length), small]);
};

const protobuf = { 'content-type': 'application/x-protobuf' };
const json = { 'content-type': 'application/json' };
const gzip = { 'content-encoding': 'gzip' };
const deep = (length) => '['.repeat(length / 2) + ']'.repeat(length / 2);
const otlpJson = (records) => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${records.join(',')}]}]}]}`;

/** Requests over and over on so many connections. */
const posts = (path, headers, make, connections = 16) => {
  const body = make();
  return () => Promise.all(many(connections, () => postUntilEnd(path, headers, body)));
};
/** The same bytes on so many connections of Lumberjack, over and over. */
const writes = (make, connections = 16) => {
  const bytes = make();
  return () => Promise.all(many(connections, () => writeUntilEnd(bytes)));
};

const attacks = {
  'tiny gzip members': () => {
    const member = gzipSync('\n');
    return posts('/ingest', gzip, () => Buffer.concat(many(100_000, () => member)));
  },
  'members of a line': () => posts('/ingest', gzip, () => Buffer.concat(many(7_000, (n) => gzipSync(`${hit(n)}\n`)))),
  'a bomb': () => posts('/v1/logs', { ...protobuf, ...gzip }, () => gzipSync(Buffer.alloc(64 * MiB))),
  'almost a bomb': () => posts('/v1/logs', { ...protobuf, ...gzip }, () => gzipSync(Buffer.alloc(31 * MiB))),
  'a text almost a bomb': () => posts('/ingest', gzip, () => gzipSync(`{"winlog":{${'"a":1,'.repeat(5 * MiB)}`)),
  'nothing but hits': () => {
    const records = many(25_000, (n) => record(field(5, stringValue(hit(n)))));
    return posts('/v1/logs', { ...protobuf, ...gzip }, () => gzipSync(request(records)));
  },
  'lines of hits': () => posts('/ingest', gzip, () => gzipSync(many(25_000, (n) => `${hit(n)}\n`).join(''))),
  'tiny records': () =>
    posts('/v1/logs', { ...protobuf, ...gzip }, () => gzipSync(request(many(190_000, () => record())))),
  'deep JSON': () => posts('/v1/logs', { ...json, ...gzip }, () => gzipSync(otlpJson([`{"body":${deep(31 * MiB)}}`]))),
  'deep JSON in records': () => {
    const one = `{"attributes":[],"severityText":"MSExchangeTransport","body":${deep(MiB - 200)}}`;
    return posts('/v1/logs', { ...json, ...gzip }, () => gzipSync(otlpJson(many(30, () => one))));
  },
  'many values in records': () => {
    const one = `{"severityText":"MSExchangeTransport","body":[${'{},'.repeat(300_000)}{}]}`;
    return posts('/v1/logs', { ...json, ...gzip }, () => gzipSync(otlpJson(many(30, () => one))));
  },
  'a huge field': () =>
    posts('/v1/logs', { ...protobuf, ...gzip }, () =>
      gzipSync(request([record(field(5, stringValue('x'.repeat(30 * MiB))))])),
    ),
  'huge fields of hits': () => {
    const one = record(field(5, stringValue(`MSExchangeTransport ${'x'.repeat(MiB - 100)}`)));
    return posts('/v1/logs', { ...protobuf, ...gzip }, () => gzipSync(request(many(30, () => one))));
  },
  'small bombs in 500 connections': () =>
    posts('/v1/logs', { ...protobuf, ...gzip }, () => gzipSync(Buffer.alloc(20 * MiB)), 500),
  'large requests in 500 connections': () => posts('/v1/logs', protobuf, () => Buffer.alloc(4 * MiB), 500),
  'slow senders': () => () => Promise.all(many(500, slowly)),
  'wrong magic': () => writes(() => Buffer.from('GET / HTTP/1.1\r\n\r\n'), 100),
  'lengths of 4 GiB': () =>
    writes(() => Buffer.concat([windowOf(1), Buffer.from('2J'), u32(1), u32(2 ** 32 - 1)]), 100),
  'bombs of Lumberjack': () => writes(() => Buffer.concat([windowOf(1), packed(Buffer.alloc(64 * MiB))]), 100),
  'windows without end': () =>
    writes(
      () => Buffer.concat([windowOf(2_048), packed(Buffer.concat(many(2_047, (n) => frame(n + 1, hit(n)))))]),
      500,
    ),
  'records of a mebibyte': () => {
    const one = `{"winlog":{"provider_name":"MSExchangeTransport","a":"${'x'.repeat(MiB - 100)}"}}`;
    return writes(
      () => Buffer.concat([windowOf(2_048), packed(Buffer.concat(many(30, (n) => frame(n + 1, one))))]),
      100,
    );
  },
};

if (name === 'list') console.log(JSON.stringify(Object.keys(attacks)));
else {
  const attack = attacks[name]();
  // The attack begins when whoever measures is ready.
  process.send('ready');
  await new Promise((go) => process.once('message', go));
  end = performance.now() + Number(seconds) * 1000;
  await attack();
  process.send(answers);
  process.exit();
}

async function postUntilEnd(path, headers, body) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  while (performance.now() < end) {
    await new Promise((done) => {
      const late = setTimeout(() => (count('no answer'), asked.destroy()), end - performance.now() + 5_000);
      const asked = http.request(
        {
          port: httpPort,
          host: '127.0.0.1',
          path,
          method: 'POST',
          agent,
          headers: { ...headers, 'content-length': body.length },
        },
        (response) => (count(response.statusCode), response.resume().on('end', done).on('error', done)),
      );
      asked.on('error', ({ code }) => (count(code), done())).on('close', () => (clearTimeout(late), done()));
      // Whoever is answered before all is written may be hung up on after that.
      asked.once('socket', (socket) => socket.listenerCount('error', ignore) || socket.on('error', ignore));
      asked.end(body);
    });
    await pause(10);
  }
  agent.destroy();
}

function ignore() {}

async function writeUntilEnd(bytes) {
  while (performance.now() < end) {
    await new Promise((done) => {
      const socket = connect(Number(lumberjackPort), '127.0.0.1');
      const late = setTimeout(() => socket.destroy(), Math.max(0, end - performance.now()));
      socket.on('data', () => count('words')).on('error', ({ code }) => count(code));
      socket.on('close', () => (count('closed'), clearTimeout(late), done()));
      socket.write(bytes);
    });
    await pause(10);
  }
}

async function slowly() {
  while (performance.now() < end) {
    const socket = connect(Number(httpPort), '127.0.0.1').on('error', ({ code }) => count(code));
    let open = true;
    socket.on('close', () => (open = false)).on('data', (text) => count(String(text).slice(9, 12)));
    socket.write(`POST /ingest HTTP/1.1\r\nHost: a\r\nContent-Length: ${4 * MiB}\r\n\r\n`);
    while (open && performance.now() < end) {
      socket.write('x');
      await pause(50);
    }
    socket.destroy();
    await pause(50);
  }
}

/** OTLP over HTTP as a Collector sends it: batches of a thousand records in gzip, ten connections; how many records a second, at what cost. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { startExporter, table, total } from '../exporter.mjs';

const [batch, connections, share] = [1_000, 10, 100];

export async function run(records = 1_000_000) {
  const lines = [['encoding', 'records', 'errors', 'records/s', 'CPU s per million', 'RSS MiB peak', 'scrape ms max']];
  for (const encoding of ['protobuf', 'json']) lines.push([encoding, ...(await deliver(encoding, records))]);
  table(lines);
}

async function deliver(encoding, records) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'push-otlp-'));
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  const config = path.join(folder, 'config.yml');
  await writeFile(config, `sources: [{ type: http, listenAddress: "127.0.0.1:${port}" }]\n`);
  const exporter = await startExporter([], folder, ['--no-probe', `--config.file=${config}`]);
  const sender = fork(fileURLToPath(import.meta.url), [encoding, port, records]);
  try {
    await once(sender, 'message');
    const cpu = await exporter.cpuMs();
    const begun = performance.now();
    const over = once(sender, 'message');
    sender.send('go');
    let [isOver, slowest] = [false, 0];
    void over.then(() => (isOver = true));
    while (!isOver) {
      slowest = Math.max(slowest, (await exporter.scrape()).ms);
      await Promise.race([over, new Promise((later) => setTimeout(later, 500))]);
    }
    const [{ refused }] = await over;
    const seconds = (performance.now() - begun) / 1000;
    const used = ((await exporter.cpuMs()) - cpu) / 1000;
    const errors = total((await exporter.scrape()).text());
    if (refused > 0 || errors !== records / share) process.exitCode = 1;
    const { peak } = await exporter.memory();
    const figures = [records / seconds, (used / records) * 1e6, peak, slowest];
    return [records, errors, ...figures.map((figure, at) => figure.toFixed(at === 1 ? 1 : 0))];
  } finally {
    sender.kill();
    await exporter.stop();
    await rm(folder, { recursive: true });
  }
}

// ------------------------------------------------------------------------------------------------------------ sender

/** What the receiver of the Collector makes of an event. */
function bodyOf(recordId) {
  const isHit = recordId % share === 0;
  return {
    channel: 'Application',
    computer: `EXCH0${recordId % 4}.contoso.local`,
    event_id: { id: isHit ? 2002 : 7036, qualifiers: 32772 },
    provider: { guid: '', name: isHit ? 'MSExchangeTransport' : 'Service Control Manager', event_source: '' },
    record_id: recordId,
    system_time: new Date().toISOString(),
    level: 'Warning',
    message: isHit
      ? 'Send connector Outbound: an error occurred while connecting to 203.0.113.25:25.'
      : 'The Windows Modules Installer service entered the running state. It does so now and then, and says so.',
    task: 'SmtpSend',
    opcode: '',
    keywords: ['Classic'],
    event_data: { data: [{ '': 'Outbound' }, { '': `203.0.113.${recordId % 50}:25` }] },
  };
}

function anyOf(value) {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { intValue: String(value) };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyOf) } };
  return { kvlistValue: { values: Object.entries(value).map(([key, inner]) => ({ key, value: anyOf(inner) })) } };
}

function varint(number) {
  const bytes = [];
  let left = number;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}
const field = (number, content) => Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
function anyBytes(value) {
  if (typeof value === 'string') return field(1, Buffer.from(value));
  if (typeof value === 'number') return Buffer.concat([Buffer.from([3 * 8]), varint(value)]);
  if (Array.isArray(value)) return field(5, Buffer.concat(value.map((each) => field(1, anyBytes(each)))));
  const members = Object.entries(value).map(([key, inner]) =>
    field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, anyBytes(inner))])),
  );
  return field(6, Buffer.concat(members));
}

function requestOf(encoding, from) {
  const bodies = Array.from({ length: batch }, (_, n) => bodyOf(from + n));
  if (encoding === 'json')
    return gzipSync(
      JSON.stringify({
        resourceLogs: [{ scopeLogs: [{ logRecords: bodies.map((each) => ({ body: anyOf(each) })) }] }],
      }),
      { level: 1 },
    );
  const records = bodies.map((each) => field(2, field(5, anyBytes(each))));
  return gzipSync(field(1, field(2, Buffer.concat(records))), { level: 1 });
}

async function send(encoding, port, records) {
  const bodies = [];
  for (let from = 1; from <= records; from += batch) bodies.push(requestOf(encoding, from));
  process.send('ready');
  await new Promise((go) => process.once('message', go));
  const headers = {
    'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf',
    'content-encoding': 'gzip',
  };
  let refused = 0;
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const post = (body) =>
    new Promise((done, failed) => {
      const options = { port, host: '127.0.0.1', path: '/v1/logs', method: 'POST', agent, headers };
      http
        .request(options, (response) => response.resume().on('end', () => done(response.statusCode)))
        .on('error', failed)
        .end(body);
    });
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let body = bodies.pop(); body !== undefined; body = bodies.pop())
        while ((await post(body)) !== 200) {
          refused++;
          await new Promise((later) => setTimeout(later, 100));
        }
    }),
  );
  process.send({ refused });
  agent.destroy();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [encoding, port, records] = process.argv.slice(2);
  await send(encoding, Number(port), Number(records));
  process.exit();
}

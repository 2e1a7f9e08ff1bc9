/**
 * How fast the transport logs are read: writes a Send protocol log and a connectivity log of a million rows each, of
 * which 1 % of the sessions fail, and a connectivity log of which 1 % of the rows tell of an attempt (the others are of
 * mailbox delivery, in the same log); reads each through the built reader and the join of sessions in a process of its own and
 * prints CPU seconds, MB/s, peak memory and the largest state. Needs `npm run build` first.
 *
 * `node bench/transport-logs.mjs [rows]`
 */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const rounds = 2;
const failing = 0.01;

export async function run(rows = 1_000_000) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'transport-logs-bench-'));
  const send = path.join(folder, 'SEND20260115-1.LOG');
  const connectivity = path.join(folder, 'CONNECTLOG20260115-1.LOG');
  const mailbox = path.join(folder, 'CONNECTLOG with 1 % SMTP-20260115-1.LOG');
  try {
    await write(send, rows, sendHeader, sendSession);
    await write(connectivity, rows, connectivityHeader, connectivitySession);
    await write(mailbox, rows, connectivityHeader, (n) => (n % 25 === 0 ? connectivitySession(n) : deliverySession(n)));
    for (const files of [[send], [connectivity], [send, connectivity], [mailbox]]) {
      const results = [];
      for (let round = 0; round < rounds; round++) results.push(await measure(files));
      await report(files, rows, results);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Sessions overlap: each row comes from another one of the hundred that are open. */
async function write(file, rows, header, rowsOf) {
  const handle = await open(file, 'w');
  let text = `\ufeff${header}\r\n`;
  const open100 = [];
  let session = 0;
  for (let written = 0; written < rows; written++) {
    const slot = written % 100;
    if (!open100[slot]?.length) open100[slot] = rowsOf(session++);
    text += `${open100[slot].shift()}\r\n`;
    if (text.length > 1_000_000) {
      await handle.write(text);
      text = '';
    }
  }
  await handle.write(text);
  await handle.close();
}

const sendHeader =
  '#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n#Log-type: SMTP Send Protocol Log\r\n#Date: 2026-01-15T08:00:00.000Z\r\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context';
const connectivityHeader =
  '#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n#Log-type: Transport Connectivity Log\r\n#Date: 2026-01-15T08:00:00.000Z\r\n#Fields: date-time,session,source,Destination,direction,description';

function namesOf(n) {
  const id = `08DE53F0${(0xa0000000 + n).toString(16).toUpperCase()}`;
  const address = `203.0.${n % 4}.${n % 250}`;
  const time = new Date(1_768_464_000_000 + n * 1000).toISOString();
  return { id, address, time, fails: n % 100 < failing * 100 };
}

/** About 24 rows, as Exchange writes them for a message over TLS. */
function sendSession(n) {
  const { id, address, time, fails } = namesOf(n);
  let sequence = 0;
  const row = (event, data, context, local = '192.168.1.100:44276') =>
    `${time},Outbound to Internet,${id},${sequence++},${local},${address}:25,${event},${data},${context}`;
  const begun = [
    row('*', 'SendRoutingHeaders', 'Set Session Permissions', ''),
    row('*', '', 'attempting to connect', ''),
  ];
  if (fails) {
    const words = `"Failed to connect. Winsock error code: 10060, Win32 error code: 10060, Error Message: A connection attempt failed because the connected party did not properly respond after a period of time, or established connection failed because connected host has failed to respond ${address}:25"`;
    return [...begun, row('*', '', words, '')];
  }
  return [
    ...begun,
    row('+', '', ''),
    row('<', '220 mx.fabrikam.example ESMTP Postfix ready', ''),
    row('>', 'EHLO mail.contoso.example', ''),
    row('<', '250-mx.fabrikam.example', ''),
    row('<', '250-SIZE 36700160', ''),
    row('<', '250-STARTTLS', ''),
    row('<', '250 8BITMIME', ''),
    row('>', 'STARTTLS', ''),
    row('<', '220 2.0.0 Ready to start TLS', ''),
    row(
      '*',
      '',
      'TLS protocol SP_PROT_TLS1_2_CLIENT negotiation succeeded using bulk encryption algorithm CALG_AES_256',
    ),
    row('>', 'EHLO mail.contoso.example', ''),
    row('<', '250-mx.fabrikam.example', ''),
    row('<', '250 8BITMIME', ''),
    row('*', '', 'sending message with RecordId 42 and InternetMessageId <0123456789@mail.contoso.example>'),
    row('>', 'MAIL FROM:<someone@contoso.example> SIZE=28272', ''),
    row('>', 'RCPT TO:<somebody@fabrikam.example>', ''),
    row('<', '250 2.1.0 Ok', ''),
    row('<', '250 2.1.5 Ok', ''),
    row('>', 'DATA', ''),
    row('<', '354 End data with <CR><LF>.<CR><LF>', ''),
    row('<', '250 2.0.0 Ok: queued as 4XYZ', ''),
    row('>', 'QUIT', ''),
    row('<', '221 2.0.0 Bye', ''),
    row('-', '', 'Local'),
  ];
}

function connectivitySession(n) {
  const { id, address, time, fails } = namesOf(n);
  const row = (direction, text) => `${time},${id},SMTP,fabrikam.example,${direction},${text}`;
  const begun = [
    row('+', 'DnsConnectorDelivery 2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10;QueueLength=TQ=1;RN=1;. '),
    row('>', `mx1.fabrikam.example[${address}]`),
  ];
  if (!fails)
    return [...begun, row('>', `Established connection to ${address}`), row('-', 'Messages: 1 Bytes: 28272 ()')];
  const details = `[TargetHost:mx1.fabrikam.example:25|MarkedUnhealthy|FailureCount:1|NextRetryTime:${time}][TargetIPAddress:${address}:25|MarkedUnhealthy|FailureCount:1|NextRetryTime:${time}]`;
  return [
    ...begun,
    row('>', `Failed connection to ${address}:25 (TimedOut:0000274C)${details}`),
    row('-', 'Messages: 0 Bytes: 0 (Retry : Unable to connect)'),
  ];
}

/** A message to a mailbox of the server itself: no Send connector is part of it. */
function deliverySession(n) {
  const { id, time } = namesOf(n);
  const row = (direction, text) => `${time},${id},MapiDelivery,mailbox database 01,${direction},${text}`;
  return [
    row('+', 'QueueLength=TQ=1;RN=1;. '),
    row('>', 'Connecting to server exch01.contoso.example'),
    row('>', 'Delivery session established'),
    row('-', 'Messages: 1 Bytes: 28272 ()'),
  ];
}

async function measure(files) {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), 'read', ...files]);
  return JSON.parse(stdout);
}

/** As the follower does it: passes over the files in turn, every pass joined and its changes kept as JSON. */
async function read(names) {
  const { formats } = await import('../dist/events/formats/formats.js');
  const { createReader, fingerprintOf } = await import('../dist/events/read/pass.js');
  const { createSessions } = await import('../dist/events/transport/sessions.js');
  const sessions = createSessions({
    saved: [],
    connectorOfGuid: () => 'Outbound to Internet',
    unknownCode: () => undefined,
    now: Date.now,
  });
  const files = [];
  for (const name of names) {
    const file = await open(name, 'r');
    const head = Buffer.alloc(65_536);
    await file.read(head, 0, head.length, 0);
    const format = formats.find((each) => each.kind === 'text' && each.recognises(head.toString().trimStart()));
    if (format.name === 'connectivity-log') sessions.logFound('exch01', 1_768_464_000_000);
    const tail = fingerprintOf(Buffer.alloc(0));
    files.push({ file, format, position: { offset: 0 }, tail, more: true });
  }
  const reader = createReader();
  const saved = new Map();
  const result = { records: 0, attempts: 0, failures: 0, state: 0, rss: 0, wall: 0, cpu: 0 };
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  while (files.some(({ more }) => more)) {
    for (const each of files.filter(({ more }) => more)) {
      const { file, format, position, tail } = each;
      const pass = await reader(file, position, { format, encoding: 'utf-8', tail, wanted: () => true });
      Object.assign(each, { position: pass.position, tail: pass.tail, more: pass.more });
      const found = [];
      for (const row of pass.decoded) sessions.read(row, { server: 'exch01', history: false }, found);
      for (const { key, json } of sessions.changes()) {
        if (json === undefined) saved.delete(key);
        else saved.set(key, json);
      }
      result.records += pass.decoded.length + pass.ignored;
      for (const { kind } of found) result[kind === 'connection_attempt' ? 'attempts' : 'failures']++;
      result.state = Math.max(
        result.state,
        [...saved.values()].reduce((sum, json) => sum + json.length, 0),
      );
    }
  }
  const used = process.cpuUsage(cpu);
  result.wall = (performance.now() - begun) / 1000;
  result.cpu = (used.user + used.system) / 1e6;
  result.rss = process.resourceUsage().maxRSS * 1024;
  for (const { file } of files) await file.close();
  return result;
}

async function report(files, rows, results) {
  const best = results.reduce((a, b) => (b.cpu < a.cpu ? b : a));
  const records = rows * files.length;
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const megabytes = sizes.reduce((a, b) => a + b) / 1e6;
  // The header is some lines more.
  if (best.records < records) throw new Error(`read ${best.records} of ${records} rows`);
  if (best.attempts === 0 || best.failures === 0) throw new Error('nothing was found');
  console.log(
    `${files.map((file) => path.basename(file).replace(/-?\d{8}.*/, '')).join(' + ')}`.padEnd(26) +
      `${megabytes.toFixed(0)} MB, ${records} rows: ${((best.cpu / records) * 1e6).toFixed(2)} CPU s per million rows, ` +
      `${(megabytes / best.cpu).toFixed(0)} MB/s per CPU second; ${best.wall.toFixed(2)} s wall; ` +
      `${best.attempts} attempts, ${best.failures} failures; largest state ${(best.state / 1e6).toFixed(2)} MB; ` +
      `peak RSS ${(Math.max(...results.map(({ rss }) => rss)) / 1e6).toFixed(0)} MB`,
  );
}

const [, script, first, ...rest] = process.argv;
if (first === 'read') console.log(JSON.stringify(await read(rest)));
else if (script === fileURLToPath(import.meta.url)) await run(first === undefined ? undefined : Number(first));

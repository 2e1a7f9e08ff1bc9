/**
 * How fast the transport logs are read: writes a Send protocol log and a connectivity log of a million rows each, of
 * which 1 % of the sessions fail, and a connectivity log of which 1 % of the rows tell of an attempt (the others are of
 * mailbox delivery, in the same log). Each is read through the built reader and the join of sessions in a process of its own, and end
 * to end, by the built exporter from its start until `/metrics` shows the last attempt and failure. Prints CPU seconds, peak memory and
 * the largest state. Says which aim is missed; fails when end to end has become worse by more than a fifth, as a ratio to Node's own floor in
 * the same run, than what is kept in `bench/transport-logs/kept.json`.
 *
 * `npm run bench -- transport-logs [rows]`; `KEEP=1` keeps the new figures.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readThrough, table } from './exporter.mjs';
import { compare, tellMissed } from './kept.mjs';
import { connector, firstAt, writeConnectivityLog, writeMailboxLog, writeSendLog } from './transport-logs/rows.mjs';

const rounds = 2;
const floorTurns = 6;
const aim = 2.5;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

export async function run(rows = 1_000_000) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'transport-logs-bench-'));
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const send = path.join(folder, `SEND${day}-1.LOG`);
  const connectivity = path.join(folder, `CONNECTLOG${day}-1.LOG`);
  const mailbox = path.join(folder, `CONNECTLOG${day}-2.LOG`);
  const mixes = {
    'Send log': [send],
    'connectivity log, every session of a Send connector': [connectivity],
    both: [send, connectivity],
    'connectivity log, 1 % of the rows': [mailbox],
  };
  const lines = [
    ['Transport log', 'rows', 'MB', 'reader, CPU s per million', 'end to end, CPU s per million'].concat(
      ...["times Node's floor", 'attempts', 'failures', 'largest state, MB', 'peak RSS, MiB (reader)'],
    ),
  ];
  const [figures, costs, aims] = [{}, {}, {}];
  try {
    await writeSendLog(send, rows);
    await writeConnectivityLog(connectivity, rows);
    await writeMailboxLog(mailbox, rows);
    for (const [name, files] of Object.entries(mixes)) {
      const { alone, whole, floor } = await measure(files, folder);
      const records = rows * files.length;
      // The header is some lines more.
      if (alone.records < records) throw new Error(`read ${alone.records} of ${records} rows`);
      if (alone.attempts === 0 || alone.failures === 0) throw new Error('nothing was found');
      const perMillion = ({ cpu }) => (cpu / records) * 1e6;
      const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
      lines.push([
        ...[name, records, (sizes.reduce((a, b) => a + b) / 1e6).toFixed(0), perMillion(alone).toFixed(2)],
        ...[perMillion(whole).toFixed(2), (whole.cpu / floor.cpu).toFixed(1), alone.attempts, alone.failures],
        ...[(alone.state / 1e6).toFixed(2), `${whole.peak.toFixed(0)} (${(alone.rss / 2 ** 20).toFixed(0)})`],
      ]);
      figures[`${name}: end to end, times Node's floor`] = whole.cpu / floor.cpu;
      costs[`${name}: end to end, CPU s per million rows`] = perMillion(whole);
      aims[`${name}: end to end, CPU s per million rows`] = aim;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  table(lines);
  tellMissed(costs, aims);
  await compare(here('transport-logs/kept.json'), figures);
}

/** The least of a few rounds, in turn: the machine may be busy with other things. */
async function measure(files, folder) {
  const [alone, whole, floor] = [[], [], []];
  const flags = ['--no-probe', `--config.file=${await configured(files, folder)}`];
  for (let round = 0; round < rounds; round++) {
    floor.push(await outputOf(here('peers/floor.mjs'), String(floorTurns), ...files));
    alone.push(await outputOf(here('transport-logs.mjs'), 'read', ...files));
    const { attempts, failures } = alone[0];
    const prefix = 'exchange_send_connector_connection';
    const wanted = { [`${prefix}_attempts_total`]: attempts, [`${prefix}_failures_total`]: failures };
    whole.push(await readThrough([], folder, wanted, flags));
  }
  return { alone: least(alone), whole: least(whole), floor: least(floor) };
}

/** Of the server, with the inventory that knows its connector: else sessions of the connectivity log wait for the other log. */
async function configured(files, folder) {
  const [config, inventory] = [path.join(folder, 'config.yml'), path.join(folder, 'connectors.json')];
  await writeFile(inventory, JSON.stringify([{ ...connector, Enabled: true, DNSRoutingEnabled: true }]));
  const sources = [{ type: 'file', server: 'exch01', paths: files }];
  await writeFile(config, JSON.stringify({ sources, inventory: { file: inventory } }));
  return config;
}

/** Runs in a process of its own, so that CPU and memory are of that alone. */
async function outputOf(...args) {
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

function least(results) {
  return results.reduce((a, b) => (b.cpu < a.cpu ? b : a));
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
    if (format.name === 'connectivity-log') sessions.logFound('exch01', firstAt - 3_600_000);
    const tail = fingerprintOf(Buffer.alloc(0));
    files.push({ file, format, position: { offset: 0 }, tail, more: true });
  }
  const reader = createReader();
  const saved = new Map();
  const result = { records: 0, attempts: 0, failures: 0, state: 0, rss: 0, cpu: 0 };
  const cpu = process.cpuUsage();
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
  result.cpu = (used.user + used.system) / 1e6;
  result.rss = process.resourceUsage().maxRSS * 1024;
  for (const { file } of files) await file.close();
  return result;
}

const [, script, first, ...rest] = process.argv;
if (script === fileURLToPath(import.meta.url) && first === 'read') console.log(JSON.stringify(await read(rest)));

/**
 * What saving costs: ten events a second over few and many pairs, as many as the bounds allow. Prints the exporter's CPU, without
 * that of whoever writes the log, and of the saves in that time how many bytes each has written, how many of them are the changed
 * rows, and how many stand beside these. Says which aim is missed; fails when a figure has become worse by more than a fifth than
 * the one that is kept in `bench/saves/kept.json`.
 *
 * `npm run bench -- saves`; `KEEP=1` keeps the new figures.
 */
import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { quantile, startWithRows, table } from './exporter.mjs';
import { compare } from './kept.mjs';
import { winlogbeatLine } from './workload.mjs';

/** The last is what the room of all rows takes; of more only the destination `other` is counted. */
const pairs = [1_000, 10_000, 30_000];
const eventsPerSecond = 10;
/** A just-in-time compiler is at work until then. */
const settlingMs = 20_000;
const measuredMs = 40_000;

export async function run() {
  const lines = [['Pairs', 'CPU, %', 'Saves', 'Bytes of a save', 'Changed rows', 'Beside', 'Beside, most', 'Ledger']];
  const [figures, aims] = [{}, {}];
  for (const count of pairs) {
    const { cpu, saves, ledger } = await measure(count);
    const beside = saves.map(({ bytes, rows }) => bytes - rows);
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [bytes, rows] = [mean(saves.map((each) => each.bytes)), mean(saves.map((each) => each.rows))];
    lines.push([
      ...[count, cpu.toFixed(2), saves.length, bytes.toFixed(0), rows.toFixed(0), mean(beside).toFixed(0)],
      ...[Math.max(...beside), ledger],
    ]);
    const names = [`${count} pairs: CPU, % of a core`, `${count} pairs: bytes of a save beside its rows, p95`];
    Object.assign(figures, { [names[0]]: cpu, [names[1]]: quantile(beside, 0.95) });
    Object.assign(aims, { [names[0]]: 2, [names[1]]: 4_096 });
  }
  table(lines);
  await compare(fileURLToPath(new URL('saves/kept.json', import.meta.url)), figures, aims);
}

async function measure(count) {
  const { exporter, file, end } = await startWithRows(Array.from({ length: count }, (_, index) => rowOf(index)));
  try {
    const folder = path.dirname(file);
    const append = createAppender(file, count);
    await atRate(append, settlingMs);
    const [cpu, begun, before] = [await exporter.cpuMs(), performance.now(), await journalOf(folder)];
    await atRate(append, measuredMs);
    const used = (((await exporter.cpuMs()) - cpu) / (performance.now() - begun)) * 100;
    const after = await journalOf(folder);
    if (after.name !== before.name) throw new Error('the journal was begun anew meanwhile: measure for a shorter time');
    const saves = after.entries.slice(before.entries.length).map(sizesOf);
    if (saves.length === 0) throw new Error('nothing was saved');
    return { cpu: used, saves, ledger: (await stat(path.join(folder, 'ledger.json'))).size };
  } finally {
    await end();
  }
}

/** One line at a time, of one pair after the other in no order. */
function createAppender(file, count) {
  let next = 0;
  return () => {
    const line = winlogbeatLine(1_000 + next, { ...rowOf((next * 7_919) % count), at: Date.now() });
    next++;
    return appendFile(file, line);
  };
}

async function atRate(append, ms) {
  const begun = performance.now();
  for (let sent = 0; performance.now() - begun < ms; sent++) {
    await append();
    await pause(Math.max(0, ((sent + 1) * 1000) / eventsPerSecond - (performance.now() - begun)));
  }
}

/** The journal that is written to: an entry a line, behind its checksum and length. */
async function journalOf(folder) {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.journal'));
  if (names.length !== 1) throw new Error(`expected one journal, found ${names.length}`);
  const entries = (await readFile(path.join(folder, names[0]), 'utf8')).split('\n').slice(0, -1);
  return { name: names[0], entries };
}

function sizesOf(entry) {
  const { put } = JSON.parse(entry.slice(entry.indexOf('{')));
  return { bytes: Buffer.byteLength(entry) + 1, rows: Buffer.byteLength(JSON.stringify(put?.rows ?? [])) };
}

function rowOf(index) {
  const [server, connector, destination] = [index % 4, Math.floor(index / 4) % 20, Math.floor(index / 80)];
  return {
    server: `exch0${server}.contoso.example`,
    connector: `Outbound ${connector}`,
    destination: `127.51.${destination >> 8}.${destination & 255}:25`,
    errors: 1,
    lastErrorAt: agoOf(index),
    lastObservedAt: agoOf(index),
  };
}

/** Within two hours, and not in the last one: a diagnosis would be made for each. */
function agoOf(index) {
  return Date.now() - 2 * 3_600_000 + (index % 3_000_000);
}
